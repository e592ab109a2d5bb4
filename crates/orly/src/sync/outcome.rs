//! What a synchronisation came to: for people, for programs, and as an exit code.

use std::collections::BTreeMap;

use anyhow::anyhow;
use relay_sync::{Direction, Reasons, SyncError, SyncReport};
use serde_json::json;

use super::Sync;
use crate::figures::{bytes, grouped};

pub(super) struct Outcome {
    peer: String,
    direction: Direction,
    report: SyncReport,
    failure: Option<SyncError>,
}

impl Outcome {
    pub(super) fn new(arguments: &Sync, result: Result<SyncReport, SyncError>) -> Self {
        let (peer, direction) = (arguments.url.to_string(), arguments.direction);
        match result {
            Ok(report) => Self { peer, direction, report, failure: None },
            Err(error) => {
                Self { peer, direction, report: (*error.report).clone(), failure: Some(error) }
            }
        }
    }

    /// A summary line, and one for each reason why something was not moved.
    pub(super) fn text(&self) -> String {
        let SyncReport { have, need, fetched, stored, sent, accepted, rounds, .. } = self.report;
        let [have, need, fetched, stored, sent, accepted] =
            [have, need, fetched, stored, sent, accepted].map(grouped);
        let mut parts = vec![format!("have {have}, need {need}")];
        if self.direction.fetches() {
            parts.push(format!("fetched {fetched}, stored {stored}"));
        }
        if self.direction.publishes() {
            parts.push(format!("sent {sent}, accepted {accepted}"));
        }
        parts.push(format!("{rounds} rounds"));
        let traffic = self.report.traffic;
        parts.push(format!("{} out, {} in", bytes(traffic.sent), bytes(traffic.received)));
        parts.push(format!("{:.2} s", self.report.duration.as_secs_f64()));
        let mut lines = vec![parts.join(" · ")];
        if self.report.missing > 0 {
            lines.push(format!("  not given by the relay: {}", grouped(self.report.missing)));
        }
        let lists = [
            ("not stored", &self.report.passed_over),
            ("not valid", &self.report.invalid),
            ("not accepted", &self.report.refused),
        ];
        for (word, reasons) in lists {
            let line = |(reason, count)| format!("  {word}: {} ({reason})", grouped(count));
            lines.extend(reasons.iter().map(line));
        }
        lines.join("\n")
    }

    pub(super) fn json(&self) -> String {
        let report = &self.report;
        json!({
            "peer": self.peer,
            "complete": self.is_complete(),
            "error": self.failure.as_ref().map(|error| chain(&error.failure)),
            "have": report.have,
            "need": report.need,
            "fetched": report.fetched,
            "stored": report.stored,
            "not_stored": by_reason(&report.passed_over),
            "invalid": by_reason(&report.invalid),
            "missing": report.missing,
            "sent": report.sent,
            "accepted": report.accepted,
            "refused": by_reason(&report.refused),
            "rounds": report.rounds,
            "sessions": report.sessions,
            "bytes_sent": report.traffic.sent,
            "bytes_received": report.traffic.received,
            "seconds": report.duration.as_secs_f64(),
        })
        .to_string()
    }

    fn is_complete(&self) -> bool {
        self.failure.is_none() && self.report.moved_all(self.direction)
    }

    /// The exit code, as an error to be shown.
    pub(super) fn into_result(self) -> anyhow::Result<()> {
        if self.is_complete() {
            return Ok(());
        }
        let Some(error) = self.failure else {
            let Self { report, direction, .. } = self;
            let down =
                if direction.fetches() { report.missing + report.invalid.total() } else { 0 };
            let up = if direction.publishes() { report.refused.total() } else { 0 };
            let count = down + up;
            let noun = if count == 1 { "event was" } else { "events were" };
            return Err(anyhow!("{} {noun} not moved", grouped(count)));
        };
        let advice =
            error.failure.advice().map_or_else(String::new, |advice| format!("; {advice}"));
        Err(anyhow!("{}{advice}", chain(&error)))
    }
}

fn by_reason(reasons: &Reasons) -> BTreeMap<&str, u64> {
    reasons.iter().collect()
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
