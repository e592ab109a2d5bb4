//! What became of the lines of a file.

use std::collections::BTreeMap;
use std::time::Duration;

use store::SaveOutcome;

use super::check::{Checked, Reason};
use crate::figures::grouped;

/// How many bad lines are reported one by one; the others are only counted.
const SHOWN: u64 = 20;

/// Counts of an import.
#[derive(Default)]
pub(crate) struct Tally {
    lines: u64,
    stored: u64,
    duplicate: u64,
    superseded: u64,
    deleted: u64,
    vanished: u64,
    expired: u64,
    ephemeral: u64,
    refused: u64,
    bad: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a chunk, and reports its bad lines to `tell` while they are few.
    pub(crate) fn add(&mut self, checked: &Checked, mut tell: impl FnMut(&str)) {
        self.lines += checked.lines;
        self.duplicate += checked.known;
        for bad in &checked.bad {
            let shown = self.bad();
            if shown < SHOWN {
                tell(&format!("line {}: {}", bad.line, bad.reason));
            } else if shown == SHOWN {
                tell("more bad lines are counted, not shown");
            }
            *self.bad.entry(group(&bad.reason)).or_default() += 1;
        }
    }

    /// Counts what a store did.
    pub(crate) fn count(&mut self, outcomes: &[SaveOutcome]) {
        for outcome in outcomes {
            let count = match outcome {
                SaveOutcome::Stored(_) => &mut self.stored,
                SaveOutcome::Duplicate => &mut self.duplicate,
                SaveOutcome::Superseded => &mut self.superseded,
                SaveOutcome::Deleted => &mut self.deleted,
                SaveOutcome::Vanished => &mut self.vanished,
                SaveOutcome::Expired => &mut self.expired,
                SaveOutcome::Ephemeral => &mut self.ephemeral,
                SaveOutcome::Refused(_) => &mut self.refused,
            };
            *count += 1;
        }
    }

    /// How many lines are no valid events.
    pub(crate) fn bad(&self) -> u64 {
        self.bad.values().sum()
    }

    /// How far it is.
    pub(crate) fn line(&self, elapsed: Duration) -> String {
        let bad =
            if self.bad() > 0 { format!(", {} bad", grouped(self.bad())) } else { String::new() };
        let (lines, speed) = (grouped(self.lines), grouped(self.speed(elapsed)));
        format!("{lines} lines, {} stored{bad}, {speed}/s", grouped(self.stored))
    }

    /// What it all came to.
    pub(crate) fn summary(&self, elapsed: Duration) -> String {
        let (seconds, speed) = (elapsed.as_secs_f64(), grouped(self.speed(elapsed)));
        let mut text =
            format!("read        {} lines in {seconds:.1} s, {speed}/s", grouped(self.lines));
        let counts = [
            ("stored", self.stored),
            ("duplicate", self.duplicate),
            ("superseded", self.superseded),
            ("deleted", self.deleted),
            ("vanished", self.vanished),
            ("expired", self.expired),
            ("ephemeral", self.ephemeral),
            ("refused", self.refused),
            ("bad", self.bad()),
        ];
        for (name, count) in counts {
            if count > 0 || name == "stored" {
                text.push_str(&format!("\n{name:<11} {}", grouped(count)));
            }
        }
        let mut reasons: Vec<(&String, &u64)> = self.bad.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (reason, count) in reasons {
            text.push_str(&format!("\n  {} × {reason}", grouped(*count)));
        }
        text
    }

    fn speed(&self, elapsed: Duration) -> u64 {
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        self.lines.saturating_mul(1000) / millis
    }
}

/// The reason without what differs from line to line.
fn group(reason: &Reason) -> String {
    use event::InvalidEvent::{Duplicate, Hex, Json, Missing, TooLarge};
    match reason {
        Reason::Invalid(Json { field, error }) => format!("{field}: expected {}", error.expected),
        Reason::Invalid(TooLarge { field, max, .. }) => format!("{field}: more than {max}"),
        Reason::Invalid(Hex { .. } | Missing(_) | Duplicate(_))
        | Reason::TooLong
        | Reason::NotUtf8
        | Reason::Forged(_) => reason.to_string(),
    }
}
