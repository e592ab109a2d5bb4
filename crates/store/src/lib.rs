//! The event store seam: what every engine does, in the relay's words.
//!
//! An engine implements [`EventStore`] and [`Markers`] and passes the rules in `conformance`
//! (feature of that name). No engine, no network and no policy live here.

mod batch;
mod bulk;
#[cfg(feature = "conformance")]
pub mod conformance;
mod deletion;
mod error;
mod event_store;
mod gathered_set;
mod hidden_authors;
mod markers;
#[cfg(feature = "conformance")]
mod memory;
mod outcome;
mod query;
mod reconcile_store;
mod serial_store;

pub use batch::{EventBatch, Serial};
pub use bulk::bulk_bytes;
pub use deletion::{Requester, carry_out};
pub use error::StoreError;
pub use event_store::{EventStore, Rows, StoreStatus, Watch};
pub use gathered_set::GatheredSet;
pub use hidden_authors::{HIDDEN_AUTHORS_MARKER, HiddenAuthors};
pub use markers::{IDENTITY_MARKER, Markers, identity};
#[cfg(feature = "conformance")]
pub use memory::MemoryStore;
pub use outcome::{SaveOutcome, Tombstone};
pub use query::{Hidden, Private, Query, Viewer};
pub use reconcile_store::{ReconcileError, ReconcileSet, ReconcileStore};
pub use serial_store::{Preview, SerialStore};
