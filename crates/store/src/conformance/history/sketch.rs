//! Events and queries that a strategy can make and shrink, and that name earlier events by number.

use std::collections::BTreeMap;

use event::{Event, Filter, Keys, Kind, Timestamp};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any};
use proptest::sample::{Index, select, subsequence};

use super::super::events::{address, id};
use super::super::{ALICE, BOB, CAROL, RELAY_URL, event};
use crate::{Query, Viewer};

/// Some of each class, and those that stores treat in their own way.
const KINDS: [u16; 10] = [0, 1, 4, 5, 7, 62, 1059, 10_002, 20_001, 30_023];
/// Neighbours, equals, and both sides of a boundary in summary trees.
const TIMES: [u64; 7] = [0, 1000, 1001, 1002, (1 << 28) - 1, 1 << 28, (1 << 40) - 1];
const WORDS: [&str; 3] = ["", "x", "y\"\n"];
/// Beyond any test.
const FAR: &str = "99999999999";

#[derive(Clone, Debug)]
pub(super) enum EventSketch {
    New {
        author: usize,
        kind: u16,
        at: u64,
        tags: Vec<TagSketch>,
        word: &'static str,
    },
    /// An earlier event once more.
    Again(Index),
}

#[derive(Clone, Debug)]
pub(super) enum TagSketch {
    Topic(&'static str),
    D(&'static str),
    Party(usize),
    Event(Index),
    Address(u16, usize, &'static str),
    Expiration(&'static str),
    Relay(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct QuerySketch {
    filters: Vec<FilterSketch>,
    viewer: Option<Vec<usize>>,
}

#[derive(Clone, Debug)]
struct FilterSketch {
    ids: Option<Vec<Index>>,
    authors: Option<Vec<usize>>,
    kinds: Option<Vec<u16>>,
    topics: Option<Vec<&'static str>>,
    parties: Option<Vec<usize>>,
    since: Option<u64>,
    until: Option<u64>,
    limit: Option<u64>,
    search: Option<&'static str>,
}

pub(super) fn time() -> impl Strategy<Value = u64> {
    select(&TIMES[..])
}

pub(super) fn event_sketch() -> impl Strategy<Value = EventSketch> {
    let new = (0..3usize, select(&KINDS[..]), time(), vec(tag_sketch(), 0..4), word());
    proptest::prop_oneof![
        7 => new.prop_map(|(author, kind, at, tags, word)| EventSketch::New { author, kind, at, tags, word }),
        1 => any::<Index>().prop_map(EventSketch::Again),
    ]
}

fn word() -> impl Strategy<Value = &'static str> {
    select(&WORDS[..])
}

fn tag_sketch() -> impl Strategy<Value = TagSketch> {
    proptest::prop_oneof![
        2 => word().prop_map(TagSketch::Topic),
        1 => word().prop_map(TagSketch::D),
        2 => (0..3usize).prop_map(TagSketch::Party),
        4 => any::<Index>().prop_map(TagSketch::Event),
        3 => (select(vec![0, 1, 10_002, 30_023]), 0..3usize, word())
            .prop_map(|(kind, author, d)| TagSketch::Address(kind, author, d)),
        1 => select(vec!["1", FAR]).prop_map(TagSketch::Expiration),
        1 => select(vec!["ALL_RELAYS", RELAY_URL, "wss://elsewhere.example.com"])
            .prop_map(TagSketch::Relay),
    ]
}

pub(super) fn query_sketch() -> impl Strategy<Value = QuerySketch> {
    let viewer =
        proptest::prop_oneof![Just(None), subsequence(vec![0, 1, 2], 0..=3).prop_map(Some)];
    (vec(filter_sketch(), 1..4), viewer)
        .prop_map(|(filters, viewer)| QuerySketch { filters, viewer })
}

fn filter_sketch() -> impl Strategy<Value = FilterSketch> {
    let lists = (
        rarely(vec(any::<Index>(), 0..40)),
        of(subsequence(vec![0, 1, 2], 0..=3)),
        of(subsequence(KINDS.to_vec(), 0..6)),
        rarely(subsequence(WORDS.to_vec(), 0..=3)),
        rarely(subsequence(vec![0, 1, 2], 1..=2)),
    );
    let rest = (of(time()), of(time()), of(0..60u64), rarely(select(vec!["x", "Y", "1"])));
    (lists, rest).prop_map(
        |((ids, authors, kinds, topics, parties), (since, until, limit, search))| FilterSketch {
            ids,
            authors,
            kinds,
            topics,
            parties,
            since,
            until,
            limit,
            search,
        },
    )
}

fn rarely<S: Strategy>(strategy: S) -> impl Strategy<Value = Option<S::Value>>
where
    S::Value: Clone,
{
    proptest::option::weighted(0.2, strategy)
}

impl EventSketch {
    /// Draws the event; `made` are those it may name.
    pub(super) fn draw(&self, made: &[Event]) -> Event {
        match self {
            Self::Again(index) if !made.is_empty() => index.get(made).clone(),
            Self::Again(_) => event(&ALICE, 1, 1000, &[], ""),
            Self::New { author, kind, at, tags, word } => {
                let tags: Vec<[String; 2]> = tags.iter().map(|tag| tag.draw(made)).collect();
                let tags: Vec<[&str; 2]> =
                    tags.iter().map(|[name, value]| [&**name, &**value]).collect();
                let tags: Vec<&[&str]> = tags.iter().map(|tag| &tag[..]).collect();
                event(keys(*author), *kind, *at, &tags, word)
            }
        }
    }
}

impl TagSketch {
    fn draw(&self, made: &[Event]) -> [String; 2] {
        match self {
            Self::Topic(word) => ["t".into(), (*word).into()],
            Self::D(word) => ["d".into(), (*word).into()],
            Self::Party(author) => ["p".into(), keys(*author).pubkey().to_string()],
            Self::Event(_) if made.is_empty() => ["e".into(), "none".into()],
            Self::Event(index) => ["e".into(), id(index.get(made))],
            Self::Address(kind, author, d) => ["a".into(), address(*kind, keys(*author), d)],
            Self::Expiration(at) => ["expiration".into(), (*at).into()],
            Self::Relay(url) => ["relay".into(), (*url).into()],
        }
    }
}

impl QuerySketch {
    /// Draws the query; `made` are the events it may name.
    pub(super) fn draw(&self, made: &[Event]) -> Query {
        let viewer = match &self.viewer {
            None => Viewer::OPERATOR,
            Some(parties) => {
                Viewer::of(parties.iter().map(|&author| keys(author).pubkey()).collect())
            }
        };
        Query { filters: self.filters.iter().map(|sketch| sketch.draw(made)).collect(), viewer }
    }
}

impl FilterSketch {
    fn draw(&self, made: &[Event]) -> Filter {
        let pubkeys = |authors: &Vec<usize>| {
            sorted(authors.iter().map(|&author| keys(author).pubkey()).collect())
        };
        let id_at = |index: &Index| index.get(made).as_ref().id();
        let mut tags = BTreeMap::new();
        if let Some(topics) = &self.topics {
            let escaped =
                topics.iter().map(|topic| topic.replace('"', "\\\"").replace('\n', "\\n"));
            tags.insert(b't', sorted(escaped.map(Box::from).collect()));
        }
        if let Some(parties) = &self.parties {
            let parties = pubkeys(parties).iter().map(|pubkey| pubkey.to_string().into()).collect();
            tags.insert(b'p', sorted(parties));
        }
        Filter {
            ids: self
                .ids
                .as_ref()
                .filter(|_| !made.is_empty())
                .map(|ids| sorted(ids.iter().map(id_at).collect())),
            authors: self.authors.as_ref().map(pubkeys),
            kinds: self.kinds.as_ref().map(|kinds| kinds.iter().copied().map(Kind::new).collect()),
            tags,
            since: self.since.map(Timestamp::from_secs),
            until: self.until.map(Timestamp::from_secs),
            limit: self.limit,
            search: self.search.map(Box::from),
        }
    }
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

fn keys(author: usize) -> &'static Keys {
    match author {
        0 => &ALICE,
        1 => &BOB,
        _ => &CAROL,
    }
}

/// Who wrote the nth note of a crowd.
pub(super) fn crowd_of(n: u16) -> &'static Keys {
    keys(usize::from(n % 3))
}
