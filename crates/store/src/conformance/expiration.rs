//! Expiration (NIP-40).

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
    let end = Timestamp::from_secs(Timestamp::now().as_secs() + 2);
    let (lasting, fleeting) = (expiring(end.as_secs() + 1000), expiring(end.as_secs()));
    subject.accepts(&[&lasting, &fleeting]).await;
    let filters = ["{}", r#"{"kinds":[1]}"#, r##"{"#t":["x"]}"##];
    for filter in filters {
        assert_eq!(subject.all(filter).await.len(), 2);
    }
    // The clock is the system's, so this waits for it; but only once.
    while Timestamp::now() < end {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for filter in filters {
        subject.finds(filter, &[&lasting]).await;
    }
    assert_eq!(subject.count(&Viewer::OPERATOR, &[r#"{"kinds":[1]}"#]).await, 1);
}

fn expiring(at: u64) -> Event {
    event(&ALICE, 1, 100, &[&["expiration", &at.to_string()], &["t", "x"]], "")
}
