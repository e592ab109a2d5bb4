//! What is run, and what has to hold for it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::RestartPolicy;

/// A process that is to run.
#[derive(Clone, Debug)]
pub struct Unit {
    /// What it is called; no other unit has this name.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables it gets beside the inherited ones; `None` takes one away.
    pub environment: Vec<(String, Option<OsString>)>,
    /// Units that have to be ready each time this one starts, and that are stopped after it.
    pub needs: Vec<String>,
    /// Units that the first start of this one waits for, until they are ready or have failed, and that
    /// are stopped after it. It does without them.
    pub after: Vec<String>,
    /// The lower, the earlier among units that do not wait for each other, as supervisord counts.
    pub priority: u16,
    /// How long it may take to become ready.
    pub ready_timeout: Duration,
    /// How long it may take to stop after SIGTERM; then it is killed.
    pub stop_timeout: Duration,
    /// What happens when it ends by itself.
    pub restart: RestartPolicy,
}
