//! The event store of a process, as its settings say: files of its own, or a service.
//!
//! What several processes do with it alike when they are put together stands here: opening it, waiting for a
//! service that comes later, and ending when the disk under it fails.

mod embedded;
mod event_store;
mod graph;
mod waiting;

pub use embedded::{open, open_shared, shared, while_sound};
pub use event_store::{EventStore, Store};
pub use graph::at_neo4j;
pub use waiting::when_there;
