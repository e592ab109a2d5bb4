//! Filters, order and limits (NIP-01).

use event::{Event, Pubkey};

use super::events::unsigned_note;
use super::{ALICE, BOB, CAROL, Engine, event, note};
use crate::Viewer;

pub async fn each_part_of_a_filter_narrows_the_answer(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (alice, bob) = (ALICE.pubkey(), BOB.pubkey());
    let x = note(&ALICE, 103, "x");
    let y = event(&ALICE, 7, 102, &[&["t", "cats"], &["e", "1"]], "y");
    let z = event(&BOB, 7, 101, &[&["t", "dogs"], &["e", "1"]], "z");
    subject.accepts(&[&z, &x, &y]).await;
    let (id, none) = (x.as_ref().id(), "0".repeat(64));
    let cases: [(String, &[&Event]); 16] = [
        ("{}".into(), &[&x, &y, &z]),
        (format!(r#"{{"ids":["{id}","{none}"]}}"#), &[&x]),
        (format!(r#"{{"ids":["{none}"]}}"#), &[]),
        (format!(r#"{{"ids":["{id}"],"kinds":[7]}}"#), &[]),
        (format!(r#"{{"authors":["{alice}"]}}"#), &[&x, &y]),
        (format!(r#"{{"authors":["{alice}","{bob}"]}}"#), &[&x, &y, &z]),
        (format!(r#"{{"authors":["{none}"]}}"#), &[]),
        (r#"{"kinds":[7]}"#.into(), &[&y, &z]),
        (r#"{"kinds":[1,7,9]}"#.into(), &[&x, &y, &z]),
        (r#"{"kinds":[9]}"#.into(), &[]),
        (format!(r#"{{"authors":["{alice}"],"kinds":[7]}}"#), &[&y]),
        (r##"{"#e":["1"]}"##.into(), &[&y, &z]),
        (format!(r##"{{"#e":["1"],"authors":["{bob}"]}}"##), &[&z]),
        (r##"{"#t":["cats","birds"]}"##.into(), &[&y]),
        (r##"{"#t":["cats"],"kinds":[1]}"##.into(), &[]),
        (format!(r##"{{"#e":["1"],"authors":["{bob}"],"kinds":[7],"since":102}}"##), &[]),
    ];
    for (filter, expected) in &cases {
        subject.finds(filter, expected).await;
    }
}

pub async fn every_tag_asked_for_must_be_there(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let both = event(&ALICE, 1, 101, &[&["t", "x"], &["p", "y"]], "");
    let one = event(&ALICE, 1, 100, &[&["t", "x"], &["p", "z"]], "");
    subject.accepts(&[&both, &one]).await;
    subject.finds(r##"{"#t":["x"],"#p":["y"]}"##, &[&both]).await;
    subject.finds(r##"{"#t":["x"],"#p":["y","z"]}"##, &[&both, &one]).await;
    subject.finds(r##"{"#t":["x"],"#p":["x"]}"##, &[]).await;
}

pub async fn values_with_escapes_are_found(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let odd = event(&ALICE, 1, 100, &[&["t", "a\"b\\/\n\u{1}é"]], "");
    subject.accepts(&[&odd]).await;
    subject.finds(r##"{"#t":["a\"b\\/\n\u0001é"]}"##, &[&odd]).await;
    subject.finds(r##"{"#t":["a\u0022b\u005c\/\u000a\u0001\u00e9"]}"##, &[&odd]).await;
}

pub async fn values_and_letters_are_exact(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let tags: [&[&str]; 4] = [&["t", "Cats"], &["T", "dogs"], &["tt", "birds"], &["t"]];
    let one = event(&ALICE, 1, 100, &tags, "");
    subject.accepts(&[&one]).await;
    subject.finds(r##"{"#t":["Cats"]}"##, &[&one]).await;
    subject.finds(r##"{"#T":["dogs"]}"##, &[&one]).await;
    for filter in [
        r##"{"#t":["cats"]}"##,
        r##"{"#t":["Cat"]}"##,
        r##"{"#t":["Cats "]}"##,
        r##"{"#t":["dogs"]}"##,
        r##"{"#t":["birds"]}"##,
        r##"{"#t":[""]}"##,
    ] {
        subject.finds(filter, &[]).await;
    }
}

pub async fn authors_are_told_apart_to_the_last_byte(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [one, other] = [1, 2].map(|last| {
        let mut bytes = [9; 32];
        bytes[31] = last;
        Pubkey::new(bytes)
    });
    let (first, second) = (unsigned_note(&one, 101), unsigned_note(&other, 100));
    subject.accepts(&[&first, &second]).await;
    subject.finds(&format!(r#"{{"authors":["{one}"]}}"#), &[&first]).await;
    subject.finds(&format!(r#"{{"authors":["{other}"],"kinds":[1],"limit":1}}"#), &[&second]).await;
    subject.finds(&format!(r#"{{"authors":["{one}","{other}"]}}"#), &[&first, &second]).await;
}

pub async fn an_event_found_in_two_ways_is_given_once(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let one = event(&ALICE, 1, 100, &[&["t", "x"], &["t", "y"], &["t", "x"]], "");
    subject.accepts(&[&one]).await;
    subject.finds(r##"{"#t":["x","y"]}"##, &[&one]).await;
}

pub async fn answers_run_newest_first_and_by_id_within_a_second(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let mut notes: Vec<Event> = (0..60usize)
        .map(|n| {
            let author = [&ALICE, &BOB, &CAROL][n % 3];
            event(author, [1, 7][n % 2], 100 + n as u64 / 20, &[&["t", "x"]], &n.to_string())
        })
        .collect();
    subject.accepts(&notes.iter().collect::<Vec<_>>()).await;
    notes.sort_by_key(|note| (std::cmp::Reverse(note.as_ref().created_at()), note.as_ref().id()));
    let ids: Vec<String> = notes.iter().map(|note| format!("\"{}\"", note.as_ref().id())).collect();
    let authors = [&ALICE, &BOB, &CAROL].map(|keys| format!("\"{}\"", keys.pubkey())).join(",");
    for filter in [
        "{}",
        r#"{"kinds":[1,7]}"#,
        &format!(r#"{{"authors":[{authors}]}}"#),
        &format!(r#"{{"authors":[{authors}],"kinds":[1,7]}}"#),
        r##"{"#t":["x"]}"##,
        &format!(r#"{{"ids":[{}]}}"#, ids.join(",")),
    ] {
        subject.finds(filter, &notes.iter().collect::<Vec<_>>()).await;
    }
}

pub async fn since_and_until_are_included(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let notes = [103, 102, 101, 100].map(|at| event(&ALICE, 1, at, &[&["t", "x"]], ""));
    let [d, c, b, a] = &notes;
    subject.accepts(&[a, b, c, d]).await;
    let narrow = [
        String::new(),
        r#""kinds":[1],"#.into(),
        format!(r#""authors":["{}"],"#, ALICE.pubkey()),
        r##""#t":["x"],"##.into(),
    ];
    for rest in narrow {
        let cases: [(&str, &[&Event]); 6] = [
            (r#""since":101"#, &[d, c, b]),
            (r#""until":101"#, &[b, a]),
            (r#""since":101,"until":102"#, &[c, b]),
            (r#""since":101,"until":101"#, &[b]),
            (r#""since":102,"until":101"#, &[]),
            (r#""since":104"#, &[]),
        ];
        for (times, expected) in cases {
            subject.finds(&format!("{{{rest}{times}}}"), expected).await;
        }
    }
}

pub async fn times_beyond_the_largest_match_nothing(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let last = note(&ALICE, event::Timestamp::MAX.as_secs(), "");
    subject.accepts(&[&last]).await;
    for secs in [1 << 40, 1 << 63, u64::MAX] {
        subject.finds(&format!(r#"{{"since":{secs}}}"#), &[]).await;
        subject.finds(&format!(r#"{{"until":{secs},"kinds":[1]}}"#), &[&last]).await;
    }
}

pub async fn the_limit_keeps_the_newest(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let notes = [103, 102, 101].map(|at| event(&ALICE, 1, at, &[&["t", "x"]], ""));
    let [c, b, a] = &notes;
    subject.accepts(&[b, a, c]).await;
    let ids =
        format!(r#""ids":["{}","{}","{}"],"#, a.as_ref().id(), b.as_ref().id(), c.as_ref().id());
    for rest in ["", r#""kinds":[1],"#, r##""#t":["x"],"##, &ids] {
        subject.finds(&format!(r#"{{{rest}"limit":2}}"#), &[c, b]).await;
        subject.finds(&format!(r#"{{{rest}"limit":9}}"#), &[c, b, a]).await;
        subject.finds(&format!(r#"{{{rest}"limit":1,"until":102}}"#), &[b]).await;
    }
}

pub async fn a_limit_of_zero_gives_nothing(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let one = note(&ALICE, 100, "");
    subject.accepts(&[&one]).await;
    subject.finds(r#"{"limit":0}"#, &[]).await;
    let both = [r#"{"limit":0}"#, r#"{"kinds":[1],"limit":1}"#];
    subject.shows(&Viewer::OPERATOR, &both, &[&one]).await;
}

pub async fn an_empty_list_matches_nothing(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    subject.accepts(&[&note(&ALICE, 100, "")]).await;
    for filter in [
        r#"{"ids":[]}"#,
        r#"{"authors":[]}"#,
        r#"{"kinds":[]}"#,
        r##"{"#t":[]}"##,
        r#"{"kinds":[1],"authors":[]}"#,
    ] {
        subject.finds(filter, &[]).await;
    }
}

pub async fn no_filter_gives_nothing(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    subject.accepts(&[&note(&ALICE, 100, "")]).await;
    subject.shows(&Viewer::OPERATOR, &[], &[]).await;
}

pub async fn filters_are_answered_one_after_the_other_without_duplicates(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [b, a] = [102, 101].map(|at| note(&ALICE, at, ""));
    let c = note(&BOB, 103, "");
    subject.accepts(&[&a, &b, &c]).await;
    let alice = format!(r#"{{"authors":["{}"]}}"#, ALICE.pubkey());
    subject.shows(&Viewer::OPERATOR, &[&alice, r#"{"kinds":[1]}"#, "{}"], &[&b, &a, &c]).await;
    subject.shows(&Viewer::OPERATOR, &["{}", &alice], &[&c, &b, &a]).await;
}

pub async fn each_filter_has_its_own_limit(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [b, a] = [102, 101].map(|at| note(&ALICE, at, ""));
    let [d, c] = [104, 103].map(|at| event(&ALICE, 7, at, &[], ""));
    subject.accepts(&[&a, &b, &c, &d]).await;
    let filters = [r#"{"kinds":[1],"limit":1}"#, r#"{"kinds":[7],"limit":1}"#];
    subject.shows(&Viewer::OPERATOR, &filters, &[&b, &d]).await;
}

pub async fn an_event_given_before_counts_against_the_limit(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [c, b, a] = [103, 102, 101].map(|at| note(&ALICE, at, ""));
    subject.accepts(&[&a, &b, &c]).await;
    let filters = [r#"{"limit":1}"#, r#"{"kinds":[1],"limit":2}"#];
    subject.shows(&Viewer::OPERATOR, &filters, &[&c, &b]).await;
}

pub async fn many_authors_and_kinds_are_answered(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let one = event(&ALICE, 7, 100, &[&["t", "x"]], "");
    subject.accepts(&[&one, &note(&BOB, 101, "")]).await;
    let mut authors: Vec<String> = (0..600u16)
        .map(|n| {
            let mut bytes = [9; 32];
            bytes[..2].copy_from_slice(&n.to_be_bytes());
            format!("\"{}\"", Pubkey::new(bytes))
        })
        .collect();
    authors.push(format!("\"{}\"", ALICE.pubkey()));
    let authors = authors.join(",");
    let kinds: Vec<String> = (2..102).map(|kind: u16| kind.to_string()).collect();
    let kinds = kinds.join(",");
    subject.finds(&format!(r#"{{"authors":[{authors}],"kinds":[{kinds}]}}"#), &[&one]).await;
    subject.finds(&format!(r#"{{"authors":[{authors}]}}"#), &[&one]).await;
    subject.finds(&format!(r#"{{"kinds":[{kinds}]}}"#), &[&one]).await;
    let filter = format!(r##"{{"authors":[{authors}],"kinds":[{kinds}],"#t":["x","y"]}}"##);
    subject.finds(&filter, &[&one]).await;
}

pub async fn words_are_searched_in_any_case(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let good = note(&ALICE, 101, "Good Morning");
    let bad = note(&ALICE, 100, "bad morning");
    subject.accepts(&[&good, &bad]).await;
    subject.finds(r#"{"search":"morning"}"#, &[&good, &bad]).await;
    subject.finds(r#"{"search":"MORNING good","kinds":[1]}"#, &[&good]).await;
    subject.finds(r#"{"search":"evening"}"#, &[]).await;
    subject.finds(r#"{"search":"morning","limit":1}"#, &[&good]).await;
}
