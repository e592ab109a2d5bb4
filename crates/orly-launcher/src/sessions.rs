//! Sessions of the page: whoever proved once who they are need not sign each request.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long a session lasts.
pub(crate) const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// How many there can be; the oldest makes room.
const MAX_SESSIONS: usize = 64;

/// Sessions, by their secret names. They end with the launcher.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Vec<([u8; 32], Instant)>>);

impl Sessions {
    /// Opens a session; its name is the secret that stands for it.
    pub(crate) fn open(&self) -> String {
        let secret: [u8; 32] = rand::random();
        let mut sessions = self.0.lock();
        sessions.retain(|(_, opened)| opened.elapsed() < LIFETIME);
        if sessions.len() == MAX_SESSIONS {
            sessions.remove(0);
        }
        sessions.push((secret, Instant::now()));
        event::hex::encode(&secret)
    }

    /// Whether there is a session of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        let sessions = self.0.lock();
        let is_open = |opened: &Instant| opened.elapsed() < LIFETIME;
        sessions.iter().any(|(secret, opened)| {
            is_open(opened) && is_equal(event::hex::encode(secret).as_bytes(), name.as_bytes())
        })
    }

    /// Ends a session.
    pub(crate) fn close(&self, name: &str) {
        self.0.lock().retain(|(secret, _)| event::hex::encode(secret) != name);
    }
}

/// Takes the same time wherever the first difference is.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sessions_end_when_closed_and_when_old() {
        let sessions = Sessions::default();
        let (first, second) = (sessions.open(), sessions.open());
        assert!(
            sessions.has(&first) && sessions.has(&second) && !sessions.has("") && first != second
        );
        sessions.close(&first);
        assert!(!sessions.has(&first));
        tokio::time::advance(LIFETIME).await;
        assert!(!sessions.has(&second));
    }

    #[test]
    fn the_oldest_makes_room() {
        let sessions = Sessions::default();
        let first = sessions.open();
        let all: Vec<String> = (0..MAX_SESSIONS).map(|_| sessions.open()).collect();
        assert!(!sessions.has(&first) && all.iter().all(|name| sessions.has(name)));
    }
}
