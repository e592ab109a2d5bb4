//! How far a long command is: a bar on a terminal, a line every few seconds elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// How often a bar moves.
const BAR_INTERVAL: Duration = Duration::from_millis(100);

/// The progress of one command, on stderr.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total: Option<u64>,
    told_at: Instant,
}

impl Progress {
    /// Starts; `total` is what there is to do, if that is known.
    pub(crate) fn start(total: Option<u64>) -> Self {
        // A bar between lines that go to the same terminal would be a mess.
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total.unwrap_or_default());
            let template = match total {
                Some(_) => "{bar:30} {percent:>3}% {msg} ({eta} left)",
                None => "{spinner} {msg}",
            };
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(BAR_INTERVAL);
            bar
        });
        Self { bar, total, told_at: Instant::now() }
    }

    /// Moves to `done`, and says what that is if it is time to.
    pub(crate) fn update(&mut self, done: u64, message: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message());
        } else if self.told_at.elapsed() >= LINE_INTERVAL {
            self.told_at = Instant::now();
            let percent = match self.total {
                Some(total) if total > 0 => format!(" ({} %)", done.min(total) * 100 / total),
                _ => String::new(),
            };
            self.note(&format!("{}{percent}", message()));
        }
    }

    /// Writes a line that stays.
    pub(crate) fn note(&self, line: &str) {
        // The reader of stderr may be gone; the work goes on.
        let write = || drop(writeln!(io::stderr(), "{line}"));
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
