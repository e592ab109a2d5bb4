//! One reconciliation: NEG-OPEN, NEG-MSG until nothing is left to ask, NEG-CLOSE (NIP-77).

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use event::{EventId, hex};
use reconcile::{FrameSizeLimit, Initiator, SortedVec};

use crate::client::{Client, Message, string_after};

const SUBSCRIPTION: &[u8] = b"sync";

/// What a reconciliation found and cost.
pub(super) struct Reconciled {
    /// Ids the relay lacks.
    pub(super) have: HashSet<EventId>,
    /// Ids the file lacks.
    pub(super) need: HashSet<EventId>,
    /// Messages of the relay.
    pub(super) rounds: u32,
    pub(super) bytes_out: u64,
    pub(super) bytes_in: u64,
    pub(super) time: Duration,
    /// From NEG-OPEN to the relay's first message.
    pub(super) first_answer: Duration,
    /// The part of the time that this side computed.
    pub(super) client_work: Duration,
}

/// Reconciles the set with what the relay has for the filter.
pub(super) async fn reconcile(
    client: &mut Client,
    set: &SortedVec,
    filter: &str,
    limit: FrameSizeLimit,
    max_rounds: u32,
) -> anyhow::Result<Reconciled> {
    let (bytes_out, bytes_in) = (client.bytes_out, client.bytes_in);
    let started = Instant::now();
    let (mut initiator, first) =
        Initiator::open(set, limit, max_rounds).context("begin the reconciliation")?;
    let mut client_work = started.elapsed();
    let mut digits = Vec::new();
    hex::push(&mut digits, &first);
    client.queue(&[
        b"[\"NEG-OPEN\",\"",
        SUBSCRIPTION,
        b"\",",
        filter.as_bytes(),
        b",\"",
        &digits,
        b"\"]",
    ]);

    let mut first_answer = None;
    let (mut have, mut need) = (HashSet::new(), HashSet::new());
    loop {
        let message = receive(client).await?;
        first_answer.get_or_insert_with(|| started.elapsed());
        let computing = Instant::now();
        let step = initiator.step(set, &message)?;
        have.extend(step.have);
        need.extend(step.need);
        let Some(next) = step.next else {
            client_work += computing.elapsed();
            break;
        };
        digits.clear();
        hex::push(&mut digits, &next);
        client_work += computing.elapsed();
        client.queue(&[b"[\"NEG-MSG\",\"", SUBSCRIPTION, b"\",\"", &digits, b"\"]"]);
    }
    let time = started.elapsed();
    client.queue(&[b"[\"NEG-CLOSE\",\"", SUBSCRIPTION, b"\"]"]);
    client.write_some()?;
    Ok(Reconciled {
        have,
        need,
        rounds: initiator.rounds(),
        bytes_out: client.bytes_out - bytes_out,
        bytes_in: client.bytes_in - bytes_in,
        time,
        first_answer: first_answer.unwrap_or(time),
        client_work,
    })
}

/// Waits for the relay's next message of this reconciliation.
async fn receive(client: &mut Client) -> anyhow::Result<Vec<u8>> {
    loop {
        match client.receive().await? {
            Message::NegMsg(message) if string_after(message, 1) == Some(SUBSCRIPTION) => {
                let digits = string_after(message, 2).context("NEG-MSG without a message")?;
                return hex::decode(digits).context("NEG-MSG is not hex");
            }
            Message::NegErr(message) => {
                bail!("the relay refuses: {}", String::from_utf8_lossy(message))
            }
            Message::Notice(message) => {
                bail!("does the relay speak NIP-77? It says {}", String::from_utf8_lossy(message))
            }
            _ => {}
        }
    }
}
