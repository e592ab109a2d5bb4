//! The table of units: what runs, in which order, and what each is told.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use daemon::{InvalidSetting, InvalidSettings, LogLevel};
use rpc::{Address, ServiceKind};
use supervisor::{RestartPolicy, Unit};

use crate::programs::Programs;
use crate::settings::{AclMode, Settings, Variables};

/// How long units may take to stop that have nothing to lose.
const SHORT_STOP: Duration = Duration::from_secs(10);
/// What systemd gives to one process must not reach its children.
const NOT_INHERITED: [&str; 6] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];

/// A part of the appliance, which may be switched off.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// What it is called here.
    pub(crate) name: &'static str,
    /// Other names it is known by.
    pub(crate) aliases: &'static [&'static str],
    /// One of database, acl, sync, relay.
    pub(crate) category: &'static str,
    /// What it does.
    pub(crate) description: &'static str,
    /// Where it listens.
    pub(crate) address: Listen,
    /// The variable that says so.
    pub(crate) address_variable: &'static str,
    /// What runs; `None` if it is switched off.
    pub(crate) unit: Option<Unit>,
}

/// Where a unit listens, and so how it is asked whether it is ready.
#[derive(Clone, Debug)]
pub(crate) enum Listen {
    /// gRPC.
    Service(Address, ServiceKind),
    /// HTTP.
    Http(SocketAddr),
}

/// A sync service.
struct Sync<'a> {
    name: &'static str,
    aliases: &'static [&'static str],
    description: &'static str,
    kind: ServiceKind,
    is_enabled: bool,
    binary: &'a str,
    binary_variable: &'static str,
    listen: &'a Address,
    listen_variable: &'static str,
    /// What its own variables begin with.
    prefix: &'static str,
    /// The variable that tells the relay where it is.
    relay_variable: &'static str,
}

/// All parts. Fails if a program is missing.
pub(crate) fn parts(settings: &Settings) -> Result<Vec<Part>, InvalidSettings> {
    let programs = Programs::new(settings.program_directories());
    let table = Table { variables: &settings.variables, programs };
    let mut faults = Vec::new();
    let mut parts = Vec::new();
    let mut take = |part: Result<Part, InvalidSetting>| match part {
        Ok(part) => parts.push(part),
        Err(fault) => faults.push(fault),
    };
    take(table.db());
    take(table.acl());
    for sync in table.syncs() {
        take(table.sync(&sync));
    }
    take(table.relay());
    if faults.is_empty() { Ok(parts) } else { Err(InvalidSettings(faults)) }
}

struct Table<'a> {
    variables: &'a Variables,
    programs: Programs,
}

