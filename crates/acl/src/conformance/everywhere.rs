//! What holds in every mode.

use super::people::{ADMIN, ALICE, OWNER, event, pubkey};
use super::subject::{entry, settings};
use crate::conformance::Engine;
use crate::{AccessLevel, List, ManagementError, Mode, Subject};

pub async fn owners_and_admins_have_their_level_in_every_mode(engine: &dyn Engine) {
    for mode in Mode::ALL {
        let acl = engine.fresh(settings(mode)).await;
        assert_eq!(acl.level(Some(OWNER)).await, AccessLevel::Owner, "{mode}");
        assert_eq!(acl.level(Some(ADMIN)).await, AccessLevel::Admin, "{mode}");
    }
}

pub async fn peers_are_as_admins_until_they_are_replaced(engine: &dyn Engine) {
    let acl = engine.fresh(settings(Mode::Managed)).await;
    let before = acl.access.revision();
    let changes = acl.access.changes();
    acl.management.set_peers(vec![pubkey(ALICE)]).await.unwrap();
    assert!(acl.access.revision() != before, "levels are asked again");
    assert!(changes.has_changed().unwrap(), "whoever waits is told");
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Admin);
    acl.management.set_peers(vec![]).await.unwrap();
    assert_eq!(acl.level(Some(ALICE)).await, AccessLevel::Read);
}

pub async fn the_mode_is_told(engine: &dyn Engine) {
    for mode in Mode::ALL {
        let acl = engine.fresh(settings(mode)).await;
        assert_eq!((acl.access.mode(), acl.access.is_ready()), (mode, true));
    }
}

pub async fn what_belongs_to_another_mode_is_refused(engine: &dyn Engine) {
    let is_wrong_mode = |result: Result<(), ManagementError>| {
        assert!(matches!(result, Err(ManagementError::WrongMode { .. })), "{result:?}");
    };
    let subject = Subject::Pubkey(pubkey(ALICE));
    for (mode, list) in [
        (Mode::None, List::BannedPubkeys),
        (Mode::Follows, List::AllowedPubkeys),
        (Mode::Managed, List::TrustedPubkeys),
        (Mode::Curating, List::BannedPubkeys),
    ] {
        let acl = engine.fresh(settings(mode)).await;
        is_wrong_mode(acl.management.put(list, entry(subject)).await);
        is_wrong_mode(acl.management.remove(list, subject).await);
        is_wrong_mode(acl.management.entries(list).await.map(drop));
        if mode != Mode::Curating {
            is_wrong_mode(acl.management.config().await.map(drop));
            is_wrong_mode(acl.management.scan().await.map(drop));
            is_wrong_mode(acl.management.configure(event(OWNER, 30_078, 1, &[])).await);
        }
    }
}
