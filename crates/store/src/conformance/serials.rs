//! Serials.

use super::{ALICE, Engine, event, note};
use crate::{SaveOutcome, Serial, Tombstone};

pub async fn they_rise_from_one(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [first, second, third] = [102, 100, 101].map(|at| note(&ALICE, at, ""));
    let mut serials = subject.accepts(&[&first, &second]).await;
    serials.extend(subject.accepts(&[&third]).await);
    assert_eq!(serials[0], Serial::new(1));
    assert!(serials.is_sorted_by(|a, b| a < b), "{serials:?}");
    assert_eq!(subject.store.status().await.unwrap().last_serial, serials[2]);
}

pub async fn they_are_not_used_again(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    let mut last = Serial::default();
    for _ in 0..5 {
        let serial = subject.accepts(&[&note]).await[0];
        assert!(serial > last);
        last = serial;
        subject.removes(&[&note], Tombstone::Forget).await;
        assert!(subject.store.status().await.unwrap().last_serial >= last);
    }
}

pub async fn refused_events_have_none(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    let serial = subject.accepts(&[&note]).await[0];
    subject.refuses(&note, SaveOutcome::Duplicate).await;
    subject.refuses(&event(&ALICE, 20_000, 100, &[], ""), SaveOutcome::Ephemeral).await;
    assert_eq!(subject.store.status().await.unwrap().last_serial, serial);
}
