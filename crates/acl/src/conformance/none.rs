//! Mode none.

use std::time::Duration;

use super::people::{ALICE, HERE, event, pubkey};
use super::subject::settings;
use crate::conformance::Engine;
use crate::{AccessLevel, Mode};

pub async fn everybody_writes_and_nobody_waits(engine: &dyn Engine) {
    let acl = engine.fresh(settings(Mode::None)).await;
    assert_eq!(acl.level(None).await, AccessLevel::Write);
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Write);
    assert_eq!(acl.refusal(&event(ALICE, 1, 1, &[])).await, None);
    let delay = acl.access.throttle(Some(pubkey(ALICE)), HERE).await;
    assert_eq!(delay, Ok(Duration::ZERO));
    assert!(acl.access.hidden_authors().is_empty());
}
