//! The command line: no command runs the appliance.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Runs the parts of a Nostr relay as one appliance: event store, access control, sync services, relay.
///
/// Without a command it starts them in order, each when those it needs are ready, starts what falls again, and
/// stops them in reverse order on SIGTERM or SIGINT. The commands talk to the launcher that runs.
#[derive(Parser, Debug)]
#[command(name = "orly-launcher", version, after_help = EXAMPLES)]
pub(crate) struct CommandLine {
    /// What to do; nothing runs the appliance.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Socket of the launcher that runs; ORLY_LAUNCHER_SOCKET if not given.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  orly-launcher                                    run event store and relay
  ORLY_LAUNCHER_ACL_ENABLED=true ORLY_ACL_MODE=follows \\
  ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED=true orly-launcher
                                                   run access control and reconciliation too
  orly-launcher status                             what runs, and how it is
  orly-launcher restart relay                      stop and start one unit
  orly-launcher logs -f db                         follow what a unit writes

Units: db, acl, distributed, cluster, relaygroup, negentropy, relay.
Settings are environment variables; `orly-launcher env` lists them all.

Exit codes:
  0   stopped, or done
  1   a unit could not be started, a port is taken, or a command failed; the reason is on stderr
  64  the command line or a setting makes no sense, or a program is missing: no restart helps";

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show the units: state, memory, processor time, what went wrong
    ///
    /// Exits with 1 if a unit that is to run is not ready.
    Status {
        /// Show it again each second, until interrupted.
        #[arg(long, short)]
        watch: bool,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Start a unit and those it needs, or all, and wait until they are ready
    Start {
        /// The unit.
        unit: Option<String>,
    },
    /// Stop a unit, or all in order, and wait until they have stopped
    Stop {
        /// The unit.
        unit: Option<String>,
    },
    /// Stop a unit and start it, or all in order, and wait until they are ready
    ///
    /// Other units go on: they find it again by themselves.
    Restart {
        /// The unit.
        unit: Option<String>,
    },
    /// Print what units wrote last
    Logs {
        /// The unit; all if not given.
        unit: Option<String>,
        /// Go on printing what they write, until interrupted.
        #[arg(long, short)]
        follow: bool,
        /// How many lines.
        #[arg(long, short = 'n', default_value_t = 50)]
        lines: usize,
    },
    /// Open a session of the admin page, for whoever may run this command, and print its address
    Login,
    /// List every setting, its value and where the value comes from
    Env,
}
