//! What clients and relays say to each other (NIP-01, NIP-42, NIP-45, NIP-77).

mod client;
mod relay;

pub use client::{ClientMessage, InvalidMessage, SubscriptionId};
pub use relay::{Prefix, Rejection, RelayMessage};
