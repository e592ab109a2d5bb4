//! Keeping relays in step.
//!
//! [`Reconciler`] is the seam between a relay and whoever answers NIP-77 for it; here is the one in
//! this process. Knows no socket of a client and no HTTP.

mod negentropy;
mod reconciler;

pub use negentropy::{NegentropySessions, SessionSettings, SessionStatus};
pub use reconciler::{NegentropyRefusal, Reconciler, SessionKey};
