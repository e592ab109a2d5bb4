//! How often an address may ask.

use std::num::{NonZeroU32, NonZeroUsize};

daemon::settings! {
    /// How often an address may ask.
    #[derive(Clone, Debug)]
    pub(crate) struct Guarding {
        section "Guard" {
            /// Whether requests of an address are counted, and known crawlers refused. This machine, private
            /// networks and trusted proxies are not.
            is_on: bool = "ORLY_HTTP_GUARD_ENABLED", "true";
            /// HTTP requests of an address in a minute.
            requests: NonZeroUsize = "ORLY_HTTP_GUARD_RPM", "120";
            /// WebSockets an address may open in a minute; whoever shares it (a mobile network, an office)
            /// shares them.
            sockets: NonZeroUsize = "ORLY_HTTP_GUARD_WS_PER_MIN", "60";
            /// Whether crawlers that take pages for search engines and language models are refused by name.
            refuses_crawlers: bool = "ORLY_HTTP_GUARD_BOT_BLOCK", "true";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

impl Guarding {
    /// The same as the relay takes it; nothing if it is off.
    pub(crate) fn relay(&self) -> Option<relay::Guarding> {
        let count = |count: NonZeroUsize| NonZeroU32::try_from(count).unwrap_or(NonZeroU32::MAX);
        self.is_on.then(|| relay::Guarding {
            pages_per_minute: count(self.requests),
            sockets_per_minute: count(self.sockets),
            refuses_crawlers: self.refuses_crawlers,
        })
    }
}
