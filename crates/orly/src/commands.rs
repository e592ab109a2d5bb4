//! The commands, each in a file of its own.

mod backup;
mod check;
mod delete;
mod env;
mod export;
mod health;
mod identity;
mod info;
mod query;

use std::process::ExitCode;

use anyhow::bail;
use daemon::{Start, Threads};
use service_settings::RelayDatabase;

use crate::command_line::{Command, Db};
use crate::settings::Settings;
use crate::{import, output, sync, wiring};

/// Runs the command, or the relay if there is none.
pub(crate) fn run(command: Option<Command>) -> ExitCode {
    match command {
        // Both work whatever the settings are.
        Some(Command::Env(arguments)) => env::run(&arguments),
        Some(Command::Version) => {
            output::told(output::print(concat!("orly ", env!("CARGO_PKG_VERSION"))))
        }
        None => {
            daemon::run(threads, |settings: &Settings, _| settings.log.of_relay(), wiring::serve)
        }
        Some(command) => daemon::run(
            |_| Threads::All,
            |settings: &Settings, found| settings.log.of_command(found),
            |start| run_with_store(start, command),
        ),
    }
}

/// The relay leaves half of the cores to a database service that does all reading for it.
fn threads(settings: &Settings) -> Threads {
    match settings.db_type {
        RelayDatabase::Remote if !settings.db_direct_reads => Threads::Half,
        _ => Threads::All,
    }
}

async fn run_with_store(start: Start<Settings>, command: Command) -> anyhow::Result<()> {
    let shutdown = start.shutdown.clone();
    let settings = &start.settings;
    let work = Box::pin(async {
        match &command {
            // Stops by itself, at a place it can go on from.
            Command::Import(arguments) => import::run(settings, arguments, &shutdown).await,
            Command::Export(arguments) => export::run(settings, arguments).await,
            Command::Query(arguments) => query::run(settings, arguments).await,
            Command::Delete(arguments) => delete::run(settings, arguments).await,
            Command::Sync(arguments) => sync::run(settings, arguments).await,
            Command::Info(arguments) => info::run(settings, arguments).await,
            Command::Db(Db::Check) => check::run(settings).await,
            Command::Db(Db::Backup(arguments)) => backup::run(settings, arguments).await,
            Command::Identity(arguments) => identity::run(settings, arguments).await,
            Command::Health(arguments) => health::run(settings, arguments).await,
            // Answered without a store.
            Command::Env(_) | Command::Version => Ok(()),
        }
    });
    let result = if matches!(command, Command::Import(_)) {
        work.await
    } else {
        match shutdown.run_until_cancelled(work).await {
            Some(result) => result,
            None => bail!("interrupted"),
        }
    };
    match result {
        Err(error) if output::is_reader_gone(&error) => Ok(()),
        result => result,
    }
}
