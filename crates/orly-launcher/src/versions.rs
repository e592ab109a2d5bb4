//! Which versions the programs have.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use supervisor::OsSpawner;
use tokio::process::Command;
use tokio::time::timeout;

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Where a program finds nothing to work on that takes the question for a start.
const NOWHERE: &str = "/dev/null/nowhere";
/// The longest version that is shown.
const MAX_VERSION: usize = 64;

/// Versions, by program and by when its file was changed.
pub(crate) struct Versions {
    spawner: Arc<OsSpawner>,
    known: Mutex<HashMap<PathBuf, (SystemTime, String)>>,
}

impl Versions {
    /// None is known yet.
    pub(crate) fn new(spawner: Arc<OsSpawner>) -> Self {
        Self { spawner, known: Mutex::default() }
    }

    /// The version of a program that was asked before.
    pub(crate) fn known(&self, program: &Path) -> Option<String> {
        let known = self.known.lock();
        known.get(program).map(|(_, version)| version.clone())
    }

    /// The version of a program; empty if it does not tell.
    pub(crate) async fn ask(&self, program: &Path) -> String {
        let changed = std::fs::metadata(program).and_then(|metadata| metadata.modified());
        let changed = changed.unwrap_or(SystemTime::UNIX_EPOCH);
        if let Some((then, version)) = self.known.lock().get(program)
            && *then == changed
        {
            return version.clone();
        }
        let mut command = Command::new(program);
        command.arg("--version").env_clear().current_dir("/");
        command.env("ORLY_DATA_DIR", NOWHERE).env("HOME", NOWHERE);
        let version = match timeout(PATIENCE, self.spawner.ask(&mut command)).await {
            Ok(Ok((status, output))) if status.success() => {
                version(&String::from_utf8_lossy(&output)).unwrap_or_default()
            }
            _ => String::new(),
        };
        self.known.lock().insert(program.to_owned(), (changed, version.clone()));
        version
    }
}

/// The first word of the first line that looks like a version.
fn version(output: &str) -> Option<String> {
    let words = output.lines().next()?.split_ascii_whitespace();
    let is_version = |word: &&str| {
        let digits = word.strip_prefix('v').unwrap_or(word);
        digits.starts_with(|c: char| c.is_ascii_digit())
            && word.contains('.')
            && word.len() <= MAX_VERSION
    };
    words.into_iter().find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        let cases = [
            ("orly 0.1.0\n", Some("0.1.0")),
            ("v0.66.0", Some("v0.66.0")),
            ("listening on port 3334\n1.2", None),
            ("", None),
        ];
        for (output, expected) in cases {
            assert_eq!(version(output).as_deref(), expected, "{output}");
        }
    }

    #[tokio::test]
    async fn a_program_is_asked_once() {
        let versions = Versions::new(Arc::new(OsSpawner::new()));
        let program = Path::new("/bin/bash");
        let version = versions.ask(program).await;
        assert!(version.contains('.'), "{version}");
        assert_eq!(versions.known(program), Some(version));
        assert_eq!(versions.ask(Path::new("/bin/false")).await, "");
    }
}
