//! Many connections with a live subscription each.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::client::{Address, Client, Message};

/// Connections that are opened at the same time.
const AT_ONCE: usize = 64;
/// The id of the one subscription on each connection.
const SUBSCRIPTION: &str = "live";

/// A NIP-77 message about a set that differs everywhere: one fingerprint of zeros for all there is.
///
/// The relay answers with the fingerprints of some ranges, and the session stays open.
const PROBE: &str = "6100000100000000000000000000000000000000";

/// What is opened on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// A live subscription: REQ.
    Subscription,
    /// A reconciliation that is never finished: NEG-OPEN.
    Reconciliation,
}

/// A connection whose subscription was answered with EOSE, or whose reconciliation has begun.
pub(crate) struct Subscriber {
    pub(crate) client: Client,
    /// From the first TCP packet to the answer.
    pub(crate) opened_in: Duration,
}

/// Opens one connection a filter. The order of the result is that of the answers.
pub(crate) async fn open_all(
    address: &Address,
    filters: &[String],
    opening: Opening,
) -> anyhow::Result<Vec<Subscriber>> {
    stream::iter(filters.iter().enumerate())
        .map(async |(index, filter)| {
            open(address, filter, opening).await.with_context(|| {
                let count = filters.len();
                format!(
                    "open connection {} of {count} (does the relay allow as many, and `ulimit -n` on both sides?)",
                    index + 1
                )
            })
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn open(address: &Address, filter: &str, opening: Opening) -> anyhow::Result<Subscriber> {
    let started = Instant::now();
    let mut client = Client::connect(address).await?;
    let request = match opening {
        Opening::Subscription => format!(r#"["REQ","{SUBSCRIPTION}",{filter}]"#),
        Opening::Reconciliation => format!(r#"["NEG-OPEN","{SUBSCRIPTION}",{filter},"{PROBE}"]"#),
    };
    client.queue(&[request.as_bytes()]);
    loop {
        match client.receive().await? {
            Message::Eose(_) | Message::NegMsg(_) => break,
            Message::Closed(message) | Message::Notice(message) | Message::NegErr(message) => {
                bail!("filter {filter:.200}: {}", String::from_utf8_lossy(message))
            }
            _ => {}
        }
    }
    Ok(Subscriber { client, opened_in: started.elapsed() })
}
