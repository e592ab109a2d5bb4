//! The table of all calls. Each is a method of [`Database`] of the same name, which takes the message
//! and returns the message; what gRPC wraps around them is here.

use tonic::{Request, Response, Status, Streaming};

use super::Database;
use super::streaming::Answer;
use crate::proto::orlydb::v1::database_service_server::DatabaseService;
use crate::proto::orlydb::v1::{
    self as proto, Empty, EventBatch, ExportChunk, ExportRequest,
    QueryDeleteEventsByTargetIdRequest, QueryEventsRequest, QueryEventsWithOptionsRequest,
};

/// Logs what came of a call, and wraps the answer.
fn told<T>(call: &'static str, answer: Result<T, Status>) -> Result<Response<T>, Status> {
    match &answer {
        Ok(_) => tracing::debug!(call, "answered"),
        Err(status) => {
            tracing::debug!(call, code = ?status.code(), text = status.message(), "refused");
        }
    }
    answer.map(Response::new)
}

macro_rules! calls {
    (
        streams { $($stream:ident($question:ty) -> $item:ty as $answer:ident,)* }
        unary { $($call:ident($request:ty) -> $response:ty,)* }
    ) => {
        #[tonic::async_trait]
        impl DatabaseService for Database {
            $(
                type $answer = Answer<$item>;

                async fn $stream(
                    &self,
                    request: Request<$question>,
                ) -> Result<Response<Answer<$item>>, Status> {
                    let answer = Database::$stream(self, request.into_inner()).await;
                    told(stringify!($stream), answer)
                }
            )*

            $(
                async fn $call(
                    &self,
                    request: Request<$request>,
                ) -> Result<Response<$response>, Status> {
                    let answer = Database::$call(self, request.into_inner()).await;
                    told(stringify!($call), answer)
                }
            )*

            async fn import(
                &self,
                request: Request<Streaming<proto::ImportChunk>>,
            ) -> Result<Response<proto::ImportResponse>, Status> {
                told("import", Database::import(self, request.into_inner()).await)
            }
        }
    };
}

