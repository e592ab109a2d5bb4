//! The table of units: what runs, in which order, and what each is told.

mod part;
mod sync;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use acl::Mode;
use daemon::{InvalidSetting, InvalidSettings, LogLevel};
use rpc::ServiceKind;
use supervisor::{RestartPolicy, Unit};

pub(crate) use self::part::{Listen, Part};
use self::sync::{Sync, syncs};
use crate::programs::Programs;
use crate::settings::{Settings, Variables};

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
    for sync in syncs(&settings.variables) {
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
        let make = || {
            let names = match &variables.acl_binary {
                Some(name) => vec![name.clone()],
                None => acl_programs(self.acl_mode()),
            };
            let mut unit = self.unit("acl", 16, &names, "ORLY_LAUNCHER_ACL_BINARY")?;
            unit.needs = vec!["db".into()];
            unit.ready_timeout = variables.acl_ready_timeout;
            tell(&mut unit, "ORLY_ACL_LISTEN", address);
            tell(&mut unit, "ORLY_ACL_DB_TYPE", "grpc");
            tell(&mut unit, "ORLY_ACL_GRPC_DB_SERVER", &variables.db_listen.0);
            tell(&mut unit, "ORLY_ACL_MODE", self.acl_mode());
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
            tell(&mut unit, "ORLY_ACL_TYPE", "grpc");
            tell(&mut unit, "ORLY_GRPC_ACL_SERVER", &variables.acl_listen.0);
            tell(&mut unit, "ORLY_ACL_MODE", self.acl_mode());
        } else {
            tell(&mut unit, "ORLY_ACL_TYPE", "local");
            if let Some(mode) = variables.acl_mode {
                tell(&mut unit, "ORLY_ACL_MODE", mode.0);
            }
        }
        for sync in syncs(variables).into_iter().filter(|sync| sync.is_enabled) {
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

    /// The mode of the access control service.
    fn acl_mode(&self) -> Mode {
        self.variables.acl_mode.map_or(Mode::Follows, |mode| mode.0)
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

/// The programs that may be access control: the original has one for each mode.
fn acl_programs(mode: Mode) -> Vec<String> {
    let other_name = (mode == Mode::Curating).then_some("orly-acl-curation");
    let names = [format!("orly-acl-{mode}")].into_iter();
    names.chain(other_name.map(String::from)).chain(["orly-acl".into()]).collect()
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
