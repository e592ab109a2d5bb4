//! Reading a table from an environment: values, where they came from, and what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Effect, Environment, Row, Setting, Settings};

/// Settings, and how they were found.
#[derive(Debug)]
pub struct Loaded<S> {
    /// The settings, or all that is wrong with them.
    pub settings: Result<S, InvalidSettings>,
    /// How they were found.
    pub findings: Findings,
}

/// How the settings of a process were found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Every variable of the table with its value and origin.
    pub entries: Vec<Entry>,
    /// Variables that begin like ours but are in no table.
    pub unknown: Vec<String>,
    /// The file that may hold variables; it need not be there.
    pub file: PathBuf,
}

/// A variable, its value and its origin.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its line in the table.
    pub row: &'static Row,
    /// Its value, masked if it is secret.
    pub value: String,
    /// Where the value was found.
    pub origin: Origin,
}

/// Where a value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the process's environment.
    Environment,
    /// In the file.
    File,
    /// Under another name, in either.
    Alias(&'static str),
    /// Nowhere.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::File => f.write_str("file"),
            Self::Alias(name) => write!(f, "alias {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// A value is not what is expected.
    #[error("{}{variable}={value:?}: expected {expected}", in_file(file.as_deref()))]
    Value {
        /// The file that has it, unless the process was given it.
        file: Option<PathBuf>,
        /// The variable that has it.
        variable: &'static str,
        /// The value, masked if it is secret.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::ErrorKind,
    },
    /// A line of the file sets nothing.
    #[error("{}:{line}: expected NAME=value", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// What the process itself finds wrong.
    #[error("{0}")]
    Other(String),
}

/// All that is wrong with the settings, a line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct InvalidSettings(pub Vec<InvalidSetting>);

/// Reads the settings of a process.
pub fn load<S: Settings>(environment: &Environment) -> Loaded<S> {
    let mut reader =
        Reader { environment, table: S::TABLE, assumed: BTreeMap::new(), faults: Vec::new() };
    let settings = S::read(&mut reader);
    let entries = S::TABLE.iter().map(|row| reader.entry(row)).collect();
    let mut faults = reader.faults;
    faults.extend(environment.file.faults.iter().cloned());
    let settings = settings.filter(|_| faults.is_empty()).ok_or(InvalidSettings(faults));
    let unknown = unknown(environment, S::TABLE);
    let file = environment.file.path.clone();
    Loaded { settings, findings: Findings { entries, unknown, file } }
}

/// Looks variables up, and notes what is wrong with them.
pub struct Reader<'a> {
    environment: &'a Environment,
    table: &'static [Row],
    assumed: BTreeMap<&'static str, Assumed>,
    faults: Vec<InvalidSetting>,
}

/// What a value from a file of the process's own goes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The default.
    Light,
    /// The environment.
    Heavy,
}

/// A value from a file of the process's own.
struct Assumed {
    file: PathBuf,
    text: String,
    weight: Weight,
}

/// A value, and where it was found.
struct Found<'a> {
    name: &'static str,
    text: String,
    origin: Origin,
    file: Option<&'a Path>,
}

