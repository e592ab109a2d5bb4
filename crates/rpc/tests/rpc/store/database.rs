//! The same store where the service knows nothing but the calls of the original.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rpc::{
    Address, Database, DatabaseOptions, DatabaseParts, Listener, Readiness, RemoteStore, Server,
};
use store::conformance::{self, Subject, relay_urls};
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The rules, over `orlydb.v1`.
pub(crate) struct Engine;

struct Service {
    _dir: TempDir,
    _end: DropGuard,
}

#[async_trait]
impl conformance::Engine for Engine {
    async fn fresh(&self) -> Subject {
        let dir = TempDir::new().unwrap();
        let options = Options::new(dir.path().join("data"));
        let store = Arc::new(LmdbStore::open(options, relay_urls()).unwrap());
        let readiness = Readiness::new();
        readiness.set(true);
        let parts = DatabaseParts {
            store: Arc::clone(&store) as _,
            serials: Arc::clone(&store) as _,
            markers: store,
            readiness: readiness.clone(),
            set_log_level: Box::new(|_| false),
        };
        let options = DatabaseOptions {
            directory: dir.path().join("data"),
            stream_batch: 100,
            max_concurrent_queries: 3,
            query_cache_bytes: 0,
            query_cache_age: Duration::ZERO,
        };
        let database = Arc::new(Database::new(parts, options));
        let address = Address::Unix(dir.path().join("db.sock"));
        let listener = Listener::bind(&address).await.unwrap();
        let shutdown = CancellationToken::new();
        let server = Server::new(readiness, shutdown.clone()).with(database.service());
        tokio::spawn(async move { server.run(listener).await.unwrap() });
        let service = Service { _dir: dir, _end: shutdown.drop_guard() };
        Subject::new(Arc::new(RemoteStore::new(address)), service)
    }
}

// Left out: what needs events that nobody signed, and what the original keeps otherwise. Its saves of
// one batch have no order, a follow list must name somebody, a deletion has no tombstone, and its
// serials begin at 0.
store::conformance_tests! { crate::store::database::Engine;
    nip09: [
        request_deletes_events_it_names_and_stays,
        a_deleted_event_stays_refused,
        request_by_another_author_is_ignored,
        event_named_before_it_comes_is_refused,
        event_named_before_it_comes_by_another_author_is_stored,
        request_deletes_a_later_event_it_names,
        requests_cannot_be_deleted,
        requests_to_vanish_cannot_be_deleted,
        address_is_deleted_up_to_the_time_of_the_request,
        version_after_the_request_survives,
        version_up_to_the_request_is_refused_later,
        address_of_another_author_is_ignored,
        replaceable_event_is_deleted_by_its_address,
        addresses_are_told_apart_by_their_d_tag,
        older_request_does_not_shorten_a_newer,
        tags_that_name_nothing_are_passed_over,
    ],
    nip62: [
        everything_up_to_the_request_is_forgotten,
        what_was_forgotten_stays_refused,
        later_events_are_stored,
        request_to_this_relay_is_heeded_by_any_name_and_slash,
        request_to_another_relay_is_stored_only,
        gift_wraps_to_the_author_are_forgotten_and_refused,
        events_that_mention_the_author_stay,
        older_request_does_not_shorten_a_newer,
        what_the_author_deleted_stays_refused,
        requests_are_kept_in_any_order,
    ],
    expiration: [
        expired_events_are_refused,
        events_are_served_until_they_expire,
    ],
    queries: [
        each_part_of_a_filter_narrows_the_answer,
        every_tag_asked_for_must_be_there,
        values_with_escapes_are_found,
        values_and_letters_are_exact,
        an_event_found_in_two_ways_is_given_once,
        answers_run_newest_first_and_by_id_within_a_second,
        since_and_until_are_included,
        times_beyond_the_largest_match_nothing,
        the_limit_keeps_the_newest,
        a_limit_of_zero_gives_nothing,
        an_empty_list_matches_nothing,
        no_filter_gives_nothing,
        filters_are_answered_one_after_the_other_without_duplicates,
        each_filter_has_its_own_limit,
        an_event_given_before_counts_against_the_limit,
        many_authors_and_kinds_are_answered,
        words_are_searched_in_any_case,
    ],
    paging: [
        a_large_answer_is_complete_and_in_order,
        a_large_answer_found_in_two_ways_has_no_duplicates,
        events_that_come_and_go_do_not_disturb_the_others,
        a_large_answer_stops_at_its_limit,
    ],
    private_kinds: [
        they_are_seen_by_their_parties_only,
        they_are_seen_by_nobody_without_a_pubkey,
        any_of_several_pubkeys_will_do,
        they_do_not_use_up_the_limit,
        asking_by_id_does_not_reveal_them,
    ],
    counting: [
        counts_are_what_queries_give,
        limits_do_not_bear_on_counts,
        what_several_filters_find_counts_once,
        private_kinds_count_for_their_parties_only,
        replaced_and_deleted_events_do_not_count,
    ],
    watching: [
        events_come_in_the_order_of_their_serials,
        it_starts_behind_the_serial_given,
        what_is_stored_later_comes_at_once,
        refused_events_do_not_come,
        each_event_comes_once_across_many_batches,
        watchers_do_not_disturb_each_other,
        after_the_last_serial_only_new_events_come,
        after_the_largest_serial_nothing_comes,
    ],
    markers: [
        a_marker_is_read_as_it_was_set,
        an_absent_marker_is_none,
        a_marker_can_be_removed,
        a_marker_is_claimed_by_the_first,
        markers_are_listed_by_prefix_in_order,
        the_identity_is_made_once,
        a_damaged_identity_is_an_error,
    ],
    replacing: [
        an_older_version_is_superseded,
        in_the_same_second_the_lower_id_stays,
        a_replaced_version_does_not_come_back,
        a_replaceable_event_has_one_address_whatever_its_d_tag,
        addressable_events_are_told_apart_by_their_d_tag,
        a_missing_d_tag_is_an_empty_one,
        only_the_first_d_tag_counts,
        regular_events_are_never_replaced,
    ],
    saving: [
        a_new_event_is_stored_and_served_unchanged,
        the_same_event_again_is_a_duplicate,
        ephemeral_events_are_not_stored,
        outcomes_stand_in_the_order_of_the_batch,
        an_empty_batch_is_no_work,
        contains_says_of_each_id_whether_it_is_stored,
        large_events_are_served_unchanged,
        the_earliest_and_the_latest_time_are_stored,
        who_saves_at_once_is_told_his_own_outcomes,
    ],
}
