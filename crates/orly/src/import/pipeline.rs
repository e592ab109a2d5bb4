//! Threads that read and verify chunks side by side, and give them back in order.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::check::{Checked, Checker, Trust};
use super::chunks::{Chunk, Chunks, Position};
use super::source::{Reader, Source};

/// How many chunks may be read ahead for each thread.
const AHEAD: usize = 2;

type Promise = oneshot::Receiver<anyhow::Result<Checked>>;

/// The chunks of a file, checked.
pub(crate) struct Pipeline {
    promises: mpsc::Receiver<Promise>,
}

/// What the threads take turns at: who reads a chunk also makes the promise of it, so that promises
/// stand in the order of the file. There is room for few, so that nobody runs ahead far.
struct Input {
    chunks: Chunks<Reader>,
    promises: mpsc::Sender<Promise>,
}

impl Pipeline {
    /// Starts a thread for each core, behind `start`.
    pub(crate) fn start(mut source: Source, start: Position, trust: Trust) -> anyhow::Result<Self> {
        source.reader.skip(start.bytes).context("pass over what was imported before")?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (sender, promises) = mpsc::channel(threads * AHEAD);
        let chunks = Chunks::new(source.reader, start);
        let input = Arc::new(Mutex::new(Input { chunks, promises: sender }));
        for _ in 0..threads {
            let mut checker = Checker::new(trust.clone(), Handle::current());
            let input = Arc::clone(&input);
            // They end when the input does, or when nobody waits for a promise.
            std::thread::Builder::new()
                .name("import".into())
                .spawn(move || {
                    while let Some((chunk, keep)) = take(&input) {
                        let checked = chunk
                            .context("read events")
                            .and_then(|chunk| Ok(checker.check(&chunk)?));
                        drop(keep.send(checked));
                    }
                })
                .context("start a thread")?;
        }
        Ok(Self { promises })
    }

    /// The next chunk; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<anyhow::Result<Checked>> {
        let promise = self.promises.recv().await?;
        Some(promise.await.context("check events").flatten())
    }
}

type Kept = (io::Result<Chunk>, oneshot::Sender<anyhow::Result<Checked>>);

fn take(input: &Mutex<Input>) -> Option<Kept> {
    let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
    let chunk = input.chunks.next().transpose()?;
    let (keep, promise) = oneshot::channel();
    input.promises.blocking_send(promise).ok()?;
    Some((chunk, keep))
}
