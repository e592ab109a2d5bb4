//! Where settings come from: the process's environment, and a file behind it.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::environment_file::EnvironmentFile;

/// The variable that names the application, and so the directory of its file.
const APP_NAME: &str = "ORLY_APP_NAME";
const DEFAULT_APP_NAME: &str = "ORLY";

/// All variables, those of the process first.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    pub(crate) file: EnvironmentFile,
}

impl Environment {
    /// Reads the process's environment and `$XDG_CONFIG_HOME/<ORLY_APP_NAME>/.env`.
    pub fn read() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        let mut environment = Self { variables: variables.collect(), ..Self::default() };
        environment.file = EnvironmentFile::read(&environment.file_path());
        environment
    }

    /// An environment with these variables and no file.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let variables = variables.into_iter().map(own).collect();
        Self { variables, ..Self::default() }
    }

    /// The same environment with a file of this text behind it.
    #[must_use]
    pub fn with_file(mut self, text: &str) -> Self {
        self.file = EnvironmentFile::parse(&self.file_path(), text);
        self
    }

    /// A variable of the process; one that is empty counts as not set.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable of the file; one that is empty counts as not set.
    pub(crate) fn file_variable(&self, name: &str) -> Option<&str> {
        self.file.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names of all variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().chain(self.file.variables.keys()).map(String::as_str)
    }

    /// Puts directories where a default names them by variable.
    pub(crate) fn expand(&self, default: &str) -> String {
        let data = || self.directory("XDG_DATA_HOME", ".local/share", "/var/lib");
        match default.strip_prefix("$XDG_DATA_HOME/") {
            Some(rest) => data().join(rest).to_string_lossy().into_owned(),
            None => default.to_owned(),
        }
    }

    /// Where files of settings are.
    pub fn config_directory(&self) -> PathBuf {
        self.directory("XDG_CONFIG_HOME", ".config", "/etc")
    }

    fn file_path(&self) -> PathBuf {
        self.config_directory()
            .join(self.variable(APP_NAME).unwrap_or(DEFAULT_APP_NAME))
            .join(".env")
    }

    fn directory(&self, variable: &str, in_home: &str, without_home: &str) -> PathBuf {
        match (self.variable(variable), self.variable("HOME")) {
            (Some(directory), _) => directory.into(),
            (None, Some(home)) => PathBuf::from(home).join(in_home),
            (None, None) => without_home.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_xdg_then_home_then_the_system() {
        type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);
        let cases: [Case; 3] = [
            (
                &[("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "/c"), ("HOME", "/h")],
                "/d/ORLY",
                "/c/ORLY/.env",
            ),
            (&[("HOME", "/h"), (APP_NAME, "mine")], "/h/.local/share/ORLY", "/h/.config/mine/.env"),
            (&[], "/var/lib/ORLY", "/etc/ORLY/.env"),
        ];
        for (variables, data, file) in cases {
            let environment = Environment::of(variables.iter().copied());
            assert_eq!(environment.expand("$XDG_DATA_HOME/ORLY"), data);
            assert_eq!(environment.file_path(), PathBuf::from(file));
        }
    }
}
