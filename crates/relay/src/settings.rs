//! What an operator decides about a relay. Plain values: where they come from is not known here.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use event::Pubkey;

use crate::{AddressRange, Network};

/// All of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name, description and the like (NIP-11).
    pub about: About,
    /// Who may do what.
    pub access: Access,
    /// What a client may ask at most.
    pub limits: Limits,
    /// How often an address may ask, if that is looked at.
    pub guarding: Option<Guarding>,
    /// Which pages may be read from other origins; `None` sends no CORS headers on `/api`.
    pub cors_origins: Option<Vec<String>>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// How many threads check signatures.
    pub verify_threads: usize,
    /// How long a shutdown waits for clients.
    pub drain: Duration,
    /// Whether `/shutdown` on the health port ends the relay.
    pub ends_by_http: bool,
}

/// What the relay says about itself (NIP-11).
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Its name.
    pub name: String,
    /// One or two sentences about it.
    pub description: String,
    /// Its public address, as `wss://…`.
    pub url: Option<String>,
    /// Other addresses it is known under.
    pub addresses: Vec<String>,
    /// Whom to write to.
    pub contact: Option<String>,
    /// A picture.
    pub icon: Option<String>,
    /// The operator.
    pub operator: Option<Pubkey>,
    /// The relay's own key, once it is known.
    pub identity: Arc<OnceLock<Pubkey>>,
}

/// Who may do what.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// May do everything.
    pub owners: Vec<Pubkey>,
    /// May import, export and delete.
    pub admins: Vec<Pubkey>,
    /// Whether reading and writing need NIP-42.
    pub auth_required: bool,
    /// Whether writing needs NIP-42.
    pub auth_to_write: bool,
    /// Whether remote signers (NIP-46) may write and read their messages, kind 24133, without that.
    pub open_to_signers: bool,
    /// Whether private kinds are served to everybody.
    pub privileged_open: bool,
    /// Who is served private kinds as the operator is: relays that are trusted as this one is.
    pub full_sync: Vec<Pubkey>,
    /// Only clients from these addresses, if there are any.
    pub ip_whitelist: Vec<AddressRange>,
    /// No clients from these addresses.
    pub ip_blacklist: Vec<AddressRange>,
}

/// What a client may ask at most.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a WebSocket message.
    pub message_bytes: usize,
    /// Bytes of an event.
    pub event_bytes: usize,
    /// Tags of an event.
    pub event_tags: usize,
    /// How far in the future `created_at` may be (NIP-22).
    pub created_at_future: Duration,
    /// How far in the past `created_at` may be (NIP-22); zero for any.
    pub created_at_past: Duration,
    /// Subscriptions of a connection.
    pub subscriptions: usize,
    /// Subscriptions of all connections together.
    pub subscriptions_in_all: usize,
    /// Filters of a subscription.
    pub filters: usize,
    /// Values of a filter, all lists together.
    pub filter_values: usize,
    /// Events for a filter that names no limit and no ids.
    pub default_limit: u64,
    /// Events for a filter at most.
    pub max_limit: u64,
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub connections_per_ip: usize,
    /// Bytes that wait for a client that reads slowly.
    pub outbox_bytes: usize,
    /// Bytes that wait on behalf of all clients together: half of it what they sent, half what they have
    /// yet to read.
    pub waiting_bytes: usize,
    /// A silent client is sent a ping after this long, and closed after twice as long.
    pub ping_interval: Duration,
}

/// How often an address that is not this machine's or of a private network may ask.
#[derive(Clone, Debug)]
pub struct Guarding {
    /// Requests in a minute.
    pub pages_per_minute: NonZeroU32,
    /// WebSockets in a minute.
    pub sockets_per_minute: NonZeroU32,
    /// Whether known crawlers are turned away.
    pub refuses_crawlers: bool,
}

impl Settings {
    /// Whether what this address says in `X-Forwarded-For` is believed.
    pub fn is_trusted_proxy(&self, ip: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|proxies| proxies.contains(ip))
    }
}

impl Access {
    /// Whether the lists of addresses let this one in.
    pub fn may_connect(&self, ip: IpAddr) -> bool {
        let is_on = |list: &[AddressRange]| list.iter().any(|range| range.contains(ip));
        !is_on(&self.ip_blacklist) && (self.ip_whitelist.is_empty() || is_on(&self.ip_whitelist))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            about: About { name: "ORLY".into(), ..About::default() },
            access: Access::default(),
            limits: Limits::default(),
            guarding: Some(Guarding::default()),
            cors_origins: None,
            trusted_proxies: Vec::new(),
            verify_threads: std::thread::available_parallelism().map_or(1, usize::from),
            drain: Duration::from_secs(5),
            ends_by_http: false,
        }
    }
}

impl Default for Guarding {
    fn default() -> Self {
        let [pages_per_minute, sockets_per_minute] =
            [120, 60].map(|count| NonZeroU32::new(count).expect("they are not zero"));
        Self { pages_per_minute, sockets_per_minute, refuses_crawlers: true }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 1 << 20,
            event_bytes: 256 << 10,
            event_tags: 10_000,
            created_at_future: Duration::from_secs(900),
            created_at_past: Duration::ZERO,
            subscriptions: 300,
            subscriptions_in_all: 10_000,
            filters: 20,
            filter_values: 20_000,
            default_limit: 256,
            max_limit: 10_000,
            connections: 500,
            connections_per_ip: 100,
            outbox_bytes: 8 << 20,
            waiting_bytes: 256 << 20,
            ping_interval: Duration::from_secs(60),
        }
    }
}
