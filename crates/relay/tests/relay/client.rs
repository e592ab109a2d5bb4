//! A client of a relay: texts go out, JSON comes back, nothing is interpreted but what a test asks for.

use std::net::SocketAddr;

use event::{Event, Keys};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::harness::{PATIENCE, event, id, now};

/// An open connection.
pub(crate) struct Client {
    stream: WebSocketStream<TcpStream>,
    host: String,
    challenge: String,
}

/// How a relay answered an EVENT or AUTH.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) accepted: bool,
    pub(crate) reason: String,
}

impl Client {
    /// Connects, and takes the challenge.
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self::over(TcpStream::connect(addr).await.unwrap(), &addr.to_string(), "").await
    }

    /// Connects, and asks for a host by another name.
    pub(crate) async fn connect_as(addr: SocketAddr, host: &str) -> Self {
        Self::over(TcpStream::connect(addr).await.unwrap(), host, "").await
    }

    /// Connects with a small window to read into, so that the relay notices soon when nothing is read.
    pub(crate) async fn connect_narrow(addr: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 << 10).unwrap();
        Self::over(socket.connect(addr).await.unwrap(), &addr.to_string(), "").await
    }

    /// Connects with more headers, each ended by CR LF.
    pub(crate) async fn connect_with(addr: SocketAddr, headers: &str) -> Self {
        Self::over(TcpStream::connect(addr).await.unwrap(), &addr.to_string(), headers).await
    }

    /// Takes over a connection whose challenge was not read, and reads it.
    pub(crate) async fn from_raw(stream: TcpStream) -> Self {
        let host = stream.peer_addr().unwrap().to_string();
        Self::upgraded(stream, host).await
    }

    async fn over(stream: TcpStream, host: &str, headers: &str) -> Self {
        Self::upgraded(upgraded(stream, host, headers).await, host.to_owned()).await
    }

    async fn upgraded(stream: TcpStream, host: String) -> Self {
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        let mut client = Self { stream, host, challenge: String::new() };
        let message = client.next().await;
        assert_eq!(message[0], "AUTH");
        client.challenge = message[1].as_str().unwrap().to_owned();
        client
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.send_message(Message::text(text.into())).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        timeout(PATIENCE, self.stream.send(message)).await.expect("the relay reads").unwrap();
    }

    /// Queues a text; it leaves with the next one that is sent.
    pub(crate) async fn feed(&mut self, text: impl Into<String>) -> Result<(), Error> {
        let sent = timeout(PATIENCE, self.stream.feed(Message::text(text.into()))).await;
        sent.expect("the relay reads")
    }

    /// Sends what was queued.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        timeout(PATIENCE, self.stream.flush()).await.expect("the relay reads")
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.next_message().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("expected a text, found {other:?}"),
            }
        }
    }

    /// The next frame; `None` once the connection ended.
    pub(crate) async fn next_message(&mut self) -> Option<Message> {
        let message =
            timeout(PATIENCE, self.stream.next()).await.expect("the relay says something");
        message.and_then(Result::ok)
    }

    /// The code the relay closes with, whatever it says before; `None` if it just goes.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            match self.next_message().await? {
                Message::Close(frame) => return frame.map(|frame| frame.code.into()),
                _ => continue,
            }
        }
    }

    /// Publishes an event and waits for its answer.
    pub(crate) async fn publish(&mut self, event: &Event) -> Answer {
        self.send(event_message(event)).await;
        self.answer_to(&id(event)).await
    }

    /// Waits for the OK of an id, which is the next message.
    pub(crate) async fn answer_to(&mut self, id: &str) -> Answer {
        let message = self.next().await;
        assert_eq!((&message[0], &message[1]), (&json!("OK"), &json!(id)), "{message}");
        let reason = message[3].as_str().unwrap().to_owned();
        Answer { accepted: message[2].as_bool().unwrap(), reason }
    }

    /// Authenticates (NIP-42).
    pub(crate) async fn authenticate(&mut self, keys: &Keys) {
        assert_eq!(self.prove(keys).await, Answer::accepted());
    }

    /// Answers the challenge.
    pub(crate) async fn prove(&mut self, keys: &Keys) -> Answer {
        let url = format!("ws://{}", self.host);
        let tags: [&[&str]; 2] = [&["relay", &url], &["challenge", &self.challenge.clone()]];
        self.authenticate_by(&event(keys, 22242, now(), &tags, "")).await
    }

    pub(crate) async fn authenticate_by(&mut self, event: &Event) -> Answer {
        self.send(format!(r#"["AUTH",{}]"#, event.as_ref().to_json())).await;
        self.answer_to(&id(event)).await
    }

    pub(crate) fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Subscribes, and takes the ids of what is stored; the subscription stays open.
    pub(crate) async fn subscribe(&mut self, sub: &str, filters: &str) -> Vec<String> {
        self.send(format!(r#"["REQ","{sub}",{filters}]"#)).await;
        self.stored(sub).await
    }

    /// The ids of the events up to EOSE.
    pub(crate) async fn stored(&mut self, sub: &str) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let message = self.next().await;
            assert_eq!(message[1], sub, "{message}");
            match message[0].as_str().unwrap() {
                "EVENT" => found.push(message[2]["id"].as_str().unwrap().to_owned()),
                "EOSE" => return found,
                _ => panic!("expected EVENT or EOSE, found {message}"),
            }
        }
    }

    /// Waits for the next message, which is an event of the subscription, and gives its id.
    pub(crate) async fn live(&mut self, sub: &str) -> String {
        let message = self.next().await;
        assert_eq!((&message[0], &message[1]), (&json!("EVENT"), &json!(sub)), "{message}");
        message[2]["id"].as_str().unwrap().to_owned()
    }

    /// Sends a message, and gives the reason of the answer that is named `name` and about `sub`.
    pub(crate) async fn refusal(&mut self, text: &str, name: &str, sub: &str) -> String {
        self.send(text).await;
        let message = self.next().await;
        assert_eq!((&message[0], &message[1]), (&json!(name), &json!(sub)), "{message}");
        message[2].as_str().unwrap().to_owned()
    }

    /// Counts (NIP-45).
    pub(crate) async fn count(&mut self, filters: &str) -> u64 {
        self.send(format!(r#"["COUNT","count",{filters}]"#)).await;
        let message = self.next().await;
        assert_eq!((&message[0], &message[1]), (&json!("COUNT"), &json!("count")), "{message}");
        message[2]["count"].as_u64().unwrap()
    }

    /// Makes sure that nothing else waits: what was sent before is answered, then a NOTICE comes.
    pub(crate) async fn expect_silence(&mut self) {
        self.send(r#"["NONSENSE"]"#).await;
        let message = self.next().await;
        assert_eq!(message, json!(["NOTICE", "invalid: unknown message type NONSENSE"]));
    }
}

impl Answer {
    pub(crate) fn accepted() -> Self {
        Self { accepted: true, reason: String::new() }
    }

    pub(crate) fn accepted_as(reason: &str) -> Self {
        Self { accepted: true, reason: reason.into() }
    }

    pub(crate) fn refused(reason: &str) -> Self {
        Self { accepted: false, reason: reason.into() }
    }
}

pub(crate) fn event_message(event: &Event) -> String {
    format!(r#"["EVENT",{}]"#, event.as_ref().to_json())
}

/// A WebSocket whose frames a test writes byte by byte; the challenge was not read.
pub(crate) async fn raw(addr: SocketAddr) -> TcpStream {
    upgraded(TcpStream::connect(addr).await.unwrap(), &addr.to_string(), "").await
}

/// Does the handshake, and reads not a byte more.
async fn upgraded(mut stream: TcpStream, host: &str, headers: &str) -> TcpStream {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await.expect("the relay answers");
        head.push(byte.expect("the relay answers the handshake"));
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="));
    stream
}

/// The code a raw connection is closed with, whatever comes before; `None` if it just ends.
pub(crate) async fn raw_close_code(stream: TcpStream) -> Option<u16> {
    let stream = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let mut client = Client { stream, host: String::new(), challenge: String::new() };
    client.close_code().await
}
