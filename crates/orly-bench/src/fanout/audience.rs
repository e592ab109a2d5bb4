//! What subscribers ask for, and which of them an event must reach.

use serde_json::{Map, Value, json};

use crate::generate::random::Random;
use crate::generate::world::World;
use crate::sample::SampledEvent;

/// Authors that a home feed follows.
const FOLLOWED: usize = 50;

/// A subscriber's filter, without its `since`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Interest {
    /// Sorted; empty means anyone.
    authors: Vec<String>,
    /// Empty means any kind.
    kinds: Vec<u16>,
    tag: Option<(&'static str, String)>,
}

impl Interest {
    /// Draws a subscriber's filter: feeds, notifications, profiles, threads, hashtags, everything.
    pub(super) fn draw(world: &World, random: &mut Random) -> Self {
        let anyone = world.any_pubkey(random).to_owned();
        match random.below(100) {
            0..45 => Self { authors: follows(world, random), kinds: vec![1, 6], tag: None },
            45..65 => {
                Self { kinds: vec![1, 6, 7, 9735], tag: Some(("p", anyone)), ..Self::default() }
            }
            65..78 => Self { authors: vec![anyone], ..Self::default() },
            78..88 => match world.recent_note(random) {
                Some(note) => Self { tag: Some(("e", note.id_hex())), ..Self::default() },
                None => Self { kinds: vec![7], tag: Some(("p", anyone)), ..Self::default() },
            },
            88..98 => Self {
                kinds: vec![1],
                tag: Some(("t", world.topic(random).to_owned())),
                ..Self::default()
            },
            98 => Self { kinds: vec![9735], ..Self::default() },
            _ => Self { kinds: vec![1], ..Self::default() },
        }
    }

    /// The filter as JSON.
    pub(super) fn to_json(&self, since: u64) -> String {
        let mut filter = Map::new();
        if !self.authors.is_empty() {
            filter.insert("authors".into(), json!(self.authors));
        }
        if !self.kinds.is_empty() {
            filter.insert("kinds".into(), json!(self.kinds));
        }
        if let Some((letter, value)) = &self.tag {
            filter.insert(format!("#{letter}"), json!([value]));
        }
        filter.insert("since".into(), since.into());
        Value::Object(filter).to_string()
    }

    /// Whether the event must be delivered (NIP-01).
    pub(super) fn matches(&self, event: &SampledEvent) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.authors.is_empty() || self.authors.binary_search(&event.pubkey).is_ok())
            && self.tag.as_ref().is_none_or(|(letter, wanted)| {
                event.tag_values(letter).any(|value| value == wanted)
            })
    }
}

fn follows(world: &World, random: &mut Random) -> Vec<String> {
    let mut authors: Vec<_> = (0..FOLLOWED).map(|_| random.below(world.authors.len())).collect();
    authors.sort_unstable();
    authors.dedup();
    let mut pubkeys: Vec<_> =
        authors.into_iter().map(|author| world.authors[author].pubkey.clone()).collect();
    pubkeys.sort_unstable();
    pubkeys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> SampledEvent {
        SampledEvent {
            id: "i".into(),
            pubkey: "b".into(),
            created_at: 5,
            kind: 1,
            tags: vec![vec!["e".into(), "x".into()], vec!["e".into(), "y".into()]],
        }
    }

    #[test]
    fn event_matches_when_all_conditions_do() {
        let wants = |authors: &[&str], kinds: &[u16], tag: Option<(&'static str, &str)>| {
            let authors = authors.iter().map(ToString::to_string).collect();
            let tag = tag.map(|(letter, value)| (letter, value.to_owned()));
            Interest { authors, kinds: kinds.to_vec(), tag }.matches(&reply())
        };
        assert!(wants(&[], &[], None));
        assert!(wants(&["a", "b"], &[1, 6], Some(("e", "y"))));
        assert!(!wants(&["a", "c"], &[1], None));
        assert!(!wants(&["b"], &[7], None));
        assert!(!wants(&[], &[], Some(("p", "x"))));
    }

    #[test]
    fn json_has_only_the_conditions_that_are_set() {
        let interest =
            Interest { kinds: vec![7], tag: Some(("p", "k".into())), ..Interest::default() };
        assert_eq!(interest.to_json(9), r##"{"#p":["k"],"kinds":[7],"since":9}"##);
    }
}
