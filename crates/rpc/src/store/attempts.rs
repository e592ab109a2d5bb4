//! Calls that are made again when the service was lost under way.

use std::sync::Arc;
use std::time::Duration;

use store::{ReconcileError, StoreError};
use tokio::time::Instant;
use tonic::Status;

use super::link::{Link, Lost};
use super::session::Session;

/// How long a call that was lost waits for the service to return.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How often a call is made at most.
const MOST: u32 = 10;

/// The attempts at one call, which must be one that may be made twice.
///
/// The first fails at once if nobody is there; those after a loss wait for the service to return.
pub(super) struct Attempts<'a> {
    link: &'a Link,
    losses: u32,
    until: Option<Instant>,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(link: &'a Link) -> Self {
        Self { link, losses: 0, until: None }
    }

    /// Whether an earlier attempt was lost, which may have done its work.
    pub(super) fn is_again(&self) -> bool {
        self.losses > 0
    }

    /// Whom to call.
    pub(super) async fn next(&mut self) -> Result<Arc<Session>, StoreError> {
        loop {
            match (self.link.session().await, self.until) {
                (Err(_), Some(until)) if Instant::now() < until => {
                    tokio::time::sleep(PAUSE).await;
                }
                (result, _) => return result,
            }
        }
    }

    /// Takes a failure: an error if that is the answer, else the call may be made again.
    pub(super) fn failed(
        &mut self,
        session: &Arc<Session>,
        status: &Status,
    ) -> Result<(), ReconcileError> {
        let error = match self.link.failed(session, status) {
            Lost::No(error) => return Err(error),
            Lost::Maybe(error) => error,
        };
        self.losses += 1;
        let until = *self.until.get_or_insert_with(|| Instant::now() + PATIENCE);
        if self.losses == MOST || until <= Instant::now() {
            return Err(error.into());
        }
        Ok(())
    }
}
