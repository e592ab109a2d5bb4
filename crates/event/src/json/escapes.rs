//! NIP-01's way of writing strings, and what any JSON string stands for.

/// The UTF-16 unit that four hex digits stand for.
pub(super) fn hex_unit(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |unit, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

/// Appends `raw`, the inside of a valid JSON string, escaped as NIP-01 wants it.
///
/// Line feed, quote, backslash, carriage return, tab, backspace and form feed are escaped by a
/// letter, other control characters as `\u00xx` (as every JSON writer does), the rest stands as is.
pub(crate) fn push_canonical(out: &mut Vec<u8>, raw: &str) {
    let mut rest = raw.as_bytes();
    while let Some(n) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..n]);
        rest = &rest[n..];
        let (character, width) = unescape(rest);
        push_escaped(out, character);
        rest = rest.get(width..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Appends `text` as the inside of a JSON string in NIP-01's form.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    text.chars().for_each(|character| push_escaped(out, character));
}

/// Returns what the inside of a valid JSON string stands for.
pub(crate) fn unescaped(raw: &str) -> std::borrow::Cow<'_, str> {
    if !raw.contains('\\') {
        return raw.into();
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(n) = rest.find('\\') {
        text.push_str(&rest[..n]);
        let (character, width) = unescape(&rest.as_bytes()[n..]);
        text.push(character);
        // Only in what was damaged an escape reaches too far.
        rest = rest.get(n + width..).unwrap_or_default();
    }
    text.push_str(rest);
    text.into()
}

/// Reads the valid escape at the start of `rest`: the character and how many bytes it took.
fn unescape(rest: &[u8]) -> (char, usize) {
    let unit = |at: usize| rest.get(at..at + 4).and_then(hex_unit).map_or(0xfffd, u32::from);
    match rest.get(1) {
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => match unit(2) {
            high @ 0xd800..=0xdbff => {
                let point = 0x10000 + ((high - 0xd800) << 10) + unit(8).wrapping_sub(0xdc00);
                (char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
            }
            point => (char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
        },
        Some(&byte) => (char::from(byte), 2),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

fn push_escaped(out: &mut Vec<u8>, character: char) {
    let letter = match character {
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '"' => b'"',
        '\\' => b'\\',
        '\0'..='\u{1f}' => {
            out.extend_from_slice(b"\\u00");
            crate::hex::push(out, &[character as u8]);
            return;
        }
        _ => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(raw: &str) -> String {
        let mut out = Vec::new();
        push_canonical(&mut out, raw);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_are_rewritten_to_the_escapes_of_nip01() {
        assert_eq!(
            canonical(r#"a\/b \u00e9 \u000a \uD83D\uDE00 \" \\ \u0001"#),
            "a/b é \\n 😀 \\\" \\\\ \\u0001"
        );
        assert_eq!(unescaped(r#"\ud83d\ude00\n"#), "😀\n");
    }
}
