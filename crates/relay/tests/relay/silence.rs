//! Clients that say nothing, or not enough.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, raw, raw_close_code};
use crate::harness::{PATIENCE, Relay};

async fn impatient() -> Relay {
    Relay::start(|settings| {
        settings.limits.ping_interval = Duration::from_millis(50);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_client_is_pinged_and_stays_while_it_answers() {
    let relay = impatient().await;
    let mut client = relay.client().await;
    for _ in 0..6 {
        assert!(matches!(client.next_message().await, Some(Message::Ping(_))));
    }
    client.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_no_ping_is_closed() {
    let relay = impatient().await;
    let mut stream = raw(relay.addr).await;
    // Reads all, writes nothing.
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("it is closed").unwrap();
    let pings = bytes.windows(2).filter(|pair| *pair == b"\x89\x00").count();
    assert_eq!(pings, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_frame_is_no_answer_to_a_ping() {
    let relay = impatient().await;
    let mut stream = raw(relay.addr).await;
    stream.write_all(b"\x81\xfe\x01\x00\x01\x02\x03\x04half").await.unwrap();
    assert_eq!(raw_close_code(stream).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_closed_by_silence_as_well() {
    let relay = impatient().await;
    let client = Client::connect_narrow(relay.addr).await;
    while crate::http_client::metric(relay.addr, "orly_connections").await > 0 {
        tokio::task::yield_now().await;
    }
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_is_not_waited_for() {
    let relay = impatient().await;
    for start in ["", "GET / HTT", "GET / HTTP/1.1\r\nHost: relay\r\nX-"] {
        let mut stream = TcpStream::connect(relay.addr).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        read.expect("the relay ends it").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_is_not_kept_for_ever() {
    let relay = impatient().await;
    let mut stream = TcpStream::connect(relay.addr).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the relay ends it").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
}
