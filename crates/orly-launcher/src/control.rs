//! The socket of the commands: a request a line, and answers a line each, in JSON. Only the user that runs the
//! launcher may use it.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use supervisor::{Line, Refused};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::task::TaskTracker;

use crate::sessions::Sessions;
use crate::view::{View, Views};

/// Bytes of a request.
const MAX_REQUEST: u64 = 4096;
/// Connections at a time.
const MAX_CONNECTIONS: usize = 32;

/// What a command asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Status,
    /// Of one unit, or of all.
    Start(Option<String>),
    Stop(Option<String>),
    Restart(Option<String>),
    Logs {
        unit: Option<String>,
        lines: usize,
        follow: bool,
    },
    Login,
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Status(Box<View>),
    Done,
    Refused(String),
    Line {
        unit: String,
        text: String,
    },
    /// Lines that were written faster than they were read.
    LeftOut(u64),
    /// A session of the page, and where that is.
    Session {
        token: String,
        url: String,
    },
}

/// What requests are about.
pub(crate) struct Control {
    pub(crate) views: Arc<Views>,
    pub(crate) sessions: Arc<Sessions>,
    /// Where the page is; `None` if there is none.
    pub(crate) page: Option<String>,
}

/// The socket; its file goes away with it.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens, unless another launcher does.
    pub(crate) fn bind(path: &Path) -> anyhow::Result<Self> {
        if BlockingStream::connect(path).is_ok() {
            bail!(
                "{} (ORLY_LAUNCHER_SOCKET): another launcher is running; `orly-launcher status` shows it",
                path.display()
            );
        }
        let directory = path.parent().context("the socket has no directory")?;
        std::fs::create_dir_all(directory)
            .with_context(|| format!("create {} (ORLY_LAUNCHER_SOCKET)", directory.display()))?;
        // Nobody is there, so the file is a leftover.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("remove {}", path.display()));
            }
            _ => {}
        }
        let mask = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o177));
        let listener = UnixListener::bind(path);
        nix::sys::stat::umask(mask);
        let listener = listener
            .with_context(|| format!("listen on {} (ORLY_LAUNCHER_SOCKET)", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers for as long as it is polled.
    pub(crate) async fn serve(self, control: Arc<Control>) {
        let tasks = TaskTracker::new();
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            // The semaphore is never closed.
            let Ok(place) = room.clone().acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let control = control.clone();
                    tasks.spawn(async move {
                        if let Err(error) = control.answer(stream).await {
                            tracing::debug!(%error, "command went away");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accept a command");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It is in nobody's way if it stays.
        drop(std::fs::remove_file(&self.path));
    }
}

impl Control {
    async fn answer(&self, stream: UnixStream) -> io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader.take(MAX_REQUEST));
        let mut line = String::new();
        reader.read_line(&mut line).await?;
        let request = match serde_json::from_str(&line) {
            Ok(request) => request,
            Err(error) => return send(&mut writer, &Reply::Refused(error.to_string())).await,
        };
        let handle = &self.views.handle;
        let unit = |name: &str| self.views.unit(name);
        let result = match request {
            Request::Status => {
                return match self.views.look().await {
                    Ok(view) => send(&mut writer, &Reply::Status(Box::new(view))).await,
                    Err(gone) => send(&mut writer, &Reply::Refused(gone.to_string())).await,
                };
            }
            Request::Logs { unit: name, lines, follow } => {
                let name = name.map(|name| unit(&name));
                return self.logs(writer, reader, name, lines, follow).await;
            }
            Request::Login => return send(&mut writer, &self.login()).await,
            Request::Start(Some(name)) => handle.start(&unit(&name)).await,
            Request::Start(None) => handle.start_all().await,
            Request::Stop(Some(name)) => handle.stop(&unit(&name)).await,
            Request::Stop(None) => handle.stop_all().await,
            Request::Restart(Some(name)) => handle.restart(&unit(&name)).await,
            Request::Restart(None) => handle.restart_all().await,
        };
        let reply = match result {
            Ok(()) => Reply::Done,
            Err(refused) => Reply::Refused(refused.to_string()),
        };
        send(&mut writer, &reply).await
    }

    fn login(&self) -> Reply {
        match &self.page {
            Some(url) => Reply::Session { token: self.sessions.open(), url: url.clone() },
            None => Reply::Refused("the page is switched off (ORLY_LAUNCHER_ADMIN_ENABLED)".into()),
        }
    }

    async fn logs(
        &self,
        mut writer: OwnedWriteHalf,
        mut reader: BufReader<tokio::io::Take<OwnedReadHalf>>,
        unit: Option<String>,
        lines: usize,
        follow: bool,
    ) -> io::Result<()> {
        let known: Vec<String> = match self.views.handle.status().await {
            Ok(status) => status.units.into_iter().map(|unit| unit.name).collect(),
            Err(gone) => return send(&mut writer, &Reply::Refused(gone.to_string())).await,
        };
        if let Some(name) = unit.clone().filter(|name| !known.contains(name)) {
            let refused = Refused::Unknown { name, known };
            return send(&mut writer, &Reply::Refused(refused.to_string())).await;
        }
        let output = self.views.handle.output();
        // Before the last lines are read, so that none is between.
        let mut followed = output.follow();
        let mut last_number = 0;
        for line in output.last(unit.as_deref(), lines) {
            last_number = line.number;
            send(&mut writer, &reply(&line)).await?;
        }
        if !follow {
            return Ok(());
        }
        let mut gone = [0];
        loop {
            let next = tokio::select! {
                next = followed.recv() => next,
                _ = reader.read(&mut gone) => return Ok(()),
            };
            let is_asked_for = |line: &Line| {
                line.number > last_number && unit.as_deref().is_none_or(|unit| unit == &*line.unit)
            };
            match next {
                Ok(line) if is_asked_for(&line) => send(&mut writer, &reply(&line)).await?,
                Ok(_) => {}
                Err(RecvError::Lagged(count)) => send(&mut writer, &Reply::LeftOut(count)).await?,
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    }
}

fn reply(line: &Line) -> Reply {
    Reply::Line { unit: line.unit.to_string(), text: line.text.to_string() }
}

async fn send(writer: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let mut text = serde_json::to_string(reply)?;
    text.push('\n');
    writer.write_all(text.as_bytes()).await
}
