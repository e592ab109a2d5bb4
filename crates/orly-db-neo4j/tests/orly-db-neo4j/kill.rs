//! What is acknowledged survives a kill at any moment, and the process ends in order when it is asked to.

use crate::house::{House, is_there};
use crate::trials;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_a_kill() {
    if is_there() {
        let house = House::new().await;
        trials::acknowledged_survives_kills(2, || house.start(&[])).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_beside_events_is_there_after_a_kill() {
    if is_there() {
        let house = House::new().await;
        trials::what_lies_beside_events_survives_a_kill(|| house.start(&[])).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_streams_do_not_hold_up_the_end() {
    if is_there() {
        let house = House::new().await;
        trials::open_streams_do_not_hold_up_the_end(house.start(&[])).await;
    }
}
