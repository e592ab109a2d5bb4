//! Authors whose events are withheld from readers.

use event::{Event, Keys};

use super::{ALICE, BOB, CAROL, Engine, Subject, event, note};
use crate::{HIDDEN_AUTHORS_MARKER, Hidden, HiddenAuthors, Private, Viewer};

pub async fn their_events_are_withheld_from_readers_and_not_from_operators(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (spam, kept) = (note(&ALICE, 101, "x"), event(&BOB, 1, 100, &[&["t", "x"]], "x"));
    subject.accepts(&[&spam, &kept]).await;
    hide(&subject, &[&ALICE]).await;
    let [spam_id, kept_id] = [&spam, &kept].map(|event| event.as_ref().id());
    let filters = [
        "{}".to_owned(),
        r#"{"kinds":[1]}"#.into(),
        r#"{"kinds":[1],"since":100}"#.into(),
        r#"{"search":"x"}"#.into(),
        format!(r#"{{"ids":["{spam_id}","{kept_id}"]}}"#),
        format!(r#"{{"authors":["{}","{}"]}}"#, ALICE.pubkey(), BOB.pubkey()),
    ];
    let reads_all = Viewer { hidden: Hidden::Withheld, ..Viewer::OPERATOR };
    let moderator = Viewer { hidden: Hidden::Shown, ..Viewer::of(vec![CAROL.pubkey()]) };
    for filter in &filters {
        for viewer in [Viewer::of(vec![]), Viewer::of(vec![ALICE.pubkey()]), reads_all.clone()] {
            subject.shows(&viewer, &[filter], &[&kept]).await;
        }
        for viewer in [Viewer::OPERATOR, moderator.clone()] {
            subject.shows(&viewer, &[filter], &[&spam, &kept]).await;
        }
    }
    let by_them = format!(r#"{{"authors":["{}"]}}"#, ALICE.pubkey());
    subject.shows(&Viewer::of(vec![]), &[&by_them], &[]).await;
}

pub async fn who_is_hidden_holds_at_once_and_until_taken_back(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (first, second) = (note(&ALICE, 101, ""), note(&BOB, 100, ""));
    subject.accepts(&[&first, &second]).await;
    let reader = Viewer::of(vec![]);
    let steps: [(&[&Keys], Vec<&Event>); 5] = [
        (&[], vec![&first, &second]),
        (&[&ALICE], vec![&second]),
        (&[&ALICE, &BOB], vec![]),
        (&[&BOB], vec![&first]),
        (&[], vec![&first, &second]),
    ];
    for (hidden, shown) in steps {
        hide(&subject, hidden).await;
        subject.shows(&reader, &["{}"], &shown).await;
        subject.shows(&reader, &["{}", r#"{"kinds":[1]}"#], &shown).await;
    }
    assert_eq!(subject.markers.marker(HIDDEN_AUTHORS_MARKER).await.unwrap(), None);
}

pub async fn they_do_not_use_up_the_limit(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let spam: Vec<Event> = (0..300).map(|at| note(&ALICE, 200 + at, "")).collect();
    let kept = note(&BOB, 100, "");
    subject.accepts(&spam.iter().chain([&kept]).collect::<Vec<_>>()).await;
    hide(&subject, &[&ALICE]).await;
    subject.shows(&Viewer::of(vec![]), &[r#"{"limit":1}"#], &[&kept]).await;
    subject.shows(&Viewer::of(vec![]), &[r#"{"kinds":[1,4],"limit":2}"#], &[&kept]).await;
}

pub async fn private_kinds_stay_private_beside_them(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let to = |keys: &Keys| keys.pubkey().to_string();
    let by_hidden = event(&ALICE, 4, 103, &[&["p", &to(&BOB)]], "");
    let to_hidden = event(&BOB, 4, 102, &[&["p", &to(&ALICE)]], "");
    let others = event(&CAROL, 4, 101, &[&["p", &to(&CAROL)]], "");
    let open = note(&BOB, 100, "");
    subject.accepts(&[&by_hidden, &to_hidden, &others, &open]).await;
    hide(&subject, &[&ALICE]).await;
    let shows = async |viewer: &Viewer, events: &[&Event]| {
        subject.shows(viewer, &["{}"], events).await;
        subject.shows(viewer, &[r#"{"kinds":[1,4]}"#], events).await;
    };
    shows(&Viewer::of(vec![BOB.pubkey()]), &[&to_hidden, &open]).await;
    shows(&Viewer::of(vec![ALICE.pubkey()]), &[&to_hidden, &open]).await;
    shows(&Viewer::of(vec![]), &[&open]).await;
    let reads_all = Viewer { private: Private::All, hidden: Hidden::Withheld };
    shows(&reads_all, &[&to_hidden, &others, &open]).await;
}

pub async fn there_may_be_thousands(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (spam, kept) = (note(&ALICE, 101, ""), note(&BOB, 100, ""));
    subject.accepts(&[&spam, &kept]).await;
    let strangers = (0..10_000_u32).map(|number| {
        let mut bytes = [7; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        event::Pubkey::new(bytes)
    });
    let hidden = HiddenAuthors::new(strangers.chain([ALICE.pubkey()]));
    hidden.keep(&*subject.markers).await.unwrap();
    assert_eq!(HiddenAuthors::read(&*subject.markers).await.unwrap(), hidden);
    subject.shows(&Viewer::of(vec![]), &["{}"], &[&kept]).await;
    subject.shows(&Viewer::of(vec![]), &[r#"{"kinds":[1]}"#], &[&kept]).await;
}

/// Makes these the hidden authors.
async fn hide(subject: &Subject, authors: &[&Keys]) {
    let hidden = HiddenAuthors::new(authors.iter().map(|keys| keys.pubkey()));
    hidden.keep(&*subject.markers).await.unwrap();
}
