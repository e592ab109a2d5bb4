//! What is acknowledged survives a kill at any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::signal::Signal;
use rpc::RemoteStore;
use rpc::database_conformance::traces;
use store::{EventStore, Markers, SaveOutcome};

use crate::house::{House, note};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let house = House::new();
    let mut next = 0;
    for round in 0..3u64 {
        let mut service = house.start(&[]);
        let store = Arc::new(RemoteStore::new(service.address.clone()));
        let acknowledged = Arc::new(AtomicU64::new(next));
        let saving = tokio::spawn({
            let (store, acknowledged) = (Arc::clone(&store), Arc::clone(&acknowledged));
            async move {
                loop {
                    let number = acknowledged.load(Ordering::SeqCst);
                    match store.save(vec![note(number)]).await {
                        Ok(outcomes) => {
                            assert!(
                                matches!(
                                    outcomes[..],
                                    [SaveOutcome::Stored(_) | SaveOutcome::Duplicate]
                                ),
                                "{outcomes:?}"
                            );
                            acknowledged.store(number + 1, Ordering::SeqCst);
                        }
                        Err(_) => break,
                    }
                }
            }
        });
        while acknowledged.load(Ordering::SeqCst) < next + 20 {
            tokio::task::yield_now().await;
        }
        store.set_marker("round", Some(round.to_be_bytes().to_vec())).await.unwrap();
        service.signal(Signal::SIGKILL);
        service.wait();
        // Saving goes on trying for a while; what it was told so far is what counts.
        saving.abort();
        next = acknowledged.load(Ordering::SeqCst);
        let again = house.start(&[]);
        let store = RemoteStore::new(again.address.clone());
        let ids: Vec<_> = (0..next).map(|number| note(number).as_ref().id()).collect();
        let found = store.contains(&ids).await.unwrap();
        assert_eq!(found.iter().filter(|is_there| !**is_there).count(), 0);
        let marker = store.marker("round").await.unwrap();
        assert_eq!(marker, Some(round.to_be_bytes().to_vec()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_beside_events_is_there_after_a_kill() {
    let house = House::new();
    let mut service = house.start(&[]);
    traces::leave(&service.address).await;
    service.signal(Signal::SIGKILL);
    service.wait();
    let again = house.start(&[]);
    traces::find(&again.address).await;
}
