//! What is no proper WebSocket, or not what this relay speaks.

use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::client::{raw, raw_close_code};
use crate::harness::{Relay, keys, note};

/// A frame as a client masks it.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut frame = vec![first];
    match u8::try_from(payload.len()) {
        Ok(len) if len < 126 => frame.push(0x80 | len),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

async fn close_code_after(frame: &[u8]) -> Option<u16> {
    let relay = Relay::start(|settings| settings.limits.message_bytes = 1000).await;
    let mut stream = raw(relay.addr).await;
    stream.write_all(frame).await.unwrap();
    raw_close_code(stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_message_is_not_understood() {
    assert_eq!(close_code_after(&masked(0x82, b"[]")).await, Some(1003));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmasked_frame_breaks_the_protocol() {
    assert_eq!(close_code_after(b"\x81\x02[]").await, Some(1002));
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_bits_and_opcodes_break_the_protocol() {
    assert_eq!(close_code_after(&masked(0xc1, b"[]")).await, Some(1002));
    assert_eq!(close_code_after(&masked(0x83, b"[]")).await, Some(1002));
    assert_eq!(close_code_after(&masked(0x80, b"[]")).await, Some(1002));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_not_utf8_is_refused_as_such() {
    assert_eq!(close_code_after(&masked(0x81, b"[\"\xff\xfe\"]")).await, Some(1007));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_above_the_limit_is_too_big() {
    assert_eq!(close_code_after(&masked(0x81, &[b' '; 1001])).await, Some(1009));
    let parts = [masked(0x01, &[b' '; 600]), masked(0x80, &[b' '; 600])].concat();
    assert_eq!(close_code_after(&parts).await, Some(1009), "in parts as well");
    // The length alone says so: nothing is waited for, or kept, that is too long anyway.
    assert_eq!(close_code_after(b"\x81\xff\x00\x00\x00\xff\x00\x00\x00\x00mask").await, Some(1009));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_fragments_is_one() {
    let relay = Relay::start(|_| {}).await;
    let mut stream = raw(relay.addr).await;
    let text = br#"["REQ","s",{}]"#;
    let mut bytes = masked(0x01, &text[..3]);
    bytes.extend(masked(0x89, b"ping in between"));
    bytes.extend(masked(0x00, &text[3..9]));
    bytes.extend(masked(0x80, &text[9..]));
    // Byte by byte, as a slow line brings them.
    for byte in bytes {
        stream.write_all(&[byte]).await.unwrap();
    }
    let mut client = crate::client::Client::from_raw(stream).await;
    assert_eq!(client.next_message().await, Some(Message::Pong("ping in between".into())));
    assert!(client.stored("s").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    client.send_message(Message::Ping("are you there".into())).await;
    assert_eq!(client.next_message().await, Some(Message::Pong("are you there".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_is_returned() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let goodbye = CloseFrame { code: 1000.into(), reason: "bye".into() };
    client.send_message(Message::Close(Some(goodbye))).await;
    assert_eq!(client.close_code().await, Some(1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_just_before_a_goodbye_is_stored() {
    let relay = Relay::start(|_| {}).await;
    let mut watcher = relay.client().await;
    watcher.subscribe("s", "{}").await;
    let note = note(&keys(1), "last words");
    let mut client = relay.client().await;
    client.feed(crate::client::event_message(&note)).await.unwrap();
    client.send_message(Message::Close(None)).await;
    assert_eq!(watcher.live("s").await, crate::harness::id(&note));
}
