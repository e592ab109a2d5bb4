//! The end: everything published is answered, everything answered is there afterwards.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use event::EventId;
use store::EventStore;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, event_message};
use crate::harness::{Relay, Wiring, keys, notes};

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_that_the_relay_goes() {
    let relay = Relay::start(|_| {}).await;
    let (mut a, mut b) = (relay.client().await, relay.client().await);
    b.subscribe("s", "{}").await;
    relay.shutdown.cancel();
    assert_eq!(a.close_code().await, Some(1001));
    assert_eq!(b.close_code().await, Some(1001));
    let addr = relay.addr;
    relay.ended().await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_the_end_is_there_after_it() {
    for cut in [0, 1, 300, 590] {
        let relay = Relay::start(|_| {}).await;
        let mut clients = Vec::new();
        for seed in 1..=4 {
            clients.push((seed, relay.client().await));
        }
        let publish = |(seed, mut client): (u8, Client)| {
            let shutdown = relay.shutdown.clone();
            tokio::spawn(async move {
                for event in notes(&keys(seed), 600, "") {
                    // The relay may be gone already.
                    drop(client.feed(event_message(&event)).await);
                }
                drop(client.flush().await);
                let mut acknowledged = HashSet::new();
                loop {
                    if seed == 1 && acknowledged.len() >= cut {
                        shutdown.cancel();
                    }
                    let Some(Message::Text(text)) = client.next_message().await else { break };
                    assert!(text.starts_with("[\"OK\"") && text.contains(",true,"), "{text}");
                    acknowledged.insert(EventId::from_hex(&text.as_bytes()[7..71]).unwrap());
                }
                acknowledged
            })
        };
        let clients: Vec<_> = clients.into_iter().map(publish).collect();
        let mut acknowledged = Vec::new();
        for client in clients {
            acknowledged.extend(client.await.unwrap());
        }
        let (store, _dir) = relay.reopened().await;
        let is_there = store.contains(&acknowledged).await.unwrap();
        assert!(is_there.iter().all(|is_there| *is_there), "cut at {cut}");
        assert!(acknowledged.len() >= cut);
        assert_eq!(store.check().unwrap().faults, 0);
    }
}

/// A client that reads nothing, one that stopped in the middle of a frame, one that never finished its
/// request, and one that never began.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_holds_it_up() {
    let stored = notes(&keys(1), 3000, &"x".repeat(3000));
    let mut wiring = Wiring { events: stored, health_port: true, ..Wiring::default() };
    wiring.settings.drain = Duration::from_millis(300);
    let relay = Relay::wired(wiring).await;
    let mut slow = Client::connect_narrow(relay.addr).await;
    slow.send(r#"["REQ","s",{"limit":3000}]"#).await;
    let mut halfway = crate::client::raw(relay.addr).await;
    halfway.write_all(b"\x81\xfe\x01\x00").await.unwrap();
    let mut unfinished = TcpStream::connect(relay.addr).await.unwrap();
    unfinished.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let idle = TcpStream::connect(relay.addr).await.unwrap();
    let health = TcpStream::connect(relay.health.unwrap()).await.unwrap();
    relay.client().await.expect_silence().await;
    let start = Instant::now();
    relay.shutdown.cancel();
    relay.ended().await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    drop((slow, halfway, unfinished, idle, health));
}
