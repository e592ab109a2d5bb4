//! The event store seam: what every engine does, in the relay's words.
//!
//! An engine implements [`EventStore`] and [`Markers`] and passes the rules in `conformance`
//! (feature of that name). No engine, no network and no policy live here.

mod batch;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod event_store;
mod markers;
mod outcome;
mod query;

pub use batch::{EventBatch, Serial};
pub use error::StoreError;
pub use event_store::{EventStore, Rows, StoreStatus, Watch};
pub use markers::{IDENTITY_MARKER, Markers, identity};
pub use outcome::{SaveOutcome, Tombstone};
pub use query::{Query, Viewer};
