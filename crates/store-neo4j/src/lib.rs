//! Event store on Neo4j: events as a graph that an operator can ask about.
//!
//! What is stored where stands in `graph`. Saving is a transaction that first takes a lock in the database, so that any
//! number of processes may write; answers are found by indexes that have them in order, page by page. A server that is
//! away makes calls fail as unavailable until it is back.

mod bolt;
mod client;
mod cypher;
mod decide;
mod error;
mod events;
mod gather;
mod graph;
mod json;
mod keys;
mod known;
mod lookups;
mod marking;
mod options;
mod question;
mod rows;
mod save;
mod shared;
mod store;
mod watching;
mod write;
mod writer;

pub use error::Neo4jError;
pub use options::Options;
pub use question::{Question, QuestionError};
pub use store::Neo4jStore;