impl Table<'_> {
    fn db(&self) -> Result<Part, InvalidSetting> {
        let variables = self.variables;
        let address = &variables.db_listen.0;
        let names = match &variables.db_binary {
            Some(name) => vec![name.clone()],
            None => vec![format!("orly-db-{}", variables.db_backend)],
        };
        let mut unit = self.unit("db", 15, &names, "ORLY_LAUNCHER_DB_BINARY")?;
        unit.ready_timeout = variables.db_ready_timeout;
        unit.stop_timeout = variables.stop_timeout;
        tell(&mut unit, "ORLY_DB_LISTEN", address);
        let level = variables.db_log_level.unwrap_or(variables.log_level);
        tell(&mut unit, "ORLY_DB_LOG_LEVEL", word(level));
        tell(&mut unit, "ORLY_DB_TYPE", variables.db_backend);
        Ok(Part {
            name: "db",
            aliases: &["orly-db", "orly-db-badger", "orly-db-neo4j"],
            category: "database",
            description: "Event store",
            address: Listen::Service(address.clone(), ServiceKind::Database),
            address_variable: "ORLY_LAUNCHER_DB_LISTEN",
            unit: Some(unit),
        })
    }

    fn acl(&self) -> Result<Part, InvalidSetting> {
        let variables = self.variables;
        let address = &variables.acl_listen.0;
        let mode = variables.acl_mode.unwrap_or(AclMode::Follows);
        let make = || {
            let names = match &variables.acl_binary {
                Some(name) => vec![name.clone()],
                None => {
                    let of_mode = mode.names().iter().map(|mode| format!("orly-acl-{mode}"));
                    of_mode.chain(["orly-acl".to_owned()]).collect()
                }
            };
            let mut unit = self.unit("acl", 16, &names, "ORLY_LAUNCHER_ACL_BINARY")?;
            unit.needs = vec!["db".into()];
            unit.ready_timeout = variables.acl_ready_timeout;
            tell(&mut unit, "ORLY_ACL_LISTEN", address);
            tell(&mut unit, "ORLY_ACL_DB_TYPE", "grpc");
            tell(&mut unit, "ORLY_ACL_GRPC_DB_SERVER", &variables.db_listen.0);
            tell(&mut unit, "ORLY_ACL_MODE", mode.names()[0]);
            tell(&mut unit, "ORLY_ACL_LOG_LEVEL", word(variables.log_level));
            Ok(unit)
        };
        Ok(Part {
            name: "acl",
            aliases: &["orly-acl", "orly-acl-follows", "orly-acl-managed", "orly-acl-curation"],
            category: "acl",
            description: "Access control",
            address: Listen::Service(address.clone(), ServiceKind::Access),
            address_variable: "ORLY_LAUNCHER_ACL_LISTEN",
            unit: variables.acl_enabled.then(make).transpose()?,
        })
    }

    fn sync(&self, sync: &Sync<'_>) -> Result<Part, InvalidSetting> {
        let variables = self.variables;
        let make = || {
            let names = [sync.binary.to_owned()];
            let mut unit = self.unit(sync.name, 25, &names, sync.binary_variable)?;
            unit.needs = vec!["db".into()];
            unit.after = self.acl_if_enabled();
            unit.ready_timeout = variables.sync_ready_timeout;
            let mut tell_own = |name: &str, value: &str| {
                tell(&mut unit, &format!("{}_{name}", sync.prefix), value);
            };
            tell_own("LISTEN", &sync.listen.to_string());
            tell_own("DB_TYPE", "grpc");
            tell_own("DB_SERVER", &variables.db_listen.0.to_string());
            tell_own("LOG_LEVEL", word(variables.log_level));
            Ok(unit)
        };
        Ok(Part {
            name: sync.name,
            aliases: sync.aliases,
            category: "sync",
            description: sync.description,
            address: Listen::Service(sync.listen.clone(), sync.kind),
            address_variable: sync.listen_variable,
            unit: sync.is_enabled.then(make).transpose()?,
        })
    }

    fn relay(&self) -> Result<Part, InvalidSetting> {
        let variables = self.variables;
        let names = [variables.relay_binary.clone()];
        let mut unit = self.unit("relay", 20, &names, "ORLY_LAUNCHER_RELAY_BINARY")?;
        unit.ready_timeout = variables.relay_ready_timeout;
        unit.needs = std::iter::once("db".into()).chain(self.acl_if_enabled()).collect();
        tell(&mut unit, "ORLY_LISTEN", variables.relay_listen);
        tell(&mut unit, "ORLY_PORT", variables.relay_port);
        tell(&mut unit, "ORLY_LOG_LEVEL", word(variables.log_level));
        tell(&mut unit, "ORLY_DB_TYPE", "grpc");
        tell(&mut unit, "ORLY_GRPC_SERVER", &variables.db_listen.0);
        if variables.acl_enabled {
            let mode = variables.acl_mode.unwrap_or(AclMode::Follows);
            tell(&mut unit, "ORLY_ACL_TYPE", "grpc");
            tell(&mut unit, "ORLY_GRPC_ACL_SERVER", &variables.acl_listen.0);
            tell(&mut unit, "ORLY_ACL_MODE", mode.names()[0]);
        } else {
            tell(&mut unit, "ORLY_ACL_TYPE", "local");
            if let Some(mode) = variables.acl_mode {
                tell(&mut unit, "ORLY_ACL_MODE", mode.names()[0]);
            }
        }
        for sync in self.syncs().into_iter().filter(|sync| sync.is_enabled) {
            unit.after.push(sync.name.into());
            tell(&mut unit, "ORLY_SYNC_TYPE", "grpc");
            tell(&mut unit, sync.relay_variable, sync.listen);
            if sync.kind == ServiceKind::Negentropy {
                tell(&mut unit, "ORLY_NEGENTROPY_ENABLED", "true");
            }
        }
        for (name, value) in [
            ("ORLY_AUTH_REQUIRED", variables.auth_required),
            ("ORLY_AUTH_TO_WRITE", variables.auth_to_write),
        ] {
            if let Some(value) = value {
                tell(&mut unit, name, value);
            }
        }
        let address = SocketAddr::new(local(variables.relay_listen), variables.relay_port);
        if variables.relay_port == 0 {
            let reason =
                "ORLY_PORT=\"0\": expected a port that is not 0, which the launcher can ask";
            return Err(InvalidSetting::Other(reason.into()));
        }
        Ok(Part {
            name: "relay",
            aliases: &["orly"],
            category: "relay",
            description: "Relay: what clients talk to",
            address: Listen::Http(address),
            address_variable: "ORLY_PORT",
            unit: Some(unit),
        })
    }

    fn syncs(&self) -> [Sync<'_>; 4] {
        let variables = self.variables;
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

    fn acl_if_enabled(&self) -> Vec<String> {
        self.variables.acl_enabled.then(|| "acl".into()).into_iter().collect()
    }

    /// What all units have in common. All else in the environment is inherited.
    fn unit(
        &self,
        name: &str,
        priority: u16,
        programs: &[String],
        variable: &str,
    ) -> Result<Unit, InvalidSetting> {
        let variables = self.variables;
        let environment = NOT_INHERITED.map(|name| (name.to_owned(), None)).to_vec();
        let mut unit = Unit {
            name: name.into(),
            program: self.programs.find(programs, variable)?,
            arguments: Vec::new(),
            environment,
            needs: Vec::new(),
            after: Vec::new(),
            priority,
            ready_timeout: Duration::ZERO,
            stop_timeout: variables.stop_timeout.min(SHORT_STOP),
            restart: RestartPolicy {
                min_delay: variables.restart_delay,
                max_delay: variables.restart_max_delay,
                stable_after: variables.stable_after,
                crash_loop_after: variables.crash_loop_after.max(1),
                hopeless_codes: vec![i32::from(daemon::EXIT_USAGE)],
                ..RestartPolicy::default()
            },
        };
        let data_dir = variables.data_dir.clone().into_os_string();
        unit.environment.push(("ORLY_DATA_DIR".into(), Some(data_dir)));
        Ok(unit)
    }
}

fn tell(unit: &mut Unit, name: &str, value: impl ToString) {
    unit.environment.push((name.to_owned(), Some(OsString::from(value.to_string()))));
}

fn word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Off => "off",
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

/// Where something that listens on this address is found from here.
fn local(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

#[cfg(test)]
mod tests;
