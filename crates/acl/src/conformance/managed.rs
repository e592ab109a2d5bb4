//! Mode managed.

use event::{EventId, Kind, Prefix};

use super::people::{ALICE, BOB, HERE, OWNER, event, pubkey};
use super::subject::{entry, settings};
use crate::conformance::{Engine, Examined};
use crate::{AccessLevel, List, ManagementError, Mode, Subject};

async fn fresh(engine: &dyn Engine) -> Examined {
    engine.fresh(settings(Mode::Managed)).await
}

fn somebody(seed: u8) -> Subject {
    Subject::Pubkey(pubkey(seed))
}

pub async fn who_is_on_no_list_reads(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Read);
    assert_eq!(acl.level(None).await, AccessLevel::Read);
    assert_eq!(acl.refusal(&event(ALICE, 1, 1, &[])).await, None);
}

pub async fn who_is_allowed_writes_until_no_longer(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    let before = acl.access.revision();
    acl.puts(List::AllowedPubkeys, somebody(ALICE)).await;
    assert!(acl.access.revision() != before, "levels are asked again");
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Write);
    acl.management.remove(List::AllowedPubkeys, somebody(ALICE)).await.unwrap();
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Read);
    acl.management.remove(List::AllowedPubkeys, somebody(ALICE)).await.unwrap();
}

pub async fn who_is_banned_may_nothing_and_their_events_are_refused(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    acl.puts(List::BannedPubkeys, somebody(ALICE)).await;
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Banned);
    assert_eq!(acl.refusal(&event(ALICE, 1, 1, &[])).await, Some(Prefix::Blocked));
    assert_eq!(acl.refusal(&event(BOB, 1, 1, &[])).await, None);
}

pub async fn allowing_and_banning_take_each_others_place(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    acl.puts(List::BannedPubkeys, somebody(ALICE)).await;
    acl.puts(List::AllowedPubkeys, somebody(ALICE)).await;
    assert_eq!(acl.subjects(List::BannedPubkeys).await, []);
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Write);
}

pub async fn a_banned_event_is_removed_and_refused(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    let bad = event(ALICE, 1, 1, &[]);
    acl.stores(&bad).await;
    let id = bad.as_ref().id();
    acl.puts(List::BannedEvents, Subject::Event(id)).await;
    assert_eq!(acl.store.contains(&[id]).await.unwrap(), [false]);
    assert_eq!(acl.refusal(&bad).await, Some(Prefix::Blocked));
    acl.puts(List::AllowedEvents, Subject::Event(id)).await;
    acl.stores(&bad).await;
    assert_eq!(acl.store.contains(&[id]).await.unwrap(), [true]);
    assert_eq!(acl.refusal(&bad).await, None);
}

pub async fn only_allowed_kinds_are_taken_if_there_are_any(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    let kind = |number| Subject::Kind(Kind::new(number));
    acl.puts(List::AllowedKinds, kind(7)).await;
    acl.puts(List::AllowedKinds, kind(30_023)).await;
    assert_eq!(acl.subjects(List::AllowedKinds).await, [kind(7), kind(30_023)]);
    assert_eq!(acl.refusal(&event(ALICE, 1, 1, &[])).await, Some(Prefix::Blocked));
    assert_eq!(acl.refusal(&event(ALICE, 7, 1, &[])).await, None);
    acl.management.remove(List::AllowedKinds, kind(7)).await.unwrap();
    acl.management.remove(List::AllowedKinds, kind(30_023)).await.unwrap();
    assert_eq!(acl.refusal(&event(ALICE, 1, 1, &[])).await, None);
}

pub async fn a_blocked_address_may_nothing(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    acl.puts(List::BlockedIps, Subject::Ip(HERE)).await;
    assert_eq!(acl.level(None).await, AccessLevel::Blocked);
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Blocked);
    assert_eq!(acl.level(Some(OWNER)).await, AccessLevel::Owner);
    acl.puts(List::AllowedPubkeys, somebody(ALICE)).await;
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Write);
    acl.management.remove(List::BlockedIps, Subject::Ip(HERE)).await.unwrap();
    assert_eq!(acl.level(None).await, AccessLevel::Read);
}

pub async fn entries_are_listed_as_they_were_put(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    for (list, subject) in [
        (List::BannedPubkeys, somebody(ALICE)),
        (List::AllowedPubkeys, somebody(BOB)),
        (List::BannedEvents, Subject::Event(EventId::new([7; 32]))),
        (List::AllowedEvents, Subject::Event(EventId::new([8; 32]))),
        (List::BlockedIps, Subject::Ip("2001:db8::1".parse().unwrap())),
    ] {
        let put = entry(subject);
        acl.management.put(list, put.clone()).await.unwrap();
        let found = acl.management.entries(list).await.unwrap();
        assert_eq!((found.len(), found[0].subject), (1, subject));
        assert_eq!(found[0].reason, put.reason);
        assert!(found[0].added >= put.added, "{list:?}");
    }
}

pub async fn owners_cannot_be_banned(engine: &dyn Engine) {
    let acl = fresh(engine).await;
    let refused = acl.management.put(List::BannedPubkeys, entry(somebody(OWNER))).await;
    assert!(matches!(refused, Err(ManagementError::Invalid(_))), "{refused:?}");
    let mut long = entry(somebody(ALICE));
    long.reason = "x".repeat(2000);
    let refused = acl.management.put(List::BannedPubkeys, long).await;
    assert!(matches!(refused, Err(ManagementError::Invalid(_))), "{refused:?}");
}
