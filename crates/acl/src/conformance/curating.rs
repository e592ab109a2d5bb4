//! Mode curating.

use event::{Event, Kind, Prefix, Timestamp};

use super::people::{ALICE, BOB, OWNER, event, pubkey};
use super::subject::settings;
use crate::conformance::{Engine, Examined};
use crate::{AccessLevel, Census, List, ManagementError, Mode, Subject};

fn config(author: u8, more: &[[&str; 2]]) -> Event {
    let all = [&[["d", "curating-config"], ["kind", "1"]], more].concat();
    event(author, 30_078, 10, &all)
}

async fn fresh(engine: &dyn Engine) -> Examined {
    engine.fresh(settings(Mode::Curating)).await
}

async fn configured(engine: &dyn Engine, more: &[[&str; 2]]) -> Examined {
    let acl = fresh(engine).await;
    acl.management.configure(config(OWNER, more)).await.unwrap();
    acl
}

fn note(author: u8, at: u64) -> Event {
    event(author, 1, at, &[])
}

pub async fn nothing_is_taken_before_a_configuration(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    assert_eq!(acl.refusal(&note(OWNER, 1)).await, Some(Prefix::Blocked));
    assert_eq!(acl.refusal(&note(ALICE, 1)).await, Some(Prefix::Blocked));
    assert_eq!(acl.refusal(&config(ALICE, &[])).await, Some(Prefix::Blocked));
    assert_eq!(acl.management.config().await.unwrap(), None);
    let own = config(OWNER, &[]);
    assert_eq!(acl.refusal(&own).await, None);
    acl.stores(&own).await;
    assert_eq!(acl.refusal(&note(ALICE, 1)).await, None);
    assert_eq!(acl.refusal(&event(ALICE, 7, 1, &[])).await, Some(Prefix::Blocked));
}

pub async fn the_configuration_is_told_as_it_was_published(engine: &dyn Engine) {
    let tags = [["kind_range", "5-9"], ["kind_category", "dm"], ["daily_limit", "9"]];
    let acl = configured(engine, &tags).await;
    let found = acl.management.config().await.unwrap().unwrap();
    assert_eq!((found.daily_limit, found.ip_daily_limit), (9, 500));
    assert_eq!((found.first_ban_hours, found.second_ban_hours), (1, 168));
    assert_eq!((found.author, found.configured_at), (pubkey(OWNER), Timestamp::from_secs(10)));
    assert_eq!((found.kinds, found.ranges), (vec![Kind::new(1)], vec![(5, 9)]));
    assert_eq!(found.categories, ["dm"]);
    let others = acl.management.configure(config(ALICE, &[])).await;
    assert!(matches!(others, Err(ManagementError::Invalid(_))), "{others:?}");
}

pub async fn newcomers_are_counted(engine: &dyn Engine) {
    let acl = configured(engine, &[["daily_limit", "2"]]).await;
    acl.puts(List::TrustedPubkeys, Subject::Pubkey(pubkey(BOB))).await;
    for at in 1..3 {
        assert_eq!(acl.refusal(&note(ALICE, at)).await, None);
        assert_eq!(acl.refusal(&note(BOB, at)).await, None);
    }
    assert_eq!(acl.refusal(&note(ALICE, 3)).await, Some(Prefix::RateLimited));
    assert_eq!(acl.refusal(&note(BOB, 3)).await, None);
    assert_eq!(acl.refusal(&note(OWNER, 3)).await, None);
}

pub async fn who_is_blacklisted_is_refused_and_hidden(engine: &dyn Engine) {
    let acl = configured(engine, &[]).await;
    assert!(acl.access.hidden_authors().is_empty());
    let (by_alice, by_bob) = (note(ALICE, 1), note(BOB, 1));
    acl.stores(&by_alice).await;
    acl.stores(&by_bob).await;
    acl.shows(&[&by_alice, &by_bob]).await;
    acl.puts(List::BlacklistedPubkeys, Subject::Pubkey(pubkey(ALICE))).await;
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Banned);
    assert_eq!(acl.refusal(&note(ALICE, 1)).await, Some(Prefix::Blocked));
    assert!(acl.access.hidden_authors().contains(&pubkey(ALICE)));
    acl.shows(&[&by_bob]).await;
    acl.management.remove(List::BlacklistedPubkeys, Subject::Pubkey(pubkey(ALICE))).await.unwrap();
    assert!(acl.access.hidden_authors().is_empty());
    acl.shows(&[&by_alice, &by_bob]).await;
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Write);
}

pub async fn spam_is_refused_until_it_is_unmarked(engine: &dyn Engine) {
    let acl = configured(engine, &[]).await;
    let spam = note(ALICE, 1);
    let subject = Subject::Event(spam.as_ref().id());
    let mut entry = super::subject::entry(subject);
    entry.author = Some(pubkey(ALICE));
    acl.management.put(List::SpamEvents, entry).await.unwrap();
    assert_eq!(acl.refusal(&spam).await, Some(Prefix::Blocked));
    let found = acl.management.entries(List::SpamEvents).await.unwrap();
    assert_eq!((found[0].subject, found[0].author), (subject, Some(pubkey(ALICE))));
    acl.management.remove(List::SpamEvents, subject).await.unwrap();
    assert_eq!(acl.refusal(&spam).await, None);
}

pub async fn an_address_that_floods_is_banned(engine: &dyn Engine) {
    let acl = configured(engine, &[["ip_daily_limit", "2"]]).await;
    assert_eq!(acl.refusal(&note(ALICE, 1)).await, None);
    assert_eq!(acl.refusal(&note(BOB, 1)).await, None);
    assert_eq!(acl.refusal(&note(BOB, 2)).await, Some(Prefix::RateLimited));
    assert_eq!(acl.level(None).await, AccessLevel::Blocked);
    assert_eq!(acl.level(Some(OWNER)).await, AccessLevel::Owner);
    let banned = acl.subjects(List::BlockedIps).await;
    acl.management.remove(List::BlockedIps, banned[0]).await.unwrap();
    assert_eq!(acl.level(None).await, AccessLevel::Write);
}

pub async fn authors_are_counted_and_listed(engine: &dyn Engine) {
    let acl = configured(engine, &[]).await;
    for (author, at) in [(ALICE, 1), (ALICE, 2), (BOB, 3)] {
        acl.stores(&note(author, at)).await;
    }
    let census = acl.management.scan().await.unwrap();
    assert_eq!(census, Census { pubkeys: 2, events: 3 });
    let found = acl.management.unclassified(1, 0).await.unwrap();
    assert_eq!((found.total, found.users[0].pubkey), (2, pubkey(ALICE)));
    assert_eq!((found.users[0].events, found.users[0].first_seen), (2, Timestamp::from_secs(1)));
    acl.puts(List::TrustedPubkeys, Subject::Pubkey(pubkey(ALICE))).await;
    let found = acl.management.unclassified(10, 0).await.unwrap();
    assert_eq!((found.total, found.users[0].pubkey), (1, pubkey(BOB)));
}
