//! Where a server is: `bolt://host:port`.

use std::fmt;

/// The usual port of Neo4j.
const DEFAULT_PORT: u16 = 7687;

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whether TLS is spoken (`+s`).
    pub(crate) is_encrypted: bool,
    /// Whether a member of a cluster passes on what is another's to do (`neo4j`).
    pub(crate) is_routed: bool,
}

impl Target {
    /// Reads `bolt://`, `bolt+s://`, `neo4j://` or `neo4j+s://`, a host and, if it is not 7687, a port.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (is_routed, is_encrypted) = match scheme {
            "bolt" => (false, false),
            "bolt+s" => (false, true),
            "neo4j" => (true, false),
            "neo4j+s" => (true, true),
            _ => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':')?)),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return None;
        }
        let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok())?;
        Some(Self { host: host.to_owned(), port, is_encrypted, is_routed })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_perhaps_a_port() {
        let shown = |text| Target::parse(text).map(|target| target.to_string());
        for (text, expected) in [
            ("bolt://localhost", Some("localhost:7687")),
            ("bolt://localhost:7688/", Some("localhost:7688")),
            ("neo4j://db.example.com:1", Some("db.example.com:1")),
            ("bolt+s://[::1]:7687", Some("[::1]:7687")),
            ("neo4j+s://[::1]", Some("[::1]:7687")),
            ("localhost:7687", None),
            ("http://localhost", None),
            ("bolt://", None),
            ("bolt://a:b", None),
            ("bolt://user:password@host:1", None),
            ("bolt://host:70000", None),
            ("bolt://host/db", None),
        ] {
            assert_eq!(shown(text).as_deref(), expected, "{text}");
        }
        let target = Target::parse("neo4j+s://a").unwrap();
        assert!(target.is_encrypted && target.is_routed);
    }
}
