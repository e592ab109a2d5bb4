//! Who waits for what on a connection.

use std::collections::HashMap;
use std::time::Duration;

use event::EventId;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{ClientError, Verdict};

/// How many events may come that nobody asked for. Some do after a subscription was closed, and some
/// relays push events into a reconciliation.
const MAX_UNASKED: usize = 1000;

/// A relay's answer to a REQ.
#[derive(Debug)]
pub(crate) enum Answer {
    Events(Vec<Box<str>>),
    /// An event larger than allowed.
    TooLarge {
        bytes: usize,
    },
    Eose,
    Closed(String),
}

type NegAnswer = Result<Vec<u8>, ClientError>;

/// All that is asked and not yet answered.
pub(crate) struct Routes {
    table: Mutex<Table>,
    /// Told when the first request comes to wait.
    pub(crate) asked: Notify,
    /// Cancelled when the connection has ended.
    pub(crate) stop: CancellationToken,
}

struct Table {
    fetches: HashMap<String, mpsc::Sender<Answer>>,
    /// A session that waits for no message has no sender.
    sessions: HashMap<String, Session>,
    publications: HashMap<EventId, oneshot::Sender<Verdict>>,
    /// When a relay last did what somebody waited for.
    progress: Instant,
    notice: Option<String>,
    unasked: usize,
    ended: Option<ClientError>,
}

#[derive(Default)]
struct Session {
    waits: Option<oneshot::Sender<NegAnswer>>,
    is_answered: bool,
}

impl Routes {
    pub(crate) fn new() -> Self {
        let table = Table {
            fetches: HashMap::new(),
            sessions: HashMap::new(),
            publications: HashMap::new(),
            progress: Instant::now(),
            notice: None,
            unasked: 0,
            ended: None,
        };
        Self { table: Mutex::new(table), asked: Notify::new(), stop: CancellationToken::new() }
    }

    /// Enters a request, if the connection stands.
    fn enter<T>(&self, request: impl FnOnce(&mut Table) -> T) -> Result<T, ClientError> {
        let mut table = self.table.lock();
        if let Some(error) = &table.ended {
            return Err(error.clone());
        }
        if table.awaited().is_none() {
            table.progress = Instant::now();
            self.asked.notify_one();
        }
        Ok(request(&mut table))
    }

    pub(crate) fn fetch(
        &self,
        sub: &str,
        room: usize,
    ) -> Result<mpsc::Receiver<Answer>, ClientError> {
        let (tx, rx) = mpsc::channel(room);
        self.enter(|table| table.fetches.insert(sub.to_owned(), tx))?;
        Ok(rx)
    }

    pub(crate) fn end_fetch(&self, sub: &str) {
        self.table.lock().fetches.remove(sub);
    }

    pub(crate) fn publish(&self, id: EventId) -> Result<oneshot::Receiver<Verdict>, ClientError> {
        let (tx, rx) = oneshot::channel();
        self.enter(|table| table.publications.insert(id, tx))?;
        Ok(rx)
    }

    /// Waits for the next message of a session.
    pub(crate) fn exchange(&self, sub: &str) -> Result<oneshot::Receiver<NegAnswer>, ClientError> {
        let (tx, rx) = oneshot::channel();
        self.enter(|table| table.sessions.entry(sub.to_owned()).or_default().waits = Some(tx))?;
        Ok(rx)
    }

    pub(crate) fn end_session(&self, sub: &str) {
        self.table.lock().sessions.remove(sub);
    }

    /// Why the connection ended.
    pub(crate) fn ended(&self) -> ClientError {
        self.table.lock().ended.clone().unwrap_or_else(|| ClientError::closed("it was closed"))
    }

    /// Ends all requests.
    pub(crate) fn end(&self, error: ClientError) {
        let mut table = self.table.lock();
        table.ended.get_or_insert(error);
        table.fetches.clear();
        table.sessions.clear();
        table.publications.clear();
        self.stop.cancel();
    }

