//! The store in memory keeps the rules it is the measure of.
#![cfg(feature = "conformance")]

use async_trait::async_trait;
use store::MemoryStore;
use store::conformance::{Engine, RELAY_URL, Subject};

struct Memory;

#[async_trait]
impl Engine for Memory {
    async fn fresh(&self) -> Subject {
        Subject::new(MemoryStore::new(Some(RELAY_URL.into())).into(), ())
    }
}

store::conformance_tests!(crate::Memory);
