//! How a server is reached.

use std::time::Duration;

use crate::Neo4jError;
use crate::bolt::{PoolOptions, Target};

/// How a server is reached, and how much is asked of it at once.
#[derive(Clone)]
pub struct Options {
    /// The server: `bolt://host:port`, `bolt+s://` for TLS, `neo4j://` or `neo4j+s://` for a member of a cluster.
    pub uri: String,
    /// Who we are there.
    pub user: String,
    /// How we prove it.
    pub password: String,
    /// How many connections there may be.
    pub connections: usize,
    /// How many rows a server sends before it waits to be asked for more.
    pub fetch_size: usize,
    /// How long a transaction is tried again that others are in the way of.
    pub retry: Duration,
    /// How many rows one statement may find; longer answers take several.
    pub result_limit: usize,
}

impl Options {
    /// The usual: 25 connections, 1000 rows at a time, 30 seconds of trying again.
    pub fn new(
        uri: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            uri: uri.into(),
            user: user.into(),
            password: password.into(),
            connections: 25,
            fetch_size: 1000,
            retry: Duration::from_secs(30),
            result_limit: 10_000,
        }
    }

    /// Whether `uri` is the address of a server.
    pub fn is_uri(uri: &str) -> bool {
        Target::parse(uri).is_some()
    }

    pub(crate) fn pool(&self) -> Result<PoolOptions, Neo4jError> {
        let target = Target::parse(&self.uri);
        Ok(PoolOptions {
            target: target.ok_or_else(|| Neo4jError::Uri(self.uri.clone()))?,
            user: self.user.clone(),
            password: self.password.clone(),
            connections: self.connections,
        })
    }
}
