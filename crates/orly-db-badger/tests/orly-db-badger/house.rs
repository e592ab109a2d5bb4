//! A directory of its own, and the service run in it.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::service::Service;

/// A home directory that goes away.
pub(crate) struct House(TempDir);

impl House {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The binary, with no variables but those that point here.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orly-db-badger"));
        command.env_clear().env("HOME", self.0.path()).current_dir(self.0.path());
        command.env("ORLY_DATA_DIR", self.path("data")).env("ORLY_DB_LISTEN", ":0");
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        self.command().envs(variables.iter().copied()).args(arguments).output().unwrap()
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&self, variables: &[(&str, &str)]) -> Service {
        let mut command = self.command();
        command.envs(variables.iter().copied());
        Service::start(command)
    }
}
