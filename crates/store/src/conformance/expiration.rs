//! Expiration (NIP-40).

use std::time::{Duration, Instant};

use event::{Event, Timestamp};

use super::{ALICE, Engine, event};
use crate::{SaveOutcome, Viewer};

pub async fn expired_events_are_refused(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let now = Timestamp::now().as_secs();
    for at in [1, now - 1, now] {
        subject.refuses(&expiring(at), SaveOutcome::Expired).await;
    }
    subject.holds(&[]).await;
}

pub async fn events_are_served_until_they_expire(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let lasting = expiring(Timestamp::now().as_secs() + 10_000);
    let filters = ["{}", r#"{"kinds":[1]}"#, r##"{"#t":["x"]}"##];
    let begin = Instant::now();
    subject.accepts(&[&lasting]).await;
    for filter in filters {
        subject.finds(filter, &[&lasting]).await;
    }
    let end = soon(begin.elapsed());
    subject.accepts(&[&expiring(end.as_secs())]).await;
    for filter in filters {
        assert_eq!(subject.all(filter).await.len(), 2);
    }
    // The clock is the system's, so this waits for it; but only once.
    while Timestamp::now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for filter in filters {
        subject.finds(filter, &[&lasting]).await;
    }
    assert_eq!(subject.count(&Viewer::OPERATOR, &[r#"{"kinds":[1]}"#]).await, 1);
}

/// The time by which an engine has done again what took it so long before.
pub(super) fn soon(took: Duration) -> Timestamp {
    Timestamp::from_secs(Timestamp::now().as_secs() + 2 + (4 * took).as_secs())
}

fn expiring(at: u64) -> Event {
    event(&ALICE, 1, 100, &[&["expiration", &at.to_string()], &["t", "x"]], "")
}
