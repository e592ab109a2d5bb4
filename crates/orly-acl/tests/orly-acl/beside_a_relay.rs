//! A real relay asks the service, which is killed and comes back.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{Draft, Event, Keys, Kind, Pubkey, Timestamp, hex};
use nix::sys::signal::Signal;
use relay_client::{Connection, Options, PeerUrl, Verdict};
use rpc::ServiceHealth;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, PATIENCE, Running, beside};

const OWNER: u8 = 1;
const ALICE: u8 = 2;
static NEXT: AtomicU64 = AtomicU64::new(0);

fn keys(seed: u8) -> Keys {
    Keys::from_secret([seed; 32]).unwrap()
}

fn pubkey(seed: u8) -> Pubkey {
    keys(seed).pubkey()
}

fn event(author: u8, kind: u16, tags: &[[&str; 2]], content: &str) -> Event {
    keys(author).sign(&Draft {
        created_at: Timestamp::now(),
        kind: Kind::new(kind),
        tags: tags.iter().map(|tag| tag.map(String::from).to_vec()).collect(),
        content: content.into(),
    })
}

fn note(author: u8, content: &str) -> Event {
    event(author, 1, &[], content)
}

/// A relay and access control in processes of their own.
struct Appliance {
    house: House,
    mode: &'static str,
    db_type: &'static str,
    acl: Option<Running>,
    /// Where the relay listens.
    addr: String,
    _others: Vec<Running>,
}

impl Appliance {
    /// Starts the relay first: services may come in any order.
    async fn start(mode: &'static str, orly: &Path, db: Option<&Path>) -> Self {
        let house = House::new();
        let db_type = if db.is_some() { "grpc" } else { "badger" };
        let owner = pubkey(OWNER).to_string();
        let relay = house.start(
            orly,
            &[
                ("ORLY_LISTEN", "127.0.0.1"),
                ("ORLY_PORT", "0"),
                ("ORLY_DB_TYPE", db_type),
                ("ORLY_ACL_TYPE", "grpc"),
                ("ORLY_ACL_MODE", mode),
                ("ORLY_OWNERS", &owner),
            ],
        );
        let addr = address(&house).await;
        let mut others = vec![relay];
        others.extend(db.map(|db| house.start(db, &[])));
        let mut appliance = Self { house, mode, db_type, acl: None, addr, _others: others };
        let refused = appliance.try_publish(OWNER, &note(OWNER, "too early")).await;
        assert!(!refused.accepted && refused.reason.starts_with("error: "), "{refused:?}");
        appliance.start_acl().await;
        appliance
    }

    async fn start_acl(&mut self) {
        let owner = pubkey(OWNER).to_string();
        self.acl = Some(self.house.start_acl(&[
            ("ORLY_ACL_MODE", self.mode),
            ("ORLY_ACL_DB_TYPE", self.db_type),
            ("ORLY_OWNERS", &owner),
        ]));
        self.house.comes_to(|health| *health == ServiceHealth::Serving).await;
    }

    fn kill_acl(&mut self) {
        self.acl.take().unwrap().end(Signal::SIGKILL);
    }

    /// Publishes once, as somebody who authenticated.
    async fn try_publish(&self, who: u8, event: &Event) -> Verdict {
        let url: PeerUrl = format!("ws://{}", self.addr).parse().unwrap();
        let options = Options { keys: Some(keys(who)), ..Options::default() };
        let connection = Connection::open(&url, &options).await.unwrap();
        connection.publish(event.as_ref()).await.unwrap().await.unwrap()
    }

    /// Publishes until the answer is about the event, not about what is away.
    async fn publish(&self, who: u8, event: &Event) -> Verdict {
        let wait = async {
            loop {
                let verdict = self.try_publish(who, event).await;
                if !verdict.reason.starts_with("error: ") {
                    return verdict;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let answered = tokio::time::timeout(PATIENCE, wait).await;
        answered.unwrap_or_else(|_| panic!("{}", self.house.log("orly")))
    }

    /// A NIP-86 call by the owner.
    async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "method": method, "params": params }).to_string();
        let hash = hex::encode(&Sha256::digest(&body));
        let url = format!("http://{}/", self.addr);
        let tags = [["u", url.as_str()], ["method", "POST"], ["payload", hash.as_str()]];
        // Two calls in the same second are two tokens.
        let number = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let token = STANDARD.encode(event(OWNER, 27_235, &tags, &number).as_ref().to_json());
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/nostr+json+rpc\r\nAuthorization: Nostr {token}\r\n\r\n{body}",
            self.addr,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap()
    }
}

