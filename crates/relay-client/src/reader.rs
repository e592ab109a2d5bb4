//! Reads what the relay sends and hands it to whoever waits for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;

use crate::authentication::Authentication;
use crate::dial::Stream;
use crate::message::Message;
use crate::routes::{Answer, Routes};
use crate::traffic::Meter;
use crate::{ClientError, Verdict};

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

impl Reader {
    /// Reads until the connection ends, and tells all who wait.
    pub(crate) async fn run(mut self) {
        let error = loop {
            let text = match self.next().await {
                Ok(text) => text,
                Err(error) => break error,
            };
            self.meter.add_received(text.len());
            if let Err(error) = self.hand_on(&text).await {
                break error;
            }
        };
        tracing::debug!(target: "negentropy", %error, "connection ended");
        self.routes.end(error);
    }

    async fn next(&mut self) -> Result<tungstenite::Utf8Bytes, ClientError> {
        loop {
            let deadline = self.routes.deadline(self.timeout);
            let wait = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let message = tokio::select! {
                biased;
                message = self.stream.next() => message,
                () = self.routes.asked.notified() => continue,
                () = wait => {
                    if self.routes.deadline(self.timeout).is_some_and(|at| at <= tokio::time::Instant::now()) {
                        return Err(self.routes.timed_out(self.timeout));
                    }
                    continue;
                }
            };
            match message {
                Some(Ok(tungstenite::Message::Text(text))) => return Ok(text),
                Some(Ok(tungstenite::Message::Close(frame))) => {
                    return Err(ClientError::closed(closing(frame.as_ref())));
                }
                Some(Ok(tungstenite::Message::Binary(_))) => {
                    return Err(ClientError::protocol("it sent a binary message"));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(ended(error)),
                None => return Err(ClientError::closed("the relay hung up")),
            }
        }
    }

    async fn hand_on(&self, text: &str) -> Result<(), ClientError> {
        match Message::from_json(text).map_err(ClientError::protocol)? {
            Message::Event { sub, event } => {
                let answer = if event.len() > self.max_event_bytes {
                    Answer::TooLarge { bytes: event.len() }
                } else {
                    Answer::Event(event)
                };
                if !self.answer(&sub, answer).await {
                    self.routes.unasked()?;
                }
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

    /// Hands an answer to the fetch it is for, waiting for room; whether there is one.
    async fn answer(&self, sub: &str, answer: Answer) -> bool {
        let Some(fetcher) = self.routes.fetcher(sub) else { return false };
        let has_come = fetcher.send(answer).await.is_ok();
        // Time spent waiting for ourselves is not the relay's.
        self.routes.made_progress();
        has_come
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
