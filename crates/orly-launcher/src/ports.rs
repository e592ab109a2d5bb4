//! Whether units can listen where they are to, before anything starts.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::bail;
use rpc::Address;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::health::address;
use crate::units::{Listen, Part};

/// How long a port is waited for that some program's outgoing connection has, and how often it is tried.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
/// How long a listener of this host may take to be seen.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// What keeps a unit from listening.
#[derive(Debug)]
enum Obstacle {
    /// Somebody else listens there.
    Listener(Error),
    /// The port is that of an outgoing connection.
    Connection(Error),
    /// It is no address to listen on.
    Address(Error),
}

/// Somebody of this appliance who has an address.
struct Taken {
    by: String,
    variable: &'static str,
    text: String,
    /// Held, so that nobody else gets it until all were looked at.
    _listener: Option<TcpListener>,
}

/// Fails if a unit cannot listen where it is to. The page of the launcher, if there is one, listens at `page`.
pub(crate) async fn check_ports(parts: &[Part], page: Option<SocketAddr>) -> anyhow::Result<()> {
    let mut taken: Vec<Taken> = page.into_iter().map(Taken::by_page).collect();
    for part in parts.iter().filter(|part| part.unit.is_some()) {
        let (name, variable, text) = (part.name, part.address_variable, address(&part.address));
        let found = match &part.address {
            Listen::Http(_) | Listen::Service(Address::Tcp { .. }, _) => {
                wait_for(&text).await.map(Some)
            }
            Listen::Service(Address::Unix(path), _) => match UnixStream::connect(path) {
                _ if taken.iter().any(|taken| taken.text == text) => {
                    Err(Obstacle::Listener(ErrorKind::AddrInUse.into()))
                }
                Ok(_) => Err(Obstacle::Listener(ErrorKind::AddrInUse.into())),
                // The file alone may have been left behind.
                Err(_) => Ok(None),
            },
        };
        match found {
            Ok(listener) => {
                let by = format!("unit {name}");
                taken.push(Taken { by, variable, text, _listener: listener });
            }
            Err(obstacle) => {
                if let Some(other) = taken.iter().find(|taken| taken.port() == port(&text)) {
                    let Taken { by, variable: its, .. } = other;
                    bail!(
                        "unit {name} cannot listen on {text} ({variable}): {by} is to listen there ({its}); \
                         name another address"
                    );
                }
                let (error, remedy) = obstacle.told();
                bail!(
                    "unit {name} cannot listen on {text} ({variable}): {error}; {remedy}name another address"
                );
            }
        }
    }
    Ok(())
}

impl Taken {
    fn by_page(address: SocketAddr) -> Self {
        let by = "the page of the launcher".into();
        let variable = "ORLY_LAUNCHER_ADMIN_PORT";
        Self { by, variable, text: address.to_string(), _listener: None }
    }

    fn port(&self) -> &str {
        port(&self.text)
    }
}

/// The port of an address, or the path of its socket.
fn port(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(_, port)| port)
}

/// The usual ports lie where Linux takes those of outgoing connections from, which go away by themselves.
async fn wait_for(address: &str) -> Result<TcpListener, Obstacle> {
    let until = Instant::now() + PATIENCE;
    let mut is_told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() != ErrorKind::AddrInUse => {
                return Err(Obstacle::Address(error));
            }
            Err(error) if is_answered(address).await => return Err(Obstacle::Listener(error)),
            Err(error) if Instant::now() >= until => return Err(Obstacle::Connection(error)),
            Err(_) => {}
        }
        if !std::mem::replace(&mut is_told, true) {
            tracing::info!(address, "wait for a port that an outgoing connection has");
        }
        sleep(PAUSE).await;
    }
}

/// Whether somebody listens there.
async fn is_answered(address: &str) -> bool {
    match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        // Who connects to a port that nobody listens on may, rarely, get that very port and so meet itself.
        Ok(Ok(stream)) => stream.local_addr().ok() != stream.peer_addr().ok(),
        Ok(Err(_)) | Err(_) => false,
    }
}

impl Obstacle {
    /// What happened, and what else than another address helps.
    fn told(self) -> (Error, &'static str) {
        match self {
            Self::Listener(error) => {
                (error, "stop what listens there (is another launcher running?) or ")
            }
            Self::Connection(error) => (
                error,
                "an outgoing connection of some program has this port: try again, keep it free by \
                 net.ipv4.ip_local_reserved_ports, or ",
            ),
            Self::Address(error) => (error, ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test]
    async fn a_listener_is_told_at_once() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let begin = Instant::now();
        assert!(matches!(wait_for(&address).await, Err(Obstacle::Listener(_))));
        assert!(begin.elapsed() < PATIENCE);
    }

    #[tokio::test]
    async fn a_port_of_an_outgoing_connection_is_waited_for() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        // A port of its own: one that the system chooses may linger after another connection, too.
        let client = TcpSocket::new_v4().unwrap();
        client.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = client.connect(server.local_addr().unwrap()).await.unwrap();
        let address = client.local_addr().unwrap().to_string();
        let (accepted, _) = server.accept().unwrap();
        assert!(TcpListener::bind(&address).await.is_err());
        assert!(timeout(3 * PAUSE, wait_for(&address)).await.is_err());
        // The other end first, so that the port does not linger.
        drop(accepted);
        let mut byte = [0];
        assert_eq!(tokio::io::AsyncReadExt::read(&mut { client }, &mut byte).await.unwrap(), 0);
        assert!(wait_for(&address).await.is_ok());
    }
}
