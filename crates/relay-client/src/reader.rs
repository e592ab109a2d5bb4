//! Reads what the relay sends and hands it to whoever waits for it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::SplitStream;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Utf8Bytes};

use crate::authentication::Authentication;
use crate::dial::Stream;
use crate::message::Message;
use crate::routes::{Answer, Routes};
use crate::traffic::Meter;
use crate::{ClientError, Verdict};

/// Bytes of events that are handed on together.
const RUN_BYTES: usize = 128 << 10;

/// The reading half of a connection.
pub(crate) struct Reader {
    pub(crate) stream: SplitStream<WebSocketStream<Box<dyn Stream>>>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) authentication: Arc<Authentication>,
    /// Answers to challenges. Not bounded: they are few, and waiting here could wait for ourselves.
    pub(crate) urgent: mpsc::UnboundedSender<String>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) timeout: Duration,
    pub(crate) max_event_bytes: usize,
}

/// Events of one fetch that came one behind the other: handed on together, they wake whoever waits once.
#[derive(Default)]
struct Run {
    sub: String,
    events: Vec<Box<str>>,
    bytes: usize,
}

impl Reader {
    /// Reads until the connection ends, and tells all who wait.
    pub(crate) async fn run(mut self) {
        let Err(error) = self.read().await;
        tracing::debug!(target: "negentropy", %error, "connection ended");
        self.routes.end(error);
    }

    async fn read(&mut self) -> Result<Infallible, ClientError> {
        loop {
            let mut run = Run::default();
            let mut next = Some(self.next().await?);
            while let Some(text) = next {
                self.meter.add_received(text.len());
                self.hand_on(&text, &mut run).await?;
                next = if run.bytes < RUN_BYTES { self.next_if_there()? } else { None };
            }
            self.hand_on_run(&mut run).await?;
        }
    }

    /// Waits for the next message, as long as patience lasts.
    async fn next(&mut self) -> Result<Utf8Bytes, ClientError> {
        loop {
            let deadline = self.routes.deadline(self.timeout);
            let wait = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                message = self.stream.next() => if let Some(text) = text_of(message)? {
                    return Ok(text);
                },
                () = self.routes.asked.notified() => {}
                () = wait => {
                    let deadline = self.routes.deadline(self.timeout);
                    if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                        return Err(self.routes.timed_out(self.timeout));
                    }
                }
            }
        }
    }

    /// The next message, if it has come already.
    fn next_if_there(&mut self) -> Result<Option<Utf8Bytes>, ClientError> {
        while let Some(message) = self.stream.next().now_or_never() {
            let text = text_of(message)?;
            if text.is_some() {
                return Ok(text);
            }
        }
        Ok(None)
    }

    async fn hand_on(&self, text: &str, run: &mut Run) -> Result<(), ClientError> {
        let message = Message::from_json(text).map_err(ClientError::protocol)?;
        let is_of_run = matches!(&message, Message::Event { sub, .. } if *sub == run.sub);
        if !is_of_run {
            self.hand_on_run(run).await?;
        }
        match message {
            Message::Event { sub, event } if event.len() > self.max_event_bytes => {
                self.hand_on_run(run).await?;
                if !self.answer(&sub, Answer::TooLarge { bytes: event.len() }).await {
                    self.routes.unasked(1)?;
                }
            }
            Message::Event { sub, event } => {
                run.sub = sub;
                run.bytes += event.len();
                run.events.push(event);
            }
            Message::Eose { sub } => drop(self.answer(&sub, Answer::Eose).await),
            Message::Closed { sub, reason } => {
                let refusal = ClientError::refused(&reason, None);
                if !self.answer(&sub, Answer::Closed(reason)).await {
                    self.routes.answer_session(&sub, Err(refusal))?;
                }
            }
            Message::Ok { id, accepted, reason } => {
                let verdict = Verdict { accepted, reason };
                if !self.authentication.settle(id, &verdict) {
                    self.routes.settle(id, verdict);
                }
            }
            Message::Notice(text) => {
                tracing::debug!(target: "negentropy", %text, "notice");
                self.routes.notice(text);
            }
            Message::Auth { challenge } => {
                if let Some(answer) = self.authentication.answer(&challenge) {
                    // The writer is gone only if the connection is.
                    drop(self.urgent.send(answer));
                }
            }
            Message::NegMsg { sub, message } => self.routes.answer_session(&sub, Ok(message))?,
            Message::NegErr { sub, reason, max } => {
                self.routes.answer_session(&sub, Err(ClientError::refused(&reason, max)))?;
            }
            Message::Other => {}
        }
        Ok(())
    }

    /// Hands on the events that were gathered, if there are any.
    async fn hand_on_run(&self, run: &mut Run) -> Result<(), ClientError> {
        let Run { sub, events, .. } = std::mem::take(run);
        let count = events.len();
        if count > 0 && !self.answer(&sub, Answer::Events(events)).await {
            self.routes.unasked(count)?;
        }
        Ok(())
    }

    /// Hands an answer to the fetch it is for, waiting for room; whether there is one.
    async fn answer(&self, sub: &str, answer: Answer) -> bool {
        let Some(fetcher) = self.routes.fetcher(sub) else { return false };
        let has_come = fetcher.send(answer).await.is_ok();
        // Time spent waiting for ourselves is not the relay's.
        self.routes.made_progress();
        has_come
    }
}

/// The text of a message, if it is of that kind.
fn text_of(
    message: Option<Result<tungstenite::Message, tungstenite::Error>>,
) -> Result<Option<Utf8Bytes>, ClientError> {
    match message {
        Some(Ok(tungstenite::Message::Text(text))) => Ok(Some(text)),
        Some(Ok(tungstenite::Message::Close(frame))) => {
            Err(ClientError::closed(closing(frame.as_ref())))
        }
        Some(Ok(tungstenite::Message::Binary(_))) => {
            Err(ClientError::protocol("it sent a binary message"))
        }
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(ended(error)),
        None => Err(ClientError::closed("the relay hung up")),
    }
}

fn closing(frame: Option<&tungstenite::protocol::CloseFrame>) -> String {
    match frame {
        Some(frame) if frame.reason.is_empty() => format!("the relay closed it ({})", frame.code),
        Some(frame) => format!("the relay closed it: {} ({})", frame.reason.as_str(), frame.code),
        None => "the relay closed it".into(),
    }
}

/// What an error of the socket means.
pub(crate) fn ended(error: tungstenite::Error) -> ClientError {
    use tungstenite::Error as E;
    match error {
        E::Capacity(error) => ClientError::protocol(format!("a message is too large: {error}")),
        E::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            ClientError::closed("the relay hung up in the middle")
        }
        E::Protocol(error) => ClientError::protocol(error.to_string()),
        E::Utf8(error) => ClientError::protocol(format!("a message is not UTF-8: {error}")),
        E::Io(error) => ClientError::closed(error.to_string()),
        other => ClientError::closed(other.to_string()),
    }
}
