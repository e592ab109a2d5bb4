//! One connection to the service: who is at the other end, and the ways to ask it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use store::Serial;
use tonic::Code;
use tonic::transport::Channel;

use super::database::DatabaseClient;
use super::exchange::Exchange;
use super::failure::tell;
use crate::proto::orlystore::v1 as proto;
use crate::proto::orlystore::v1::store_service_client::StoreServiceClient;
use crate::{Address, DATABASE_MESSAGE_LIMIT};

/// How long the service may take to say who it is.
const GREETING: Duration = Duration::from_secs(5);
/// How many connections are for queries at most.
const MOST_EXCHANGES: usize = 4;

/// The client of a service of ours.
pub(super) type Client = StoreServiceClient<Channel>;

/// A service as it was when the connection came about.
pub(super) struct Session {
    pub(super) peer: Peer,
    /// The newest serial then.
    pub(super) last_serial: Serial,
}

/// Who is at the other end.
pub(super) enum Peer {
    /// A service of ours.
    Store(Box<Clients>),
    /// The database service of the original.
    Database(Arc<DatabaseClient>),
}

/// Clients of a service of ours.
pub(super) struct Clients {
    /// For what must not wait behind answers to queries.
    pub(super) calls: Client,
    /// For what takes a while.
    pub(super) reads: Client,
    /// For queries, each with a connection of its own.
    exchanges: Vec<Exchange>,
}

impl Clients {
    /// Where a query is answered first, it seems.
    pub(super) fn exchange(&self) -> &Exchange {
        let least = self.exchanges.iter().min_by_key(|exchange| exchange.load());
        least.expect("there is one at least")
    }
}

/// Connects, and learns who answers at the address; and, of a service of ours, where its files are.
pub(super) async fn open(
    address: &Address,
) -> Result<(Session, Option<proto::SharedFiles>), String> {
    let greeting = tokio::time::timeout(GREETING, Box::pin(greet(address))).await;
    greeting.map_err(|_| format!("no answer within {} s", GREETING.as_secs()))?
}

async fn greet(address: &Address) -> Result<(Session, Option<proto::SharedFiles>), String> {
    let calls = address.connect();
    match client(calls.clone()).status(proto::StatusRequest {}).await {
        Ok(status) => {
            let proto::StatusResponse { last_serial, files, .. } = status.into_inner();
            let reads: Vec<_> = (0..exchanges()).map(|_| client(address.connect())).collect();
            let exchanges = try_join_all(reads.iter().cloned().map(Exchange::open)).await;
            let peer = Peer::Store(Box::new(Clients {
                calls: client(calls),
                reads: reads[0].clone(),
                exchanges: exchanges.map_err(|status| tell(&status))?,
            }));
            Ok((Session { peer, last_serial: Serial::new(last_serial) }, files))
        }
        Err(status) if status.code() == Code::Unimplemented => {
            let database = DatabaseClient::greet(calls).await.map_err(|status| tell(&status))?;
            let last_serial = database.last_serial();
            Ok((Session { peer: Peer::Database(Arc::new(database)), last_serial }, None))
        }
        Err(status) => Err(tell(&status)),
    }
}

fn client(channel: Channel) -> Client {
    StoreServiceClient::new(channel)
        .max_decoding_message_size(DATABASE_MESSAGE_LIMIT)
        .max_encoding_message_size(DATABASE_MESSAGE_LIMIT)
}

/// How many queries a service reads for us at once: each connection is read for by one thread.
fn exchanges() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_EXCHANGES))
}
