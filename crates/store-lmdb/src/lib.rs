//! Event store on LMDB.
//!
//! One writer thread gathers what waits into one transaction and answers when it is on disk. Readers
//! take short snapshots: a query is answered in batches, and no read transaction outlives one.
//! Other processes may open the same database; what they write is noticed.

mod backup;
mod check;
mod count;
mod delete;
mod entries;
mod env;
mod error;
mod heads;
mod hint;
mod keys;
mod lookup;
mod matches;
mod options;
mod plan;
mod query;
mod reconcile_set;
mod save;
mod scan;
mod schema;
mod serials;
mod store;
mod summary;
mod tables;
mod turnstile;
mod watch;
mod writer;

pub use check::CheckReport;
pub use env::Description;
pub use error::LmdbError;
pub use options::{Access, Options};
pub use store::LmdbStore;
