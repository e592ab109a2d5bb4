//! Talks to another relay: asks for events by id and by filter, publishes, and reconciles (NIP-01, NIP-42, NIP-77).
//!
//! One [`Connection`] carries all of it at once. What the relay sends is believed as far as it was
//! asked for and its ids and signatures hold; every wait has a limit, and so has every queue.

mod authentication;
mod connection;
mod dial;
mod error;
mod fetch;
mod information;
mod message;
mod negentropy;
mod peer_url;
mod query;
mod reader;
mod routes;
mod traffic;
mod verifiers;

pub use connection::{Connection, Options, Verdict};
pub use dial::Reach;
pub use error::ClientError;
pub use fetch::{Fetch, Fetched};
pub use negentropy::Negentropy;
pub use peer_url::{InvalidPeerUrl, PeerUrl};
pub use traffic::Traffic;