/// Waits until the relay says where it listens.
async fn address(house: &House) -> String {
    let wait = async {
        loop {
            let log = house.log("orly");
            let addr = log.split_once("listening addr=").map(|(_, rest)| rest.to_owned());
            if let Some(addr) = addr.and_then(|rest| rest.split(' ').next().map(Into::into)) {
                return addr;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, wait).await;
    found.unwrap_or_else(|_| panic!("{}", house.log("orly")))
}

async fn managed_mode_survives_a_killed_service(orly: &Path, db: Option<&Path>) {
    let mut appliance = Appliance::start("managed", orly, db).await;
    let refused = appliance.publish(ALICE, &note(ALICE, "a")).await;
    assert_eq!(refused.reason, "restricted: this pubkey may not publish here");
    assert!(appliance.publish(OWNER, &note(OWNER, "b")).await.accepted);
    let alice = pubkey(ALICE).to_string();
    let allowed = appliance.call("allowpubkey", json!([alice, "a friend"])).await;
    assert_eq!(allowed, json!({ "result": true }));
    assert!(appliance.publish(ALICE, &note(ALICE, "c")).await.accepted);
    appliance.kill_acl();
    let refused = appliance.try_publish(ALICE, &note(ALICE, "d")).await;
    assert_eq!(refused.reason, "error: access control is not reachable");
    let refused = appliance.call("listallowedpubkeys", json!([])).await;
    assert!(refused["error"].as_str().unwrap().contains("not reachable"), "{refused}");
    appliance.start_acl().await;
    assert!(appliance.publish(ALICE, &note(ALICE, "e")).await.accepted);
    let listed = appliance.call("listallowedpubkeys", json!([])).await;
    assert_eq!(listed["result"][0]["pubkey"], alice);
    appliance.call("banpubkey", json!([alice])).await;
    let refused = appliance.publish(ALICE, &note(ALICE, "f")).await;
    assert_eq!(refused.reason, "blocked: this pubkey is banned");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_managed_survives_a_killed_service() {
    let Some([orly]) = beside(["orly"]) else { return };
    managed_mode_survives_a_killed_service(&orly, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_managed_survives_a_killed_service_with_a_database_service() {
    let Some([orly, db]) = beside(["orly", "orly-db-badger"]) else { return };
    managed_mode_survives_a_killed_service(&orly, Some(&db)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_list_published_at_the_relay_reaches_the_service() {
    let Some([orly, db]) = beside(["orly", "orly-db-badger"]) else { return };
    let appliance = Appliance::start("follows", &orly, Some(&db)).await;
    let refused = appliance.publish(ALICE, &note(ALICE, "a")).await;
    assert_eq!(refused.reason, "restricted: this pubkey may not publish here");
    let alice = pubkey(ALICE).to_string();
    let list = event(OWNER, 3, &[["p", &alice]], "");
    assert!(appliance.publish(OWNER, &list).await.accepted);
    let wait = async {
        while !appliance.publish(ALICE, &note(ALICE, "b")).await.accepted {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the service reads the list");
}

#[tokio::test(flavor = "multi_thread")]
async fn curating_is_configured_through_the_relay() {
    let Some([orly, db]) = beside(["orly", "orly-db-badger"]) else { return };
    let appliance = Appliance::start("curating", &orly, Some(&db)).await;
    let refused = appliance.publish(ALICE, &note(ALICE, "a")).await;
    assert!(refused.reason.starts_with("blocked: this relay is not configured"), "{refused:?}");
    let tags = [["d", "curating-config"], ["kind", "1"], ["daily_limit", "1"]];
    assert!(appliance.publish(OWNER, &event(OWNER, 30_078, &tags, "")).await.accepted);
    assert!(appliance.publish(ALICE, &note(ALICE, "b")).await.accepted);
    let refused = appliance.publish(ALICE, &note(ALICE, "c")).await;
    assert_eq!(refused.reason, "rate-limited: newcomers may publish 1 events a day here");
    let configured = appliance.call("isconfigured", json!([])).await;
    assert_eq!(configured, json!({ "result": true }));
}
