//! What others have the service decide reaches a relay that does not ask.

use store::{HiddenAuthors, Markers};

use super::*;

/// Waits until a decision is told.
async fn told(changes: &mut tokio::sync::watch::Receiver<u64>) {
    tokio::time::timeout(PATIENCE, changes.changed()).await.expect("a decision is told").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_by_somebody_else_is_told() {
    let running = Running::start("127.0.0.1:0", settings(Mode::Managed), memory()).await;
    let (remote, _stop) = remote(&running.address, Mode::Managed);
    until("ready", async || remote.is_ready()).await;
    let mut changes = remote.changes();
    let alice = Some(pubkey(ALICE));
    assert_eq!(remote.level(alice, HERE).await, Ok(AccessLevel::Read));
    let reason = String::new();
    let ban = proto::BanPubkeyRequest { pubkey: pubkey(ALICE).to_string(), reason };
    running.client().ban_pubkey(ban).await.unwrap();
    told(&mut changes).await;
    assert_eq!(remote.level(alice, HERE).await, Ok(AccessLevel::Banned));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blacklisted_is_hidden_in_the_store_of_the_relay_too() {
    let running = Running::start("127.0.0.1:0", settings(Mode::Curating), memory()).await;
    let own = Arc::new(MemoryStore::new(vec![]));
    let remote = RemoteAcl::new(&running.address, PATIENCE, Mode::Curating);
    let remote = Arc::new(remote.hiding_in(Arc::clone(&own) as _));
    let stop = CancellationToken::new();
    tokio::spawn(Arc::clone(&remote).run(stop.clone()));
    let _stop = stop.drop_guard();
    until("ready", async || remote.is_ready()).await;
    let (pubkey, reason) = (pubkey(ALICE).to_string(), String::new());
    let blacklist = proto::BlacklistPubkeyRequest { pubkey: pubkey.clone(), reason };
    running.client().blacklist_pubkey(blacklist).await.unwrap();
    let markers: &dyn Markers = &*own;
    until("hidden", async || HiddenAuthors::read(markers).await.unwrap().iter().count() == 1).await;
    assert!(remote.hidden_authors().contains(&super::pubkey(ALICE)));
    let request = proto::PubkeyRequest { pubkey };
    running.client().unblacklist_pubkey(request).await.unwrap();
    until("shown", async || HiddenAuthors::read(markers).await.unwrap().is_empty()).await;
    running.end().await;
}
