//! What `build.rs` generates from `proto/`, a module a package. Stays inside this crate.

#![expect(unreachable_pub, reason = "generated; the documentation is in proto/")]
#![allow(
    dead_code,
    clippy::wildcard_imports,
    clippy::allow_attributes_without_reason,
    clippy::large_futures,
    reason = "generated"
)]

/// The descriptors of all files, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

pub mod orlydb {
    pub mod v1 {
        tonic::include_proto!("orlydb.v1");
    }
}

pub mod orlyacl {
    pub mod v1 {
        tonic::include_proto!("orlyacl.v1");
    }
}

pub mod orlysync {
    pub mod common {
        pub mod v1 {
            tonic::include_proto!("orlysync.common.v1");
        }
    }
    pub mod distributed {
        pub mod v1 {
            tonic::include_proto!("orlysync.distributed.v1");
        }
    }
    pub mod cluster {
        pub mod v1 {
            tonic::include_proto!("orlysync.cluster.v1");
        }
    }
    pub mod relaygroup {
        pub mod v1 {
            tonic::include_proto!("orlysync.relaygroup.v1");
        }
    }
    pub mod negentropy {
        pub mod v1 {
            tonic::include_proto!("orlysync.negentropy.v1");
        }
    }
}

pub mod orlystore {
    pub mod v1 {
        tonic::include_proto!("orlystore.v1");
    }
}

#[cfg(test)]
mod wire;
