//! A relay that does what a test tells it to, right or wrong.

use event::{EventId, hex};
use futures_util::{SinkExt, StreamExt};
use reconcile::Bound;
use reconcile::message::MessageWriter;
use relay_client::PeerUrl;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};
use tokio_util::task::AbortOnDropHandle;

/// The relay's end of a connection.
pub(crate) struct Peer(pub(crate) WebSocketStream<TcpStream>);

/// A relay that runs until it is dropped.
pub(crate) struct Scripted {
    pub(crate) url: PeerUrl,
    _server: AbortOnDropHandle<()>,
}

impl Scripted {
    /// Plays the script on each connection, and keeps it open when the script has ended.
    pub(crate) async fn start<S, F>(script: S) -> Self
    where
        S: Fn(Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Peer> + Send + 'static,
    {
        Self::with_document("{}", script).await
    }

    /// Also shows a document about itself (NIP-11).
    pub(crate) async fn with_document<S, F>(document: &'static str, script: S) -> Self
    where
        S: Fn(Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Peer> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = async move {
            let mut conversations = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if is_for_document(&stream).await {
                    show(&mut stream, document).await;
                    continue;
                }
                let Ok(socket) = accept_async(stream).await else { continue };
                let script = script(Peer(socket));
                conversations.spawn(async move {
                    let _open = script.await;
                    std::future::pending::<()>().await;
                });
            }
        };
        Self { url, _server: AbortOnDropHandle::new(tokio::spawn(server)) }
    }
}

async fn is_for_document(stream: &TcpStream) -> bool {
    let mut request = [0; 1024];
    loop {
        let len = stream.peek(&mut request).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&request[..len]);
        if len == 0 || len == request.len() || text.contains("\r\n\r\n") {
            return text.contains("nostr+json");
        }
        tokio::task::yield_now().await;
    }
}

async fn show(stream: &mut TcpStream, document: &str) {
    let mut request = [0; 1024];
    drop(stream.read(&mut request).await);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", document.len());
    drop(stream.write_all(format!("{head}{document}").as_bytes()).await);
}

impl Peer {
    /// The next message of the client; waits for ever once there are no more.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => std::future::pending().await,
            }
        }
    }

    /// Waits for a message of this type and returns its subscription.
    pub(crate) async fn hear_of(&mut self, name: &str) -> String {
        loop {
            let message = self.hear().await;
            if message[0] == name {
                return message[1].as_str().unwrap_or_default().to_owned();
            }
        }
    }

    /// Sends; the client may be gone.
    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        drop(self.0.send(Message::text(text.into())).await);
    }

    /// Answers the next NEG-OPEN with a message.
    pub(crate) async fn answer_open(&mut self, message: &str) {
        let sub = self.hear_of("NEG-OPEN").await;
        self.say(format!(r#"["NEG-MSG","{sub}","{message}"]"#)).await;
    }

    /// Names ids as all it has.
    pub(crate) async fn offer(&mut self, ids: &[EventId]) {
        let mut message = MessageWriter::default();
        message.id_list(Bound::Infinity, ids);
        self.answer_open(&hex::encode(&message.finish())).await;
    }
}
