//! The Nostr relay: sessions, subscriptions, ingest, HTTP.
//!
//! Stores nothing itself and reads no environment: see `store` and `daemon`.

mod address_list;
mod auth;
mod guard;
mod http;
mod ingest;
mod labels;
mod metrics;
mod network;
pub mod nips;
mod outbox;
mod relay;
mod room;
mod server;
mod session;
mod settings;
mod subscriptions;

pub use address_list::AddressRange;
pub use network::{InvalidNetwork, Network};
pub use relay::Parts;
pub use server::serve;
pub use settings::{About, Access, Guarding, Limits, Settings};