    /// When patience with the relay ends, if anybody waits.
    pub(crate) fn deadline(&self, timeout: Duration) -> Option<Instant> {
        let table = self.table.lock();
        table.awaited().map(|_| table.progress + timeout)
    }

    /// What to say when patience has ended.
    pub(crate) fn timed_out(&self, after: Duration) -> ClientError {
        let table = self.table.lock();
        let awaited = table.awaited().unwrap_or("message");
        ClientError::TimedOut { awaited, after, notice: table.notice.clone() }
    }

    pub(crate) fn made_progress(&self) {
        self.table.lock().progress = Instant::now();
    }

    /// Whom an event or the end of a subscription is for.
    pub(crate) fn fetcher(&self, sub: &str) -> Option<mpsc::Sender<Answer>> {
        self.table.lock().fetches.get(sub).cloned()
    }

    /// Counts events that nobody asked for.
    pub(crate) fn unasked(&self, count: usize) -> Result<(), ClientError> {
        let mut table = self.table.lock();
        table.unasked += count;
        if table.unasked > MAX_UNASKED {
            return Err(ClientError::protocol(format!(
                "it sent {MAX_UNASKED} events that were not asked for"
            )));
        }
        Ok(())
    }

    /// Whether somebody waited for this OK.
    pub(crate) fn settle(&self, id: EventId, verdict: Verdict) -> bool {
        let mut table = self.table.lock();
        let Some(waits) = table.publications.remove(&id) else { return false };
        table.progress = Instant::now();
        // Who gave up waiting does not mind.
        drop(waits.send(verdict));
        true
    }

    /// Hands a session its next message, or the reason why there is none.
    pub(crate) fn answer_session(&self, sub: &str, answer: NegAnswer) -> Result<(), ClientError> {
        let mut table = self.table.lock();
        let Some(session) = table.sessions.get_mut(sub) else { return Ok(()) };
        session.is_answered = true;
        let Some(waits) = session.waits.take() else {
            return Err(ClientError::protocol("it sent two NEG-MSG where one was due"));
        };
        table.progress = Instant::now();
        drop(waits.send(answer));
        Ok(())
    }

    /// A NOTICE names no request. One that complains while a reconciliation waits for its first answer,
    /// and for nothing else, is that answer.
    pub(crate) fn notice(&self, text: String) {
        let lower = text.to_ascii_lowercase();
        let mut table = self.table.lock();
        let is_alone = table.fetches.is_empty() && table.publications.is_empty();
        let names_it = ["negentropy", "neg-", "neg_"].iter().any(|word| lower.contains(word));
        if names_it || (is_alone && COMPLAINTS.iter().any(|word| lower.contains(word))) {
            let opening = table.sessions.values_mut().find(|session| !session.is_answered);
            if let Some(waits) = opening.and_then(|session| session.waits.take()) {
                drop(waits.send(Err(refusal_by_notice(&text, &lower))));
            }
        }
        table.notice = Some(text.chars().take(200).collect());
    }
}

/// Words by which a relay says that it does not understand.
const COMPLAINTS: [&str; 8] = [
    "error",
    "invalid",
    "unrecognized",
    "unrecognised",
    "disabled",
    "unsupported",
    "unknown",
    "could not parse",
];

fn refusal_by_notice(text: &str, lower: &str) -> ClientError {
    let is_size = lower.contains("too many query results");
    if is_size || lower.contains("too many") || lower.contains("rate") {
        return ClientError::refused(text, None);
    }
    ClientError::NoNegentropy { evidence: format!("it says {text:?}") }
}

impl Table {
    /// What somebody waits for.
    fn awaited(&self) -> Option<&'static str> {
        let mut sessions = self.sessions.values().filter(|session| session.waits.is_some());
        if let Some(session) = sessions.next() {
            Some(if session.is_answered { "answer to NEG-MSG" } else { "answer to NEG-OPEN" })
        } else if !self.fetches.is_empty() {
            Some("EOSE")
        } else if !self.publications.is_empty() {
            Some("OK")
        } else {
            None
        }
    }
}
