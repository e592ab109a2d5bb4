//! A service that goes and returns, in the middle of everything.

use std::sync::Arc;
use std::time::Duration;

use store::conformance::{ALICE, note};
use store::{EventStore, Markers, Query, SaveOutcome, Serial, StoreError};

use super::service::{PATIENCE, Service, all, answers_within_a_second, events, notes};

#[tokio::test]
async fn while_nobody_answers_calls_fail_at_once_and_say_what_to_do() {
    let mut service = Service::absent();
    let store = service.client();
    let errors = [
        store.save(notes(0..1)).await.unwrap_err(),
        store.status().await.unwrap_err(),
        store.marker("a").await.unwrap_err(),
        all(&store, "{}").await.unwrap_err(),
    ];
    for error in errors {
        let StoreError::Unavailable(text) = error else { panic!("{error:?}") };
        assert!(text.contains("db.sock does not answer ("), "{text}");
        assert!(text.ends_with("is the database service running there?"), "{text}");
    }
    service.restart().await;
    answers_within_a_second(&store).await;
    store.save(notes(0..1)).await.unwrap();
    assert_eq!(all(&store, "{}").await.unwrap(), notes(0..1));
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_any_number_of_restarts() {
    let mut service = Service::start().await;
    let store = Arc::new(service.client());
    let saver = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut acknowledged = Vec::new();
            for at in 0..400 {
                let batch = notes(at * 10..at * 10 + 10);
                match store.save(batch.clone()).await {
                    Ok(outcomes) => {
                        // None of them was there before, whatever the answer that was lost said.
                        let is_stored =
                            |outcome: &SaveOutcome| matches!(outcome, SaveOutcome::Stored(_));
                        assert!(outcomes.iter().all(is_stored), "{outcomes:?}");
                        acknowledged.extend(batch);
                    }
                    Err(StoreError::Unavailable(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            acknowledged
        }
    });
    let mut stored = 0;
    for _ in 0..5 {
        // Something is saved between two restarts.
        let more = async {
            while !store.status().await.is_ok_and(|status| status.events > stored) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if saver.is_finished() {
            break;
        }
        tokio::time::timeout(PATIENCE, more).await.unwrap();
        stored = store.status().await.map_or(stored, |status| status.events);
        service.kill().await;
        service.restart().await;
    }
    let mut acknowledged = saver.await.unwrap();
    assert!(acknowledged.len() >= 1000, "{}", acknowledged.len());
    let mut found = all(&*store, "{}").await.unwrap();
    found.sort_by_key(|event| event.as_ref().created_at());
    acknowledged.retain(|event| !found.contains(event));
    assert_eq!(acknowledged, []);
}

#[tokio::test]
async fn an_answer_goes_on_where_it_was() {
    let mut service = Service::start().await;
    let store = service.client();
    // Many of one second, so that the answer is cut in the middle of one; and more than a page.
    let text = "x".repeat(2000);
    let crowd: Vec<_> =
        (0..1500u64).map(|at| note(&ALICE, 1000 + at / 400, &format!("{at} {text}"))).collect();
    store.save(crowd).await.unwrap();
    for filter in ["{}", r#"{"kinds":[1],"limit":1400}"#] {
        let expected = all(&store, filter).await.unwrap();
        let mut rows = store.query(Query::by_operator(filter.parse().unwrap()));
        let mut found = Vec::new();
        let mut pages = 0;
        while let Some(batch) = rows.next().await.unwrap() {
            found.extend(events(&batch));
            pages += 1;
            if pages % 2 == 1 {
                service.kill().await;
                service.restart().await;
            }
        }
        assert!(pages > 4, "{pages}");
        assert!(found == expected, "{} of {}", found.len(), expected.len());
    }
}

#[tokio::test]
async fn a_watch_misses_nothing_across_restarts() {
    let mut service = Service::start().await;
    let (writer, reader) = (service.client(), service.client());
    let mut watch = reader.watch(Serial::default());
    let mut seen = Vec::new();
    for round in 0..4 {
        writer.save(notes(round * 10..round * 10 + 10)).await.unwrap();
        while (seen.len() as u64) < (round + 1) * 10 {
            let batch = tokio::time::timeout(PATIENCE, watch.next()).await.unwrap().unwrap();
            seen.extend(events(&batch));
        }
        if round % 2 == 0 {
            service.kill().await;
        } else {
            service.stop().await;
        }
        service.restart().await;
        // What is stored before it is back comes too.
        answers_within_a_second(&writer).await;
    }
    assert_eq!(seen, notes(0..40));
}

#[tokio::test]
async fn markers_are_set_though_the_answer_is_lost() {
    let mut service = Service::start().await;
    let store = Arc::new(service.client());
    store.set_marker("a", Some(vec![1])).await.unwrap();
    service.kill().await;
    service.restart().await;
    answers_within_a_second(&store).await;
    assert_eq!(store.marker("a").await.unwrap(), Some(vec![1]));
    store.set_marker("a", None).await.unwrap();
    assert_eq!(store.markers("").await.unwrap(), []);
}

#[tokio::test]
async fn a_service_that_stops_ends_its_watches_at_once() {
    let mut service = Service::start().await;
    let store = service.client();
    store.save(notes(0..1)).await.unwrap();
    let mut watch = store.watch(Serial::default());
    watch.next().await.unwrap();
    let follower = tokio::spawn(async move { watch.next().await.map(|batch| batch.len()) });
    // Well below the five seconds after which calls are cut off.
    tokio::time::timeout(Duration::from_secs(3), service.stop()).await.unwrap();
    service.restart().await;
    answers_within_a_second(&store).await;
    store.save(notes(1..3)).await.unwrap();
    let seen = tokio::time::timeout(PATIENCE, follower).await.unwrap().unwrap();
    assert!(seen.is_ok_and(|count| count > 0));
}
