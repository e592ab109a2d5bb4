//! What is acknowledged survives a kill at any moment, and the process ends in order when it is asked to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use rpc::RemoteStore;
use rpc::database_conformance::traces;
use store::{EventStore, SaveOutcome, Serial};

use crate::house::{House, PATIENCE, is_there, note};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_a_kill() {
    if !is_there() {
        return;
    }
    let house = House::new().await;
    let mut next = 0;
    for _ in 0..2 {
        let mut service = house.start(&[]);
        let store = Arc::new(RemoteStore::new(service.address.clone()));
        let acknowledged = Arc::new(AtomicU64::new(next));
        let saving = tokio::spawn({
            let (store, acknowledged) = (Arc::clone(&store), Arc::clone(&acknowledged));
            async move {
                loop {
                    let number = acknowledged.load(Ordering::SeqCst);
                    let Ok(outcomes) = store.save(vec![note(number)]).await else { break };
                    assert!(
                        matches!(outcomes[..], [SaveOutcome::Stored(_) | SaveOutcome::Duplicate]),
                        "{outcomes:?}"
                    );
                    acknowledged.store(number + 1, Ordering::SeqCst);
                }
            }
        });
        while acknowledged.load(Ordering::SeqCst) < next + 20 {
            tokio::task::yield_now().await;
        }
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
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_beside_events_is_there_after_a_kill() {
    if !is_there() {
        return;
    }
    let house = House::new().await;
    let mut service = house.start(&[]);
    traces::leave(&service.address).await;
    service.signal(Signal::SIGKILL);
    service.wait();
    let again = house.start(&[]);
    traces::find(&again.address).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_streams_do_not_hold_up_the_end() {
    if !is_there() {
        return;
    }
    let house = House::new().await;
    let mut service = house.start(&[]);
    let store = RemoteStore::new(service.address.clone());
    store.save(vec![note(1)]).await.unwrap();
    let mut watch = store.watch(Serial::default());
    let first = tokio::time::timeout(PATIENCE, watch.next()).await.unwrap().unwrap();
    assert_eq!(first.len(), 1);
    // It waits for more, and there is none.
    let waiting = tokio::spawn(async move { watch.next().await.map(|batch| batch.len()) });
    service.signal(Signal::SIGTERM);
    let (code, took) = service.wait();
    assert_eq!(code, Some(0), "{}", service.log());
    assert!(took < Duration::from_secs(3), "{took:?}\n{}", service.log());
    waiting.abort();
}
