//! Many connections with a live subscription each.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::client::{Address, Client, Message};

/// Connections that are opened at the same time.
const AT_ONCE: usize = 64;
/// The id of the one subscription on each connection.
pub(crate) const SUBSCRIPTION: &str = "live";

/// A connection whose subscription was answered with EOSE.
pub(crate) struct Subscriber {
    pub(crate) client: Client,
    /// From the first TCP packet to the EOSE.
    pub(crate) opened_in: Duration,
}

/// Opens one connection a filter. The order of the result is that of the EOSEs.
pub(crate) async fn open_all(
    address: &Address,
    filters: &[String],
) -> anyhow::Result<Vec<Subscriber>> {
    stream::iter(filters.iter().enumerate())
        .map(|(index, filter)| async move {
            open(address, filter).await.with_context(|| {
                format!(
                    "open subscription {} of {} (is `ulimit -n` high enough, for both sides?)",
                    index + 1,
                    filters.len()
                )
            })
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn open(address: &Address, filter: &str) -> anyhow::Result<Subscriber> {
    let started = Instant::now();
    let mut client = Client::connect(address).await?;
    client.queue(&[b"[\"REQ\",\"", SUBSCRIPTION.as_bytes(), b"\",", filter.as_bytes(), b"]"]);
    loop {
        match client.receive().await? {
            Message::Eose(_) => break,
            Message::Closed(message) | Message::Notice(message) => {
                bail!("filter {filter:.200}: {}", String::from_utf8_lossy(message))
            }
            _ => {}
        }
    }
    Ok(Subscriber { client, opened_in: started.elapsed() })
}
