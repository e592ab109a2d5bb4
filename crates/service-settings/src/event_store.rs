//! Where events are kept.

use std::path::PathBuf;

use daemon::{Setting, choice};

/// Where the event store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// In this process.
    Embedded,
    /// At a database service.
    Remote,
}

impl Setting for Database {
    fn expected() -> String {
        "badger (the store of this process) or grpc (a database service); neo4j is not built yet"
            .into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("badger", Self::Embedded), ("grpc", Self::Remote)], text)
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
