//! The rules of the seam through the process: client, gRPC, engine, server.

use std::sync::Arc;

use async_trait::async_trait;
use rpc::RemoteStore;
use store::conformance::{ONION_URL, RELAY_URL, Subject};

use crate::house::{House, is_there};

struct Process;

#[async_trait]
impl store::conformance::Engine for Process {
    async fn fresh(&self) -> Subject {
        let house = House::new().await;
        let service =
            house.start(&[("ORLY_RELAY_URL", RELAY_URL), ("ORLY_RELAY_ADDRESSES", ONION_URL)]);
        let store = RemoteStore::new(service.address.clone());
        Subject::new(Arc::new(store), (service, house))
    }
}

store::conformance_tests! { super::Process, when super::is_there();
    saving: [
        a_new_event_is_stored_and_served_unchanged,
        outcomes_stand_in_the_order_of_the_batch,
        large_events_are_served_unchanged,
        status_counts_events,
    ],
    nip09: [
        request_deletes_events_it_names_and_stays,
        address_is_deleted_up_to_the_time_of_the_request,
    ],
    nip62: [gift_wraps_to_the_author_are_forgotten_and_refused],
    removal: [with_a_tombstone_an_event_stays_refused],
    queries: [
        each_part_of_a_filter_narrows_the_answer,
        filters_are_answered_one_after_the_other_without_duplicates,
    ],
    paging: [a_large_answer_is_complete_and_in_order],
    hidden_authors: [who_is_hidden_holds_at_once_and_until_taken_back],
    counting: [counts_are_what_queries_give],
    watching: [what_is_stored_later_comes_at_once],
    markers: [a_marker_is_claimed_by_the_first],
}
