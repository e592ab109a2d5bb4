//! Stands in for any service in the launcher's tests: which one, the name of its file says; how it behaves, a
//! file beside it.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rpc::{Listener, Readiness, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

daemon::settings! {
    /// Where the services listen.
    struct Settings {
        section "Addresses" {
            /// Of the event store.
            db: String = "ORLY_DB_LISTEN", "";
            /// Of access control.
            acl: String = "ORLY_ACL_LISTEN", "";
            /// Of reconciliation.
            negentropy: String = "ORLY_SYNC_NEGENTROPY_LISTEN", "";
            /// Of the relay.
            port: u16 = "ORLY_PORT", "0";
            /// Where starts and stops are noted.
            data_dir: PathBuf = "ORLY_DATA_DIR", "/nowhere";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let own = std::env::args().next().context("a name")?;
    let name = own.rsplit('/').next().context("a name")?.to_owned();
    let behaviour = std::fs::read_to_string(format!("{own}.txt")).unwrap_or_default();
    let does = |what: &str| behaviour.contains(what);
    let settings = daemon::load::<Settings>(&daemon::Environment::read()).settings?;
    let note = |what: &str| -> anyhow::Result<()> {
        let path = settings.data_dir.join("journal");
        let mut journal = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        // At once: others write there, too.
        Ok(journal.write_all(format!("{what} {name}\n").as_bytes())?)
    };
    note("start")?;
    writeln!(std::io::stderr(), "{name} says hello")?;
    if does("refuse") {
        writeln!(std::io::stderr(), "ORLY_X=\"y\": expected z")?;
        std::process::exit(64);
    }
    if does("crash") {
        writeln!(std::io::stderr(), "no space left")?;
        std::process::exit(3);
    }
    if does("fork") {
        let command = "(trap '' TERM HUP; setsid sleep 1000 & echo $! > escaped; sleep 1000) & echo $! > child";
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", command]).current_dir(&settings.data_dir).spawn()?.wait()?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve(
        name.clone(),
        settings.port,
        [settings.db.clone(), settings.acl.clone(), settings.negentropy.clone()],
        does("never ready"),
        shutdown.clone(),
    ));
    if does("flood") {
        std::thread::spawn(|| while writeln!(std::io::stdout(), "{}", "x".repeat(200)).is_ok() {});
    }
    terminate.recv().await;
    while does("stubborn") {
        terminate.recv().await;
    }
    if does("slow") {
        sleep(Duration::from_millis(700)).await;
    }
    note("stop")?;
    shutdown.cancel();
    serving.await?
}

async fn serve(
    name: String,
    port: u16,
    [db, acl, negentropy]: [String; 3],
    is_never_ready: bool,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let address = match name.as_str() {
        "orly" => return serve_http(port, is_never_ready, shutdown).await,
        "orly-db-badger" => db,
        "orly-acl" => acl,
        _ => negentropy,
    };
    let readiness = Readiness::new();
    readiness.set(!is_never_ready);
    let listener = Listener::bind(&address.parse()?).await?;
    Ok(Server::new(readiness, shutdown).run(listener).await?)
}

async fn serve_http(
    port: u16,
    is_never_ready: bool,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let (mut stream, _) = accepted?;
        let status = if is_never_ready { "503 Service Unavailable" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let mut request = [0; 1024];
        if stream.read(&mut request).await.is_ok() {
            drop(stream.write_all(answer.as_bytes()).await);
        }
    }
    Ok(())
}
