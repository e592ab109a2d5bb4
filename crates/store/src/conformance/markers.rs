//! Markers and the identity kept in one.

use super::Engine;
use crate::{IDENTITY_MARKER, StoreError, identity};

pub async fn a_marker_is_read_as_it_was_set(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let markers = &*subject.markers;
    for value in [&b"one"[..], b"", &[0, 255, 10], &[7; 5000]] {
        markers.set_marker("key", Some(value.to_vec())).await.unwrap();
        assert_eq!(markers.marker("key").await.unwrap().as_deref(), Some(value));
    }
}

pub async fn an_absent_marker_is_none(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let markers = &*subject.markers;
    for key in ["absent", "", &"long".repeat(1000)] {
        assert_eq!(markers.marker(key).await.unwrap(), None);
    }
    assert_eq!(markers.markers("").await.unwrap(), []);
}

pub async fn a_marker_can_be_removed(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let markers = &*subject.markers;
    markers.set_marker("key", Some(b"one".to_vec())).await.unwrap();
    markers.set_marker("key", None).await.unwrap();
    markers.set_marker("absent", None).await.unwrap();
    assert_eq!(markers.markers("").await.unwrap(), []);
}

pub async fn a_marker_is_claimed_by_the_first(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let markers = &*subject.markers;
    for claim in [&b"one"[..], b"two"] {
        let value = markers.claim_marker("key", claim.to_vec()).await.unwrap();
        assert_eq!(value, b"one");
    }
    markers.set_marker("key", None).await.unwrap();
    assert_eq!(markers.claim_marker("key", b"two".to_vec()).await.unwrap(), b"two");
    assert_eq!(markers.marker("key").await.unwrap().as_deref(), Some(&b"two"[..]));
}

pub async fn markers_are_listed_by_prefix_in_order(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let markers = &*subject.markers;
    for key in ["sync:b", "sync:a", "acl:x", "sync", "é"] {
        markers.set_marker(key, Some(key.as_bytes().to_vec())).await.unwrap();
    }
    for (prefix, expected) in [
        ("sync:", &["sync:a", "sync:b"][..]),
        ("sync", &["sync", "sync:a", "sync:b"]),
        ("", &["acl:x", "sync", "sync:a", "sync:b", "é"]),
        ("sync:c", &[]),
    ] {
        let found = markers.markers(prefix).await.unwrap();
        assert!(found.iter().all(|(key, value)| key.as_bytes() == value));
        assert_eq!(found.iter().map(|(key, _)| key).collect::<Vec<_>>(), expected, "{prefix}");
    }
}

pub async fn the_identity_is_made_once(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let markers = &*subject.markers;
    let made = identity(markers, [7; 32]).await.unwrap();
    let found = identity(markers, [8; 32]).await.unwrap();
    assert_eq!(made.to_secret(), [7; 32]);
    assert_eq!(found.to_secret(), [7; 32]);
}

pub async fn a_damaged_identity_is_an_error(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let markers = &*subject.markers;
    markers.set_marker(IDENTITY_MARKER, Some(b"short".to_vec())).await.unwrap();
    assert!(matches!(identity(markers, [7; 32]).await, Err(StoreError::Invalid(_))));
}
