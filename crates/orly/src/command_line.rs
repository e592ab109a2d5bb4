//! The command line: no command runs the relay.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use event::{Filter, InvalidFilter, Timestamp};

use crate::sync::Sync;
use crate::time::{parse_end, parse_time};

/// A Nostr relay in one process, with its event store.
///
/// Without a command it serves clients on ORLY_LISTEN:ORLY_PORT until SIGTERM or SIGINT. The commands work
/// on the same event store (ORLY_DATA_DIR), also while the relay runs.
#[derive(Parser, Debug)]
#[command(name = "orly", version, after_help = EXAMPLES)]
pub(crate) struct CommandLine {
    /// What to do; nothing runs the relay.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  orly                                                run the relay on port 3334
  ORLY_PORT=7447 ORLY_DATA_DIR=/srv/nostr orly        elsewhere
  orly import events.jsonl.zst                        take events from a file
  orly query '{\"kinds\":[1],\"limit\":10}'               print the newest ten notes
  orly export --since 30d --zstd backup.jsonl.zst     write the last thirty days to a file

Settings are environment variables; `orly env` lists them all.

Exit codes:
  0   done
  1   failed; the reason is on stderr
  64  the command line or a setting makes no sense";

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Store the events of a JSONL file, one event a line
    ///
    /// The file may be plain, or packed by gzip or zstd. Lines that are no valid events are skipped and
    /// reported. Ids and signatures are checked on all cores, but for events that are stored already. An
    /// import that was interrupted goes on where it stopped.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(Import),
    /// Write events to a JSONL file, newest first
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Export),
    /// Print the events that match a filter (NIP-01), newest first
    #[command(after_help = QUERY_EXAMPLES)]
    Query(Query),
    /// Remove the events that match a filter
    ///
    /// A removed event stays refused when it is published again, unless --forget is given.
    #[command(after_help = DELETE_EXAMPLES)]
    Delete(Delete),
    /// Make the event store and another relay hold the same events (NIP-77)
    #[command(after_help = crate::sync::EXAMPLES)]
    Sync(Sync),
    /// Show what the event store holds
    Info(Info),
    /// Look after the event store
    #[command(subcommand)]
    Db(Db),
    /// List every setting, its value and where the value comes from
    ///
    /// Settings are read from the environment, then from a file; an old name of a variable is taken when
    /// the variable itself is not set. Secrets are masked.
    Env(Env),
    /// Show the relay's own key, which is made when there is none yet
    Identity(Identity),
    /// Ask the relay of these settings whether it is well; exits with 1 and says why if it is not
    ///
    /// For health checks of containers and monitors: it asks /healthz, on ORLY_HEALTH_PORT if that is set.
    Health(Health),
    /// Print the version
    Version,
}

