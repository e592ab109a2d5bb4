//! The store in memory keeps the rules it is the measure of.
#![cfg(feature = "conformance")]

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use store::conformance::{Engine, SerialEngine, Subject, relay_urls};
use store::{EventStore, MemoryStore, SerialStore};

struct Memory;

#[async_trait]
impl Engine for Memory {
    async fn fresh(&self) -> Subject {
        Subject::new(MemoryStore::new(relay_urls()).into(), ())
    }
}

#[async_trait]
impl SerialEngine for Memory {
    async fn fresh(&self) -> (Arc<dyn EventStore>, Arc<dyn SerialStore>, Box<dyn Any + Send>) {
        let store = Arc::new(MemoryStore::new(relay_urls()));
        (Arc::clone(&store) as _, store, Box::new(()))
    }
}

store::conformance_tests!(crate::Memory);
store::serial_conformance_tests!(crate::Memory);
