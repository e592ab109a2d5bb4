//! What systemd wants to know of a `Type=notify` service (sd_notify(3)).

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use crate::Environment;

/// Whoever started the process and waits for news of it; nobody, if no socket was given.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    socket: Option<Arc<UnixDatagram>>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// Finds the socket in `NOTIFY_SOCKET`, and in `WATCHDOG_USEC` how often it wants a sign of life.
    pub(crate) fn new(environment: &Environment) -> Self {
        let Some(name) = environment.variable("NOTIFY_SOCKET") else { return Self::default() };
        let watchdog = environment.variable("WATCHDOG_USEC").and_then(|micros| micros.parse().ok());
        match connect(name) {
            Ok(socket) => Self {
                socket: Some(Arc::new(socket)),
                watchdog: watchdog.map(Duration::from_micros),
            },
            Err(error) => {
                tracing::warn!(%error, name, "service manager cannot be notified");
                Self::default()
            }
        }
    }

    /// Says that clients may come.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// Says that the end has begun.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Gives signs of life from the runtime, twice as often as asked, for as long as the process runs.
    pub(crate) async fn watch(self) {
        let Some(interval) = self.watchdog.filter(|interval| !interval.is_zero()) else { return };
        let mut ticks = tokio::time::interval(interval / 2);
        loop {
            ticks.tick().await;
            self.send("WATCHDOG=1");
        }
    }

    fn send(&self, news: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(news.as_bytes())
        {
            tracing::debug!(%error, news, "service manager does not listen");
        }
    }
}

fn connect(name: &str) -> io::Result<UnixDatagram> {
    let addr = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&addr)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_reach_the_socket() {
        let name = format!("orly-daemon-test-{}", std::process::id());
        let addr = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&addr).unwrap();
        let name = format!("@{name}");
        let manager = ServiceManager::new(&Environment::of([("NOTIFY_SOCKET", name.as_str())]));
        manager.ready();
        manager.stopping();
        for news in ["READY=1", "STOPPING=1"] {
            let mut buffer = [0; 32];
            let len = socket.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], news.as_bytes());
        }
    }
}
