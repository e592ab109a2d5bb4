//! Which events are taken, from clients and from peers alike.

use std::num::NonZeroUsize;
use std::time::Duration;

use event::{EventRef, Timestamp};
use relay_sync::Admission;

daemon::settings! {
    /// Which events are taken.
    #[derive(Clone, Debug)]
    pub struct EventLimits {
        section "Events" {
            /// Bytes of an event.
            bytes: NonZeroUsize = "ORLY_MAX_EVENT_BYTES", "262144";
            /// Tags of an event.
            tags: NonZeroUsize = "ORLY_MAX_EVENT_TAGS", "10000";
            /// How far in the future `created_at` may be (NIP-22).
            future: Duration = "ORLY_CREATED_AT_FUTURE", "15m";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

impl EventLimits {
    /// What clients may not publish is not taken from peers either.
    pub fn admission(&self) -> Admission {
        let (bytes, tags, future) = (self.bytes.get(), self.tags.get(), self.future.as_secs());
        Admission::new(move |event: EventRef<'_>| {
            let ahead = event.created_at().as_secs().saturating_sub(Timestamp::now().as_secs());
            if ahead > future {
                return Err(format!("created_at is more than {future} s ahead"));
            }
            if event.tags().iter().count() > tags {
                return Err(format!("event has more than {tags} tags"));
            }
            if event.as_bytes().len() > bytes {
                return Err(format!("event has more than {bytes} bytes"));
            }
            Ok(())
        })
    }
}
