//! What is acknowledged survives a kill at any moment.

use crate::house::House;
use crate::trials;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let house = House::new();
    trials::acknowledged_survives_kills(3, || house.start(&[])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_beside_events_is_there_after_a_kill() {
    let house = House::new();
    trials::what_lies_beside_events_survives_a_kill(|| house.start(&[])).await;
}
