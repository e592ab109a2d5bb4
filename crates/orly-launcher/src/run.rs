//! The launcher at work: puts the parts together and waits.

use std::io;
use std::sync::Arc;

use anyhow::Context;
use daemon::{InvalidSetting, InvalidSettings, Start};
use supervisor::{Handle, OsSpawner, StartFailed, Supervisor, kill_orphans, reap_orphans};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use crate::EXEC_UNIT;
use crate::admin::Admin;
use crate::control::{Control, Socket};
use crate::data_dir;
use crate::health::probe;
use crate::log::Log;
use crate::ports::check_ports;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::units::parts;
use crate::versions::Versions;
use crate::view::Views;

/// This program, also when its file was replaced since.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Runs the appliance until it is told to stop.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let parts = parts(&settings)?;
    data_dir::prepare(&settings.variables.data_dir)?;
    let socket = Socket::bind(&settings.socket())?;
    let admin = Admin::bind(&settings.variables).await?;
    check_ports(&parts, admin.as_ref().map(Admin::address)).await?;

    let log = Arc::new(log(&settings).context("start the log")?);
    let spawner = Arc::new(OsSpawner::with_wrapper(OWN_PROGRAM.into(), EXEC_UNIT));
    let units = parts.iter().filter_map(|part| {
        let unit = part.unit.clone()?;
        Some((unit, probe(&part.address)))
    });
    let supervisor = Supervisor::new(units.collect(), spawner.clone(), log.clone())
        .context("put the units in order")?;
    let views = Arc::new(Views {
        handle: supervisor.handle(),
        parts,
        data_dir: settings.variables.data_dir.clone(),
        started: Instant::now(),
        versions: Versions::new(spawner.clone()),
    });
    let sessions = Arc::new(Sessions::default());
    let page = admin.as_ref().map(|admin| admin.url().to_owned());
    let control = Arc::new(Control { views: views.clone(), sessions: sessions.clone(), page });
    let starts_units = settings.variables.services_enabled;
    let pass_on = pass_hangups_on(supervisor.handle());
    let beside = async {
        tokio::join!(
            socket.serve(control),
            serve_admin(admin, views, sessions, settings),
            reap(&spawner),
            pass_on,
        );
    };

    let run = async {
        if starts_units {
            supervisor
                .run(shutdown, || {
                    tracing::info!("all units are ready");
                    manager.ready();
                })
                .await
        } else {
            tracing::info!("units wait to be started (ORLY_LAUNCHER_SERVICES_ENABLED)");
            manager.ready();
            supervisor.run_idle(shutdown).await;
            Ok(())
        }
    };
    let result = tokio::select! {
        result = Box::pin(run) => result,
        () = Box::pin(beside) => Ok(()),
    };
    kill_orphans(&spawner);
    log.flush().await;
    result.map_err(failure)
}

/// Settings that a unit refuses are wrong here as well: no restart of the launcher helps.
fn failure(failure: StartFailed) -> anyhow::Error {
    if failure.code() == Some(i32::from(daemon::EXIT_USAGE)) {
        InvalidSettings(vec![InvalidSetting::Other(failure.to_string())]).into()
    } else {
        failure.into()
    }
}

fn log(settings: &Settings) -> io::Result<Log> {
    let format = settings.variables.log.format;
    if settings.variables.log.to_stdout {
        Log::start(format, io::stdout())
    } else {
        Log::start(format, io::stderr())
    }
}

async fn serve_admin(
    admin: Option<Admin>,
    views: Arc<Views>,
    sessions: Arc<Sessions>,
    settings: Settings,
) {
    match admin {
        Some(admin) => admin.serve(views, sessions, settings).await,
        None => std::future::pending().await,
    }
}

async fn reap(spawner: &OsSpawner) {
    if let Err(error) = reap_orphans(spawner).await {
        tracing::warn!(%error, "processes that units leave behind stay as zombies");
    }
    std::future::pending().await
}

async fn pass_hangups_on(handle: Handle) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => {
            tracing::warn!(%error, "listen to SIGHUP");
            return std::future::pending().await;
        }
    };
    while hangups.recv().await.is_some() {
        tracing::info!("SIGHUP passed on to the units that listen to it");
        // Without a supervisor there are no units.
        let _gone = handle.hang_up().await;
    }
}
