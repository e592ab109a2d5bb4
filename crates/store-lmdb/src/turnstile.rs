//! Turns at writing, between processes.
//!
//! LMDB's lock goes to whoever is quickest, and a process that writes without a pause is always quicker
//! than one that has to wake up first. So whoever wants the lock passes a turnstile: it is held until the
//! lock is had, and who comes back for more stands behind the one who waits.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The turnstile of a database; none for who only reads. Where its file cannot be made, writing is not
/// fair, but right.
#[derive(Default)]
pub(crate) struct Turnstile(Option<File>);

impl Turnstile {
    /// Opens the turnstile of a database that may be written.
    pub(crate) fn open(directory: &Path) -> Self {
        let mut options = File::options();
        // Whoever may open it may hold everybody up.
        options.write(true).create(true).truncate(true).mode(0o600);
        Self(options.open(directory.join("turn.lock")).ok())
    }

    /// Takes the lock that `take` waits for when it is this process's turn.
    pub(crate) fn pass<T>(&self, take: impl FnOnce() -> T) -> T {
        let held = self.0.as_ref().filter(|file| file.lock().is_ok());
        let taken = take();
        if let Some(file) = held
            && let Err(error) = file.unlock()
        {
            tracing::warn!(%error, "leave the turnstile of the event store");
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::thread::{self, sleep};
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    /// A lock that goes to whoever looks when it is free.
    #[derive(Default)]
    struct Lock(AtomicBool);

    impl Lock {
        fn take(&self, look_every: Duration) {
            while self.0.swap(true, Ordering::Acquire) {
                sleep(look_every);
            }
        }

        fn give_back(&self) {
            self.0.store(false, Ordering::Release);
        }
    }

    #[test]
    fn who_comes_back_for_more_stands_behind_who_waits() {
        const MILLI: Duration = Duration::from_millis(1);
        let dir = TempDir::new().unwrap();
        let (lock, turns, ended) = (Lock::default(), AtomicU32::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                let turnstile = Turnstile::open(dir.path());
                while !ended.load(Ordering::Relaxed) {
                    turnstile.pass(|| lock.take(Duration::ZERO));
                    sleep(MILLI);
                    turns.fetch_add(1, Ordering::Relaxed);
                    lock.give_back();
                }
            });
            let turnstile = Turnstile::open(dir.path());
            for _ in 0..20 {
                turnstile.pass(|| lock.take(5 * MILLI));
                lock.give_back();
                // Else the other may not have come back yet.
                sleep(MILLI);
            }
            ended.store(true, Ordering::Relaxed);
        });
        // Without the turnstile it gets thousands.
        assert!(turns.load(Ordering::Relaxed) < 200, "{turns:?}");
    }
}
