//! Tags of a packed event: compact JSON whose strings are in NIP-01's form, read without copying.

use std::borrow::Cow;

use memchr::memchr2;

use crate::json;

/// The tags of an event.
#[derive(Clone, Copy)]
pub struct Tags<'a>(&'a str);

/// One tag: a list of strings, its name first.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a>(&'a str);

impl<'a> Tags<'a> {
    pub(crate) const fn new(canonical: &'a str) -> Self {
        Self(canonical)
    }

    /// The tags as compact JSON.
    pub const fn as_json(self) -> &'a str {
        self.0
    }

    /// The tags in order.
    pub fn iter(self) -> impl Iterator<Item = Tag<'a>> {
        let mut rest = self.0.get(1..).unwrap_or_default();
        std::iter::from_fn(move || {
            let start = rest.find('[')?;
            let mut end = start + 1;
            while rest.as_bytes().get(end) == Some(&b'"') || rest.as_bytes().get(end) == Some(&b',')
            {
                end += usize::from(rest.as_bytes()[end] == b',');
                let len = string_len(&rest[end..]);
                if len == 0 {
                    return None;
                }
                end += len;
            }
            let tag = Tag(&rest[start + 1..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
            Some(tag)
        })
    }

    /// The first value of the first tag called `name`.
    pub fn value_of(self, name: &str) -> Option<&'a str> {
        self.iter().find(|tag| tag.name() == Some(name))?.value()
    }

    /// The first values of all tags called `name`.
    pub fn values_of(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |tag| tag.name() == Some(name)).filter_map(Tag::value)
    }

    /// What a filter can ask for: the name of one letter and the first value of each such tag.
    pub fn indexed(self) -> impl Iterator<Item = (u8, &'a str)> {
        self.iter().filter_map(|tag| {
            let &[letter] = tag.name()?.as_bytes() else { return None };
            letter.is_ascii_alphabetic().then_some((letter, tag.value()?))
        })
    }
}

impl<'a> Tag<'a> {
    /// The strings of the tag, escaped as NIP-01 writes them.
    pub fn values(self) -> impl Iterator<Item = &'a str> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let len = string_len(rest);
            let value = rest.get(1..len.checked_sub(1)?)?;
            rest = rest.get(len + 1..).unwrap_or_default();
            Some(value)
        })
    }

    /// The first string.
    pub fn name(self) -> Option<&'a str> {
        self.values().next()
    }

    /// The second string, escaped as NIP-01 writes it.
    pub fn value(self) -> Option<&'a str> {
        self.values().nth(1)
    }
}

/// What a string of a tag stands for.
pub fn unescaped(value: &str) -> Cow<'_, str> {
    json::unescaped(value)
}

/// What stands for `value` in a tag: its escapes as NIP-01 writes them.
pub fn escaped(value: &str) -> Cow<'_, str> {
    if is_plain(value) {
        return value.into();
    }
    let mut out = Vec::with_capacity(value.len() + 8);
    json::push_text(&mut out, value);
    String::from_utf8(out).expect("made of characters").into()
}

/// Appends what stands for `value`.
pub(crate) fn push_escaped(out: &mut Vec<u8>, value: &str) {
    if is_plain(value) {
        out.extend_from_slice(value.as_bytes());
    } else {
        json::push_text(out, value);
    }
}

/// Whether a string stands for itself.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
}

/// The length of the string at the start of `text`, quotes included; 0 if there is none.
fn string_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return 0;
    }
    let mut at = 1;
    while let Some(n) = memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += n;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_split_at_their_own_brackets_and_commas() {
        let tags = Tags::new(r#"[["e","1","a,]\"["],[],["t"],["p","\\"]]"#);
        let all: Vec<Vec<&str>> = tags.iter().map(|tag| tag.values().collect()).collect();
        assert_eq!(all, [vec!["e", "1", "a,]\\\"["], vec![], vec!["t"], vec!["p", "\\\\"]]);
        assert_eq!(tags.indexed().collect::<Vec<_>>(), [(b'e', "1"), (b'p', "\\\\")]);
        assert_eq!(Tags::new("[]").iter().count(), 0);
    }
}
