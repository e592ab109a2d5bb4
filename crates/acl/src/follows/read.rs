//! What follow lists and relay lists say.

use event::{EventRef, Pubkey, Tag, unescaped};
use relay_client::PeerUrl;

use super::{FOLLOW_LIST, FollowLists, RELAY_LIST};

/// How many relays an admin may name; lists that are longer are mistakes.
const MAX_RELAYS: usize = 10;

/// Adds what an event of an owner or admin says.
pub(super) fn add(lists: &mut FollowLists, event: EventRef<'_>) {
    if event.kind() == FOLLOW_LIST {
        let named = event.tags().values_of("p");
        lists.followed.extend(named.filter_map(|hex| Pubkey::from_hex(hex.as_bytes()).ok()));
    } else if event.kind() == RELAY_LIST {
        let written = event.tags().iter().filter(|tag| is_written(*tag)).filter_map(Tag::value);
        let urls = written.filter_map(|url| unescaped(url).parse::<PeerUrl>().ok());
        lists.relays.extend(urls.take(MAX_RELAYS));
    }
}

/// Whether a tag names a relay that its author writes to (NIP-65).
fn is_written(tag: Tag<'_>) -> bool {
    tag.name() == Some("r") && tag.values().nth(2) != Some("read")
}