impl Reader<'_> {
    /// Where all comes from.
    pub fn environment(&self) -> &Environment {
        self.environment
    }

    /// Takes the value of a variable from a file that only this process has.
    pub fn assume(&mut self, file: &Path, variable: &'static str, text: String, weight: Weight) {
        self.assumed.insert(variable, Assumed { file: file.to_owned(), text, weight });
    }

    /// Notes a fault.
    pub fn fault(&mut self, fault: InvalidSetting) {
        self.faults.push(fault);
    }

    /// Reads a variable of the table.
    pub fn read<T: Setting>(&mut self, variable: &'static str) -> Option<T> {
        let row = self.table.iter().find(|row| row.variable == variable);
        let Found { name, text, file, .. } =
            self.find(row.expect("the table has a row for each field"));
        let value = if text.is_empty() { T::empty() } else { T::parse(text.trim()) };
        if value.is_none() {
            let file = file.map(Path::to_owned);
            let value = shown(&text, T::IS_SECRET);
            let expected = T::expected();
            self.faults.push(InvalidSetting::Value { file, variable: name, value, expected });
        }
        value
    }

    /// Notes a fault if a variable that is not kept is not valid.
    pub fn check<T: Setting>(&mut self, variable: &'static str) {
        let _: Option<T> = self.read(variable);
    }

    fn entry(&self, row: &'static Row) -> Entry {
        let Found { text, origin, .. } = self.find(row);
        Entry { row, value: shown(&text, row.is_secret || is_secret_name(row.variable)), origin }
    }

    /// The own name goes before aliases, the process before the file.
    fn find(&self, row: &'static Row) -> Found<'_> {
        let environment = self.environment;
        let file = Some(&*environment.file.path);
        let found =
            |name, text: &str, origin, file| Found { name, text: text.into(), origin, file };
        let assumed = |weight| {
            let assumed = self.assumed.get(row.variable).filter(|found| found.weight == weight)?;
            Some(found(row.variable, &assumed.text, Origin::File, Some(&*assumed.file)))
        };
        if let Some(found) = assumed(Weight::Heavy) {
            return found;
        }
        if let Some(text) = environment.variable(row.variable) {
            return found(row.variable, text, Origin::Environment, None);
        }
        if let Some(text) = environment.file_variable(row.variable) {
            return found(row.variable, text, Origin::File, file);
        }
        for alias in row.aliases {
            if let Some(text) = environment.variable(alias) {
                return found(alias, text, Origin::Alias(alias), None);
            }
            if let Some(text) = environment.file_variable(alias) {
                return found(alias, text, Origin::Alias(alias), file);
            }
        }
        let default =
            || found(row.variable, &environment.expand(row.default), Origin::Default, None);
        assumed(Weight::Light).unwrap_or_else(default)
    }
}

/// What names the file of a value before it.
fn in_file(file: Option<&Path>) -> String {
    file.map(|file| format!("{}: ", file.display())).unwrap_or_default()
}

impl Findings {
    /// How a variable of the table was found.
    pub fn entry(&self, variable: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.row.variable == variable)
    }

    /// Logs what an operator should know about the variables that are set.
    pub(crate) fn log(&self) {
        for Entry { row: Row { variable, effect, .. }, origin, .. } in &self.entries {
            if let Origin::Alias(alias) = origin {
                tracing::warn!(alias, "old name of a variable: use {variable}");
            }
            match effect {
                _ if *origin == Origin::Default => {}
                Effect::Full => {}
                Effect::None => tracing::info!(variable, "variable has no effect here"),
                Effect::NotYet => {
                    tracing::warn!(
                        variable,
                        "variable has no effect yet: not built into this version"
                    );
                }
            }
        }
        for variable in &self.unknown {
            tracing::warn!(variable, "variable is not known: is it misspelt?");
        }
    }
}

/// Variables without effect have no type that says so.
fn is_secret_name(variable: &str) -> bool {
    ["PASSWORD", "NSEC", "SECRET"].iter().any(|word| variable.contains(word))
}

fn shown(text: &str, is_secret: bool) -> String {
    if is_secret && !text.is_empty() { "********".into() } else { text.into() }
}

/// Variables that look like a misspelt one of the table: one edit away, and in no other table.
fn unknown(environment: &Environment, table: &[Row]) -> Vec<String> {
    let known: BTreeSet<&str> = table
        .iter()
        .flat_map(|row| std::iter::once(row.variable).chain(row.aliases.iter().copied()))
        .collect();
    let is_near = |name: &str| known.iter().any(|known| is_one_edit_away(name, known));
    let names: BTreeSet<&str> =
        environment.names().filter(|name| !known.contains(name) && is_near(name)).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Whether one insertion, removal, change or swap of neighbours makes `a` into `b`.
fn is_one_edit_away(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same_start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same_start..], &b[same_start..]);
    let same_end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&a[..a.len() - same_end], &b[..b.len() - same_end]) {
        ([a1, a2], [b1, b2]) => a1 == b2 && a2 == b1,
        (a, b) => a.len().max(b.len()) == 1,
    }
}

#[cfg(test)]
mod tests;
