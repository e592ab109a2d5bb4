//! COUNT (NIP-45).

use crate::harness::{Relay, Wiring, event, keys, notes, now};

#[tokio::test(flavor = "multi_thread")]
async fn count_is_what_could_be_read_whatever_the_limits() {
    let mut events = notes(&keys(1), 30, "");
    events.extend((0..7).map(|at| event(&keys(2), 7, now() - at, &[&["t", "x"]], "")));
    let mut wiring = Wiring { events, ..Wiring::default() };
    wiring.settings.limits.max_limit = 5;
    let relay = Relay::wired(wiring).await;
    let mut client = relay.client().await;
    let author = keys(2).pubkey();
    assert_eq!(client.count("{}").await, 37);
    assert_eq!(client.count(r#"{"kinds":[7]}"#).await, 7);
    assert_eq!(client.count(&format!(r#"{{"authors":["{author}"]}}"#)).await, 7);
    assert_eq!(client.count(r##"{"#t":["x"]}"##).await, 7);
    assert_eq!(client.count(r#"{"kinds":[7]},{"kinds":[1]},{}"#).await, 37);
    assert_eq!(client.count(r#"{"kinds":[9]}"#).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_counts_once_whatever_versions_there_were() {
    let versions = (0..5).map(|at| event(&keys(1), 0, now() - at, &[], ""));
    let relay = Relay::holding(versions.collect()).await;
    assert_eq!(relay.client().await.count(r#"{"kinds":[0]}"#).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_kinds_count_for_their_parties_only() {
    let party = keys(3).pubkey().to_string();
    let relay = Relay::holding(vec![event(&keys(1), 4, now(), &[&["p", &party]], "")]).await;
    let mut client = relay.client().await;
    assert_eq!(client.count(r#"{"kinds":[4]}"#).await, 0);
    assert_eq!(client.count("{}").await, 0);
    client.authenticate(&keys(2)).await;
    assert_eq!(client.count(r#"{"kinds":[4]}"#).await, 0);
    client.authenticate(&keys(3)).await;
    assert_eq!(client.count(r#"{"kinds":[4]}"#).await, 1);
    assert_eq!(client.count("{}").await, 1);
}
