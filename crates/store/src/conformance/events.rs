//! Events for rules, by three authors: making keys is slow.

use std::sync::LazyLock;

use event::{Draft, Event, Keys, Kind, Pubkey, Timestamp, id_of};

/// An author.
pub static ALICE: LazyLock<Keys> = LazyLock::new(|| keys(1));
/// Another author.
pub static BOB: LazyLock<Keys> = LazyLock::new(|| keys(2));
/// A third author.
pub static CAROL: LazyLock<Keys> = LazyLock::new(|| keys(3));

/// A short text (kind 1).
pub fn note(author: &Keys, created_at: u64, content: &str) -> Event {
    event(author, 1, created_at, &[], content)
}

/// A request to delete what the tags name.
pub(crate) fn deletion(author: &Keys, created_at: u64, tags: &[&[&str]]) -> Event {
    event(author, 5, created_at, tags, "")
}

/// A signed event.
pub fn event(author: &Keys, kind: u16, created_at: u64, tags: &[&[&str]], content: &str) -> Event {
    let strings = |tag: &&[&str]| tag.iter().copied().map(String::from).collect();
    author.sign(&Draft {
        created_at: Timestamp::from_secs(created_at),
        kind: Kind::new(kind),
        tags: tags.iter().map(strings).collect(),
        content: content.to_owned(),
    })
}

/// A text by any author, with the right id and no signature: stores do not ask for one.
pub(crate) fn unsigned_note(author: &Pubkey, created_at: u64) -> Event {
    let none = "0".repeat(64);
    let json = format!(
        r#"{{"id":"{none}","pubkey":"{author}","created_at":{created_at},"kind":1,"tags":[],"content":"","sig":"{none}{none}"}}"#
    );
    let draft = Event::from_json(&json).expect("the form is right");
    let json = json.replacen(&none, &id_of(draft.as_ref()).to_string(), 1);
    Event::from_json(&json).expect("the form is right")
}

/// The id as a tag writes it.
pub(crate) fn id(event: &Event) -> String {
    event.as_ref().id().to_string()
}

/// The `a` tag's value for an address.
pub(crate) fn address(kind: u16, author: &Keys, d: &str) -> String {
    format!("{kind}:{}:{d}", author.pubkey())
}

fn keys(number: u8) -> Keys {
    Keys::from_secret([number; 32]).expect("a small number is a key")
}
