//! The rules of the seam, for every implementation.
//!
//! Each rule is an async function that asks an [`Engine`] for access control over a store of its own; its
//! name is the rule. [`conformance_tests!`](crate::conformance_tests) makes a test of each.

#![expect(missing_docs, reason = "the name of a rule says it all")]
#![expect(clippy::unwrap_used, reason = "rules are tests")]

mod people;
mod subject;

pub mod curating;
pub mod everywhere;
pub mod follows;
pub mod managed;
pub mod none;

pub use people::{ADMIN, ALICE, BOB, HERE, OWNER, keys, pubkey};
pub use subject::{Engine, Examined};

/// Makes a test of each rule for an engine: `conformance_tests!(crate::MyEngine)`.
#[macro_export]
macro_rules! conformance_tests {
    ($engine:expr) => {
        $crate::conformance_tests! { $engine;
            everywhere: [
                owners_and_admins_have_their_level_in_every_mode,
                peers_are_as_admins_until_they_are_replaced,
                the_mode_is_told,
                what_belongs_to_another_mode_is_refused,
            ],
            none: [everybody_writes_and_nobody_waits],
            follows: [
                those_write_whom_an_admin_follows,
                a_newer_list_takes_the_place_of_an_older,
                others_wait_longer_with_each_event,
            ],
            managed: [
                who_is_on_no_list_reads,
                who_is_allowed_writes_until_no_longer,
                who_is_banned_may_nothing_and_their_events_are_refused,
                allowing_and_banning_take_each_others_place,
                a_banned_event_is_removed_and_refused,
                only_allowed_kinds_are_taken_if_there_are_any,
                a_blocked_address_may_nothing,
                entries_are_listed_as_they_were_put,
                owners_cannot_be_banned,
            ],
            curating: [
                nothing_is_taken_before_a_configuration,
                the_configuration_is_told_as_it_was_published,
                newcomers_are_counted,
                who_is_blacklisted_is_refused_and_hidden,
                spam_is_refused_until_it_is_unmarked,
                an_address_that_floods_is_banned,
                authors_are_counted_and_listed,
            ],
        }
    };
    ($engine:expr; $($topic:ident: [$($rule:ident),* $(,)?],)*) => {
        $(
            mod $topic {
                $(
                    #[tokio::test(flavor = "multi_thread")]
                    async fn $rule() {
                        $crate::conformance::$topic::$rule(&$engine).await;
                    }
                )*
            }
        )*
    };
}
