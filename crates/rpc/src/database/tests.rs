//! The service in this process, over LMDB and a socket.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::conformance::DatabaseEngine;
use super::conformance::querying::BATCH;
use super::{Database, DatabaseOptions, DatabaseParts};
use crate::proto::orlyacl::v1 as acl_proto;
use crate::proto::orlydb::v1 as proto;
use crate::{AclServer, Address, Listener, Readiness, Server, Service};
use acl_proto::acl_service_client::AclServiceClient;
use proto::database_service_client::DatabaseServiceClient;

struct InProcess;

struct House {
    _shutdown: DropGuard,
    _directory: TempDir,
}

#[async_trait]
impl DatabaseEngine for InProcess {
    async fn fresh(&self) -> (Address, Box<dyn Any + Send>) {
        start(|_| None).await
    }
}

/// Starts the service, and beside it one over the same store.
async fn start(
    beside: impl FnOnce(Arc<LmdbStore>) -> Option<Service>,
) -> (Address, Box<dyn Any + Send>) {
    let directory = TempDir::new().unwrap();
    let store = Arc::new(LmdbStore::open(Options::new(directory.path()), vec![]).unwrap());
    let readiness = Readiness::new();
    let parts = DatabaseParts {
        store: Arc::clone(&store) as _,
        serials: Arc::clone(&store) as _,
        markers: Arc::clone(&store) as _,
        readiness: readiness.clone(),
        set_log_level: Box::new(|level| level == "info"),
    };
    let options = DatabaseOptions {
        directory: directory.path().to_owned(),
        stream_batch: BATCH,
        max_concurrent_queries: 1,
        query_cache_bytes: 1 << 20,
        query_cache_age: Duration::from_secs(60),
    };
    let database = Arc::new(Database::new(parts, options));
    let address = Address::Unix(directory.path().join("db.sock"));
    let listener = Listener::bind(&address).await.unwrap();
    let shutdown = CancellationToken::new();
    let mut server = Server::new(readiness.clone(), shutdown.clone()).with(database.service());
    if let Some(service) = beside(store) {
        server = server.with(service);
    }
    tokio::spawn(server.run(listener));
    readiness.set(true);
    let house = House { _shutdown: shutdown.drop_guard(), _directory: directory };
    (address, Box::new(house))
}

crate::database_conformance_tests!(super::InProcess);

/// Access control of the mode none, as a service.
fn access_control(store: Arc<LmdbStore>) -> Option<Service> {
    let settings = acl::Settings {
        mode: acl::Mode::None,
        owners: vec![],
        admins: vec![],
        auth_required: false,
        follows: acl::FollowsSettings::default(),
    };
    let local = Arc::new(acl::LocalAcl::new(settings, Arc::clone(&store) as _));
    Some(AclServer::new(local, store, Readiness::new()).into_service())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_access_control_is_told_of_subscribers_the_database_knows_and_the_other_way_round() {
    let (address, _house) = start(access_control).await;
    let mut database = DatabaseServiceClient::new(address.connect());
    let mut access = AclServiceClient::new(address.connect());
    let [alice, bob] = [1, 2].map(|byte| event::Pubkey::new([byte; 32]).to_string());
    let request = acl_proto::SubscribeRequest {
        pubkey: alice.clone(),
        expires_at: i64::MAX,
        invoice_hash: "h".into(),
        alias: "Alice".into(),
    };
    access.subscribe_pubkey(request).await.unwrap();
    let request = proto::GetPaidSubscriptionRequest { pubkey_hex: alice.clone() };
    let paid = database.get_paid_subscription(request).await.unwrap().into_inner();
    assert_eq!((&*paid.alias, &*paid.invoice_hash, paid.expires_at), ("alice", "h", i64::MAX));
    let claim = proto::ClaimAliasRequest { alias: "alice".into(), pubkey_hex: bob.clone() };
    let taken = database.claim_alias(claim).await.unwrap_err();
    assert_eq!(taken.code(), tonic::Code::AlreadyExists);
    let claim = proto::ClaimAliasRequest { alias: "bob".into(), pubkey_hex: bob.clone() };
    database.claim_alias(claim).await.unwrap();
    let request = acl_proto::AliasRequest { alias: "bob".into() };
    let holder = access.get_pubkey_by_alias(request).await.unwrap().into_inner();
    assert_eq!(holder.pubkey, bob);
    let subscription = proto::PaidSubscriptionMsg {
        pubkey_hex: bob.clone(),
        alias: String::new(),
        expires_at: i64::MAX,
        created_at: 100,
        invoice_hash: "i".into(),
    };
    database.save_paid_subscription(subscription).await.unwrap();
    let of = || acl_proto::PubkeyRequest { pubkey: bob.clone() };
    assert!(access.is_subscribed(of()).await.unwrap().into_inner().value);
    let found = access.get_subscription(of()).await.unwrap().into_inner();
    assert_eq!((&*found.alias, found.created_at), ("bob", 100));
    let request = proto::DeletePaidSubscriptionRequest { pubkey_hex: bob.clone() };
    database.delete_paid_subscription(request).await.unwrap();
    assert!(!access.is_subscribed(of()).await.unwrap().into_inner().value);
}
