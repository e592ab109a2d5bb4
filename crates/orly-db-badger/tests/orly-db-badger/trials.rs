//! What holds for a database service that is killed or asked to end, whatever its engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use rpc::RemoteStore;
use rpc::database_conformance::traces;
use store::{EventStore, Markers, SaveOutcome, Serial};

use crate::service::{PATIENCE, Service, note};

/// What was acknowledged is there after a kill at any moment.
pub(crate) async fn acknowledged_survives_kills(rounds: u64, start: impl Fn() -> Service) {
    let mut next = 0;
    for round in 0..rounds {
        let mut service = start();
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
        store.set_marker("round", Some(round.to_be_bytes().to_vec())).await.unwrap();
        service.signal(Signal::SIGKILL);
        service.wait();
        // Saving goes on trying for a while; what it was told so far is what counts.
        saving.abort();
        next = acknowledged.load(Ordering::SeqCst);
        let again = start();
        let store = RemoteStore::new(again.address.clone());
        let ids: Vec<_> = (0..next).map(|number| note(number).as_ref().id()).collect();
        let found = store.contains(&ids).await.unwrap();
        assert_eq!(found.iter().filter(|is_there| !**is_there).count(), 0);
        let marker = store.marker("round").await.unwrap();
        assert_eq!(marker, Some(round.to_be_bytes().to_vec()));
    }
}

/// What is kept beside events is there after a kill.
pub(crate) async fn what_lies_beside_events_survives_a_kill(start: impl Fn() -> Service) {
    let mut service = start();
    traces::leave(&service.address).await;
    service.signal(Signal::SIGKILL);
    service.wait();
    let again = start();
    traces::find(&again.address).await;
}

/// SIGTERM ends it in order, whoever listens to it.
pub(crate) async fn open_streams_do_not_hold_up_the_end(mut service: Service) {
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
    assert!(service.log().contains("stopped"), "{}", service.log());
    waiting.abort();
}
