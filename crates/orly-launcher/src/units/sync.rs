//! The services that keep relays in step with each other.

use rpc::{Address, ServiceKind};

use crate::settings::Variables;

/// A sync service.
pub(super) struct Sync<'a> {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) description: &'static str,
    pub(super) kind: ServiceKind,
    pub(super) is_enabled: bool,
    pub(super) binary: &'a str,
    pub(super) binary_variable: &'static str,
    pub(super) listen: &'a Address,
    pub(super) listen_variable: &'static str,
    /// What its own variables begin with.
    pub(super) prefix: &'static str,
    /// The variable that tells the relay where it is.
    pub(super) relay_variable: &'static str,
}

/// The services there may be, whether or not they are to run.
pub(super) fn syncs(variables: &Variables) -> [Sync<'_>; 4] {
    [
        Sync {
            name: "distributed",
            aliases: &["distributed-sync", "orly-sync-distributed"],
            description: "Synchronisation by serials",
            kind: ServiceKind::Distributed,
            is_enabled: variables.distributed_enabled,
            binary: &variables.distributed_binary,
            binary_variable: "ORLY_LAUNCHER_SYNC_DISTRIBUTED_BINARY",
            listen: &variables.distributed_listen.0,
            listen_variable: "ORLY_LAUNCHER_SYNC_DISTRIBUTED_LISTEN",
            prefix: "ORLY_SYNC_DISTRIBUTED",
            relay_variable: "ORLY_GRPC_SYNC_DISTRIBUTED",
        },
        Sync {
            name: "cluster",
            aliases: &["cluster-sync", "orly-sync-cluster"],
            description: "Replication in a cluster",
            kind: ServiceKind::Cluster,
            is_enabled: variables.cluster_enabled,
            binary: &variables.cluster_binary,
            binary_variable: "ORLY_LAUNCHER_SYNC_CLUSTER_BINARY",
            listen: &variables.cluster_listen.0,
            listen_variable: "ORLY_LAUNCHER_SYNC_CLUSTER_LISTEN",
            prefix: "ORLY_SYNC_CLUSTER",
            relay_variable: "ORLY_GRPC_SYNC_CLUSTER",
        },
        Sync {
            name: "relaygroup",
            aliases: &["orly-sync-relaygroup"],
            description: "Relay groups",
            kind: ServiceKind::RelayGroup,
            is_enabled: variables.relaygroup_enabled,
            binary: &variables.relaygroup_binary,
            binary_variable: "ORLY_LAUNCHER_SYNC_RELAYGROUP_BINARY",
            listen: &variables.relaygroup_listen.0,
            listen_variable: "ORLY_LAUNCHER_SYNC_RELAYGROUP_LISTEN",
            prefix: "ORLY_SYNC_RELAYGROUP",
            relay_variable: "ORLY_GRPC_SYNC_RELAYGROUP",
        },
        Sync {
            name: "negentropy",
            aliases: &["orly-sync-negentropy"],
            description: "Reconciliation (NIP-77)",
            kind: ServiceKind::Negentropy,
            is_enabled: variables.negentropy_enabled,
            binary: &variables.negentropy_binary,
            binary_variable: "ORLY_LAUNCHER_SYNC_NEGENTROPY_BINARY",
            listen: &variables.negentropy_listen.0,
            listen_variable: "ORLY_LAUNCHER_SYNC_NEGENTROPY_LISTEN",
            prefix: "ORLY_SYNC_NEGENTROPY",
            relay_variable: "ORLY_GRPC_SYNC_NEGENTROPY",
        },
    ]
}
