//! `health`: whether the relay of these settings answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::command_line::Health;
use crate::output::print;
use crate::settings::Settings;

/// More than the relay ever says.
const MOST: u64 = 16 << 10;

pub(super) async fn run(settings: &Settings, arguments: &Health) -> anyhow::Result<()> {
    let addr = address(settings)?;
    let answer = tokio::time::timeout(arguments.timeout, ask(addr)).await;
    let Ok(answer) = answer else {
        let waited = daemon::format_duration(arguments.timeout);
        bail!("{addr} did not answer GET /healthz within {waited} (--timeout)");
    };
    match answer?.as_str() {
        "200" => print(&format!("{addr} answers")),
        "403" => bail!(
            "{addr} turns 127.0.0.1 away (ORLY_IP_WHITELIST, ORLY_IP_BLACKLIST): \
             set ORLY_HEALTH_PORT, whose port has no such lists"
        ),
        status => bail!("{addr} answers GET /healthz with {status}"),
    }
}

/// Where the relay is asked: on its health port, if it has one, and on this machine, if it listens on all
/// addresses.
fn address(settings: &Settings) -> anyhow::Result<SocketAddr> {
    let (port, variable) = match settings.health_port {
        0 => (settings.port, "ORLY_PORT"),
        port => (port, "ORLY_HEALTH_PORT"),
    };
    ensure!(port != 0, "{variable}=0: the relay took a free port, which only its log tells");
    let ip = match settings.listen {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, port))
}

/// Asks, and returns status and body of an answer that is not 200.
async fn ask(addr: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(addr).await.with_context(|| {
        format!("no relay on {addr} (ORLY_LISTEN, ORLY_PORT, ORLY_HEALTH_PORT)")
    })?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.context("send a request")?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await.context("read the answer")?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.with_context(|| format!("{addr} does not speak HTTP"))?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).trim();
    Ok(match status {
        "200" | "403" => status.to_owned(),
        status => format!("{status}: {body}"),
    })
}
