//! A client of a relay: as much of WebSocket (RFC 6455) as it needs.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use event::Event;
use serde_json::{Value, json};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to a relay.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(addr: &str) -> Self {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            reader.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let mut client = Self(reader);
        // A relay asks who is there; nobody answers.
        client.send(json!(["CLOSE", "none"]));
        client
    }

    pub(crate) fn send(&mut self, message: Value) {
        let text = message.to_string();
        let len = u16::try_from(text.len()).unwrap().to_be_bytes();
        // A mask of zeros changes nothing.
        let head = [&[0x81, 0x80 | 126][..], &len, &[0; 4]].concat();
        self.0.get_mut().write_all(&[&head, text.as_bytes()].concat()).unwrap();
    }

    /// The next message, but for those that ask who is there.
    pub(crate) fn next(&mut self) -> Value {
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).unwrap();
            let len = match head[1] {
                126 => self.number::<2>(),
                127 => self.number::<8>(),
                len => len.into(),
            };
            let mut body = vec![0; len];
            self.0.read_exact(&mut body).unwrap();
            if head[0] == 0x81 {
                let message: Value = serde_json::from_slice(&body).unwrap();
                if message[0] != "AUTH" {
                    return message;
                }
            }
        }
    }

    /// Publishes an event and waits for what is said of it.
    pub(crate) fn publish(&mut self, event: &Event) -> (bool, String) {
        self.publish_unanswered(event);
        loop {
            let message = self.next();
            if message[0] == "OK" {
                let reason = message[3].as_str().unwrap().to_owned();
                return (message[2].as_bool().unwrap(), reason);
            }
        }
    }

    pub(crate) fn publish_unanswered(&mut self, event: &Event) -> bool {
        let json: Value = serde_json::from_str(&event.as_ref().to_json()).unwrap();
        self.send(json!(["EVENT", json]));
        true
    }

    /// Waits until `count` messages came that are wanted; others are passed over.
    pub(crate) fn expect_all(
        &mut self,
        count: usize,
        time: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) {
        let started = Instant::now();
        let mut came = 0;
        while came < count {
            assert!(started.elapsed() < time, "{came} of {count} came");
            came += usize::from(wanted(&self.next()));
        }
    }

    fn number<const N: usize>(&mut self) -> usize {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).unwrap();
        bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }
}
