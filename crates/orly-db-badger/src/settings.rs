//! What an operator sets: every environment variable of the process.

use daemon::{Setting, choice};
use service_settings::{DatabaseService, EmbeddedStore};

daemon::settings! {
    /// The settings of the event store.
    #[derive(Clone, Debug)]
    pub(crate) struct Settings {
        /// The service.
        group service: DatabaseService;
        /// The event store.
        group store: EmbeddedStore;
    }
    one value {
        /// The engine; `badger` is the name of the original's, and LMDB here. `grpc` is for the relay.
        "ORLY_DB_TYPE": Engine, "badger";
    }
    no effect {
        /// LMDB has no cache of its own: the system's page cache takes what memory is free.
        "ORLY_DB_BLOCK_CACHE_MB", "1024";
        /// LMDB has no cache of its own: the system's page cache takes what memory is free.
        "ORLY_DB_INDEX_CACHE_MB", "512";
    }
    not yet {}
}

/// The engine of this process, and of the relay where they share an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// LMDB.
    Embedded,
    /// A relay is told that its store is a service: this one.
    ForTheRelay,
}

impl Setting for Engine {
    fn expected() -> String {
        "badger (orly-db-neo4j is the service for neo4j)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("badger", Self::Embedded), ("grpc", Self::ForTheRelay)], text)
    }
}

#[cfg(test)]
mod tests;
