//! Bolt: what is spoken to a Neo4j server, versions 4.4 and 5.1 to 5.4.
//!
//! Written here because the driver at hand, `neo4rs` 0.8, can neither say that a transaction only reads nor give up
//! a call without handing its answer to the next one; and it brings forty crates. Knows nothing of Nostr or graphs.

mod connection;
mod error;
mod message;
mod packstream;
mod pool;
mod stream;
mod target;
mod value;

pub(crate) use connection::{Connection, Record};
pub(crate) use error::BoltError;
pub(crate) use message::{Mode, Statement};
pub(crate) use pool::{Pool, PoolOptions};
pub(crate) use target::Target;
pub(crate) use value::Value;