/// Arguments of `import`.
#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The file; - reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Trust ids and signatures: for files this relay or another trusted one exported
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Start at the first line, even if an earlier import of the file was interrupted
    #[arg(long)]
    pub(crate) restart: bool,
    /// Exit with 0 although lines were bad
    #[arg(long)]
    pub(crate) lenient: bool,
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  orly import events.jsonl
  zcat old/*.gz | orly import -
  strfry export | orly import --no-verify -

Exits with 1 if a line was bad, unless --lenient is given; all other lines are stored nevertheless.";

/// Arguments of `export`.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The file, which is replaced when all is written; - writes to standard output
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Only events that match this filter (NIP-01)
    #[arg(long, value_name = "JSON")]
    pub(crate) filter: Option<Filter>,
    /// Only events from then on: seconds since 1970, a date (2026-01-31), or an age (30d, 12h)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<Timestamp>,
    /// Only events up to then; a date is the whole day
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    pub(crate) until: Option<Timestamp>,
    /// Oldest first
    #[arg(long)]
    pub(crate) reverse: bool,
    /// Pack by zstd
    #[arg(long)]
    pub(crate) zstd: bool,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  orly export events.jsonl
  orly export --zstd --since 2026-01-01 --until 2026-01-31 january.jsonl.zst
  orly export --filter '{\"kinds\":[0,3,10002]}' --reverse | ssh other orly import -";

/// Arguments of `query`.
#[derive(Args, Debug)]
pub(crate) struct Query {
    /// Filters (NIP-01); an event is printed if one of them matches
    #[arg(value_name = "FILTER", required = true)]
    pub(crate) filters: Vec<Filter>,
    /// Print how many there are; limits do not count
    #[arg(long)]
    pub(crate) count: bool,
}

const QUERY_EXAMPLES: &str = "\
Examples:
  orly query '{\"kinds\":[1],\"limit\":10}'
  orly query '{\"#t\":[\"nostr\"],\"since\":1767225600}' | jq -r .content
  orly query --count '{\"kinds\":[7]}'";

/// Arguments of `delete`.
#[derive(Args, Debug)]
pub(crate) struct Delete {
    /// Which events (NIP-01); {} is not taken, see --all
    #[arg(long, value_name = "JSON", required_unless_present = "all", conflicts_with = "all",
        value_parser = parse_narrow)]
    pub(crate) filter: Option<Filter>,
    /// Remove all events
    #[arg(long)]
    pub(crate) all: bool,
    /// Only say how many events that would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Let removed events come back when they are published again
    #[arg(long)]
    pub(crate) forget: bool,
}

fn parse_narrow(text: &str) -> Result<Filter, String> {
    match text.parse() {
        Ok(filter) if filter == Filter::default() => {
            Err("it matches all events; say --all to remove them all".to_owned())
        }
        parsed => parsed.map_err(|error: InvalidFilter| error.to_string()),
    }
}

const DELETE_EXAMPLES: &str = "\
Examples:
  orly delete --filter '{\"authors\":[\"<hex>\"]}' --dry-run
  orly delete --filter '{\"kinds\":[1984],\"until\":1735689600}' --forget";

/// Arguments of `info`.
#[derive(Args, Debug)]
pub(crate) struct Info {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `db`.
#[derive(Subcommand, Debug)]
pub(crate) enum Db {
    /// Compare every index and summary with the events; exits with 1 if something is wrong
    ///
    /// Reads the whole event store. A relay that runs goes on meanwhile; what it replaces takes up space
    /// until the check has ended.
    Check,
    /// Copy the event store, also while a relay writes to it
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(Backup),
}

/// Arguments of `db backup`.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The file, or a directory for the file data.mdb; nothing is ever replaced
    #[arg(value_name = "DIR|FILE")]
    pub(crate) destination: PathBuf,
}

const BACKUP_EXAMPLES: &str = "\
Examples:
  orly db backup /backup/2026-01-31/                    writes data.mdb there
  ORLY_DATA_DIR=/backup/2026-01-31 orly db check        is it sound?

The copy is what was stored when it began, without the space that is free; it is on disk when the command
ends. It holds the relay's secret key.

To restore, stop the relay, put the file into ORLY_DATA_DIR as data.mdb, owned by the relay's user, and start.";

/// Arguments of `env`.
#[derive(Args, Debug)]
pub(crate) struct Env {
    /// Only those that are set
    #[arg(long)]
    pub(crate) set: bool,
    /// Also what each means and what is allowed
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Arguments of `health`.
#[derive(Args, Debug)]
pub(crate) struct Health {
    /// How long an answer may take: 500ms, 5s
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_wait)]
    pub(crate) timeout: Duration,
}

fn parse_wait(text: &str) -> Result<Duration, String> {
    let wait = daemon::parse_duration(text).filter(|wait| !wait.is_zero());
    wait.ok_or_else(|| "expected a duration such as 500ms or 5s".to_owned())
}

/// Arguments of `identity`.
#[derive(Args, Debug)]
pub(crate) struct Identity {
    /// Also print the secret key
    #[arg(long)]
    pub(crate) secret: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        CommandLine::command().debug_assert();
    }
}
