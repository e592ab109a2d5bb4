//! Starts, watches, restarts and stops processes in order.
//!
//! A [`Unit`] says what to run. What happens to it is decided in pure functions: [`next`] for one unit,
//! [`Fleet`] for all of them together. [`Supervisor`] acts: it spawns, signals, probes and waits.
//! Knows neither Nostr nor gRPC, and reads no settings.

mod backoff;
mod cause;
mod fleet;
mod handle;
mod line;
mod live;
mod order;
mod orphans;
mod output;
mod probe;
mod process;
mod run;
mod spawner;
mod start_failed;
mod state;
mod status;
mod supervisor;
mod unit;
mod usage;

pub use backoff::RestartPolicy;
pub use cause::Cause;
pub use fleet::{Fleet, Input, Order};
pub use handle::{Gone, Handle, Refused};
pub use line::Lines;
pub use order::InvalidOrder;
pub use orphans::{kill_orphans, reap_orphans};
pub use output::{Line, Output, Sink};
pub use probe::{Health, Probe};
pub use process::{OsSpawner, become_unit};
pub use spawner::{Ending, Process, Signal, Spawner};
pub use start_failed::StartFailed;
pub use state::{Action, Event, Moment, State, Then, next};
pub use status::{Status, UnitStatus};
pub use supervisor::Supervisor;
pub use unit::Unit;
pub use usage::Usage;
