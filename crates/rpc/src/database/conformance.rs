//! What every call of the service does, asked over gRPC, for whatever serves it.
//!
//! [`database_conformance_tests!`](crate::database_conformance_tests) makes a test of each rule.

#![expect(missing_docs, reason = "the name of a rule says it all")]
#![expect(clippy::unwrap_used, reason = "rules are tests")]

pub mod blobs;
pub mod deleting;
pub mod identity;
pub mod moving;
pub mod querying;
pub mod questions;
pub mod records;
pub mod saving;
pub mod serials;
pub mod traces;
pub mod upkeep;

use std::any::Any;

use async_trait::async_trait;
use event::{Draft, Event, Keys, Kind, Timestamp};
use prost::bytes::Bytes;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::Address;
use crate::proto::orlydb::v1 as proto;
use crate::proto::orlydb::v1::database_service_client::DatabaseServiceClient;

/// Starts services.
#[async_trait]
pub trait DatabaseEngine: Sync {
    /// A service on an empty store, and what has to live as long.
    async fn fresh(&self) -> (Address, Box<dyn Any + Send>);
}

/// A service under examination.
struct Subject {
    client: DatabaseServiceClient<Channel>,
    _keep: Box<dyn Any + Send>,
}

async fn fresh(engine: &dyn DatabaseEngine) -> Subject {
    let (address, keep) = engine.fresh().await;
    Subject { client: client(&address), _keep: keep }
}

fn client(address: &Address) -> DatabaseServiceClient<Channel> {
    DatabaseServiceClient::new(address.connect())
        .max_decoding_message_size(crate::DATABASE_MESSAGE_LIMIT)
        .max_encoding_message_size(crate::DATABASE_MESSAGE_LIMIT)
}

impl Subject {
    async fn save(&mut self, event: &Event) -> Result<bool, Status> {
        let event = Some(event.as_ref().into());
        let saved = self.client.save_event(proto::SaveEventRequest { event }).await?;
        Ok(saved.into_inner().exists)
    }

    async fn accepts(&mut self, events: &[&Event]) {
        for event in events {
            self.save(event).await.unwrap();
        }
    }

    /// The ids of the answer to a filter.
    async fn ids(&mut self, filter: proto::Filter) -> Vec<String> {
        let request = proto::QueryEventsRequest { filter: Some(filter) };
        let mut stream = self.client.query_events(request).await.unwrap().into_inner();
        let mut found = Vec::new();
        while let Some(batch) = stream.message().await.unwrap() {
            found.extend(
                batch
                    .events
                    .into_iter()
                    .map(|event| Event::try_from(event).unwrap().as_ref().id().to_string()),
            );
        }
        found
    }

    async fn holds(&mut self, events: &[&Event]) {
        let mut found = self.ids(proto::Filter::default()).await;
        let mut expected: Vec<String> = events.iter().map(|event| id(event)).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

fn keys(number: u8) -> Keys {
    Keys::from_secret([number; 32]).unwrap()
}

fn pubkey(number: u8) -> Bytes {
    Bytes::copy_from_slice(keys(number).pubkey().as_bytes())
}

fn event(author: u8, kind: u16, created_at: u64, tags: &[&[&str]], content: &str) -> Event {
    let strings = |tag: &&[&str]| tag.iter().copied().map(String::from).collect();
    keys(author).sign(&Draft {
        created_at: Timestamp::from_secs(created_at),
        kind: Kind::new(kind),
        tags: tags.iter().map(strings).collect(),
        content: content.to_owned(),
    })
}

fn note(author: u8, created_at: u64) -> Event {
    event(author, 1, created_at, &[], "a note")
}

fn id(event: &Event) -> String {
    event.as_ref().id().to_string()
}

fn raw_id(event: &Event) -> Bytes {
    Bytes::copy_from_slice(event.as_ref().id().as_bytes())
}

fn wire(event: &Event) -> Option<proto::Event> {
    Some(event.as_ref().into())
}

/// The call must fail like this.
#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T, Status>, code: Code, text: &str) {
    let status = result.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    assert!(status.message().contains(text), "{status:?}");
}

/// Makes a test of each rule for a service: `database_conformance_tests!(crate::MyEngine)`.
#[macro_export]
macro_rules! database_conformance_tests {
    ($engine:expr) => {
        $crate::database_conformance_tests! { $engine;
            saving: [
                a_new_event_is_stored_once,
                refusals_have_their_code_and_text,
                a_newer_version_replaces_and_says_so,
                what_its_author_did_not_sign_is_refused,
                what_is_no_event_is_named,
            ],
            querying: [
                answers_come_in_batches_newest_first,
                filters_narrow_the_answer_in_every_form,
                no_limit_and_a_limit_of_zero_differ,
                deletion_requests_are_left_out_when_asked,
                serials_ids_and_counts_agree_with_the_events,
                a_malformed_filter_is_named,
            ],
            serials: [
                events_are_found_by_serial_and_serials_by_id,
                ranges_of_serials_have_no_gaps_of_their_own,
                what_is_not_there_is_told_apart,
            ],
            deleting: [
                events_go_by_id_and_by_serial,
                a_request_takes_out_what_its_author_may,
                an_admins_request_takes_out_what_others_wrote,
                deleted_events_are_told_from_others,
            ],
            moving: [
                lines_are_imported_across_chunks_and_counted,
                an_export_is_imported_elsewhere,
                strings_are_imported_and_no_policy_is_pretended,
            ],
            identity: [
                the_secret_is_made_once_and_can_be_set,
                membership_is_published_in_the_relays_name,
            ],
            records: [
                markers_are_kept_and_those_of_the_service_are_out_of_reach,
                subscriptions_begin_with_a_trial_and_are_extended,
                payments_are_kept_in_order,
                paid_subscriptions_are_kept,
                aliases_belong_to_one_each,
                members_come_and_go,
                invite_codes_expire,
            ],
            blobs: [
                blobs_come_back_whole,
                a_blob_lives_as_long_as_an_owner,
                listings_and_sums_agree,
                lost_metadata_is_found_again,
                a_file_that_a_relay_put_down_goes_with_its_owner,
                thumbnails_come_back,
            ],
            upkeep: [
                the_service_tells_of_itself,
                answers_are_cached_until_the_store_changes,
                access_is_counted_once_a_connection,
                only_cypher_is_missing,
            ],
        }
    };
    ($engine:expr; $($topic:ident: [$($rule:ident),* $(,)?],)*) => {
        $(
            mod $topic {
                $(
                    #[tokio::test]
                    async fn $rule() {
                        $crate::database_conformance::$topic::$rule(&$engine).await;
                    }
                )*
            }
        )*
    };
}
