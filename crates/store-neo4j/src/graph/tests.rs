use tokio::sync::Mutex;

use super::*;
use crate::Options;

/// The tests share one server.
static TURN: Mutex<()> = Mutex::const_new(());

/// The first server of `ORLY_TEST_NEO4J` (see the tests of the crate); erased.
async fn client() -> Option<Client> {
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    let list = std::env::var("ORLY_TEST_NEO4J").unwrap_or_default();
    let (scheme, rest) = list.split(',').next()?.split_once("://")?;
    let (credentials, address) = rest.rsplit_once('@')?;
    let (user, password) = credentials.split_once(':')?;
    let client = Client::new(Options::new(format!("{scheme}://{address}"), user, password));
    let client = client.unwrap();
    run(&client, "MATCH (n) DETACH DELETE n").await;
    Some(client)
}

async fn run(client: &Client, text: &str) {
    client.write(vec![Statement::new(text)]).await.unwrap();
}

#[tokio::test]
async fn only_a_graph_of_this_version_or_none_is_used() {
    let _turn = TURN.lock().await;
    let Some(client) = client().await else { return };
    let secret = prepare(&client).await.unwrap().hasher.hash(b't', "x");
    assert_eq!(prepare(&client).await.unwrap().hasher.hash(b't', "x"), secret);
    run(&client, "MATCH (s:EventStore) SET s.schema = 99").await;
    let refused = prepare(&client).await.err().unwrap();
    assert!(matches!(refused, Neo4jError::NewerSchema { found: 99, known: SCHEMA }), "{refused}");
    run(&client, "MATCH (s:EventStore) DELETE s").await;
    run(&client, "CREATE (:Event {id: 'of another program'})").await;
    let refused = prepare(&client).await.err().unwrap();
    assert!(matches!(refused, Neo4jError::Foreign(_)), "{refused}");
    run(&client, "MATCH (n) DETACH DELETE n").await;
}

#[tokio::test]
async fn all_that_is_looked_up_has_an_index() {
    let _turn = TURN.lock().await;
    let Some(client) = client().await else { return };
    prepare(&client).await.unwrap();
    let states =
        "SHOW INDEXES YIELD name, state WHERE name STARTS WITH 'orly_' RETURN state, count(*)";
    let rows = client.rows(&Statement::new(states)).await.unwrap();
    let expected = i64::try_from(SCHEMA_COMMANDS.len()).unwrap();
    assert_eq!(rows, [vec![Value::from("ONLINE"), Value::Int(expected)]]);
}
