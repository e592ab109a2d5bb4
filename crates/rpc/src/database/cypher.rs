//! Questions in Cypher, for stores that are graphs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::StoreError;
use tonic::{Code, Status};

use super::Database;
use super::failure::{Failure, OrFail, failed};
use crate::proto::orlydb::v1 as proto;

const CYPHER: &str = "execute cypher read";

/// A graph that can be asked, and is not changed by it.
#[async_trait]
pub trait CypherReader: Send + Sync {
    /// Answers a question with a JSON object a row.
    async fn read(&self, question: CypherQuestion) -> Result<Vec<Vec<u8>>, CypherError>;
}

/// A question in Cypher.
#[derive(Clone, Debug)]
pub struct CypherQuestion {
    /// The text.
    pub text: String,
    /// Parameters, each a name and JSON.
    pub params: Vec<(String, Vec<u8>)>,
    /// How long the caller wants to wait, if they say.
    pub timeout: Option<Duration>,
}

/// Why a question has no answer.
#[derive(Debug)]
pub enum CypherError {
    /// The graph says that the question is wrong, or writes, or asks for too much.
    Refused(String),
    /// Questions are not allowed: what to change.
    Disabled(&'static str),
    /// The store failed.
    Store(StoreError),
}

impl Failure for CypherError {
    fn answer(self, operation: &str) -> (Code, String) {
        match self {
            Self::Refused(text) => (Code::InvalidArgument, format!("invalid: {text}")),
            Self::Disabled(text) => (Code::FailedPrecondition, format!("error: {text}")),
            Self::Store(error) => error.answer(operation),
        }
    }
}

impl Database {
    /// Answers questions in Cypher too. Whether somebody may ask is not looked at.
    #[must_use]
    pub fn with_cypher(mut self, reader: Arc<dyn CypherReader>) -> Self {
        self.cypher = Some(reader);
        self
    }

    pub(super) async fn execute_cypher_read(
        &self,
        request: proto::CypherReadRequest,
    ) -> Result<proto::CypherReadResponse, Status> {
        let Some(reader) = &self.cypher else {
            let text = "this event store is no graph; only orly-db-neo4j answers Cypher";
            return Err(failed(CYPHER, Code::Unimplemented, text));
        };
        let seconds = u64::try_from(request.timeout_seconds).ok().filter(|seconds| *seconds > 0);
        let question = CypherQuestion {
            text: request.cypher,
            params: request.params.into_iter().map(|(name, json)| (name, json.to_vec())).collect(),
            timeout: seconds.map(Duration::from_secs),
        };
        match reader.read(question).await {
            Ok(rows) => {
                let records = rows.into_iter().map(Into::into).collect();
                Ok(proto::CypherReadResponse { records, error: String::new() })
            }
            // The graph's own words have a place in the answer.
            Err(CypherError::Refused(error)) => {
                Ok(proto::CypherReadResponse { records: Vec::new(), error })
            }
            Err(error) => Err(error).or_fail(CYPHER),
        }
    }
}
