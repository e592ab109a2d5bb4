//! Where a service listens and is found: `host:port`, `:port` or `unix:/path`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// What `:50051` stands for: services are for this machine unless told otherwise.
const LOOPBACK: &str = "127.0.0.1";

/// The address of a gRPC service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A TCP port.
    Tcp {
        /// A name or an IP address, one of version 6 without its brackets.
        host: String,
        /// The port; 0 lets the system choose one when it is listened to.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// A text that is no address of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\": expected {expected}", expected = Address::EXPECTED)]
pub struct InvalidAddress(pub String);

impl Address {
    /// What is allowed, to follow "expected".
    pub const EXPECTED: &'static str =
        "an address such as 127.0.0.1:50051, :50051 (this machine only) or unix:/run/orly/db.sock";
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        parse(text).ok_or_else(|| InvalidAddress(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Address> {
    if let Some(path) = text.strip_prefix("unix:") {
        let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
        let is_path = !path.is_empty() && !path.starts_with("//") && !path.contains('\0');
        return is_path.then(|| Address::Unix(path.into()));
    }
    let (host, port) = text.rsplit_once(':')?;
    // Digits only: `parse` alone takes a sign.
    let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok())??;
    let host = match (host, host.strip_prefix('[')) {
        ("", _) => LOOPBACK,
        (_, Some(inside)) => inside.strip_suffix(']').filter(|host| host.contains(':'))?,
        (host, None) => host,
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_v6 = host.parse::<std::net::Ipv6Addr>().is_ok() && text.starts_with('[');
    (is_v6 || host.chars().all(is_host)).then(|| Address::Tcp { host: host.to_owned(), port })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_are_written() {
        let cases = [
            ("127.0.0.1:50051", "127.0.0.1:50051"),
            ("localhost:0", "localhost:0"),
            (":50051", "127.0.0.1:50051"),
            ("[::1]:50051", "[::1]:50051"),
            ("db.example.com:1", "db.example.com:1"),
            ("unix:/run/db.sock", "unix:/run/db.sock"),
            ("unix:///run/db.sock", "unix:/run/db.sock"),
            ("unix:db.sock", "unix:db.sock"),
        ];
        for (text, written) in cases {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), written);
            assert_eq!(written.parse(), Ok(address));
        }
    }

    #[test]
    fn all_else_is_refused() {
        let cases = [
            "",
            "50051",
            "localhost",
            "a:70000",
            "a:+1",
            "a:",
            "::1:5",
            "[::1]",
            "[a]:1",
            "[::1",
            "unix:",
            "unix://x",
            "a/b:1",
            "http://a:1",
            "a b:1",
            "tcp:a:1",
        ];
        for text in cases {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress(text.into())));
        }
    }
}
