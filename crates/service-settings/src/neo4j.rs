//! A Neo4j server that keeps the events.

use std::num::{NonZeroU64, NonZeroUsize};

use daemon::Setting;

/// The address of a Neo4j server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neo4jUri(String);

/// What proves who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password(String);

impl Neo4jUri {
    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for Neo4jUri {
    fn expected() -> String {
        "an address such as bolt://localhost:7687 (also bolt+s, neo4j, neo4j+s)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_known = ["bolt", "bolt+s", "neo4j", "neo4j+s"].contains(&scheme);
        (is_known && !rest.is_empty() && !rest.contains('@')).then(|| Self(text.to_owned()))
    }
}

impl Password {
    /// The text, to be shown to the server alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for Password {
    const IS_SECRET: bool = true;

    fn expected() -> String {
        "text".into()
    }

    fn parse(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    fn empty() -> Option<Self> {
        Some(Self(String::new()))
    }
}

daemon::settings! {
    /// The Neo4j server that keeps the events.
    #[derive(Clone, Debug)]
    pub struct Neo4jServer {
        section "Neo4j" {
            /// Where the server is: `bolt+s` and `neo4j+s` speak TLS; `neo4j` is for a member of a cluster, which passes
            /// on what is another's to do.
            uri: Neo4jUri = "ORLY_NEO4J_URI", "bolt://localhost:7687";
            /// Who we are there.
            user: String = "ORLY_NEO4J_USER", "neo4j";
            /// How we prove it.
            password: Password = "ORLY_NEO4J_PASSWORD", "password";
            /// Connections to it at the same time.
            max_conn_pool: NonZeroUsize = "ORLY_NEO4J_MAX_CONN_POOL", "25";
            /// Rows that it sends before it waits to be asked for more.
            fetch_size: NonZeroUsize = "ORLY_NEO4J_FETCH_SIZE", "1000";
            /// Seconds for which a transaction is tried again that others are in the way of.
            max_tx_retry_sec: NonZeroU64 = "ORLY_NEO4J_MAX_TX_RETRY_SEC", "30";
            /// Events that one statement may find; a longer answer takes several, and is complete.
            query_result_limit: NonZeroUsize = "ORLY_NEO4J_QUERY_RESULT_LIMIT", "10000";
        }
    }
    one value {}
    no effect {}
    not yet {}
}
