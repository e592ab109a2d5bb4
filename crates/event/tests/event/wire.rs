//! Texts and bytes as a hostile or careless sender makes them.

use event::{Draft, Event, Keys, Kind, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What such texts are made of; put together at random they nearly are messages.
const WORDS: [&str; 46] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\"",
    "\\",
    "\"id\":",
    "\"pubkey\":",
    "\"sig\":",
    "\"created_at\":",
    "\"kind\":",
    "\"tags\":",
    "\"content\":",
    "\"ids\":",
    "\"authors\":",
    "\"kinds\":",
    "\"since\":",
    "\"until\":",
    "\"limit\":",
    "\"search\":",
    "\"#e\":",
    "\"\\u0023t\":",
    "\"EVENT\"",
    "\"REQ\"",
    "\"COUNT\"",
    "\"NEG-OPEN\"",
    "\"NEG-MSG\"",
    "\"AUTH\"",
    "\"CLOSE\"",
    "\"s\"",
    "\"61\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\u0000\"",
    "0",
    "1",
    "-1",
    "1e9",
    "18446744073709551616",
    "null",
    "true",
    "é😀",
];

/// An event with these tags and this content.
pub(crate) fn signed(kind: u16, tags: Vec<Vec<String>>, content: String) -> Event {
    let created_at = Timestamp::from_secs(1_700_000_000);
    let draft = Draft { created_at, kind: Kind::new(kind), tags, content };
    Keys::from_secret([7; 32]).expect("a key").sign(&draft)
}

/// Any tags.
pub(crate) fn tags() -> impl Strategy<Value = Vec<Vec<String>>> {
    let name = prop_oneof![
        select(vec!["e", "p", "a", "d", "-", "expiration"]).prop_map(String::from),
        any::<String>()
    ];
    let value = prop_oneof![any::<String>(), "[0-9]{1,22}", "[\"\\\\,\\[\\]\u{0}-\u{1f}]{0,8}"];
    vec((name, vec(value, 0..3)).prop_map(|(name, rest)| [vec![name], rest].concat()), 0..5)
}

/// A text that is a message, or was one before some of it was changed.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let words = vec(select(&WORDS[..]), 0..40).prop_map(|words| words.concat());
    let bent = (messages(), vec((any::<Index>(), change()), 0..4)).prop_map(|(text, changes)| {
        changes.into_iter().fold(text, |text, (at, change)| bend(&text, &at, &change))
    });
    prop_oneof![1 => any::<String>(), 2 => words, 5 => bent]
}

fn messages() -> impl Strategy<Value = String> {
    let event = (any::<u16>(), tags(), any::<String>())
        .prop_map(|(kind, tags, content)| signed(kind, tags, content).as_ref().to_json());
    let filter = select(vec![
        r##"{"ids":["4376c65d2f232afbe9b882a35baa4f6fe8667c4e684749af565f981833ed6a65"],"#e":["x"]}"##,
        r##"{"kinds":[1,30023],"since":1,"until":18446744073709551615,"limit":5,"#t":["\u0000"]}"##,
        r#"{"authors":[],"search":"\ud83d\ude00","_new":{"a":[1.5e3,null,{"b":[[]]}]}}"#,
    ]);
    prop_oneof![
        event.prop_map(|event| format!("[\"EVENT\",{event}]")),
        filter.clone().prop_map(|filter| format!("[\"REQ\",\"a\\\"b\",{filter},{{}}]")),
        filter.prop_map(|filter| format!("[\"NEG-OPEN\",\"n\",{filter},\"6100000200\"]")),
    ]
}

/// What happens to a text at one place.
#[derive(Clone, Debug)]
enum Change {
    Insert(&'static str),
    Replace(char),
    CutOff,
    Remove,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        select(&WORDS[..]).prop_map(Change::Insert),
        any::<char>().prop_map(Change::Replace),
        Just(Change::CutOff),
        Just(Change::Remove),
    ]
}

fn bend(text: &str, at: &Index, change: &Change) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = at.index(chars.len() + 1);
    let (before, behind) = chars.split_at(at);
    let without = behind.get(1..).unwrap_or_default();
    let text = |parts: &[&[char]]| parts.concat().into_iter().collect();
    match change {
        Change::Insert(word) => text(&[before, &word.chars().collect::<Vec<_>>(), behind]),
        Change::Replace(char) => text(&[before, &[*char], without]),
        Change::CutOff => text(&[before]),
        Change::Remove => text(&[before, without]),
    }
}
