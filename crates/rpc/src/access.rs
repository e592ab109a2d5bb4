//! Access control over gRPC: `orlyacl.v1.ACLService`, both ends.

mod entries;
mod failure;
mod lists;
mod remote;
mod revision;
mod server;

pub use remote::RemoteAcl;
pub use server::AclServer;

#[cfg(test)]
mod tests;
