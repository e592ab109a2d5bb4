//! From an address to a stream of bytes: TCP, and TLS for `wss://`.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::PeerUrl;
use crate::peer_url::Security;

/// Encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens a stream to the relay's host.
pub(crate) async fn dial(url: &PeerUrl) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((url.host(), url.port())).await?;
    // Rounds of small messages must not wait for a full packet.
    stream.set_nodelay(true)?;
    match url.security() {
        Security::Plain => Ok(Box::new(stream)),
        Security::Tls => {
            let name = ServerName::try_from(url.host().to_owned()).map_err(io::Error::other)?;
            Ok(Box::new(TlsConnector::from(Arc::new(tls()?)).connect(name, stream).await?))
        }
    }
}

/// TLS 1.2 and 1.3 with the certificate authorities that Mozilla trusts.
fn tls() -> io::Result<ClientConfig> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
