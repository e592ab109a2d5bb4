//! Questions in Cypher, within what the operator allows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rpc::{CypherError, CypherQuestion, CypherReader, DATABASE_MESSAGE_LIMIT};
use store_neo4j::{Neo4jStore, Question, QuestionError};

use crate::settings::Settings;

const DISABLED: &str =
    "questions in Cypher are not allowed here: set ORLY_NEO4J_CYPHER_ENABLED=true";

/// Asks the graph.
pub(crate) struct Cypher {
    store: Arc<Neo4jStore>,
    is_enabled: bool,
    timeout: Duration,
    max_rows: usize,
}

impl Cypher {
    pub(crate) fn new(store: Arc<Neo4jStore>, settings: &Settings) -> Self {
        Self {
            store,
            is_enabled: settings.cypher_enabled,
            timeout: Duration::from_secs(settings.cypher_timeout.get()),
            max_rows: settings.cypher_max_rows.get(),
        }
    }
}

#[async_trait]
impl CypherReader for Cypher {
    async fn read(&self, question: CypherQuestion) -> Result<Vec<Vec<u8>>, CypherError> {
        if !self.is_enabled {
            return Err(CypherError::Disabled(DISABLED));
        }
        let question = Question {
            text: question.text,
            params: question.params,
            timeout: question.timeout.map_or(self.timeout, |wanted| wanted.min(self.timeout)),
            max_rows: self.max_rows,
            // What gRPC wraps around rows has to fit too.
            max_bytes: DATABASE_MESSAGE_LIMIT / 2,
        };
        self.store.ask(&question).await.map_err(|error| match error {
            QuestionError::Store(error) => CypherError::Store(error.into()),
            refused => CypherError::Refused(refused.to_string()),
        })
    }
}
