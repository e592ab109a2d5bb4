//! Sets: what a client is told of, and what not.

use event::{Event, Keys};
use store::conformance::{ALICE, BOB, CAROL, event, note};
use store::{Hidden, HiddenAuthors, Viewer};

use super::subject::{Difference, begin, key, query, set};
use super::{Host, Subject};
use crate::SessionSettings;

async fn with(host: &dyn Host, events: &[&Event]) -> Subject {
    let subject = host.fresh(SessionSettings::default()).await;
    subject.take(&events.iter().copied().cloned().collect::<Vec<_>>()).await;
    subject
}

async fn names(subject: &Subject, filter: &str, viewer: Viewer, events: &[&Event]) {
    let found = subject.reconcile(filter, viewer, &[]).await;
    assert_eq!(found, Difference::needs(events), "{filter}");
}

fn by(keys: &[&Keys]) -> Viewer {
    Viewer::of(keys.iter().map(|keys| keys.pubkey()).collect())
}

pub async fn each_part_of_a_filter_narrows_the_set(host: &dyn Host) {
    let a = event(&ALICE, 1, 1000, &[&["t", "x\"y"], &["e", &"ab".repeat(32)]], "");
    let b = event(&BOB, 7, 2000, &[&["t", "z"]], "");
    let c = event(&BOB, 1, 3000, &[], "");
    let subject = with(host, &[&a, &b, &c]).await;
    let cases: [(String, Vec<&Event>); 10] = [
        ("{}".into(), vec![&a, &b, &c]),
        (r#"{"kinds":[1,2]}"#.into(), vec![&a, &c]),
        (r#"{"since":2000}"#.into(), vec![&b, &c]),
        (r#"{"until":2000}"#.into(), vec![&a, &b]),
        (r#"{"kinds":[1],"since":1001,"until":3000}"#.into(), vec![&c]),
        (format!(r#"{{"authors":["{}"]}}"#, BOB.pubkey()), vec![&b, &c]),
        (format!(r#"{{"ids":["{}"]}}"#, a.as_ref().id()), vec![&a]),
        (r##"{"#t":["x\"y"]}"##.into(), vec![&a]),
        (format!(r##"{{"#e":["{}"]}}"##, "ab".repeat(32)), vec![&a]),
        (r##"{"#t":["z","q"],"kinds":[1]}"##.into(), vec![]),
    ];
    for (filter, events) in cases {
        names(&subject, &filter, Viewer::OPERATOR, &events).await;
    }
}

pub async fn a_limit_does_not_bear_on_the_set(host: &dyn Host) {
    let (a, b) = (note(&ALICE, 1000, "a"), note(&ALICE, 1001, "b"));
    let subject = with(host, &[&a, &b]).await;
    names(&subject, r#"{"limit":1}"#, Viewer::OPERATOR, &[&a, &b]).await;
}

pub async fn an_empty_list_is_an_empty_set(host: &dyn Host) {
    let subject = with(host, &[&note(&ALICE, 1000, "a")]).await;
    for filter in [r#"{"kinds":[]}"#, r#"{"ids":[]}"#, r#"{"authors":[]}"#, r##"{"#t":[]}"##] {
        names(&subject, filter, Viewer::OPERATOR, &[]).await;
    }
}

pub async fn private_kinds_are_named_to_their_parties_only(host: &dyn Host) {
    let party = BOB.pubkey().to_string();
    let message = event(&ALICE, 4, 1000, &[&["p", &party]], "");
    let wrap = event(&CAROL, 1059, 1001, &[&["p", &party]], "");
    let open = note(&ALICE, 1002, "");
    let subject = with(host, &[&message, &wrap, &open]).await;
    for filter in ["{}", r#"{"kinds":[1,4,1059]}"#, r#"{"since":5}"#] {
        names(&subject, filter, Viewer::OPERATOR, &[&message, &wrap, &open]).await;
        names(&subject, filter, by(&[]), &[&open]).await;
        names(&subject, filter, by(&[&ALICE]), &[&message, &open]).await;
        names(&subject, filter, by(&[&CAROL, &BOB]), &[&message, &wrap, &open]).await;
    }
    names(&subject, r#"{"kinds":[4,1059]}"#, by(&[]), &[]).await;
}

pub async fn hidden_authors_are_named_to_nobody_who_reads(host: &dyn Host) {
    let [spam, old_spam] = [note(&ALICE, 1001, ""), note(&ALICE, 1000, "")];
    let own = event(&ALICE, 4, 1003, &[&["p", &BOB.pubkey().to_string()]], "");
    let kept = note(&BOB, 1002, "");
    let subject = with(host, &[&spam, &old_spam, &own, &kept]).await;
    let by_both = format!(r#"{{"authors":["{}","{}"]}}"#, ALICE.pubkey(), BOB.pubkey());
    let everything = [&spam, &old_spam, &own, &kept];
    let filters = ["{}", r#"{"kinds":[1,4]}"#, r#"{"since":5}"#, &by_both];
    for filter in filters {
        names(&subject, filter, Viewer::OPERATOR, &everything).await;
        names(&subject, filter, by(&[&BOB]), &everything).await;
    }
    HiddenAuthors::new([ALICE.pubkey()]).keep(&*subject.markers).await.unwrap();
    for filter in filters {
        for reader in [by(&[]), by(&[&ALICE]), by(&[&BOB])] {
            names(&subject, filter, reader, &[&kept]).await;
        }
        let reads_all = Viewer { hidden: Hidden::Withheld, ..Viewer::OPERATOR };
        names(&subject, filter, reads_all, &[&kept]).await;
        let moderator = Viewer { hidden: Hidden::Shown, ..by(&[&BOB]) };
        names(&subject, filter, moderator, &everything).await;
    }
}

pub async fn a_set_that_is_too_large_is_refused_with_the_limit(host: &dyn Host) {
    let settings = SessionSettings { max_records: 3, ..SessionSettings::default() };
    let subject = host.fresh(settings).await;
    let notes: Vec<Event> = (0..4).map(|at| note(&ALICE, 1000 + at, "")).collect();
    subject.take(&notes).await;
    // A set of authors has to be gathered.
    let filter = format!(r#"{{"authors":["{}"]}}"#, ALICE.pubkey());
    let (_, first) = begin(&set(&[]));
    let query = query(&filter, Viewer::OPERATOR);
    let refusal = subject.reconciler.open(key(1, "a"), query, first).await.unwrap_err();
    assert!(refusal.reason.starts_with("blocked: "), "{refusal}");
    assert_eq!(refusal.max_records, Some(3));
    assert!(subject.is_unknown(&key(1, "a")).await);
    let narrower = filter.replacen('{', r#"{"since":1001,"#, 1);
    let all: Vec<&Event> = notes[1..].iter().collect();
    names(&subject, &narrower, Viewer::OPERATOR, &all).await;
}
