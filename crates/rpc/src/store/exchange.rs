//! Queries over calls that stay open: a query costs a message there and one or more back.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, Streaming};

use super::failure::status_of;
use super::session::Client;
use crate::proto::orlystore::v1 as proto;

/// How many requests wait to be sent at most.
const QUEUE: usize = 256;

/// One open call, on a connection of its own.
pub(super) struct Exchange {
    requests: mpsc::Sender<proto::QueryRequest>,
    waiting: Arc<Mutex<Waiting>>,
    _reader: AbortOnDropHandle<()>,
}

/// The responses to one request.
///
/// The service ends them after a quarter of a megabyte, so they are taken from the connection at once.
pub(super) struct Answer(mpsc::UnboundedReceiver<Result<proto::QueryResponse, Status>>);

type Teller = mpsc::UnboundedSender<Result<proto::QueryResponse, Status>>;

/// Who waits for responses.
#[derive(Default)]
struct Waiting {
    by_number: HashMap<u32, Teller>,
    last_number: u32,
    /// Why nobody will be answered any more.
    end: Option<Status>,
}

impl Exchange {
    /// Makes the call.
    pub(super) async fn open(mut client: Client) -> Result<Self, Status> {
        let (requests, mut queue) = mpsc::channel(QUEUE);
        let queue = stream::poll_fn(move |context| queue.poll_recv(context));
        let responses = client.query(queue).await?.into_inner();
        let waiting = Arc::<Mutex<Waiting>>::default();
        let reader = tokio::spawn(read(responses, Arc::clone(&waiting)));
        Ok(Self { requests, waiting, _reader: AbortOnDropHandle::new(reader) })
    }

    /// How many requests are under way.
    pub(super) fn load(&self) -> usize {
        self.waiting.lock().by_number.len()
    }

    /// Asks, when there is room in the queue.
    pub(super) async fn ask(&self, request: proto::QueryRequest) -> Answer {
        // Without a receiver the call has ended, as the reader says.
        let place = self.requests.reserve().await.ok();
        self.send(place, request)
    }

    /// Asks if there is room in the queue.
    pub(super) fn try_ask(&self, request: proto::QueryRequest) -> Option<Answer> {
        let place = self.requests.try_reserve().ok()?;
        Some(self.send(Some(place), request))
    }

    fn send(
        &self,
        place: Option<mpsc::Permit<'_, proto::QueryRequest>>,
        mut request: proto::QueryRequest,
    ) -> Answer {
        let (teller, answer) = mpsc::unbounded_channel();
        let mut waiting = self.waiting.lock();
        match (&waiting.end, place) {
            (None, Some(place)) => {
                request.number = waiting.expect(teller);
                place.send(request);
            }
            (end, _) => {
                let end = end.clone().unwrap_or_else(over);
                teller.send(Err(end)).expect("the receiver is here");
            }
        }
        Answer(answer)
    }
}

impl Answer {
    /// The next response; none comes after the last one.
    pub(super) async fn next(&mut self) -> Result<proto::QueryResponse, Status> {
        let mut response = self.0.recv().await.unwrap_or_else(|| Err(over()))?;
        match response.failure.take() {
            Some(failure) => Err(status_of(&failure)),
            None => Ok(response),
        }
    }
}

impl Waiting {
    /// Takes one who waits, under a number that is free.
    fn expect(&mut self, teller: Teller) -> u32 {
        loop {
            self.last_number = self.last_number.wrapping_add(1);
            if !self.by_number.contains_key(&self.last_number) {
                self.by_number.insert(self.last_number, teller);
                return self.last_number;
            }
        }
    }

    /// Hands a response to whom it is for.
    fn tell(&mut self, response: proto::QueryResponse) {
        let number = response.number;
        let is_last = response.last;
        if let Some(teller) = self.by_number.get(&number) {
            // Whoever asked may have lost interest.
            drop(teller.send(Ok(response)));
        }
        if is_last {
            self.by_number.remove(&number);
        }
    }
}

/// Hands out responses until the call ends; then nobody waits any more.
async fn read(mut responses: Streaming<proto::QueryResponse>, waiting: Arc<Mutex<Waiting>>) {
    let end = loop {
        match responses.message().await {
            Ok(Some(response)) => waiting.lock().tell(response),
            Ok(None) => break over(),
            Err(status) => break status,
        }
    };
    let mut waiting = waiting.lock();
    for (_, teller) in waiting.by_number.drain() {
        drop(teller.send(Err(end.clone())));
    }
    waiting.end = Some(end);
}

fn over() -> Status {
    Status::unavailable("the connection ended")
}
