//! The service over a real socket, as relays of ours and of the original ask it.

mod decisions;

use std::sync::Arc;
use std::time::Duration;

use acl::conformance::{ALICE, BOB, Engine, Examined, HERE, OWNER, pubkey};
use acl::{AccessControl, AccessLevel, AclStore, FollowsSettings, List, LocalAcl, Mode, Settings};
use async_trait::async_trait;
use event::{Prefix, Rejection};
use store::MemoryStore;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::failure::{from_status, rejection};
use crate::proto::orlyacl::v1 as proto;
use crate::{AclServer, Address, Listener, Readiness, RemoteAcl, Server};
use proto::acl_service_client::AclServiceClient;

const PATIENCE: Duration = Duration::from_secs(15);

/// A running service.
struct Running {
    address: Address,
    readiness: Readiness,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl Running {
    async fn start(address: &str, settings: Settings, store: Arc<dyn AclStore>) -> Self {
        let acl = Arc::new(LocalAcl::new(settings, Arc::clone(&store)));
        acl.refresh().await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&acl).run(stop.clone()));
        let readiness = Readiness::new();
        readiness.set(true);
        let service = AclServer::new(acl, store, readiness.clone()).into_service();
        let listener = Listener::bind(&address.parse().unwrap()).await.unwrap();
        let address = listener.address().unwrap();
        let server = Server::new(readiness.clone(), stop.clone()).with(service);
        let server = tokio::spawn(async move { server.run(listener).await.unwrap() });
        Self { address, readiness, stop, server }
    }

    fn client(&self) -> AclServiceClient<Channel> {
        AclServiceClient::new(self.address.connect())
    }

    async fn end(self) {
        self.stop.cancel();
        self.server.await.unwrap();
    }
}

fn settings(mode: Mode) -> Settings {
    Settings {
        mode,
        owners: vec![pubkey(OWNER)],
        admins: vec![],
        auth_required: false,
        follows: FollowsSettings::default(),
    }
}

fn memory() -> Arc<dyn AclStore> {
    Arc::new(MemoryStore::new(vec![]))
}

/// A client that keeps up by itself.
fn remote(address: &Address, mode: Mode) -> (Arc<RemoteAcl>, DropGuard) {
    let remote = Arc::new(RemoteAcl::new(address, PATIENCE, mode));
    let stop = CancellationToken::new();
    tokio::spawn(Arc::clone(&remote).run(stop.clone()));
    (remote, stop.drop_guard())
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never {what}"));
}

