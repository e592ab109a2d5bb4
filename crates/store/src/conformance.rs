//! The rules of the seam, for every engine.
//!
//! Each rule is an async function that asks an [`Engine`] for fresh stores; its name is the rule.
//! [`conformance_tests!`](crate::conformance_tests) makes a test of each. Nothing here knows an engine.

#![expect(missing_docs, reason = "the name of a rule says it all")]
#![expect(clippy::unwrap_used, reason = "rules are tests")]

mod events;
mod subject;

pub mod batches;
pub mod counting;
pub mod expiration;
pub mod hidden_authors;
pub mod history;
pub mod lookups;
pub mod markers;
pub mod nip09;
pub mod nip62;
pub mod paging;
pub mod private_kinds;
pub mod queries;
pub mod removal;
pub mod replacing;
pub mod saving;
pub mod serials;
pub mod watching;

pub use events::{ALICE, BOB, CAROL, event, note};
pub use lookups::SerialEngine;
pub use subject::Subject;

/// The address of the relay that a store under test belongs to (NIP-62).
pub const RELAY_URL: &str = "wss://relay.example.com/";
/// The other address of that relay.
pub const ONION_URL: &str = "ws://relay.onion";

/// All addresses of that relay.
pub fn relay_urls() -> Vec<String> {
    [RELAY_URL, ONION_URL].map(String::from).into()
}

/// Makes stores of one engine.
#[async_trait::async_trait]
pub trait Engine: Sync {
    /// An empty store of the relay at [`relay_urls`].
    async fn fresh(&self) -> Subject;
}

/// Makes a test of each rule for an engine: `conformance_tests!(crate::MyEngine)`. Where an engine needs what is not
/// everywhere, its rules are tried `when` that is there.
#[macro_export]
macro_rules! conformance_tests {
    ($engine:expr) => {
        $crate::conformance_tests! { $engine, when true }
    };
    ($engine:expr, when $is_there:expr) => {
        $crate::conformance_tests! { $engine, when $is_there;
            saving: [
                a_new_event_is_stored_and_served_unchanged,
                the_same_event_again_is_a_duplicate,
                the_same_event_twice_in_a_batch_is_a_duplicate,
                ephemeral_events_are_not_stored,
                outcomes_stand_in_the_order_of_the_batch,
                an_empty_batch_is_no_work,
                contains_says_of_each_id_whether_it_is_stored,
                large_events_are_served_unchanged,
                the_earliest_and_the_latest_time_are_stored,
                who_saves_at_once_is_told_his_own_outcomes,
                status_counts_events,
            ],
            replacing: [
                a_newer_version_takes_the_place_of_an_older,
                an_older_version_is_superseded,
                in_the_same_second_the_lower_id_stays,
                a_replaced_version_does_not_come_back,
                authors_and_kinds_do_not_replace_each_other,
                a_replaceable_event_has_one_address_whatever_its_d_tag,
                addressable_events_are_told_apart_by_their_d_tag,
                a_missing_d_tag_is_an_empty_one,
                only_the_first_d_tag_counts,
                regular_events_are_never_replaced,
            ],
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
            removal: [
                removed_events_are_gone_and_counted,
                with_a_tombstone_an_event_stays_refused,
                an_operators_request_takes_what_it_names_whoever_wrote_it,
                without_a_tombstone_an_event_may_come_back,
                an_unseen_id_with_a_tombstone_is_refused,
                a_tombstone_can_be_lifted,
                anything_can_be_removed,
                a_deleted_address_may_be_taken_by_what_is_newer,
                a_removed_version_frees_its_address,
            ],
            batches: [a_batch_is_worth_the_same_as_its_events_one_by_one],
            expiration: [
                expired_events_are_refused,
                events_are_served_until_they_expire,
            ],
            queries: [
                each_part_of_a_filter_narrows_the_answer,
                every_tag_asked_for_must_be_there,
                values_with_escapes_are_found,
                values_and_letters_are_exact,
                authors_are_told_apart_to_the_last_byte,
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
            hidden_authors: [
                their_events_are_withheld_from_readers_and_not_from_operators,
                who_is_hidden_holds_at_once_and_until_taken_back,
                they_do_not_use_up_the_limit,
                private_kinds_stay_private_beside_them,
                there_may_be_thousands,
            ],
            counting: [
                counts_are_what_queries_give,
                limits_do_not_bear_on_counts,
                what_several_filters_find_counts_once,
                private_kinds_count_for_their_parties_only,
                replaced_and_deleted_events_do_not_count,
            ],
            serials: [
                they_rise_from_one,
                they_are_not_used_again,
                refused_events_have_none,
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
            history: [random_histories_end_as_in_memory],
        }
    };
    ($engine:expr; $($rules:tt)*) => {
        $crate::conformance_tests! { $engine, when true; $($rules)* }
    };
    ($engine:expr, when $is_there:expr; $($topic:ident: [$($rule:ident),* $(,)?],)*) => {
        $(
            mod $topic {
                $(
                    #[tokio::test]
                    async fn $rule() {
                        if $is_there {
                            $crate::conformance::$topic::$rule(&$engine).await;
                        }
                    }
                )*
            }
        )*
    };
}
