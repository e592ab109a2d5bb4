//! A strict JSON scanner that borrows its text.
//!
//! The text is valid UTF-8 before it comes here. Nesting is bounded, nothing recurses.

mod escapes;

use memchr::memchr2;

use escapes::hex_unit;

pub(crate) use escapes::{push_canonical, push_text, unescaped};

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
        if !matches!(word, "true" | "false" | "null") && !is_number(word.as_bytes()) {
            return Err(self.error("a value"));
        }
        self.at += end;
        Ok(())
    }
}

/// Whether a word is a number as JSON writes it.
fn is_number(word: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = word.strip_prefix(b"-").unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with(b"0")) {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        let len = digits(exponent);
        return len > 0 && len == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for text in ["0", "-0.5e+7", "1E-2"] {
            assert_eq!(Scanner::new(text).value(), Ok(text));
        }
        for text in ["01", "1.", "-", "-inf", "1e", "1e+", ".5", "+1", "1x", "-.5", "1e5.0"] {
            assert!(Scanner::new(text).value().is_err(), "{text}");
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