async fn comes_up(remote: &RemoteAcl) {
    let wait = async {
        while !remote.is_ready() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the service is found");
}

struct OverGrpc;

#[async_trait]
impl Engine for OverGrpc {
    async fn fresh(&self, settings: Settings) -> Examined {
        let store = Arc::new(MemoryStore::new(vec![]));
        let mode = settings.mode;
        let running = Running::start("127.0.0.1:0", settings, Arc::clone(&store) as _).await;
        let (remote, stop) = remote(&running.address, mode);
        comes_up(&remote).await;
        let keep = Box::new((stop, running.stop.clone().drop_guard()));
        Examined { access: Arc::clone(&remote) as _, management: remote, store, keep }
    }
}

acl::conformance_tests!(crate::access::tests::OverGrpc);

#[tokio::test(flavor = "multi_thread")]
async fn while_the_service_is_away_nobody_may_do_anything_and_then_all_returns() {
    let store = memory();
    let running = Running::start("127.0.0.1:0", settings(Mode::Managed), Arc::clone(&store)).await;
    let address = running.address.clone();
    let (remote, _stop) = remote(&address, Mode::Managed);
    assert_eq!(remote.level(None, HERE).await, Err(away()), "it was not asked yet");
    until("ready", async || remote.is_ready()).await;
    assert_eq!(remote.level(None, HERE).await, Ok(AccessLevel::Read));
    let before = remote.revision();
    running.end().await;
    until("away", async || remote.level(None, HERE).await == Err(away())).await;
    until("known to be away", async || !remote.is_ready()).await;
    assert!(remote.revision() != before, "what was learned no longer holds");
    let note = event_of(ALICE);
    assert_eq!(remote.check(note.as_ref(), HERE).await, Err(away()));
    let running = Running::start(&address.to_string(), settings(Mode::Managed), store).await;
    until("back", async || remote.level(None, HERE).await == Ok(AccessLevel::Read)).await;
    assert_eq!(remote.check(note.as_ref(), HERE).await, Ok(()));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_ready_is_not_asked() {
    let running = Running::start("127.0.0.1:0", settings(Mode::None), memory()).await;
    running.readiness.set(false);
    let ready = running.client().ready(proto::Empty {}).await.unwrap().into_inner().ready;
    assert!(!ready);
    let (remote, _stop) = remote(&running.address, Mode::None);
    running.readiness.set(true);
    until("ready", async || remote.is_ready()).await;
    running.readiness.set(false);
    until("not ready", async || !remote.is_ready()).await;
    assert_eq!(remote.level(Some(pubkey(OWNER)), HERE).await, Err(away()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mode_is_the_services_whatever_was_expected() {
    let running = Running::start("127.0.0.1:0", settings(Mode::Curating), memory()).await;
    let (remote, _stop) = remote(&running.address, Mode::None);
    until("ready", async || remote.is_ready()).await;
    assert_eq!(remote.mode(), Mode::Curating);
    let mut client = running.client();
    let info = client.get_acl_info(proto::Empty {}).await.unwrap().into_inner();
    assert_eq!(info.name, "curating");
    assert!(info.documentation.contains("curating-config"), "{info:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_and_aliases_are_kept_in_every_mode() {
    let store = memory();
    let running = Running::start("127.0.0.1:0", settings(Mode::None), Arc::clone(&store)).await;
    let mut client = running.client();
    let (alice, bob) = (pubkey(ALICE).to_string(), pubkey(BOB).to_string());
    let subscribe = |pubkey: &str, alias: &str| proto::SubscribeRequest {
        pubkey: pubkey.into(),
        expires_at: i64::MAX,
        invoice_hash: "h".into(),
        alias: alias.into(),
    };
    let of = |pubkey: &str| proto::PubkeyRequest { pubkey: pubkey.into() };
    let missing = client.get_subscription(of(&alice)).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    client.subscribe_pubkey(subscribe(&alice, "alice")).await.unwrap();
    let taken = client.subscribe_pubkey(subscribe(&bob, "Alice")).await.unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists);
    assert!(!client.is_subscribed(of(&bob)).await.unwrap().into_inner().value);
    let found = client.get_subscription(of(&alice)).await.unwrap().into_inner();
    assert_eq!((&*found.alias, found.has_alias, found.expires_at), ("alice", true, i64::MAX));
    running.end().await;
    let running = Running::start("127.0.0.1:0", settings(Mode::None), store).await;
    let mut client = running.client();
    assert!(client.is_subscribed(of(&alice)).await.unwrap().into_inner().value);
    let alias = |alias: &str| proto::AliasRequest { alias: alias.into() };
    let holder = client.get_pubkey_by_alias(alias("alice")).await.unwrap().into_inner();
    assert_eq!(holder.pubkey, alice);
    assert!(client.is_alias_taken(alias("ALICE")).await.unwrap().into_inner().value);
    assert_eq!(client.get_alias_by_pubkey(of(&bob)).await.unwrap().into_inner().alias, "");
    let claim = proto::ClaimAliasRequest { alias: "a b".into(), pubkey: bob };
    assert_eq!(client.claim_alias(claim).await.unwrap_err().code(), Code::InvalidArgument);
    client.unsubscribe_pubkey(of(&alice)).await.unwrap();
    assert!(!client.is_subscribed(of(&alice)).await.unwrap().into_inner().value);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_answers_its_own_calls_only() {
    for mode in Mode::ALL {
        let running = Running::start("127.0.0.1:0", settings(mode), memory()).await;
        let mut client = running.client();
        let code = |result: Result<_, Status>| result.err().map(|status| status.code());
        let expected = |is_own: bool| (!is_own).then_some(Code::FailedPrecondition);
        let follows = code(client.get_followed_pubkeys(proto::Empty {}).await.map(drop));
        assert_eq!(follows, expected(mode == Mode::Follows), "{mode}");
        let relays = code(client.get_admin_relays(proto::Empty {}).await.map(drop));
        assert_eq!(relays, expected(mode == Mode::Follows), "{mode}");
        let banned = code(client.list_banned_pubkeys(proto::Empty {}).await.map(drop));
        assert_eq!(banned, expected(mode == Mode::Managed), "{mode}");
        let ips = code(client.list_blocked_i_ps(proto::Empty {}).await.map(drop));
        assert_eq!(ips, expected(mode.is_managed()), "{mode}");
        let of = proto::DeleteEventsForPubkeyRequest { pubkey: pubkey(ALICE).to_string() };
        let deleted = code(client.delete_events_for_pubkey(of).await.map(drop));
        assert_eq!(deleted, expected(mode == Mode::Curating), "{mode}");
        let ip = HERE.to_string();
        let request = proto::RateLimitCheckRequest { pubkey: pubkey(ALICE).to_string(), ip };
        let rate = code(client.rate_limit_check(request).await.map(drop));
        assert_eq!(rate, expected(mode == Mode::Curating), "{mode}");
        let configured = code(client.is_curating_configured(proto::Empty {}).await.map(drop));
        assert_eq!(configured, expected(mode == Mode::Curating), "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_an_invalid_argument() {
    let running = Running::start("127.0.0.1:0", settings(Mode::Managed), memory()).await;
    let mut client = running.client();
    let mut codes = Vec::new();
    let pubkey = proto::BanPubkeyRequest { pubkey: "x".into(), reason: String::new() };
    codes.push(client.ban_pubkey(pubkey).await.unwrap_err().code());
    let event = proto::BanEventRequest { event_id: "ab".into(), reason: String::new() };
    codes.push(client.ban_event(event).await.unwrap_err().code());
    let kind = proto::AllowKindRequest { kind: 70_000 };
    codes.push(client.allow_kind(kind).await.unwrap_err().code());
    let ip = proto::BlockIpRequest { ip: "10.1".into(), reason: String::new() };
    codes.push(client.block_ip(ip).await.unwrap_err().code());
    let level = proto::AccessLevelRequest { pubkey: vec![1, 2].into(), address: String::new() };
    codes.push(client.get_access_level(level).await.unwrap_err().code());
    let policy = proto::PolicyCheckRequest { event: None };
    codes.push(client.check_policy(policy).await.unwrap_err().code());
    assert_eq!(codes, [Code::InvalidArgument; 6]);
    let peer_pubkeys = vec![vec![1; 32].into(), vec![].into()];
    let peers = proto::UpdatePeerAdminsRequest { peer_pubkeys };
    let refused = client.update_peer_admins(peers).await.unwrap_err();
    assert_eq!(refused.message(), "invalid: peer_pubkeys: expected 32 bytes, found 0");
}

/// Relays of the original name a client with its port.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_at_its_address_whatever_its_port_is() {
    let running = Running::start("127.0.0.1:0", settings(Mode::Managed), memory()).await;
    let mut client = running.client();
    for ip in ["192.0.2.7", "2001:db8::7"] {
        let block = proto::BlockIpRequest { ip: ip.into(), reason: String::new() };
        client.block_ip(block).await.unwrap();
    }
    for (address, expected) in [
        ("192.0.2.7", "blocked"),
        ("192.0.2.7:50123", "blocked"),
        ("[2001:db8::7]:50123", "blocked"),
        ("192.0.2.8:50123", "read"),
        ("somewhere", "read"),
    ] {
        let request = proto::AccessLevelRequest { pubkey: vec![].into(), address: address.into() };
        let level = client.get_access_level(request).await.unwrap().into_inner().level;
        assert_eq!(level, expected, "{address}");
    }
}

/// The original has no lists where its store is remote, and says so.
#[test]
fn a_list_that_the_mode_has_is_refused_in_the_services_words() {
    let status = Status::failed_precondition("managed ACL database not available");
    let told = |mode, list| from_status(&status, mode, list).to_string();
    let own_words = "managed ACL database not available";
    assert_eq!(told(Mode::Managed, Some(List::BannedPubkeys)), own_words);
    assert_eq!(told(Mode::Curating, Some(List::BlockedIps)), own_words);
    assert_eq!(told(Mode::Curating, None), own_words);
    let wrong = told(Mode::Managed, Some(List::TrustedPubkeys));
    assert_eq!(wrong, "access control runs in mode managed, this needs curating (ORLY_ACL_MODE)");
}

#[test]
fn refusals_keep_their_prefix_and_get_one_if_they_have_none() {
    for (text, prefix, rest) in [
        ("blocked: its author is banned", Prefix::Blocked, "its author is banned"),
        ("rate-limited: too much", Prefix::RateLimited, "too much"),
        ("kind not allowed", Prefix::Blocked, "kind not allowed"),
        ("what: ever", Prefix::Blocked, "what: ever"),
        ("", Prefix::Blocked, "not allowed here"),
    ] {
        assert_eq!(rejection(text), Rejection::new(prefix, rest), "{text}");
    }
}

fn away() -> Rejection {
    Rejection::new(Prefix::Error, "access control is not reachable")
}

fn event_of(author: u8) -> event::Event {
    let draft = event::Draft {
        created_at: event::Timestamp::from_secs(1),
        kind: event::Kind::new(1),
        tags: vec![],
        content: String::new(),
    };
    acl::conformance::keys(author).sign(&draft)
}
