//! Where events are kept.

use std::path::PathBuf;

use daemon::{Setting, choice};

/// Where the event store of a service beside the relay is. Neo4j is asked through its service: so that it is not in
/// every process, with connections of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// In this process.
    Embedded,
    /// At a database service.
    Remote,
}

impl Setting for Database {
    fn expected() -> String {
        "badger (the store of this process) or grpc (a database service; orly-db-neo4j is the one for neo4j)"
            .into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("badger", Self::Embedded), ("grpc", Self::Remote)], text)
    }
}

/// Where the relay's event store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayDatabase {
    /// In this process.
    Embedded,
    /// At a database service.
    Remote,
    /// At a Neo4j server, which this process speaks to itself.
    Neo4j,
}

impl Setting for RelayDatabase {
    fn expected() -> String {
        "badger (the store of this process), neo4j (a server) or grpc (a database service)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let choices = [("badger", Self::Embedded), ("neo4j", Self::Neo4j), ("grpc", Self::Remote)];
        choice(&choices, text)
    }
}

daemon::settings! {
    /// The event store in the process itself.
    #[derive(Clone, Debug)]
    pub struct EmbeddedStore {
        section "Event store" {
            /// Directory of the event store in this process; `orly-db-badger` keeps blobs and thumbnails there too.
            data_dir: PathBuf = "ORLY_DATA_DIR", "$XDG_DATA_HOME/ORLY";
            /// How large that store may become, in MiB; 0 lets it grow as long as the disk has room.
            map_size_mb: usize = "ORLY_DB_MAP_SIZE_MB", "0";
        }
    }
    one value {}
    no effect {}
    not yet {}
}
