//! A strict JSON scanner that borrows its text, and NIP-01's way of writing strings.
//!
//! The text is valid UTF-8 before it comes here. Nesting is bounded, nothing recurses.

use memchr::memchr2;

/// How deep a value that is skipped may nest.
const MAX_DEPTH: usize = 64;

/// What the scanner expected, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub struct JsonError {
    /// What would have been right.
    pub expected: &'static str,
    /// Offset in the text.
    pub at: usize,
}

/// A position in a JSON text.
#[derive(Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn error(&self, expected: &'static str) -> JsonError {
        JsonError { expected, at: self.at }
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Steps over `byte` if it comes next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), JsonError> {
        if self.eat(byte) { Ok(()) } else { Err(self.error(name)) }
    }

    pub(crate) fn expect_end(&mut self) -> Result<(), JsonError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.error("end of text")) }
    }

    /// Steps over a string and returns what stands between its quotes, escapes unresolved.
    pub(crate) fn string(&mut self) -> Result<&'a str, JsonError> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        loop {
            let rest = &bytes[self.at..];
            let Some(n) = memchr2(b'"', b'\\', rest) else {
                return Err(self.error("a closing quote"));
            };
            if rest[..n].iter().any(|&byte| byte < 0x20) {
                return Err(self.error("a string without raw control characters"));
            }
            self.at += n;
            if rest[n] == b'"' {
                let raw = &self.text[start..self.at];
                self.at += 1;
                return Ok(raw);
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let wrong = JsonError { expected: "a valid escape", at: self.at };
        match self.text.as_bytes().get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let first = self.unit(self.at).ok_or(wrong)?;
                self.at += 6;
                match first {
                    0xd800..=0xdbff => {
                        let low = self.unit(self.at).filter(|low| (0xdc00..=0xdfff).contains(low));
                        low.ok_or(wrong)?;
                        self.at += 6;
                    }
                    0xdc00..=0xdfff => return Err(wrong),
                    _ => {}
                }
            }
            _ => return Err(wrong),
        }
        Ok(())
    }

    /// The UTF-16 unit of the escape `\uXXXX` that starts at `at`.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.as_bytes().get(at..at + 6)?.strip_prefix(b"\\u")?;
        hex_unit(digits)
    }

    /// Steps over an unsigned integer without sign, fraction or exponent.
    pub(crate) fn unsigned(&mut self) -> Result<u64, JsonError> {
        self.peek();
        let digits =
            self.text.as_bytes()[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let text = &self.text[self.at..self.at + digits];
        let next = self.text.as_bytes().get(self.at + digits);
        let plain =
            !matches!(next, Some(b'.' | b'e' | b'E')) && (text == "0" || !text.starts_with('0'));
        let number = text.parse().ok().filter(|_| plain);
        let number = number.ok_or_else(|| self.error("an unsigned integer"))?;
        self.at += digits;
        Ok(number)
    }

    /// Steps over any value and returns its text.
    pub(crate) fn value(&mut self) -> Result<&'a str, JsonError> {
        self.peek();
        let start = self.at;
        let mut closers = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(open @ (b'{' | b'[')) if closers.len() < MAX_DEPTH => {
                    self.at += 1;
                    let close = if open == b'{' { b'}' } else { b']' };
                    if !self.eat(close) {
                        closers.push(close);
                        self.key(close)?;
                        continue;
                    }
                }
                Some(b'{' | b'[') => return Err(self.error("less nesting")),
                Some(_) => self.scalar()?,
                None => return Err(self.error("a value")),
            }
            loop {
                let Some(&close) = closers.last() else { return Ok(&self.text[start..self.at]) };
                if self.eat(close) {
                    closers.pop();
                } else {
                    self.expect(b',', "a comma or the end of the value")?;
                    self.key(close)?;
                    break;
                }
            }
        }
    }

    /// Steps over `"key":` inside an object, over nothing inside an array.
    fn key(&mut self, close: u8) -> Result<(), JsonError> {
        if close == b'}' {
            self.string()?;
            self.expect(b':', "a colon")?;
        }
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), JsonError> {
        let rest = &self.text[self.at..];
        let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        let word = &rest[..end];
        let number = || {
            word.parse::<f64>().is_ok()
                && word.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        };
        if !matches!(word, "true" | "false" | "null") && !number() {
            return Err(self.error("a value"));
        }
        self.at += end;
        Ok(())
    }
}

fn hex_unit(digits: &[u8]) -> Option<u16> {
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
        rest = &rest[width..];
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
        rest = &rest[n + width..];
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

    #[test]
    fn lone_surrogates_and_raw_control_characters_are_refused() {
        for text in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\u0041""#,
            "\"a\nb\"",
            r#""\x""#,
            r#""\u12g4""#,
            "\"open",
        ] {
            assert!(Scanner::new(text).string().is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_skipped_whole() {
        for text in
            ["{}", "[]", r#"{"a":[1,{"b":"]"}],"c":null}"#, "-1.5e3", "true", r#"[[],{}, "x"]"#]
        {
            let mut scanner = Scanner::new(text);
            assert_eq!(scanner.value(), Ok(text));
            assert_eq!(scanner.expect_end(), Ok(()));
        }
        for text in ["{", "[1,]", "{\"a\"}", "nul", "[1 2]", "", "{,}"] {
            assert!(Scanner::new(text).value().is_err(), "{text}");
        }
        assert!(Scanner::new(&"[".repeat(100_000)).value().is_err());
    }

    #[test]
    fn integers_have_no_sign_fraction_or_leading_zero() {
        assert_eq!(Scanner::new("0").unsigned(), Ok(0));
        assert_eq!(Scanner::new("18446744073709551615").unsigned(), Ok(u64::MAX));
        for text in ["-1", "1.0", "1e3", "01", "18446744073709551616", "", "\"1\""] {
            assert!(Scanner::new(text).unsigned().is_err(), "{text}");
        }
    }
}
