//! Asking for events by filter.

use event::{Event, Filter, Verifier};

use crate::routes::Answer;
use crate::{ClientError, Connection};

/// Runs of events that wait to be taken; more stay with the relay.
const ROOM: usize = 8;

impl Connection {
    /// What the relay has stored that matches a filter, at most `most` events. What does not match, or is
    /// not what its id and signature say, is passed over.
    pub async fn query(&self, filter: &Filter, most: usize) -> Result<Vec<Event>, ClientError> {
        let sub = self.new_sub("query");
        let mut answers = self.routes.fetch(&sub, ROOM)?;
        let request = format!("[\"REQ\",\"{sub}\",{}]", filter.to_json());
        let result = async {
            self.send(request).await?;
            let mut texts = Vec::new();
            while texts.len() < most {
                match answers.recv().await {
                    Some(Answer::Events(run)) => texts.extend(run),
                    Some(Answer::TooLarge { .. }) => {}
                    Some(Answer::Eose) => break,
                    Some(Answer::Closed(reason)) if texts.is_empty() && !reason.is_empty() => {
                        return Err(ClientError::refused(&reason, None));
                    }
                    Some(Answer::Closed(_)) => break,
                    None => return Err(self.routes.ended()),
                }
            }
            texts.truncate(most);
            Ok(texts)
        };
        let texts = result.await;
        self.routes.end_fetch(&sub);
        self.try_send(format!("[\"CLOSE\",\"{sub}\"]"));
        let (texts, filter) = (texts?, filter.clone());
        let checked = tokio::task::spawn_blocking(move || checked(&texts, &filter));
        checked.await.map_err(|_| ClientError::closed("this process is stopping"))
    }
}

/// The events among texts that match and hold.
fn checked(texts: &[Box<str>], filter: &Filter) -> Vec<Event> {
    let mut verifier = Verifier::default();
    let events = texts.iter().filter_map(|text| Event::from_json(text).ok());
    let is_asked = |event: &Event| filter.matches(event.as_ref());
    events.filter(is_asked).filter(|event| verifier.verify(event.as_ref()).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Draft, Keys, Kind, Timestamp};

    #[test]
    fn what_does_not_match_or_hold_is_passed_over() {
        let note = |kind: u16, content: &str| {
            let draft = Draft {
                created_at: Timestamp::from_secs(1),
                kind: Kind::new(kind),
                tags: Vec::new(),
                content: content.into(),
            };
            Keys::from_secret([7; 32]).unwrap().sign(&draft)
        };
        let (good, other) = (note(3, "a"), note(4, "a"));
        let good_text = good.as_ref().to_json();
        let forged = good_text.replace("\"content\":\"a\"", "\"content\":\"b\"");
        let texts = [good_text, other.as_ref().to_json(), forged, "{}".into()];
        let texts = texts.map(String::into_boxed_str);
        let filter = Filter::from_json(r#"{"kinds":[3]}"#).unwrap();
        assert_eq!(checked(&texts, &filter), [good]);
    }
}
