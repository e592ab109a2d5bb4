//! Questions in Cypher, for the one service that answers them.

use super::{client, proto};
use crate::Address;

/// What a question was answered with.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// A JSON object a row.
    pub rows: Vec<String>,
    /// What the graph has against the question, or nothing.
    pub error: String,
}

/// Asks a question with parameters in JSON; if the call fails, gives what it says.
pub async fn ask(
    address: &Address,
    cypher: &str,
    params: &[(&str, &str)],
    timeout_seconds: i32,
) -> Result<Answer, String> {
    let params = params.iter().map(|(name, json)| ((*name).into(), (*json).to_owned().into()));
    let request = proto::CypherReadRequest {
        cypher: cypher.into(),
        params: params.collect(),
        timeout_seconds,
    };
    let answer = client(address).execute_cypher_read(request).await;
    let answer = answer.map_err(|status| status.message().to_owned())?.into_inner();
    let rows = answer.records.iter().map(|row| String::from_utf8(row.to_vec()).unwrap());
    Ok(Answer { rows: rows.collect(), error: answer.error })
}
