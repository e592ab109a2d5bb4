//! A WebSocket client (RFC 6455) that costs next to nothing, as it shares the machine with the server.
//!
//! Frames are masked with a zero key, so preserialised bytes go out as they are; received messages are
//! slices of the read buffer and are never parsed as JSON here. Extensions and TLS are not spoken.

mod frame;
mod handshake;
mod message;

use std::io;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use frame::push_text;
use frame::{Frame, Opcode};
pub(crate) use handshake::Address;
pub(crate) use message::{Message, answers_subscription, event_id, ok_answer, string_after};

/// How long a relay may stay silent when an answer is due.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// No relay sends larger messages; a length beyond it is a broken frame.
const MAX_MESSAGE: usize = 64 << 20;
const FIRST_READ: usize = 4 << 10;
const LARGEST_READ: usize = 256 << 10;

/// One connection to a relay.
pub(crate) struct Client {
    stream: TcpStream,
    outgoing: Vec<u8>,
    written: usize,
    incoming: Vec<u8>,
    consumed: usize,
    read_size: usize,
    assembled: Vec<u8>,
    is_assembling: bool,
    /// Bytes written to the socket.
    pub(crate) bytes_out: u64,
    /// Bytes read from the socket.
    pub(crate) bytes_in: u64,
}

/// Where a complete message is.
enum Place {
    Incoming(Range<usize>),
    Assembled,
}

impl Client {
    /// Connects and shakes hands.
    pub(crate) async fn connect(address: &Address) -> anyhow::Result<Self> {
        timeout(PATIENCE, Self::open(address))
            .await
            .with_context(|| {
                format!("connect to {address}: no answer within {}s", PATIENCE.as_secs())
            })?
            .with_context(|| format!("connect to {address}"))
    }

    async fn open(address: &Address) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        stream.set_nodelay(true)?;
        let incoming = handshake::shake_hands(&mut stream, address).await?;
        Ok(Self {
            stream,
            outgoing: Vec::new(),
            written: 0,
            incoming,
            consumed: 0,
            read_size: FIRST_READ,
            assembled: Vec::new(),
            is_assembling: false,
            bytes_out: 0,
            bytes_in: 0,
        })
    }

    /// Queues one text message made of several parts.
    pub(crate) fn queue(&mut self, parts: &[&[u8]]) {
        push_text(&mut self.outgoing, parts);
    }

    /// Bytes that are queued and not yet written.
    pub(crate) const fn backlog(&self) -> usize {
        self.outgoing.len() - self.written
    }

    /// Writes what the socket takes now, without waiting.
    pub(crate) fn write_some(&mut self) -> anyhow::Result<()> {
        while self.backlog() > 0 {
            match self.stream.try_write(&self.outgoing[self.written..]) {
                Ok(count) => {
                    self.written += count;
                    self.bytes_out += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("write to the relay"),
            }
        }
        self.outgoing.clear();
        self.written = 0;
        Ok(())
    }

    /// Writes and reads what is possible; returns once something was done.
    pub(crate) async fn exchange(&mut self) -> anyhow::Result<()> {
        self.write_some()?;
        let interest = if self.backlog() > 0 {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let ready = self.stream.ready(interest).await?;
        if ready.is_readable() {
            self.read_some()?;
        }
        Ok(())
    }

    /// As [`Client::exchange`], when the relay owes an answer.
    pub(crate) async fn exchange_soon(&mut self) -> anyhow::Result<()> {
        match timeout(PATIENCE, self.exchange()).await {
            Ok(done) => done,
            Err(_) => bail!("no answer from the relay within {}s", PATIENCE.as_secs()),
        }
    }

    /// Waits for the next message, whatever it is.
    pub(crate) async fn receive(&mut self) -> anyhow::Result<Message<'_>> {
        let place = loop {
            match self.advance()? {
                Some(place) => break place,
                None => self.exchange_soon().await?,
            }
        };
        Ok(Message::of(self.at(place)))
    }

    /// Takes the next message that is already here.
    pub(crate) fn next_message(&mut self) -> anyhow::Result<Option<Message<'_>>> {
        let place = self.advance()?;
        Ok(place.map(|place| Message::of(self.at(place))))
    }

    fn at(&self, place: Place) -> &[u8] {
        match place {
            Place::Incoming(range) => &self.incoming[range],
            Place::Assembled => &self.assembled,
        }
    }

    fn read_some(&mut self) -> anyhow::Result<()> {
        if self.consumed == self.incoming.len() {
            self.incoming.clear();
            self.consumed = 0;
        } else if self.consumed > self.incoming.len() / 2 {
            self.incoming.drain(..self.consumed);
            self.consumed = 0;
        }
        self.incoming.reserve(self.read_size);
        match self.stream.try_read_buf(&mut self.incoming) {
            Ok(0) => bail!("the relay closed the connection"),
            Ok(count) => {
                self.bytes_in += count as u64;
                if count >= self.read_size {
                    self.read_size = (self.read_size * 4).min(LARGEST_READ);
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error).context("read from the relay"),
        }
    }

    /// Finds the next complete text message and answers control frames on the way.
    fn advance(&mut self) -> anyhow::Result<Option<Place>> {
        loop {
            let Some(frame) = Frame::parse(&self.incoming[self.consumed..])? else {
                return Ok(None);
            };
            let payload = self.consumed + frame.payload.start..self.consumed + frame.payload.end;
            self.consumed = payload.end;
            match frame.opcode {
                Opcode::Data if frame.is_final && !self.is_assembling => {
                    return Ok(Some(Place::Incoming(payload)));
                }
                Opcode::Data | Opcode::Continuation => {
                    if !self.is_assembling {
                        self.assembled.clear();
                    }
                    self.is_assembling = !frame.is_final;
                    self.assembled.extend_from_slice(&self.incoming[payload]);
                    ensure!(
                        self.assembled.len() <= MAX_MESSAGE,
                        "the relay's message has more than 64 MiB"
                    );
                    if frame.is_final {
                        return Ok(Some(Place::Assembled));
                    }
                }
                Opcode::Ping => frame::push_pong(&mut self.outgoing, &self.incoming[payload]),
                Opcode::Pong => {}
                Opcode::Close => {
                    let reason = self.incoming[payload].get(2..).unwrap_or_default();
                    bail!(
                        "the relay closed the connection: \"{}\"",
                        String::from_utf8_lossy(reason)
                    );
                }
            }
        }
    }
}
