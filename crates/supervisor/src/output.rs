//! What units write: passed on, kept a while, and followed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::broadcast;

use crate::Lines;

/// What is kept of each unit.
const MAX_LINES: usize = 200;
const MAX_BYTES: usize = 32 << 10;
/// How far who follows may fall behind.
const FOLLOWED: usize = 128;
const READ: usize = 8 << 10;

/// Takes lines to where the log goes.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Takes a line. While this waits, the unit that wrote it may have to wait as well, but no other.
    async fn take(&self, line: &Line);
}

/// A line that a unit wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The unit.
    pub unit: Arc<str>,
    /// Grows from line to line over all units.
    pub number: u64,
    /// Its text, fit for a terminal.
    pub text: Arc<str>,
}

/// What all units wrote.
pub struct Output {
    sink: Arc<dyn Sink>,
    last_number: AtomicU64,
    kept: Vec<(Arc<str>, Mutex<Kept>)>,
    followers: broadcast::Sender<Line>,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<Line>,
    bytes: usize,
}

impl Output {
    /// Nothing yet, of units with these names.
    pub fn new<'a>(units: impl IntoIterator<Item = &'a str>, sink: Arc<dyn Sink>) -> Self {
        let kept = units.into_iter().map(|name| (Arc::from(name), Mutex::default())).collect();
        let followers = broadcast::Sender::new(FOLLOWED);
        Self { sink, last_number: AtomicU64::new(0), kept, followers }
    }

    /// The last lines of a unit, or of all, in the order they were written.
    pub fn last(&self, unit: Option<&str>, count: usize) -> Vec<Line> {
        let is_asked_for = |name: &str| unit.is_none_or(|unit| unit == name);
        let kept = self.kept.iter().filter(|(name, _)| is_asked_for(name));
        let mut lines: Vec<Line> = kept
            .flat_map(|(_, kept)| kept.lock().lines.iter().cloned().collect::<Vec<_>>())
            .collect();
        lines.sort_by_key(|line| line.number);
        lines.split_off(lines.len().saturating_sub(count))
    }

    /// Lines from now on.
    pub fn follow(&self) -> broadcast::Receiver<Line> {
        self.followers.subscribe()
    }

    /// Passes on what a unit writes, until it closes the pipe.
    pub(crate) async fn pass_on(&self, unit: usize, mut pipe: Box<dyn AsyncRead + Send + Unpin>) {
        let mut lines = Lines::default();
        let mut buffer = vec![0; READ];
        // A pipe that cannot be read any more has ended too.
        while let Ok(len @ 1..) = pipe.read(&mut buffer).await {
            for text in lines.push(&buffer[..len]) {
                self.push(unit, text).await;
            }
        }
        if let Some(text) = lines.finish() {
            self.push(unit, text).await;
        }
    }

    async fn push(&self, unit: usize, text: String) {
        let (name, kept) = &self.kept[unit];
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let line = Line { unit: name.clone(), number, text: text.into() };
        kept.lock().push(line.clone());
        self.sink.take(&line).await;
        // Nobody need be following.
        drop(self.followers.send(line));
    }
}

impl Kept {
    fn push(&mut self, line: Line) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.lines.len() > MAX_LINES || (self.bytes > MAX_BYTES && self.lines.len() > 1) {
            if let Some(line) = self.lines.pop_front() {
                self.bytes -= line.text.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nowhere;

    #[async_trait]
    impl Sink for Nowhere {
        async fn take(&self, _: &Line) {}
    }

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| &*line.text).collect()
    }

    #[tokio::test]
    async fn the_last_lines_of_all_come_in_order() {
        let output = Output::new(["a", "b"], Arc::new(Nowhere));
        let mut followed = output.follow();
        for (unit, text) in [(0, "1"), (1, "2"), (0, "3"), (0, "4")] {
            output.push(unit, text.into()).await;
        }
        assert_eq!(texts(&output.last(None, 3)), ["2", "3", "4"]);
        assert_eq!(texts(&output.last(Some("a"), 2)), ["3", "4"]);
        assert_eq!(&*followed.recv().await.unwrap().text, "1");
    }

    #[tokio::test]
    async fn a_flood_keeps_no_more_than_the_last_lines() {
        let output = Output::new(["a"], Arc::new(Nowhere));
        let flood: Vec<u8> =
            (0..100_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        output.pass_on(0, Box::new(std::io::Cursor::new(flood))).await;
        let last = output.last(None, usize::MAX);
        assert_eq!((last.len(), &*last[MAX_LINES - 1].text), (MAX_LINES, "line 99999"));
        let long = "x".repeat(8000);
        output.pass_on(0, Box::new(std::io::Cursor::new(format!("{long}\n").repeat(50)))).await;
        assert_eq!(output.last(None, usize::MAX).len(), MAX_BYTES / long.len());
    }
}
