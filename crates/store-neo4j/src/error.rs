//! What goes wrong with a Neo4j server, in words for an operator.

use store::StoreError;

use crate::bolt::BoltError;

/// A failure of this engine.
#[derive(Debug, thiserror::Error)]
pub enum Neo4jError {
    /// The address is none.
    #[error(
        "ORLY_NEO4J_URI={0:?}: expected an address such as bolt://localhost:7687, or with bolt+s, neo4j or neo4j+s"
    )]
    Uri(String),
    /// Nobody answers.
    #[error(
        "neo4j at {address} does not answer ({reason}): start it, or set ORLY_NEO4J_URI to where it is"
    )]
    Away {
        /// Host and port.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The server does not let us in.
    #[error(
        "neo4j at {address} refuses user {user:?} ({reason}): set ORLY_NEO4J_USER and ORLY_NEO4J_PASSWORD"
    )]
    Credentials {
        /// Host and port.
        address: String,
        /// The user's name.
        user: String,
        /// What the server said.
        reason: String,
    },
    /// A newer version made the graph.
    #[error(
        "event store in neo4j has schema {found}, this version knows up to {known}: run the newer version again, \
         or export with it (`orly export`) and import into an empty database with this one"
    )]
    NewerSchema {
        /// The schema of the graph.
        found: i64,
        /// The newest schema of this version.
        known: i64,
    },
    /// Another program made the graph.
    #[error(
        "the database at {0} has events of another program: use an empty database, and fill it by `orly import`"
    )]
    Foreign(String),
    /// The server refuses what we ask.
    #[error("neo4j refuses a statement ({code}): {message}")]
    Refused {
        /// What Neo4j calls it.
        code: String,
        /// What it says about it.
        message: String,
    },
    /// What is stored contradicts itself.
    #[error(
        "event store in neo4j is damaged ({0}): export what can be read, and import it into an empty database"
    )]
    Damaged(&'static str),
}

impl Neo4jError {
    /// Whether waiting may help: the server may be about to start, to recover, or to be given its password.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Credentials { .. } => true,
            Self::Refused { code, .. } => is_trouble(code),
            Self::Uri(_) | Self::NewerSchema { .. } | Self::Foreign(_) | Self::Damaged(_) => false,
        }
    }

    /// Says of a server what went wrong with it.
    pub(crate) fn at(address: &impl ToString, user: &str, error: BoltError) -> Self {
        let address = address.to_string();
        match error {
            BoltError::Refused { ref code, ref message } if error.is_about_credentials() => {
                let reason = if message.is_empty() { code } else { message }.clone();
                Self::Credentials { address, user: user.to_owned(), reason }
            }
            BoltError::Refused { code, message } => Self::Refused { code, message },
            BoltError::Connection(cause) => Self::Away { address, reason: cause.to_string() },
            other => Self::Away { address, reason: other.to_string() },
        }
    }
}

/// Whether a code says that the server, not the request, is in a bad way.
fn is_trouble(code: &str) -> bool {
    code.starts_with("Neo.TransientError.") || code.starts_with("Neo.DatabaseError.Transaction.")
}

impl From<Neo4jError> for StoreError {
    fn from(error: Neo4jError) -> Self {
        match error {
            Neo4jError::Away { .. } | Neo4jError::Credentials { .. } => {
                Self::Unavailable(error.to_string())
            }
            // Who tried again long enough is told to come back.
            Neo4jError::Refused { ref code, .. } if is_trouble(code) => {
                Self::Unavailable(error.to_string())
            }
            Neo4jError::Refused { ref code, .. }
                if code.ends_with("ForbiddenOnReadOnlyDatabase")
                    || code.ends_with("NotALeader") =>
            {
                Self::ReadOnly(error.to_string())
            }
            other => Self::internal(other),
        }
    }
}
