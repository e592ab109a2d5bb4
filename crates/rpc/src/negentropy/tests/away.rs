//! What a relay's clients see while the service is away, and after.

use std::time::Duration;

use event::SubscriptionId;
use relay_sync::{Reconciler, SessionKey, SessionSettings};
use store::{Query, Viewer};

use super::house::{House, remote, scratch, until};
use crate::Address;
use crate::negentropy::RemoteReconciler;

fn key() -> SessionKey {
    SessionKey { connection: 1.into(), sub: SubscriptionId::new("a").unwrap() }
}

async fn open(reconciler: &dyn Reconciler) -> Result<Vec<u8>, String> {
    let query = Query { filters: vec![event::Filter::default()], viewer: Viewer::of(vec![]) };
    let opened = reconciler.open(key(), query, vec![0x61, 0, 0, 2, 0]).await;
    opened.map_err(|refusal| refusal.reason)
}

const AWAY: &str = "error: the reconciliation service is away, try again shortly";

#[tokio::test]
async fn clients_are_told_and_it_is_found_again_by_itself() {
    let socket = scratch();
    let address = Address::Unix(socket.path().join("neg.sock"));
    let reconciler = RemoteReconciler::new(&address, Duration::from_secs(5));
    assert!(!reconciler.is_ready());
    assert_eq!(open(&reconciler).await.unwrap_err(), AWAY);
    let mut dir = scratch();
    for _ in 0..2 {
        let house = House::with(SessionSettings::default(), dir, &address).await;
        let (reconciler, _running) = remote(&address).await;
        open(&*reconciler).await.unwrap();
        // Not ready, as while its event store is away: what is open goes on as far as it can.
        house.readiness.set(false);
        until(|| !reconciler.is_ready()).await;
        house.readiness.set(true);
        until(|| reconciler.is_ready()).await;
        dir = house.stop().await;
        let refusal = reconciler.message(&key(), vec![0x61]).await.unwrap_err();
        assert_eq!(refusal.reason, AWAY);
        assert!(!reconciler.is_ready());
        let house = House::with(SessionSettings::default(), dir, &address).await;
        until(|| reconciler.is_ready()).await;
        let refusal = reconciler.message(&key(), vec![0x61]).await.unwrap_err();
        assert!(refusal.reason.starts_with("closed: "), "{refusal}");
        open(&*reconciler).await.unwrap();
        dir = house.stop().await;
    }
}

#[tokio::test]
async fn relays_do_not_take_each_other_s_sessions() {
    let house = House::new().await;
    let (one, _running) = remote(&house.address).await;
    let (other, _other_running) = remote(&house.address).await;
    open(&*one).await.unwrap();
    open(&*other).await.unwrap();
    assert_eq!(house.sessions.list().len(), 2);
    one.close_connection(&1.into()).await;
    assert_eq!(house.sessions.list().len(), 1);
    assert!(other.message(&key(), vec![0x61]).await.is_ok());
}

#[tokio::test]
async fn a_service_that_hangs_is_not_waited_for_longer_than_allowed() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Address = silent.local_addr().unwrap().to_string().parse().unwrap();
    let reconciler = RemoteReconciler::new(&address, Duration::from_millis(50));
    let reason = open(&reconciler).await.unwrap_err();
    assert_eq!(reason, "error: the reconciliation service takes too long");
}
