//! What an operator sets: every environment variable of the process.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use daemon::{Setting, choice};
use service_settings::{DatabaseService, Neo4jServer};

daemon::settings! {
    /// The settings of the event store.
    #[derive(Clone, Debug)]
    pub(crate) struct Settings {
        section "Questions in Cypher" {
            /// Whether clients may ask them (`ExecuteCypherRead`). The server refuses what writes; the relay asks for
            /// nobody but an owner.
            cypher_enabled: bool = "ORLY_NEO4J_CYPHER_ENABLED", "false";
            /// Seconds an answer may take.
            cypher_timeout: NonZeroU64 = "ORLY_NEO4J_CYPHER_TIMEOUT", "30";
            /// Rows an answer may have; what is beyond is left out.
            cypher_max_rows: NonZeroUsize = "ORLY_NEO4J_CYPHER_MAX_ROWS", "10000";
        }
        section "Files" {
            /// Directory of blobs and thumbnails, which are files beside the database.
            data_dir: PathBuf = "ORLY_DATA_DIR", "$XDG_DATA_HOME/ORLY";
        }
        /// The service.
        group service: DatabaseService;
        /// The server.
        group neo4j: Neo4jServer;
    }
    one value {
        /// The engine. `grpc` is for the relay.
        "ORLY_DB_TYPE": Engine, "neo4j";
    }
    no effect {
        /// The store is on the server.
        "ORLY_DB_MAP_SIZE_MB", "0";
        /// The server has its own: set its page cache.
        "ORLY_DB_BLOCK_CACHE_MB", "1024";
        /// The server has its own: set its page cache.
        "ORLY_DB_INDEX_CACHE_MB", "512";
    }
    not yet {}
}

/// The engine of this process, and of the relay where they share an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A Neo4j server.
    Neo4j,
    /// A relay is told that its store is a service: this one.
    ForTheRelay,
}

impl Setting for Engine {
    fn expected() -> String {
        "neo4j (orly-db-badger is the service for badger)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("neo4j", Self::Neo4j), ("grpc", Self::ForTheRelay)], text)
    }
}

#[cfg(test)]
mod tests;
