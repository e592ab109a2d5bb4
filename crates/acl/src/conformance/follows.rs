//! Mode follows.

use std::time::Duration;

use super::people::{ADMIN, ALICE, BOB, HERE, OWNER, follow_list, pubkey};
use super::subject::settings;
use crate::conformance::Engine;
use crate::{AccessLevel, Mode};

pub async fn those_write_whom_an_admin_follows(engine: &dyn Engine) {
    let mut settings = settings(Mode::Follows);
    settings.follows.throttle = None;
    let acl = engine.fresh(settings).await;
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Read);
    assert_eq!(acl.level(None).await, AccessLevel::Read);
    acl.stores(&follow_list(ADMIN, 10, &[ALICE])).await;
    acl.comes_to(ALICE, AccessLevel::Write).await;
    acl.stores(&follow_list(ALICE, 10, &[BOB])).await;
    assert_eq!(acl.level(Some(BOB)).await, AccessLevel::Read, "friends of friends only read");
}

pub async fn a_newer_list_takes_the_place_of_an_older(engine: &dyn Engine) {
    let mut settings = settings(Mode::Follows);
    settings.follows.throttle = None;
    let acl = engine.fresh(settings).await;
    acl.stores(&follow_list(OWNER, 10, &[ALICE])).await;
    acl.comes_to(ALICE, AccessLevel::Write).await;
    acl.stores(&follow_list(OWNER, 11, &[BOB])).await;
    acl.comes_to(ALICE, AccessLevel::Read).await;
    acl.comes_to(BOB, AccessLevel::Write).await;
}

pub async fn others_wait_longer_with_each_event(engine: &dyn Engine) {
    let acl = engine.fresh(settings(Mode::Follows)).await;
    assert_eq!(acl.level(None).await, AccessLevel::Write);
    let delay = async |who: Option<u8>| acl.access.throttle(who.map(pubkey), HERE).await.unwrap();
    assert_eq!(delay(Some(OWNER)).await, Duration::ZERO);
    let first = delay(None).await;
    assert!(first > Duration::ZERO);
    let mut last = first;
    for _ in 0..50 {
        last = delay(Some(ALICE)).await;
    }
    assert!(last > first, "{last:?}");
}
