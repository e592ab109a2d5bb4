use event::{Draft, Event, Keys};
use store::{EventStore, MemoryStore};

use super::*;
use crate::Entry;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn keys(seed: u8) -> Keys {
    Keys::from_secret([seed; 32]).unwrap()
}

fn pubkey(seed: u8) -> Pubkey {
    keys(seed).pubkey()
}

fn event(author: u8, kind: u16, at: u64, tags: &[[&str; 2]]) -> Event {
    let tags = tags.iter().map(|tag| tag.map(String::from).to_vec()).collect();
    let created_at = Timestamp::from_secs(at);
    let content = String::new();
    keys(author).sign(&Draft { created_at, kind: Kind::new(kind), tags, content })
}

fn config(author: u8, at: u64, more: &[[&str; 2]]) -> Event {
    let all = [&[["d", CONFIG_NAME], ["kind", "1"], ["ip_daily_limit", "3"]], more].concat();
    event(author, 30_078, at, &all)
}

/// Access control with owner 1.
fn curating(store: &Arc<MemoryStore>) -> Curating {
    let authorities = Arc::new(Authorities::new(&[pubkey(1)], &[]));
    Curating::new(authorities, Arc::clone(store) as _)
}

async fn configured(more: &[[&str; 2]]) -> Curating {
    let curating = curating(&Arc::new(MemoryStore::new(vec![])));
    curating.refresh().await.unwrap();
    curating.configure(config(1, 10, more)).await.unwrap();
    curating
}

fn entry(subject: Subject) -> Entry {
    Entry { subject, reason: String::new(), added: NOW, author: None }
}

