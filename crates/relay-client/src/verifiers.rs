//! Checking what a relay sent, away from the runtime.

use std::collections::HashSet;
use std::sync::Arc;

use event::{Event, EventId, Verifier};
use parking_lot::Mutex;

use crate::ClientError;

/// Verifiers at rest; each remembers public keys, so they are kept.
#[derive(Clone, Default)]
pub(crate) struct Verifiers(Arc<Mutex<Vec<Verifier>>>);

/// What was asked for, and what of it has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) all: HashSet<EventId>,
    pub(crate) missing: HashSet<EventId>,
}

/// Events that hold, and what is wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) events: Vec<Event>,
    pub(crate) invalid: Vec<String>,
}

impl Verifiers {
    /// Reads events; keeps those that are signed and what their ids say.
    ///
    /// An event that nobody asked for is an error. One that comes again is passed over.
    pub(crate) async fn check(
        &self,
        texts: Vec<Box<str>>,
        mut asked: Asked,
    ) -> Result<(Checked, Asked), ClientError> {
        let pool = Arc::clone(&self.0);
        let work = move || {
            let verifier = pool.lock().pop();
            let mut verifier = verifier.unwrap_or_default();
            let checked = check_all(&texts, &mut asked, &mut verifier);
            pool.lock().push(verifier);
            Ok((checked?, asked))
        };
        let stopping = |_| ClientError::closed("this process is stopping");
        tokio::task::spawn_blocking(work).await.map_err(stopping)?
    }
}

fn check_all(
    texts: &[Box<str>],
    asked: &mut Asked,
    verifier: &mut Verifier,
) -> Result<Checked, ClientError> {
    let mut checked = Checked::default();
    for text in texts {
        let event = match Event::from_json(text) {
            Ok(event) => event,
            Err(error) => {
                checked.invalid.push(error.to_string());
                continue;
            }
        };
        let id = event.as_ref().id();
        if !asked.all.contains(&id) {
            return Err(ClientError::protocol(format!(
                "it sent event {id}, which was not asked for"
            )));
        }
        match verifier.verify(event.as_ref()) {
            Err(forged) => checked.invalid.push(forged.to_string()),
            Ok(()) if asked.missing.remove(&id) => checked.events.push(event),
            Ok(()) => {}
        }
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Draft, Keys, Kind, Timestamp};

    fn note(content: &str) -> Event {
        let draft = Draft {
            created_at: Timestamp::from_secs(1),
            kind: Kind::new(1),
            tags: Vec::new(),
            content: content.into(),
        };
        Keys::from_secret([7; 32]).unwrap().sign(&draft)
    }

    async fn check(events: &[String], asked: &[&Event]) -> Result<(Checked, Asked), ClientError> {
        let all: HashSet<EventId> = asked.iter().map(|event| event.as_ref().id()).collect();
        let asked = Asked { missing: all.clone(), all };
        let texts = events.iter().map(|text| text.as_str().into()).collect();
        Verifiers::default().check(texts, asked).await
    }

    fn json(event: &Event) -> String {
        event.as_ref().to_json()
    }

    #[tokio::test]
    async fn what_was_asked_for_and_holds_is_kept_once() {
        let (a, b) = (note("a"), note("b"));
        let (checked, asked) = check(&[json(&a), json(&a)], &[&a, &b]).await.unwrap();
        assert_eq!(checked.events, [a]);
        assert_eq!(asked.missing, HashSet::from([b.as_ref().id()]));
    }

    #[tokio::test]
    async fn what_is_forged_is_named_and_left_out() {
        let a = note("a");
        let forged = json(&a).replace("\"content\":\"a\"", "\"content\":\"b\"");
        let (checked, _) = check(&[forged, "{}".into()], &[&a]).await.unwrap();
        assert!(checked.events.is_empty());
        assert_eq!(checked.invalid, ["id is not the hash of the event", "tags is missing"]);
    }

    #[tokio::test]
    async fn what_nobody_asked_for_is_an_error() {
        let error = check(&[json(&note("a"))], &[&note("b")]).await.unwrap_err();
        assert!(error.to_string().contains("which was not asked for"), "{error}");
    }
}
