//! JSON of tags and text, escaped exactly as NIP-01 serialises it for the id.

/// Appends a string's contents with the escapes of NIP-01 and no others.
///
/// Control characters without a short escape must not occur: the generator never writes one.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        let escape = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escape]);
    }
}

/// A JSON array of tags under construction, without the outer brackets.
#[derive(Default)]
pub(crate) struct Tags {
    json: Vec<u8>,
}

impl Tags {
    /// Appends one tag.
    pub(crate) fn push(&mut self, values: &[&str]) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        for (index, value) in values.iter().enumerate() {
            self.json.extend_from_slice(if index == 0 { b"[\"" } else { b",\"" });
            push_escaped(&mut self.json, value);
            self.json.push(b'"');
        }
        self.json.push(b']');
    }

    /// The tags so far, joined by commas.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.json
    }

    /// Forgets all tags and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.json.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_nip01_and_other_text_is_verbatim() {
        let mut out = Vec::new();
        push_escaped(&mut out, "a\"b\\c\nd\re\tf\u{8}g\u{c}h/ü🚀\u{7f}");
        assert_eq!(out, "a\\\"b\\\\c\\nd\\re\\tf\\bg\\fh/ü🚀\u{7f}".as_bytes());
    }

    #[test]
    fn tags_are_joined_by_commas() {
        let mut tags = Tags::default();
        tags.push(&["t", "x"]);
        tags.push(&["e"]);
        assert_eq!(tags.as_bytes(), br#"["t","x"],["e"]"#);
    }
}