calls! {
    streams {
        query_events(QueryEventsRequest) -> EventBatch as QueryEventsStream,
        query_all_versions(QueryEventsRequest) -> EventBatch as QueryAllVersionsStream,
        query_events_with_options(QueryEventsWithOptionsRequest) -> EventBatch
            as QueryEventsWithOptionsStream,
        query_delete_events_by_target_id(QueryDeleteEventsByTargetIdRequest) -> EventBatch
            as QueryDeleteEventsByTargetIdStream,
        export(ExportRequest) -> ExportChunk as ExportStream,
    }
    unary {
        get_path(Empty) -> proto::PathResponse,
        sync(Empty) -> Empty,
        ready(Empty) -> proto::ReadyResponse,
        set_log_level(proto::SetLogLevelRequest) -> Empty,
        save_event(proto::SaveEventRequest) -> proto::SaveEventResponse,
        get_serials_from_filter(proto::GetSerialsFromFilterRequest) -> proto::SerialList,
        would_replace_event(proto::WouldReplaceEventRequest) -> proto::WouldReplaceEventResponse,
        query_for_serials(proto::QueryEventsRequest) -> proto::SerialList,
        query_for_ids(proto::QueryEventsRequest) -> proto::IdPkTsList,
        count_events(proto::QueryEventsRequest) -> proto::CountEventsResponse,
        fetch_event_by_serial(proto::FetchEventBySerialRequest) -> proto::FetchEventBySerialResponse,
        fetch_events_by_serials(proto::FetchEventsBySerialRequest) -> proto::EventMap,
        get_serial_by_id(proto::GetSerialByIdRequest) -> proto::GetSerialByIdResponse,
        get_serials_by_ids(proto::GetSerialsByIdsRequest) -> proto::SerialMap,
        get_serials_by_range(proto::GetSerialsByRangeRequest) -> proto::SerialList,
        get_full_id_pubkey_by_serial(proto::GetFullIdPubkeyBySerialRequest) -> proto::IdPkTs,
        get_full_id_pubkey_by_serials(proto::GetFullIdPubkeyBySerialsRequest) -> proto::IdPkTsList,
        delete_event(proto::DeleteEventRequest) -> Empty,
        delete_event_by_serial(proto::DeleteEventBySerialRequest) -> Empty,
        delete_expired(Empty) -> Empty,
        process_delete(proto::ProcessDeleteRequest) -> Empty,
        check_for_deleted(proto::CheckForDeletedRequest) -> Empty,
        import_events_from_strings(proto::ImportEventsFromStringsRequest) -> proto::ImportResponse,
        get_relay_identity_secret(Empty) -> proto::GetRelayIdentitySecretResponse,
        set_relay_identity_secret(proto::SetRelayIdentitySecretRequest) -> Empty,
        get_or_create_relay_identity_secret(Empty) -> proto::GetRelayIdentitySecretResponse,
        set_marker(proto::SetMarkerRequest) -> Empty,
        get_marker(proto::GetMarkerRequest) -> proto::GetMarkerResponse,
        has_marker(proto::HasMarkerRequest) -> proto::HasMarkerResponse,
        delete_marker(proto::DeleteMarkerRequest) -> Empty,
        get_subscription(proto::GetSubscriptionRequest) -> proto::Subscription,
        is_subscription_active(proto::IsSubscriptionActiveRequest) -> proto::IsSubscriptionActiveResponse,
        extend_subscription(proto::ExtendSubscriptionRequest) -> Empty,
        record_payment(proto::RecordPaymentRequest) -> Empty,
        get_payment_history(proto::GetPaymentHistoryRequest) -> proto::PaymentList,
        extend_blossom_subscription(proto::ExtendBlossomSubscriptionRequest) -> Empty,
        get_blossom_storage_quota(proto::GetBlossomStorageQuotaRequest) -> proto::GetBlossomStorageQuotaResponse,
        is_first_time_user(proto::IsFirstTimeUserRequest) -> proto::IsFirstTimeUserResponse,
        save_paid_subscription(proto::PaidSubscriptionMsg) -> Empty,
        get_paid_subscription(proto::GetPaidSubscriptionRequest) -> proto::PaidSubscriptionMsg,
        delete_paid_subscription(proto::DeletePaidSubscriptionRequest) -> Empty,
        list_paid_subscriptions(Empty) -> proto::PaidSubscriptionList,
        claim_alias(proto::ClaimAliasRequest) -> Empty,
        get_alias_by_pubkey(proto::GetAliasByPubkeyRequest) -> proto::AliasResponse,
        get_pubkey_by_alias(proto::GetPubkeyByAliasRequest) -> proto::PubkeyResponse,
        is_alias_taken(proto::IsAliasTakenRequest) -> proto::IsAliasTakenResponse,
        add_nip43_member(proto::AddNip43MemberRequest) -> Empty,
        remove_nip43_member(proto::RemoveNip43MemberRequest) -> Empty,
        is_nip43_member(proto::IsNip43MemberRequest) -> proto::IsNip43MemberResponse,
        get_nip43_membership(proto::GetNip43MembershipRequest) -> proto::Nip43Membership,
        get_all_nip43_members(Empty) -> proto::PubkeyList,
        store_invite_code(proto::StoreInviteCodeRequest) -> Empty,
        validate_invite_code(proto::ValidateInviteCodeRequest) -> proto::ValidateInviteCodeResponse,
        delete_invite_code(proto::DeleteInviteCodeRequest) -> Empty,
        publish_nip43_membership_event(proto::PublishNip43MembershipEventRequest) -> Empty,
        get_cached_json(proto::GetCachedJsonRequest) -> proto::GetCachedJsonResponse,
        cache_marshaled_json(proto::CacheMarshaledJsonRequest) -> Empty,
        get_cached_events(proto::GetCachedEventsRequest) -> proto::GetCachedEventsResponse,
        cache_events(proto::CacheEventsRequest) -> Empty,
        invalidate_query_cache(Empty) -> Empty,
        record_event_access(proto::RecordEventAccessRequest) -> Empty,
        get_event_access_info(proto::GetEventAccessInfoRequest) -> proto::GetEventAccessInfoResponse,
        get_least_accessed_events(proto::GetLeastAccessedEventsRequest) -> proto::SerialList,
        save_blob(proto::SaveBlobRequest) -> Empty,
        save_blob_metadata(proto::SaveBlobMetadataRequest) -> Empty,
        get_blob(proto::GetBlobRequest) -> proto::GetBlobResponse,
        has_blob(proto::HasBlobRequest) -> proto::HasBlobResponse,
        delete_blob(proto::DeleteBlobRequest) -> Empty,
        list_blobs(proto::ListBlobsRequest) -> proto::ListBlobsResponse,
        get_blob_metadata(proto::GetBlobMetadataRequest) -> proto::BlobMetadata,
        get_total_blob_storage_used(proto::GetTotalBlobStorageUsedRequest) -> proto::GetTotalBlobStorageUsedResponse,
        save_blob_report(proto::SaveBlobReportRequest) -> Empty,
        list_all_blob_user_stats(Empty) -> proto::ListAllBlobUserStatsResponse,
        reconcile_blob_metadata(Empty) -> proto::ReconcileBlobMetadataResponse,
        list_all_blobs(Empty) -> proto::ListBlobsResponse,
        get_thumbnail(proto::GetThumbnailRequest) -> proto::GetThumbnailResponse,
        save_thumbnail(proto::SaveThumbnailRequest) -> Empty,
        event_ids_by_serial(proto::EventIdsBySerialRequest) -> proto::EventIdsBySerialResponse,
        run_migrations(Empty) -> Empty,
        execute_cypher_read(proto::CypherReadRequest) -> proto::CypherReadResponse,
    }
}
