//! REQ, EOSE, CLOSE.

use serde_json::json;

use crate::harness::{Relay, Wiring, event, id, ids, keys, note, notes, now};

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_is_answered_newest_first_and_no_event_twice() {
    let (a, b) = (notes(&keys(1), 3, "a"), notes(&keys(2), 3, "b"));
    let tied = ["a", "b", "c"].map(|content| event(&keys(3), 7, 1_000, &[], content));
    let relay = Relay::holding([a.clone(), b.clone(), tied.to_vec()].concat()).await;
    let mut client = relay.client().await;
    let (first, second) = (keys(1).pubkey(), keys(2).pubkey());
    let filters = format!(r#"{{"authors":["{first}"]}},{{"authors":["{second}"],"limit":2}}"#);
    let found = client.subscribe("s", &filters).await;
    assert_eq!(found, [ids(&a), ids(&b[..2])].concat());
    let overlapping = format!(r#"{{"ids":["{}"]}},{{"authors":["{first}"]}}"#, id(&a[2]));
    let found = client.subscribe("s", &overlapping).await;
    assert_eq!(found, [id(&a[2]), id(&a[0]), id(&a[1])]);
    let mut in_order = ids(&tied);
    in_order.sort();
    assert_eq!(client.subscribe("s", r#"{"kinds":[7]}"#).await, in_order, "lower ids first");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_the_filters_own_or_the_default_and_never_above_the_most() {
    let notes = notes(&keys(1), 20, "");
    let mut wiring = Wiring { events: notes.clone(), ..Wiring::default() };
    wiring.settings.limits.default_limit = 5;
    wiring.settings.limits.max_limit = 10;
    let relay = Relay::wired(wiring).await;
    let mut client = relay.client().await;
    let all = notes[..12].iter().map(|note| format!("\"{}\"", id(note))).collect::<Vec<_>>();
    let cases = [
        (r#"{"limit":0}"#.to_owned(), 0),
        (r#"{"limit":3}"#.to_owned(), 3),
        ("{}".to_owned(), 5),
        (r#"{"kinds":[1]}"#.to_owned(), 5),
        (r#"{"limit":1000000}"#.to_owned(), 10),
        (format!(r#"{{"ids":[{}]}}"#, all[..8].join(",")), 8),
        (format!(r#"{{"ids":[{}]}}"#, all.join(",")), 10),
        (r#"{"limit":3},{"limit":1}"#.to_owned(), 3),
        (r#"{"ids":[]}"#.to_owned(), 0),
        (r#"{"since":9999999999}"#.to_owned(), 0),
    ];
    for (filters, count) in cases {
        assert_eq!(client.subscribe("s", &filters).await, ids(&notes[..count]), "{filters}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_complete() {
    let notes = notes(&keys(1), 3000, &"x".repeat(300));
    let relay = Relay::holding(notes.clone()).await;
    let mut client = relay.client().await;
    let found = client.subscribe("s", r#"{"limit":5000}"#).await;
    let differs = found.iter().zip(ids(&notes)).position(|(found, id)| *found != id);
    assert_eq!((found.len(), differs), (3000, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_at_once_are_all_answered() {
    let notes = notes(&keys(1), 500, &"x".repeat(1000));
    let relay = Relay::holding(notes.clone()).await;
    let mut client = relay.client().await;
    for at in 0..20 {
        client.feed(format!(r#"["REQ","{at}",{{"limit":500}}]"#)).await.unwrap();
    }
    client.flush().await.unwrap();
    let (mut found, mut done) = (vec![Vec::new(); 20], 0);
    while done < 20 {
        let message = client.next().await;
        let at: usize = message[1].as_str().unwrap().parse().unwrap();
        match message[0].as_str().unwrap() {
            "EVENT" => found[at].push(message[2]["id"].as_str().unwrap().to_owned()),
            _ => done += 1,
        }
    }
    let expected = ids(&notes);
    assert!(found.iter().all(|found| *found == expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_of_the_same_id_is_replaced() {
    let relay = Relay::start(|_| {}).await;
    let (mut client, mut other) = (relay.client().await, relay.client().await);
    client.subscribe("s", r#"{"kinds":[1]}"#).await;
    client.subscribe("s", r#"{"kinds":[7]}"#).await;
    let seven = event(&keys(1), 7, now(), &[], "");
    other.publish(&note(&keys(1), "")).await;
    other.publish(&seven).await;
    assert_eq!(client.live("s").await, id(&seven));
    client.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_for_a_subscription_that_was_replaced_while_it_was_answered() {
    let notes = notes(&keys(1), 1000, &"x".repeat(300));
    let relay = Relay::holding(notes.clone()).await;
    let mut client = relay.client().await;
    client.feed(r#"["REQ","s",{"kinds":[1],"limit":1000}]"#).await.unwrap();
    client.feed(r#"["REQ","s",{"kinds":[7]}]"#).await.unwrap();
    client.feed(r#"["REQ","t",{"kinds":[7]}]"#).await.unwrap();
    client.flush().await.unwrap();
    let mut eose = Vec::new();
    while eose.len() < 2 {
        let message = client.next().await;
        if message[0] == "EOSE" {
            eose.push(message[1].clone());
        }
    }
    assert_eq!(eose, ["s", "t"], "one EOSE for each that is open");
    client.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_subscription_gets_nothing() {
    let relay = Relay::start(|_| {}).await;
    let (mut client, mut other) = (relay.client().await, relay.client().await);
    client.subscribe("s", "{}").await;
    client.send(r#"["CLOSE","s"]"#).await;
    client.send(r#"["CLOSE","never opened"]"#).await;
    client.expect_silence().await;
    other.publish(&note(&keys(1), "")).await;
    client.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_filter_closes_its_subscription_with_the_reason() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let cases = [
        (r#"["REQ","s",{"kinds":"1"}]"#, "kinds"),
        (r#"["REQ","s",{"ids":["12"]}]"#, "ids"),
        (r#"["REQ","s",{"limit":-1}]"#, "limit"),
        (r#"["REQ","s"]"#, "at least one filter"),
        (r#"["REQ","s",{"kinds":[1],"kinds":[2]}]"#, "kinds is there twice"),
        (r#"["COUNT","s",{"authors":[1]}]"#, "authors"),
    ];
    for (text, word) in cases {
        client.subscribe("s", "{}").await;
        let reason = client.refusal(text, "CLOSED", "s").await;
        assert!(reason.starts_with("invalid: ") && reason.contains(word), "{text}: {reason}");
    }
    client.publish(&note(&keys(1), "")).await;
    client.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_id_comes_back_as_it_was_sent() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let sub = "é\"\\ \n😀";
    client.send(json!(["REQ", sub, {}]).to_string()).await;
    assert_eq!(client.next().await, json!(["EOSE", sub]));
    client.send(json!(["REQ", "x".repeat(65), {}]).to_string()).await;
    let notice = "invalid: subscription id must have 1 to 64 characters";
    assert_eq!(client.next().await, json!(["NOTICE", notice]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_gets_a_notice() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    for text in ["", "[", "{}", "[]", "null", r#"["REQ"]"#, r#"["EVENT"]"#, r#"["PING"]"#] {
        client.send(text).await;
        let message = client.next().await;
        assert_eq!(message[0], "NOTICE", "{text}");
        assert!(message[1].as_str().unwrap().starts_with("invalid: "), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nested_deeply_is_refused_or_skipped_and_harms_nobody() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let deep = [r#"["#, "]"].map(|bracket| bracket.repeat(400_000)).concat();
    let objects = [r#"{"a":"#.repeat(150_000), "}".repeat(150_000)].join("1");
    let texts = [
        deep.clone(),
        format!(r#"["EVENT",{{"x":{deep}}}]"#),
        format!(r#"["EVENT",{{"x":{objects}}}]"#),
        format!(r#"["EVENT",{{"tags":{deep}}}]"#),
        format!(r#"["NONSENSE",{deep}]"#),
        format!(r#"["REQ","s",{deep}]"#),
    ];
    for text in texts {
        client.send(text).await;
        assert_eq!(client.next().await[0], "NOTICE");
    }
}
