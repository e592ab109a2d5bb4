//! Sets for reconciliation: what a query would serve, up to a size.

use event::{Event, Filter};
use reconcile::FrameSizeLimit;
use store::conformance::{ALICE, BOB, event, note};
use store::{EventStore, Query, ReconcileError, ReconcileStore, Viewer};

use crate::server::{Server, is_there};

#[tokio::test]
async fn a_set_has_what_the_viewer_may_see_and_no_more_than_allowed() {
    if !is_there() {
        return;
    }
    let server = Server::take().await;
    let store = server.store();
    let mut events: Vec<Event> = (0..40).map(|at| note(&ALICE, at, "")).collect();
    events.push(event(&ALICE, 4, 100, &[&["p", &BOB.pubkey().to_string()]], ""));
    events.push(event(&ALICE, 0, 100, &[], "old"));
    events.push(event(&ALICE, 0, 101, &[], "new"));
    store.save(events).await.unwrap();
    let count = async |filter: &str, viewer: Viewer, most: u64| {
        let query = Query { filters: vec![Filter::from_json(filter).unwrap()], viewer };
        let set = store.reconcile_set(query, most).await?;
        set.open(FrameSizeLimit::new(0).unwrap(), 10).await?;
        set.count().await
    };
    assert_eq!(count("{}", Viewer::OPERATOR, 42).await.unwrap(), 42);
    assert_eq!(count("{}", Viewer::of(vec![]), 42).await.unwrap(), 41);
    assert_eq!(
        count(r#"{"kinds":[1],"since":10,"limit":3}"#, Viewer::OPERATOR, 42).await.unwrap(),
        30
    );
    assert_eq!(count(r#"{"kinds":[7]}"#, Viewer::OPERATOR, 42).await.unwrap(), 0);
    let refused = count("{}", Viewer::OPERATOR, 41).await;
    assert!(matches!(refused, Err(ReconcileError::TooLarge { max: 41 })), "{refused:?}");
}
