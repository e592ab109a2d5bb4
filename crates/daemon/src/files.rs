//! How many files and connections a process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What a process opens beside its connections.
const SPARE: u64 = 64;

/// Takes as many file descriptors as the system allows. Warns if they are too few for the `connections`
/// that the variable of this name allows.
pub fn raise_file_limit(connections: u64, variable: &str) {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| {
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        Ok(most)
    });
    match raised {
        Ok(most) if most < connections.saturating_add(SPARE) => tracing::warn!(
            open_files = most,
            connections,
            variable,
            "open files are limited to fewer than the connections that are allowed: raise the limit \
             (ulimit -Hn, LimitNOFILE=, --ulimit nofile=) or lower the variable"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "raise the limit of open files"),
    }
}
