//! Asking for events by id.

use std::collections::HashSet;

use event::{Event, EventId, Filter};
use tokio::sync::mpsc;

use crate::routes::Answer;
use crate::verifiers::{Asked, Checked};
use crate::{ClientError, Connection};

/// Runs of events that wait to be taken; more stay with the relay.
const ROOM: usize = 8;
/// Bytes of events that are checked at once.
const CHUNK_BYTES: usize = 256 << 10;

/// What a relay gave of what it was asked for.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Events with valid ids and signatures, each asked for, each once.
    pub events: Vec<Event>,
    /// What is wrong with those that were left out.
    pub invalid: Vec<String>,
}

/// An answer on its way.
pub struct Fetch<'a> {
    connection: &'a Connection,
    sub: String,
    asked: Asked,
    answers: mpsc::Receiver<Answer>,
    received: usize,
    is_done: bool,
    is_closed: bool,
}

impl Connection {
    /// Asks for events by their ids; 100 at once is what every relay takes.
    pub async fn fetch(&self, ids: &[EventId]) -> Result<Fetch<'_>, ClientError> {
        let all: HashSet<EventId> = ids.iter().copied().collect();
        let sub = self.new_sub("fetch");
        let answers = self.routes.fetch(&sub, ROOM)?;
        let mut sorted: Vec<EventId> = all.iter().copied().collect();
        sorted.sort_unstable();
        let filter = Filter { ids: Some(sorted), ..Filter::default() };
        let request = format!("[\"REQ\",\"{sub}\",{}]", filter.to_json());
        let asked = Asked { missing: all.clone(), all };
        let fetch = Fetch {
            connection: self,
            sub,
            asked,
            answers,
            received: 0,
            is_done: false,
            is_closed: false,
        };
        self.send(request).await?;
        Ok(fetch)
    }
}

impl Fetch<'_> {
    /// The next events; `None` when the relay has no more.
    pub async fn next(&mut self) -> Result<Option<Fetched>, ClientError> {
        let (mut texts, mut bytes) = (Vec::new(), 0);
        let mut invalid = Vec::new();
        while !self.is_done && bytes < CHUNK_BYTES {
            match self.answers.recv().await {
                Some(Answer::Events(run)) => {
                    self.count(run.len())?;
                    bytes += run.iter().map(|text| text.len()).sum::<usize>();
                    texts.extend(run);
                }
                Some(Answer::TooLarge { bytes }) => {
                    self.count(1)?;
                    let most = self.connection.options.max_event_bytes;
                    invalid.push(format!("event has {bytes} bytes, {most} are allowed"));
                }
                Some(Answer::Eose) => self.close().await?,
                Some(Answer::Closed(reason)) => {
                    (self.is_done, self.is_closed) = (true, true);
                    self.connection.routes.end_fetch(&self.sub);
                    // Some relays close a subscription of ids alone once all was sent.
                    if self.received == 0 && !reason.is_empty() {
                        return Err(ClientError::refused(&reason, None));
                    }
                }
                None => return Err(self.connection.routes.ended()),
            }
        }
        if texts.is_empty() && invalid.is_empty() {
            return Ok(None);
        }
        let asked = std::mem::take(&mut self.asked);
        let (Checked { events, invalid: forged }, asked) =
            self.connection.verifiers.check(texts, asked).await?;
        self.asked = asked;
        invalid.extend(forged);
        Ok(Some(Fetched { events, invalid }))
    }

    /// What was asked for and has not come.
    pub fn missing(&self) -> impl Iterator<Item = EventId> {
        self.asked.missing.iter().copied()
    }

    /// Ends the subscription: what was stored has come.
    async fn close(&mut self) -> Result<(), ClientError> {
        (self.is_done, self.is_closed) = (true, true);
        self.connection.routes.end_fetch(&self.sub);
        self.connection.send(format!("[\"CLOSE\",\"{}\"]", self.sub)).await
    }

    fn count(&mut self, events: usize) -> Result<(), ClientError> {
        self.received += events;
        // Twice as many, for relays that send an event again when it arrives anew meanwhile.
        if self.received > self.asked.all.len() * 2 {
            return Err(ClientError::protocol("it sent more events than it was asked for"));
        }
        Ok(())
    }
}

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        if !self.is_closed {
            self.connection.routes.end_fetch(&self.sub);
            self.connection.try_send(format!("[\"CLOSE\",\"{}\"]", self.sub));
        }
    }
}
