//! Deletion requests (NIP-09, kind 5) and requests to vanish (NIP-62, kind 62).
//!
//! Authors delete their own events: by id (`e`), and by address (`a`) up to the request's
//! `created_at`. Decides only; a store applies it. A deleted id stays refused.

use crate::{Address, EventId, EventRef, Kind};

/// What a deletion request names that its author may delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletion {
    /// Ids; whether their events are the author's shows when they are there.
    pub ids: Vec<EventId>,
    /// Addresses of the author.
    pub addresses: Vec<Address>,
}

impl Deletion {
    /// Reads a deletion request; `None` for any other kind.
    pub fn of(event: EventRef<'_>) -> Option<Self> {
        if event.kind() != Kind::DELETION {
            return None;
        }
        let ids = event
            .tags()
            .values_of("e")
            .filter_map(|value| EventId::from_hex(value.as_bytes()).ok());
        let addresses = event.tags().values_of("a").filter_map(Address::from_tag);
        let own = addresses.filter(|address| address.pubkey == event.pubkey());
        Some(Self { ids: ids.collect(), addresses: own.collect() })
    }
}

/// Whether `target` may be deleted by a request of `request`'s author that names its id. Requests
/// to delete or to vanish cannot be taken back.
pub fn may_delete(request: EventRef<'_>, target: EventRef<'_>) -> bool {
    request.pubkey() == target.pubkey() && ![Kind::DELETION, Kind::VANISH].contains(&target.kind())
}

/// Whether `event` asks the relay at `relay_urls` to forget its author (NIP-62).
pub fn is_vanish_request(event: EventRef<'_>, relay_urls: &[String]) -> bool {
    let same =
        |a: &str, b: &str| a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'));
    event.kind() == Kind::VANISH
        && event.tags().values_of("relay").any(|value| {
            let value = value.replace("\\/", "/");
            value == "ALL_RELAYS" || relay_urls.iter().any(|url| same(url, &value))
        })
}
