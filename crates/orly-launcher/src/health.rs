//! How units are asked whether they are ready.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use rpc::{ServiceHealth, ServiceProbe};
use supervisor::{Health, Probe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::units::Listen;

/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 4096;

/// The probe of a unit that listens there.
pub(crate) fn probe(listen: &Listen) -> Arc<dyn Probe> {
    match listen {
        Listen::Service(address, kind) => Arc::new(Grpc(ServiceProbe::new(address.clone(), *kind))),
        Listen::Http(address) => Arc::new(Http(*address)),
    }
}

struct Grpc(ServiceProbe);

#[async_trait]
impl Probe for Grpc {
    async fn probe(&self) -> Health {
        match self.0.ask().await {
            ServiceHealth::Serving => Health::Serving,
            ServiceHealth::NotServing(reason) => Health::Unready(reason),
            ServiceHealth::Silent(reason) => Health::Silent(reason),
        }
    }
}

struct Http(SocketAddr);

#[async_trait]
impl Probe for Http {
    async fn probe(&self) -> Health {
        match ask(self.0).await {
            Ok(answer) => judge(self.0, &answer),
            Err(error) => Health::Silent(format!("{} {error}", self.0)),
        }
    }
}

async fn ask(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok(answer)
}

/// Who serves HTTP but no `/healthz` is ready as well; 503 is what says the opposite.
fn judge(address: SocketAddr, answer: &[u8]) -> Health {
    let answer = String::from_utf8_lossy(answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let mut words = head.split_ascii_whitespace();
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    match words.next() {
        Some("503") if is_http => Health::Unready(format!("{address} 503 {}", body.trim())),
        Some(_) if is_http => Health::Serving,
        _ => Health::Silent(format!("{address} does not speak HTTP")),
    }
}

/// Where a unit listens, as text.
pub(crate) fn address(listen: &Listen) -> String {
    match listen {
        Listen::Service(address, _) => address.to_string(),
        Listen::Http(address) => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged_by_their_status() {
        let address: SocketAddr = "127.0.0.1:3334".parse().unwrap();
        let judge = |answer: &str| super::judge(address, answer.as_bytes());
        assert_eq!(judge("HTTP/1.1 200 OK\r\n\r\nok"), Health::Serving);
        assert_eq!(judge("HTTP/1.0 404 Not Found\r\n\r\n"), Health::Serving);
        let reason = "127.0.0.1:3334 503 no store";
        assert_eq!(
            judge("HTTP/1.1 503 x\r\nA: b\r\n\r\nno store\n"),
            Health::Unready(reason.into())
        );
        for silent in ["", "SSH-2.0-x", "HTTP/1.1"] {
            assert!(matches!(judge(silent), Health::Silent(_)), "{silent}");
        }
    }
}
