//! The stream under a WebSocket: what is written to it gathers and leaves when it is flushed.
//!
//! So texts of this relay are framed where they are written, without a copy, and the frames that the
//! WebSocket library writes itself (pings, pongs, goodbyes) find their place between them.

use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// How long the header of a frame is whose text has 126 bytes to 64 KiB.
const USUAL_HEADER: usize = 4;
/// A connection that has nothing to send keeps no more room than this.
const KEPT: usize = 1 << 10;

/// A stream and what waits to be written to it.
#[derive(Debug)]
pub(super) struct Gathering<S> {
    stream: S,
    waiting: Vec<u8>,
    /// How much of that was written.
    written: usize,
}

impl<S> Gathering<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self { stream, waiting: Vec::new(), written: 0 }
    }

    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() - self.written
    }

    /// Appends a frame with the text that `write` appends; returns how long the text is.
    pub(super) fn push_text(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        let start = self.waiting.len();
        self.waiting.extend_from_slice(&[0; USUAL_HEADER]);
        write(&mut self.waiting);
        let len = self.waiting.len() - start - USUAL_HEADER;
        let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        let mut bytes = Vec::with_capacity(10);
        header.format(len as u64, &mut bytes).expect("memory takes all that is written to it");
        self.waiting.splice(start..start + USUAL_HEADER, bytes);
        len
    }

    /// Gives back room that is not needed.
    pub(super) fn shrink(&mut self) {
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT {
            self.waiting = Vec::new();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        self.waiting.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        while this.len() > 0 {
            let rest = &this.waiting[this.written..];
            match ready!(Pin::new(&mut this.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                written => this.written += written,
            }
        }
        this.waiting.clear();
        this.written = 0;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

    use super::*;

    #[tokio::test]
    async fn texts_of_any_length_and_frames_of_the_library_keep_their_order() {
        let gathering = Gathering::new(Cursor::new(Vec::new()));
        let config = Some(WebSocketConfig::default().write_buffer_size(0));
        let mut server = WebSocketStream::from_raw_socket(gathering, Role::Server, config).await;
        let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];
        for (mark, len) in (b'a'..).zip(lengths) {
            let text = vec![mark; len];
            assert_eq!(server.get_mut().push_text(|out| out.extend_from_slice(&text)), len);
            server.feed(Message::Ping(vec![mark].into())).await.unwrap();
        }
        server.flush().await.unwrap();
        let gathering = server.get_mut();
        assert_eq!(gathering.len(), 0);
        gathering.shrink();
        assert_eq!(gathering.waiting.capacity(), 0);

        let written = Cursor::new(gathering.stream.get_ref().clone());
        let written = tokio::io::join(written, tokio::io::sink());
        let mut client = WebSocketStream::from_raw_socket(written, Role::Client, None).await;
        for (mark, len) in (b'a'..).zip(lengths) {
            let text = client.next().await.unwrap().unwrap().into_data();
            assert!(text.len() == len && text.iter().all(|byte| *byte == mark));
            let ping = client.next().await.unwrap().unwrap();
            assert_eq!(ping, Message::Ping(vec![mark].into()));
        }
    }

    #[tokio::test]
    async fn a_stream_that_takes_a_little_at_a_time_gets_all() {
        let (stream, mut other) = tokio::io::duplex(7);
        let mut gathering = Gathering::new(stream);
        gathering.push_text(|out| out.extend_from_slice(&[b'x'; 300]));
        let reading = async {
            let mut read = vec![0; 304];
            tokio::io::AsyncReadExt::read_exact(&mut other, &mut read).await.unwrap();
            read
        };
        let flushing = tokio::io::AsyncWriteExt::flush(&mut gathering);
        let (flushed, read) = tokio::join!(flushing, reading);
        flushed.unwrap();
        assert_eq!(read[4..], [b'x'; 300]);
    }
}
