//! NIP-77.

mod sessions;

pub use sessions::{NegentropySessions, SessionSettings, SessionStatus};
