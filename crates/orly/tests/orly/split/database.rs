//! The database service as a process.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::house::House;

/// A database service on a socket in a house.
pub(crate) struct Database {
    child: Child,
    address: String,
}

impl Database {
    /// Where the service of a house is found.
    pub(crate) fn address(house: &House) -> String {
        format!("unix:{}", house.path("db.sock").display())
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start(house: &House) -> Self {
        let address = Self::address(house);
        let mut command = Command::new(binary());
        command.env_clear().env("HOME", house.path("")).env("ORLY_DB_LISTEN", &address);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the service ended");
        }
        // Nobody else reads what it logs, and it must not wait for that.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address }
    }

    /// What a process needs to find it.
    pub(crate) fn variables(&self) -> [(&str, &str); 2] {
        [("ORLY_DB_TYPE", "grpc"), ("ORLY_GRPC_SERVER", &self.address)]
    }

    /// Ends it without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator does.
    pub(crate) fn end(mut self) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // After an end there is nobody.
        drop(self.child.kill());
    }
}

/// The service's binary lies beside the relay's; it is built if it was not.
fn binary() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_orly")).with_file_name("orly-db-badger");
    if !path.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "orly-db-badger"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success());
    }
    path
}
