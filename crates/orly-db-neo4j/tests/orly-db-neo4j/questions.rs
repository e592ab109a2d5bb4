//! Questions in Cypher: what is answered, and what is not.

use rpc::RemoteStore;
use rpc::database_conformance::questions::{Answer, ask};
use store::EventStore;
use store::conformance::{ALICE, BOB, event, note};

use crate::house::{House, is_there};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_graph_is_asked_and_not_changed() {
    if !is_there() {
        return;
    }
    let house = House::new().await;
    let service =
        house.start(&[("ORLY_NEO4J_CYPHER_ENABLED", "true"), ("ORLY_NEO4J_CYPHER_MAX_ROWS", "3")]);
    let store = RemoteStore::new(service.address.clone());
    let first = note(&ALICE, 100, "first");
    let (id, alice) = (first.as_ref().id().to_string(), ALICE.pubkey().to_string());
    let reply = event(&BOB, 1, 101, &[&["e", &id], &["p", &alice], &["t", "cats"]], "reply");
    store.save(vec![reply, first]).await.unwrap();
    let ask = |cypher: &'static str, params: Vec<(&'static str, String)>| {
        let address = service.address.clone();
        async move {
            let params: Vec<_> = params.iter().map(|(name, json)| (*name, &**json)).collect();
            ask(&address, cypher, &params, 5).await.unwrap()
        }
    };
    let rows = |rows: &[&str]| Answer {
        rows: rows.iter().map(|row| (*row).to_owned()).collect(),
        error: String::new(),
    };
    // It came before what it refers to.
    let who_answers = "MATCH (u:NostrUser)<-[:AUTHORED_BY]-(e:Event)-[:REFERENCES]->(:Event {id: $id}) \
        MATCH (e)-[:MENTIONS]->(:NostrUser {pubkey: $alice}) MATCH (e)-[:TAGGED_WITH]->(t:Tag {name: 't'}) \
        RETURN u.pubkey AS author, t.value AS topic, e.content AS content";
    let found =
        ask(who_answers, vec![("id", format!("{id:?}")), ("alice", format!("{alice:?}"))]).await;
    let author = BOB.pubkey();
    let expected = format!(r#"{{"author":"{author}","content":"reply","topic":"cats"}}"#);
    assert_eq!(found, rows(&[&expected]));
    let found = ask("UNWIND range(1, 10) AS n RETURN n", vec![]).await;
    assert_eq!(found, rows(&[r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]));
    for writes in [
        "MATCH (e:Event) DETACH DELETE e",
        "CREATE (:Event {id: 'x'})",
        "MATCH (e:Event) SET e.kind = 7 RETURN e.kind",
        "CREATE INDEX evil FOR (n:Event) ON (n.content)",
        "MATCH (e:Event) CALL (e) { DELETE e } IN TRANSACTIONS",
        "CALL db.createLabel('Evil')",
    ] {
        let answer = ask(writes, vec![]).await;
        assert!(answer.rows.is_empty() && !answer.error.is_empty(), "{writes}: {answer:?}");
    }
    let answer = ask("nonsense", vec![]).await;
    assert!(answer.error.contains("SyntaxError"), "{answer:?}");
    let slow =
        "UNWIND range(1, 100000000) AS a UNWIND range(1, 100000000) AS b RETURN count(a + b)";
    let answer = rpc::database_conformance::questions::ask(&service.address, slow, &[], 1).await;
    let answer = answer.unwrap();
    assert!(answer.error.contains("imed"), "{answer:?}");
    assert_eq!(store.status().await.unwrap().events, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_asks_unless_that_is_allowed() {
    if !is_there() {
        return;
    }
    let house = House::new().await;
    let service = house.start(&[]);
    let refused = ask(&service.address, "RETURN 1", &[], 0).await.unwrap_err();
    assert!(refused.contains("ORLY_NEO4J_CYPHER_ENABLED=true"), "{refused}");
}
