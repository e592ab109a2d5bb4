//! Every call of `orlydb.v1`, answered by the process.

use std::any::Any;

use async_trait::async_trait;
use rpc::Address;
use rpc::database_conformance::{DatabaseEngine, querying::BATCH};

use crate::house::House;

struct Process;

#[async_trait]
impl DatabaseEngine for Process {
    async fn fresh(&self) -> (Address, Box<dyn Any + Send>) {
        let house = House::new();
        let service = house.start(&[("ORLY_DB_STREAM_BATCH_SIZE", &BATCH.to_string())]);
        (service.address.clone(), Box::new((service, house)))
    }
}

rpc::database_conformance_tests!(super::Process);
