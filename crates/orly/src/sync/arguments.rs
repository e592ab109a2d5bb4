//! Arguments of `sync`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use event::{Filter, Timestamp};
use reconcile::FrameSizeLimit;
use relay_client::PeerUrl;
use relay_sync::Direction;
use rpc::Address;

use crate::time::{parse_end, parse_time};

/// Arguments of `sync`.
#[derive(Args, Debug)]
pub(crate) struct Sync {
    /// The other relay; without a scheme wss:// is meant
    #[arg(value_name = "URL")]
    pub(crate) url: PeerUrl,
    /// Only events that match this filter (NIP-01)
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) filter: Filter,
    /// Which way events go: down (to here), up (to the other relay), both, or none (only count)
    #[arg(long = "dir", value_name = "DIR", default_value = "down")]
    pub(crate) direction: Direction,
    /// Directory of the event store, instead of ORLY_DATA_DIR
    #[arg(long, value_name = "PATH")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address of a running reconciliation service (orly-sync-negentropy), which then does it with its own
    /// event store, as its settings say: 127.0.0.1:50064
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["data_dir", "print_missing", "key", "private", "frame_size_limit", "timeout"])]
    pub(crate) server: Option<Address>,
    /// Only events from then on: seconds since 1970, a date (2026-01-31), or an age (30d, 12h)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<Timestamp>,
    /// Only events up to then; a date is the whole day
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    pub(crate) until: Option<Timestamp>,
    /// Print a line for each difference: have,ID is missing there, need,ID is missing here
    #[arg(long, conflicts_with = "json")]
    pub(crate) print_missing: bool,
    /// Print the outcome as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Print a line for each round
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Who to be if the relay asks (NIP-42): a file with a secret key, the key itself (nsec1… or hex), or
    /// "relay" for this relay's own key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Also give private messages and gift wraps: for a relay that is trusted as this one is
    #[arg(long)]
    pub(crate) private: bool,
    /// How many bytes a message of the reconciliation may have; 0 for no limit
    #[arg(long, value_name = "BYTES", default_value = "60000", value_parser = parse_frame_size_limit)]
    pub(crate) frame_size_limit: FrameSizeLimit,
    /// How long the relay may be silent: 60s, 2m, or seconds; 0 waits for ever
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_timeout)]
    pub(crate) timeout: Duration,
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  orly sync wss://relay.example.com
  orly sync wss://relay.example.com --dir both --filter '{\"kinds\":[0,1,3]}'
  orly sync wss://relay.example.com --dir none --print-missing --since 7d
  orly sync wss://relay.example.com --dir up --key ~/.config/ORLY/key
  orly sync wss://relay.example.com --server 127.0.0.1:50064

Only differences go over the wire. Works beside a running relay and without one.

Exits with 0 if all was moved, else with 1.";

fn parse_frame_size_limit(text: &str) -> Result<FrameSizeLimit, String> {
    let bytes = text.parse().map_err(|_| "expected a number of bytes".to_owned())?;
    FrameSizeLimit::new(bytes).map_err(|error| error.to_string())
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let duration =
        text.parse().ok().map(Duration::from_secs).or_else(|| daemon::parse_duration(text));
    let duration = duration.ok_or_else(|| "expected a duration such as 60s or 2m".to_owned())?;
    // A year stands for ever.
    Ok(if duration.is_zero() { Duration::from_secs(365 * 86_400) } else { duration })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_below_the_least_are_refused() {
        assert!(parse_frame_size_limit("0").is_ok());
        assert!(parse_frame_size_limit("2048").unwrap_err().contains("at least 4096"));
        assert!(parse_frame_size_limit("x").is_err());
    }

    #[test]
    fn a_timeout_is_a_duration_or_seconds() {
        assert_eq!(parse_timeout("5"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_timeout("2m"), Ok(Duration::from_secs(120)));
        assert!(parse_timeout("0").unwrap() > Duration::from_secs(1_000_000));
        assert!(parse_timeout("soon").is_err());
    }
}
