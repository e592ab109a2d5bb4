//! The rules of the seam, for whoever answers clients.
//!
//! Each rule is an async function that asks a [`Host`] for fresh reconcilers; its name is the rule.
//! [`conformance_tests!`](crate::conformance_tests) makes a test of each.

#![expect(missing_docs, reason = "the name of a rule says it all")]
#![expect(clippy::unwrap_used, reason = "rules are tests")]

mod subject;

pub mod hostile;
pub mod sessions;
pub mod sets;

pub use subject::Subject;

use crate::SessionSettings;

/// Makes reconcilers of one kind.
#[async_trait::async_trait]
pub trait Host: Sync {
    /// A reconciler over an empty store, ready to answer.
    async fn fresh(&self, settings: SessionSettings) -> Subject;
}

/// Makes a test of each rule for a host: `conformance_tests!(crate::MyHost)`.
#[macro_export]
macro_rules! conformance_tests {
    ($host:expr) => {
        $crate::conformance_tests! { $host;
            sessions: [
                it_goes_on_until_each_side_knows_what_the_other_lacks,
                what_comes_in_meanwhile_does_no_harm,
                a_message_without_a_session_is_refused,
                a_closed_session_is_unknown,
                closing_what_is_not_open_is_no_error,
                opening_again_replaces_a_session,
                the_same_name_on_two_connections_is_two_sessions,
                names_may_be_any_text,
                a_connection_that_ends_takes_its_sessions_along,
                a_silent_session_ends,
                a_connection_has_so_many_sessions_at_most,
                there_are_so_many_sessions_at_most,
            ],
            sets: [
                each_part_of_a_filter_narrows_the_set,
                a_limit_does_not_bear_on_the_set,
                an_empty_list_is_an_empty_set,
                private_kinds_are_named_to_their_parties_only,
                hidden_authors_are_named_to_nobody_who_reads,
                a_set_that_is_too_large_is_refused_with_the_limit,
            ],
            hostile: [
                malformed_messages_end_the_session,
                a_malformed_first_message_opens_none,
                a_later_version_of_the_protocol_is_answered_by_ours,
                answers_keep_to_the_frame_size_limit,
            ],
        }
    };
    ($host:expr; $($topic:ident: [$($rule:ident),* $(,)?],)*) => {
        $(
            mod $topic {
                $(
                    #[tokio::test]
                    async fn $rule() {
                        $crate::conformance::$topic::$rule(&$host).await;
                    }
                )*
            }
        )*
    };
}
