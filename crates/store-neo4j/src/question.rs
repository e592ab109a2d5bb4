//! Questions of an operator in Cypher, which may not change the graph: the server refuses what writes.

use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::bolt::{BoltError, Statement};
use crate::json::{from_json, to_json};
use crate::{Neo4jError, Neo4jStore};

/// How much later than the server this side gives up: what the server says is clearer.
const GRACE: Duration = Duration::from_secs(2);
const FETCH: usize = 100;

/// A question in Cypher.
#[derive(Clone, Debug)]
pub struct Question {
    /// The text.
    pub text: String,
    /// Parameters, each a name and JSON.
    pub params: Vec<(String, Vec<u8>)>,
    /// How long the answer may take.
    pub timeout: Duration,
    /// How many rows are given at most.
    pub max_rows: usize,
    /// How many bytes of JSON are given at most.
    pub max_bytes: usize,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// A parameter is no JSON.
    #[error("parameter {name}: {reason}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server refuses it: it is no Cypher, it writes, it takes too long.
    #[error("{code}: {message}")]
    Refused {
        /// What Neo4j calls it.
        code: String,
        /// What it says about it.
        message: String,
    },
    /// The answer is larger than it may be.
    #[error("the answer has more than {0} bytes: ask for less")]
    TooLarge(usize),
    /// The server is away.
    #[error(transparent)]
    Store(#[from] Neo4jError),
}

impl Neo4jStore {
    /// Answers a question: a JSON object a row, by the names of its columns.
    pub async fn ask(&self, question: &Question) -> Result<Vec<Vec<u8>>, QuestionError> {
        let mut statement = Statement::new(question.text.clone());
        for (name, json) in &question.params {
            let value: Json = serde_json::from_slice(json).map_err(|error| {
                QuestionError::Parameter { name: name.clone(), reason: error.to_string() }
            })?;
            statement = statement.with(name, from_json(&value));
        }
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let take = |columns: &[String], row: Vec<_>| {
            let entries = columns.iter().cloned().zip(row.iter().map(to_json));
            let json = Json::Object(entries.collect::<Map<_, _>>()).to_string().into_bytes();
            bytes += json.len();
            rows.push(json);
            match rows.len() < question.max_rows && bytes <= question.max_bytes {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        };
        let client = &self.shared.client;
        let fetch = FETCH.min(question.max_rows);
        let asked = client.read_within(&statement, question.timeout, GRACE, fetch, take).await;
        asked.map_err(|error| match error {
            BoltError::Refused { code, message }
                if !code.starts_with("Neo.ClientError.Security") =>
            {
                QuestionError::Refused { code, message }
            }
            other => client.explain(other).into(),
        })?;
        match bytes > question.max_bytes {
            true => Err(QuestionError::TooLarge(question.max_bytes)),
            false => Ok(rows),
        }
    }
}
