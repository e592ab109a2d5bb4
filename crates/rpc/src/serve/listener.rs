//! Listening to an address.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::link::Socket;
use crate::Address;

/// Who may connect to a Unix socket: the user and the group of the service.
const SOCKET_MODE: u32 = 0o660;
/// How long nobody is accepted after the system refused, as when all file descriptors are in use.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that clients connect to.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// The file of a Unix socket, which goes when the socket does.
#[derive(Debug)]
struct SocketFile(PathBuf);

/// An address cannot be listened to.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The system refuses.
    #[error("listen to {address}")]
    Refused {
        /// The address.
        address: Address,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process answers on the Unix socket.
    #[error("listen to unix:{}: another process listens there", .0.display())]
    InUse(PathBuf),
    /// What is at the path of the Unix socket is something else.
    #[error("listen to unix:{}: there is a file that is no socket; remove it or choose another path", .0.display())]
    NoSocket(PathBuf),
}

impl Listener {
    /// Listens to `address`. The file that a Unix socket left behind is replaced.
    pub async fn bind(address: &Address) -> Result<Self, BindError> {
        let refused = |source| BindError::Refused { address: address.clone(), source };
        match address {
            Address::Tcp { host, port } => {
                let bound = TcpListener::bind((host.as_str(), *port)).await;
                bound.map(|listener| Self(Kind::Tcp(listener))).map_err(refused)
            }
            Address::Unix(path) => {
                clear(path).await?;
                let listener = UnixListener::bind(path).map_err(refused)?;
                let file = SocketFile(path.clone());
                let mode = std::fs::Permissions::from_mode(SOCKET_MODE);
                std::fs::set_permissions(path, mode).map_err(refused)?;
                Ok(Self(Kind::Unix(listener, file)))
            }
        }
    }

    /// The address that clients connect to, with the port that the system chose.
    pub fn address(&self) -> io::Result<Address> {
        match &self.0 {
            Kind::Tcp(listener) => {
                let addr = listener.local_addr()?;
                Ok(Address::Tcp { host: addr.ip().to_string(), port: addr.port() })
            }
            Kind::Unix(_, file) => Ok(Address::Unix(file.0.clone())),
        }
    }

    /// Waits for the next client.
    pub(super) async fn accept(&self) -> Socket {
        loop {
            let accepted = match &self.0 {
                Kind::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    // Without it small answers are late, but they come.
                    let _late = stream.set_nodelay(true);
                    Socket::Tcp(stream)
                }),
                Kind::Unix(listener, _) => {
                    listener.accept().await.map(|(stream, _)| Socket::Unix(stream))
                }
            };
            match accepted {
                Ok(socket) => return socket,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Makes room for a Unix socket at `path`.
async fn clear(path: &Path) -> Result<(), BindError> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(BindError::NoSocket(path.to_owned()));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let removed = std::fs::remove_file(path);
            let address = || Address::Unix(path.to_owned());
            removed.map_err(|source| BindError::Refused { address: address(), source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(BindError::InUse(path.to_owned())),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It may be gone already; if it stays, the next start replaces it.
        let _gone = std::fs::remove_file(&self.0);
    }
}
