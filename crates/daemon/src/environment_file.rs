//! The file that holds variables: `NAME=value` lines, as shells and systemd write them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::InvalidSetting;

/// What such a file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct EnvironmentFile {
    pub(crate) path: PathBuf,
    pub(crate) variables: HashMap<String, String>,
    pub(crate) faults: Vec<InvalidSetting>,
}

impl EnvironmentFile {
    /// Reads the file; one that is not there says nothing.
    pub(crate) fn read(path: &Path) -> Self {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Self { path: path.to_owned(), ..Self::default() }
            }
            Err(error) => {
                let fault = InvalidSetting::File { path: path.to_owned(), reason: error.kind() };
                Self { path: path.to_owned(), faults: vec![fault], ..Self::default() }
            }
        }
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Self {
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match variable(line) {
                Some((name, value)) => drop(file.variables.insert(name.into(), value)),
                None => {
                    file.faults.push(InvalidSetting::Line { path: path.to_owned(), line: number });
                }
            }
        }
        file
    }
}

fn variable(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let name = name.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let value = value.trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split_once(quote)?.0,
        _ => value.split_once(" #").map_or(value, |(value, _)| value.trim_end()),
    };
    Some((name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_comments_and_export_are_understood() {
        let text = "# all\nA=1\n export B = \"x # y\" \nC='q'# c\nD=a#b # c\n\nE=\n";
        let file = EnvironmentFile::parse(Path::new("/f"), text);
        let expected = [("A", "1"), ("B", "x # y"), ("C", "q"), ("D", "a#b"), ("E", "")];
        for (name, value) in expected {
            assert_eq!(file.variables.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(file.faults.is_empty());
    }

    #[test]
    fn lines_that_set_nothing_are_named() {
        let file = EnvironmentFile::parse(Path::new("/f"), "A=1\nnonsense\nB C=1\nD=\"open\n");
        let faults: Vec<String> = file.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            ["/f:2: expected NAME=value", "/f:3: expected NAME=value", "/f:4: expected NAME=value"]
        );
    }
}
