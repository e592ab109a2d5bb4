//! The Nostr relay: sessions, subscriptions, ingest, HTTP.
//!
//! Stores nothing itself and reads no environment: see `store` and `daemon`.

mod settings;

pub use settings::{About, Access, Limits, Settings};
