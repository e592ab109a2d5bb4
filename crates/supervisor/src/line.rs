//! Bytes that a process writes, cut into lines.

/// The longest line; what is longer is cut.
const MAX_LINE: usize = 8 << 10;
const CUT: &str = " … (cut)";

/// Gathers bytes until a line is whole. Holds one line at most, however long the process goes on.
#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
    is_cut: bool,
}

impl Lines {
    /// Takes bytes; the lines that are whole now.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (part, is_whole) = match part.split_last() {
                Some((b'\n', part)) => (part, true),
                _ => (part, false),
            };
            let room = MAX_LINE - self.line.len();
            self.is_cut |= part.len() > room;
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if is_whole {
                lines.extend(self.finish());
            }
        }
        lines
    }

    /// The last line, if it does not end as lines do; none if there is nothing to show.
    pub fn finish(&mut self) -> Option<String> {
        let mut text = printable(&String::from_utf8_lossy(&std::mem::take(&mut self.line)));
        if std::mem::take(&mut self.is_cut) {
            text.push_str(CUT);
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Without what would move a terminal's cursor or change its colours.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.trim_end().chars();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => {
                // A control sequence ends with a letter (ECMA-48, 5.4); others have one character.
                if chars.next() == Some('[') {
                    chars.by_ref().find(|c| ('@'..='~').contains(c));
                }
            }
            '\t' => shown.push('\t'),
            c if c.is_control() => shown.push(char::REPLACEMENT_CHARACTER),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let text = "one\r\n\ntwo zwei\nthree";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut all: Vec<String> =
                text.as_bytes().chunks(size).flat_map(|chunk| lines.push(chunk)).collect();
            all.extend(lines.finish());
            assert_eq!(all, ["one", "two zwei", "three"], "{size}");
        }
    }

    #[test]
    fn a_line_without_end_takes_no_more_than_one_line() {
        let mut lines = Lines::default();
        for _ in 0..1000 {
            assert!(lines.push(&[b'x'; 1000]).is_empty());
            assert!(lines.line.capacity() <= 2 * MAX_LINE);
        }
        let line = lines.push(b"\nnext\n");
        assert_eq!(line[0].len(), MAX_LINE + CUT.len());
        assert_eq!(line[1], "next");
    }

    #[test]
    fn nothing_reaches_a_terminal_but_text() {
        let mut lines = Lines::default();
        let shown = lines.push(b"\x1b[31mred\x1b[0m \x07\tbell \xff\x1bc\n");
        assert_eq!(shown, ["red \u{fffd}\tbell \u{fffd}"]);
    }
}
