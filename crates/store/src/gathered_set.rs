//! A set for reconciliation that was gathered beforehand, for stores without summaries.

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use reconcile::{Answer, FrameSizeLimit, Initiator, Responder, SortedVec, Step};

use crate::{ReconcileError, ReconcileSet};

/// A set in memory.
#[derive(Clone, Debug)]
pub struct GatheredSet(pub Arc<SortedVec>);

#[async_trait]
impl ReconcileSet for GatheredSet {
    async fn count(&self) -> Result<u64, ReconcileError> {
        Ok(self.0.len() as u64)
    }

    async fn answer(
        &self,
        message: Vec<u8>,
        limit: FrameSizeLimit,
    ) -> Result<Answer, ReconcileError> {
        Responder::new(limit).answer(&*self.0, &message).map_err(protocol)
    }

    async fn open(
        &self,
        limit: FrameSizeLimit,
        max_rounds: u32,
    ) -> Result<(Initiator, Vec<u8>), ReconcileError> {
        Initiator::open(&*self.0, limit, max_rounds).map_err(protocol)
    }

    async fn step(
        &self,
        mut initiator: Initiator,
        message: Vec<u8>,
    ) -> Result<(Initiator, Step), ReconcileError> {
        let step = initiator.step(&*self.0, &message).map_err(protocol)?;
        Ok((initiator, step))
    }
}

/// Reading memory does not fail.
fn protocol(error: reconcile::Error<Infallible>) -> ReconcileError {
    match error {
        reconcile::Error::Set(never) => match never {},
        reconcile::Error::Malformed(what) => {
            ReconcileError::Protocol(format!("malformed message: {what}"))
        }
        other => ReconcileError::Protocol(other.to_string()),
    }
}
