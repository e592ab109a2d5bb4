//! The lines of units, on their way to where the launcher's own go.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use daemon::LogFormat;
use serde_json::value::RawValue;
use supervisor::{Line, Sink};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::clock::rfc3339;

/// Lines that may wait for whoever reads the log.
const WAITING: usize = 512;
/// How long a unit waits for a log that is not read; then its lines are left out, and counted.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long the last lines may take.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// Names of units are written this wide.
const WIDTH: usize = 11;

/// Writes the lines of units on a thread of its own: a log that is not read stops nothing else.
pub(crate) struct Log {
    format: LogFormat,
    sender: mpsc::Sender<Entry>,
    left_out: AtomicU64,
}

enum Entry {
    Line(String),
    Flush(oneshot::Sender<()>),
}

impl Log {
    /// Writes to `out`.
    pub(crate) fn start(format: LogFormat, out: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        std::thread::Builder::new().name("log".into()).spawn(move || write(receiver, out))?;
        Ok(Self { format, sender, left_out: AtomicU64::new(0) })
    }

    /// Waits until all is written, though not for ever.
    pub(crate) async fn flush(&self) {
        let (sender, receiver) = oneshot::channel();
        let flushed = async {
            if self.sender.send(Entry::Flush(sender)).await.is_ok() {
                drop(receiver.await);
            }
        };
        drop(timeout(LAST_WAIT, flushed).await);
    }
}

#[async_trait]
impl Sink for Log {
    async fn take(&self, line: &Line) {
        let entry = Entry::Line(match self.format {
            LogFormat::Text => text(&line.unit, &line.text),
            LogFormat::Json => json(&line.unit, &line.text),
        });
        if self.sender.send_timeout(entry, PATIENCE).await.is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(
                lines = left_out,
                "lines of units were left out: the log is not read fast enough"
            );
        }
    }
}

fn write(mut receiver: mpsc::Receiver<Entry>, mut out: impl Write) {
    while let Some(entry) = receiver.blocking_recv() {
        match entry {
            // Nobody may be reading; units go on all the same.
            Entry::Line(line) => drop(out.write_all(line.as_bytes())),
            Entry::Flush(done) => {
                drop(out.flush());
                // Whoever asked may have lost patience.
                let _gone: Result<(), ()> = done.send(());
            }
        }
    }
}

fn text(unit: &str, line: &str) -> String {
    format!("{unit:<WIDTH$}| {line}\n")
}

/// A line that is an object already gets the unit's name as one more field.
fn json(unit: &str, line: &str) -> String {
    let fields = line.strip_prefix('{').filter(|_| serde_json::from_str::<&RawValue>(line).is_ok());
    match fields.map(str::trim_start) {
        Some("}") => format!("{{\"unit\":\"{unit}\"}}\n"),
        Some(fields) => format!("{{\"unit\":\"{unit}\",{fields}\n"),
        None => {
            let message = serde_json::Value::from(line);
            let timestamp = rfc3339(event::Timestamp::now().as_secs());
            format!(
                "{{\"timestamp\":\"{timestamp}\",\"level\":\"INFO\",\"unit\":\"{unit}\",\"message\":{message}}}\n"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_whose_they_are() {
        assert_eq!(text("db", "opened"), "db         | opened\n");
        assert_eq!(json("db", r#"{"level":"INFO"}"#), "{\"unit\":\"db\",\"level\":\"INFO\"}\n");
        assert_eq!(json("db", "{ }"), "{\"unit\":\"db\"}\n");
        for line in ["panicked at \"x\"", "{open"] {
            let value: serde_json::Value = serde_json::from_str(&json("db", line)).unwrap();
            assert_eq!((&value["unit"], &value["message"]), (&"db".into(), &line.into()));
        }
    }

    /// A log that nobody reads.
    struct Stuck;

    impl Write for Stuck {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            loop {
                std::thread::park();
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_is_not_read_stops_nobody() {
        let log = Log::start(LogFormat::Text, Stuck).unwrap();
        let line = Line { unit: "db".into(), number: 1, text: "x".into() };
        for _ in 0..4 * WAITING {
            log.take(&line).await;
        }
        assert!(log.left_out.load(Ordering::Relaxed) > 0);
        log.flush().await;
    }
}
