//! Relay messages told apart by their first bytes, without parsing (NIP-01, NIP-77).

use memchr::memmem;

/// A message from the relay, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    Event(&'a [u8]),
    Ok(&'a [u8]),
    Eose(&'a [u8]),
    Closed(&'a [u8]),
    Notice(&'a [u8]),
    NegMsg(&'a [u8]),
    NegErr(&'a [u8]),
    /// AUTH, COUNT and anything else.
    Other(&'a [u8]),
}

impl<'a> Message<'a> {
    /// Looks at the label only.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let label = bytes.strip_prefix(b"[\"").unwrap_or_default();
        if label.starts_with(b"EVENT\"") {
            Self::Event(bytes)
        } else if label.starts_with(b"OK\"") {
            Self::Ok(bytes)
        } else if label.starts_with(b"EOSE\"") {
            Self::Eose(bytes)
        } else if label.starts_with(b"CLOSED\"") {
            Self::Closed(bytes)
        } else if label.starts_with(b"NOTICE\"") {
            Self::Notice(bytes)
        } else if label.starts_with(b"NEG-MSG\"") {
            Self::NegMsg(bytes)
        } else if label.starts_with(b"NEG-ERR\"") {
            Self::NegErr(bytes)
        } else {
            Self::Other(bytes)
        }
    }
}

/// Whether the message's second element is this subscription id.
pub(crate) fn answers_subscription(message: &[u8], id: &[u8]) -> bool {
    string_after(message, 1) == Some(id)
}

/// The `index`-th string of a message's array, unescaped strings only.
///
/// Reads up to that string, which must be preceded by strings only.
pub(crate) fn string_after(message: &[u8], index: usize) -> Option<&[u8]> {
    message.split(|&byte| byte == b'"').nth(index * 2 + 1)
}

/// The id, the verdict and the text of an `OK` message.
pub(crate) fn ok_answer(message: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let id = string_after(message, 1)?;
    let after_id = memmem::find(message, id)? + id.len() + 1;
    let rest = message.get(after_id..)?;
    let verdict = rest.iter().find(|byte| byte.is_ascii_alphabetic())?;
    let text =
        rest.iter().position(|&byte| byte == b'"').map_or(&rest[..0], |start| &rest[start + 1..]);
    let text = text.strip_suffix(b"\"]").unwrap_or(text);
    Some((id, *verdict == b't', text))
}

/// The id of the event in a line of JSON or in an `EVENT` message, as 64 hex digits.
///
/// Inside strings quotes are escaped, so the bytes looked for occur as the name of a member only.
pub(crate) fn event_id(json: &[u8]) -> Option<&[u8]> {
    let start = memmem::find(json, b"\"id\":")? + 5;
    let digits = json[start..].trim_ascii_start().strip_prefix(b"\"")?;
    digits.get(..64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_is_read_with_and_without_spaces() {
        let ok = ok_answer(br#"["OK","ab",true,""]"#);
        assert_eq!(ok, Some((&b"ab"[..], true, &b""[..])));
        let ok = ok_answer(br#"["OK", "ab", false, "invalid: bad"]"#);
        assert_eq!(ok, Some((&b"ab"[..], false, &b"invalid: bad"[..])));
    }

    #[test]
    fn labels_are_told_apart() {
        assert!(matches!(Message::of(br#"["EOSE","x"]"#), Message::Eose(_)));
        assert!(matches!(Message::of(br#"["EVENT","x",{}]"#), Message::Event(_)));
        assert!(matches!(Message::of(br#"["AUTH","x"]"#), Message::Other(_)));
        assert!(matches!(Message::of(b""), Message::Other(_)));
    }

    #[test]
    fn event_id_is_the_members_value_and_no_text_in_a_string() {
        let id = "0123456789abcdef".repeat(4);
        let json = format!(
            r#"["EVENT","id",{{"content":"\"id\":\"no\"","tags":[["id","x"]],"id": "{id}"}}]"#
        );
        assert_eq!(event_id(json.as_bytes()), Some(id.as_bytes()));
        assert_eq!(event_id(br#"{"id":"12"}"#), None);
    }

    #[test]
    fn subscription_is_compared_whole() {
        assert!(answers_subscription(br#"["EOSE","q1"]"#, b"q1"));
        assert!(!answers_subscription(br#"["EOSE","q11"]"#, b"q1"));
    }
}
