//! The event store in another process: `orlystore.v1`, both ends, and the original's `orlydb.v1`.
//!
//! [`StoreServer`] puts any store on the wire; [`RemoteStore`] is that store again on the other side.
//! It finds its service by itself and finds it again, whatever order things start in.

mod attempts;
mod convert;
mod database;
mod exchange;
mod failure;
mod files;
mod link;
mod remote;
mod server;
mod session;

pub use files::{OpenFiles, SharedFiles};
pub use remote::RemoteStore;
pub use server::StoreServer;
