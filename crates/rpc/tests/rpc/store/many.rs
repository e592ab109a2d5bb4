//! Many at once: clients, watchers, readers that are slow, batches that are large.

use std::sync::Arc;

use store::conformance::{ALICE, note};
use store::{EventStore, Query, SaveOutcome, Serial};

use super::service::{PATIENCE, Service, all, events, notes};

#[tokio::test]
async fn clients_of_one_service_see_what_each_of_them_stores() {
    let service = Service::start().await;
    let clients = [service.client(), service.client()];
    let mut watches = clients.each_ref().map(|client| client.watch(Serial::default()));
    for (at, client) in (0..).zip(&clients) {
        client.save(notes(at * 5..at * 5 + 5)).await.unwrap();
    }
    for watch in &mut watches {
        let mut seen = Vec::new();
        while seen.len() < 10 {
            let batch = tokio::time::timeout(PATIENCE, watch.next()).await.unwrap().unwrap();
            seen.extend(events(&batch));
        }
        assert_eq!(seen, notes(0..10));
    }
}

#[tokio::test]
async fn readers_that_stop_reading_keep_nobody_waiting() {
    let service = Service::start().await;
    let store = service.client();
    let text = "x".repeat(4000);
    let crowd: Vec<_> = (0..1000).map(|at| note(&ALICE, at, &format!("{at} {text}"))).collect();
    store.save(crowd).await.unwrap();
    // Together they would fill every window of the connection, and every place for a call.
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut rows = store.query(Query::by_operator("{}".parse().unwrap()));
        assert!(rows.next().await.unwrap().is_some());
        slow.push(rows);
    }
    let found = tokio::time::timeout(PATIENCE, all(&store, "{}")).await.unwrap().unwrap();
    assert_eq!(found.len(), 1000);
    let mut rest = 0;
    while let Some(batch) = slow[0].next().await.unwrap() {
        rest += batch.len();
    }
    assert!(rest > 500);
}

#[tokio::test]
async fn a_batch_of_many_messages_is_one_save() {
    let service = Service::start().await;
    let store = service.client();
    let text = "x".repeat(200_000);
    let mut batch: Vec<_> = (0..100).map(|at| note(&ALICE, at, &format!("{at} {text}"))).collect();
    batch.push(batch[0].clone());
    let outcomes = store.save(batch.clone()).await.unwrap();
    let serials: Vec<Serial> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            SaveOutcome::Stored(serial) => Some(*serial),
            _ => None,
        })
        .collect();
    assert_eq!(serials.len(), 100);
    assert_eq!(outcomes[100], SaveOutcome::Duplicate);
    assert!(serials.is_sorted());
    let mut found = all(&store, "{}").await.unwrap();
    found.reverse();
    assert!(found == batch[..100]);
    let mut watch = store.watch(Serial::default());
    let mut seen = 0;
    while seen < 100 {
        seen += tokio::time::timeout(PATIENCE, watch.next()).await.unwrap().unwrap().len();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn saves_and_questions_at_once_are_each_answered() {
    let service = Service::start().await;
    let store = Arc::new(service.client());
    let tasks: Vec<_> = (0..40u64)
        .map(|at| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let batch = notes(at * 7..at * 7 + 7);
                let outcomes = store.save(batch.clone()).await.unwrap();
                assert!(outcomes.iter().all(|outcome| matches!(outcome, SaveOutcome::Stored(_))));
                let ids: Vec<_> = batch.iter().map(|event| event.as_ref().id()).collect();
                assert_eq!(store.contains(&ids).await.unwrap(), [true; 7]);
                let since = format!(r#"{{"since":{},"until":{}}}"#, 1000 + at * 7, 1006 + at * 7);
                assert_eq!(all(&*store, &since).await.unwrap().len(), 7);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.status().await.unwrap().events, 280);
}
