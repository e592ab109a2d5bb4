//! Events in the rows of an answer.

use event::EventRef;
use store::{EventBatch, Serial};

use crate::Neo4jError;
use crate::bolt::{Record, Value};

/// A batch ends behind the event that makes it so large.
const BATCH_BYTES: usize = 1 << 20;

/// Events as they come, each a row that ends with serial and packed event.
#[derive(Default)]
pub(crate) struct Events {
    batch: EventBatch,
    is_damaged: bool,
}

impl Events {
    /// Takes a row; `None` when that is enough.
    pub(crate) fn take(&mut self, row: Record) -> Option<()> {
        let is_event = match &row[..] {
            [.., Value::Int(serial), Value::Bytes(bytes)] => {
                match (u64::try_from(*serial), EventRef::from_bytes(bytes)) {
                    (Ok(serial), Ok(event)) => {
                        self.batch.push(Serial::new(serial), event);
                        true
                    }
                    _ => false,
                }
            }
            _ => false,
        };
        self.is_damaged |= !is_event;
        (is_event && !self.is_full()).then_some(())
    }

    /// Whether the batch is as large as batches get.
    pub(crate) fn is_full(&self) -> bool {
        self.batch.byte_len() >= BATCH_BYTES
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.batch.len()
    }

    /// What came.
    pub(crate) fn into_batch(self) -> Result<EventBatch, Neo4jError> {
        match self.is_damaged {
            true => Err(Neo4jError::Damaged("a stored event")),
            false => Ok(self.batch),
        }
    }
}