fn check(curating: &Curating, event: &Event) -> String {
    let result = curating.check_policy(event.as_ref(), NOW).err();
    result.map(|rejection| rejection.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn nothing_but_the_configuration_is_taken_at_first() {
    let store = Arc::new(MemoryStore::new(vec![]));
    let curating = curating(&store);
    curating.refresh().await.unwrap();
    assert!(check(&curating, &event(1, 1, 1, &[])).starts_with("blocked: this relay is not"));
    assert!(check(&curating, &config(2, 10, &[])).starts_with("blocked: this relay is not"));
    let wrong = check(&curating, &config(1, 10, &[["kind", "x"]]));
    assert_eq!(wrong, "invalid: kind \"x\": expected a number up to 65535");
    let good = config(1, 10, &[]);
    assert_eq!(check(&curating, &good), "");
    store.save(vec![good.clone()]).await.unwrap();
    curating.on_stored(good.as_ref()).await;
    assert_eq!(check(&curating, &event(2, 1, 1, &[])), "");
    assert_eq!(check(&curating, &event(2, 7, 1, &[])), "blocked: kind 7 is not allowed here");
}

#[tokio::test]
async fn a_configuration_is_found_in_the_store_and_the_newest_counts() {
    let store = Arc::new(MemoryStore::new(vec![]));
    let others = event(2, 30_078, 99, &[["d", CONFIG_NAME], ["daily_limit", "9"]]);
    let newest = config(1, 20, &[["daily_limit", "7"]]);
    store.save(vec![config(1, 10, &[]), newest, others.clone()]).await.unwrap();
    let curating = curating(&store);
    curating.refresh().await.unwrap();
    assert_eq!(curating.config().unwrap().daily_limit, 7);
    curating.configure(config(1, 15, &[["daily_limit", "8"]])).await.unwrap();
    assert_eq!(curating.config().unwrap().daily_limit, 7, "an older one");
    assert!(curating.configure(others).await.is_err(), "not an owner's");
    assert!(curating.configure(event(1, 1, 30, &[])).await.is_err(), "no configuration");
}

#[tokio::test]
async fn newcomers_are_counted_and_trusted_authors_are_not() {
    let curating = configured(&[["daily_limit", "1"]]).await;
    let note = |author: u8, at: u64| event(author, 1, at, &[]);
    curating.put(List::TrustedPubkeys, entry(Subject::Pubkey(pubkey(3)))).await.unwrap();
    for author in [1, 3] {
        assert_eq!(check(&curating, &note(author, 1)), "");
        assert_eq!(check(&curating, &note(author, 2)), "");
    }
    assert_eq!(check(&curating, &note(2, 1)), "");
    let refused = check(&curating, &note(2, 2));
    assert_eq!(refused, "rate-limited: newcomers may publish 1 events a day here");
}

#[tokio::test]
async fn blacklisted_authors_and_spam_are_refused_and_hidden() {
    let curating = configured(&[]).await;
    assert!(curating.hidden_authors().is_empty());
    let blacklisted = entry(Subject::Pubkey(pubkey(4)));
    curating.put(List::BlacklistedPubkeys, blacklisted.clone()).await.unwrap();
    assert_eq!(check(&curating, &event(4, 1, 1, &[])), "blocked: its author is blacklisted");
    assert_eq!(curating.level(Some(pubkey(4)), HERE).await, Ok(AccessLevel::Banned));
    assert!(curating.hidden_authors().contains(&pubkey(4)));
    curating.put(List::TrustedPubkeys, blacklisted).await.unwrap();
    assert_eq!(curating.entries(List::BlacklistedPubkeys, NOW).unwrap(), []);
    assert!(curating.hidden_authors().is_empty());
    let spam = event(5, 1, 1, &[]);
    curating.put(List::SpamEvents, entry(Subject::Event(spam.as_ref().id()))).await.unwrap();
    assert_eq!(check(&curating, &spam), "blocked: this event is marked as spam");
    let own = entry(Subject::Pubkey(pubkey(1)));
    assert!(curating.put(List::BlacklistedPubkeys, own).await.is_err());
}

#[tokio::test]
async fn an_address_that_floods_is_banned_longer_each_time() {
    let curating = configured(&[]).await;
    let hour = 3600;
    let send = async |at: u64| {
        let now = Timestamp::from_secs(NOW.as_secs() + at);
        curating.check_address(Some(pubkey(2)), HERE, now).await.unwrap() == Verdict::Allowed
    };
    assert_eq!([send(0).await, send(0).await, send(0).await], [true; 3]);
    assert_eq!([send(0).await, send(hour - 1).await], [false; 2]);
    assert_eq!([send(hour).await, send(hour).await, send(hour).await], [true; 3]);
    assert_eq!(
        [send(hour).await, send(hour * 168).await, send(hour * 169).await],
        [false, false, true]
    );
    let trusted = entry(Subject::Pubkey(pubkey(2)));
    curating.put(List::TrustedPubkeys, trusted).await.unwrap();
    assert!(send(hour * 169).await);
}

#[tokio::test]
async fn a_ban_is_listed_and_can_be_lifted() {
    let curating = configured(&[["ip_daily_limit", "1"]]).await;
    let send = async || curating.check_address(None, HERE, NOW).await.unwrap();
    assert_eq!(send().await, Verdict::Allowed);
    assert!(matches!(send().await, Verdict::Refused(_)));
    let banned = curating.entries(List::BlockedIps, NOW).unwrap();
    assert_eq!(banned.iter().map(|entry| entry.subject).collect::<Vec<_>>(), [Subject::Ip(HERE)]);
    curating.remove(List::BlockedIps, Subject::Ip(HERE)).await.unwrap();
    assert_eq!(curating.entries(List::BlockedIps, NOW).unwrap(), []);
    assert_eq!(send().await, Verdict::Allowed);
}

#[tokio::test]
async fn authors_nobody_decided_about_are_listed_by_events() {
    let store = Arc::new(MemoryStore::new(vec![]));
    let notes = [(2, 5), (3, 6), (3, 7), (4, 8), (1, 9)];
    let notes: Vec<Event> = notes.iter().map(|(author, at)| event(*author, 1, *at, &[])).collect();
    store.save(notes).await.unwrap();
    let curating = curating(&store);
    curating.refresh().await.unwrap();
    curating.put(List::TrustedPubkeys, entry(Subject::Pubkey(pubkey(4)))).await.unwrap();
    assert_eq!(curating.scan().await.unwrap(), Census { pubkeys: 4, events: 5 });
    let found = curating.unclassified(1, 0).await.unwrap();
    assert_eq!((found.total, found.users[0].pubkey, found.users[0].events), (2, pubkey(3), 2));
    assert_eq!(found.users[0].first_seen, Timestamp::from_secs(6));
    assert_eq!(curating.unclassified(9, 1).await.unwrap().users[0].pubkey, pubkey(2));
}

#[tokio::test]
async fn a_restart_does_not_begin_the_day_anew() {
    let store = Arc::new(MemoryStore::new(vec![]));
    let now = Timestamp::now();
    let mut lets_in = Vec::new();
    for _ in 0..3 {
        let curating = curating(&store);
        let limits = [["daily_limit", "2"], ["ip_daily_limit", "2"]];
        curating.configure(config(1, 10, &limits)).await.unwrap();
        curating.refresh().await.unwrap();
        let note = event(2, 1, 1, &[]);
        let policy = curating.check_policy(note.as_ref(), now).is_ok();
        let address = curating.check_address(None, HERE, now).await.unwrap();
        lets_in.push((policy, address == Verdict::Allowed));
        curating.keep_counts(now).await.unwrap();
    }
    assert_eq!(lets_in, [(true, true), (true, true), (false, false)]);
}
