//! Publishes the programme, at a rate or as fast as the OKs come.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::time::timeout;

use super::board::Board;
use super::programme::Planned;
use crate::client::{Client, Message, PATIENCE, ok_answer};
use crate::latency::Latencies;

/// The resolution of the runtime's timer.
const TICK: Duration = Duration::from_millis(1);

/// When the next event is due.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// So many a second, whatever the relay does.
    PerSecond(u32),
    /// When fewer than so many are unanswered on the connection.
    Window(usize),
}

/// What one publisher saw.
#[derive(Default)]
pub(super) struct Published {
    pub(super) latencies: Latencies,
    pub(super) refused: usize,
    pub(super) first_reason: Option<String>,
}

/// Sends events until the programme or the time is over, and waits for the OKs.
pub(super) async fn publish(
    mut client: Client,
    events: &[Planned],
    board: &Board,
    pace: Pace,
    started: Instant,
    duration: Duration,
) -> anyhow::Result<Published> {
    let mut published = Published::default();
    let mut unanswered = 0_usize;
    let mut last_answer = Instant::now();
    loop {
        let elapsed = started.elapsed();
        while elapsed < duration
            && board.taken.get() < events.len()
            && pace.allows(board, elapsed, unanswered)
        {
            let index = board.taken.get();
            board.taken.set(index + 1);
            client.queue(&[b"[\"EVENT\",", &events[index].json, b"]"]);
            board.note_sent(index);
            unanswered += 1;
        }
        let is_done = elapsed >= duration || board.taken.get() >= events.len();
        if is_done && unanswered == 0 {
            return Ok(published);
        }
        if let Ok(done) = timeout(TICK, client.exchange()).await {
            done?;
        }
        let now = Instant::now();
        while let Some(message) = client.next_message()? {
            if let Message::Ok(message) = message {
                let (id, is_accepted, text) = ok_answer(message).context("malformed OK")?;
                if let Some(sent_at) = board.note_verdict(id, is_accepted) {
                    unanswered = unanswered.saturating_sub(1);
                    last_answer = now;
                    published.latencies.push(now - sent_at);
                    published.judge(is_accepted, text);
                }
            }
        }
        anyhow::ensure!(
            unanswered == 0 || last_answer.elapsed() < PATIENCE,
            "{unanswered} events have no OK after {}s",
            PATIENCE.as_secs()
        );
        if unanswered == 0 {
            last_answer = now;
        }
    }
}

impl Pace {
    fn allows(self, board: &Board, elapsed: Duration, unanswered: usize) -> bool {
        match self {
            Self::PerSecond(rate) => {
                (board.taken.get() as f64) < elapsed.as_secs_f64() * f64::from(rate)
            }
            Self::Window(window) => unanswered < window,
        }
    }
}

impl Published {
    fn judge(&mut self, is_accepted: bool, text: &[u8]) {
        if !is_accepted {
            self.refused += 1;
            self.first_reason.get_or_insert_with(|| String::from_utf8_lossy(text).into_owned());
        }
    }
}
