//! `launcher.json`: settings that the admin page writes.
//!
//! What the environment says goes before it, but for the engine of the store and the mode of access control.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use daemon::{Environment, Reader, Weight};
use serde_json::Value;

/// How large such a file may be.
const MAX_BYTES: usize = 64 << 10;

/// The keys of the file, the variables they stand for, and what they go before.
const KEYS: [(&str, &str, Weight); 23] = [
    ("db_backend", "ORLY_LAUNCHER_DB_BACKEND", Weight::Heavy),
    ("db_binary", "ORLY_LAUNCHER_DB_BINARY", Weight::Light),
    ("relay_binary", "ORLY_LAUNCHER_RELAY_BINARY", Weight::Light),
    ("acl_binary", "ORLY_LAUNCHER_ACL_BINARY", Weight::Light),
    ("negentropy_binary", "ORLY_LAUNCHER_SYNC_NEGENTROPY_BINARY", Weight::Light),
    ("db_listen", "ORLY_LAUNCHER_DB_LISTEN", Weight::Light),
    ("acl_listen", "ORLY_LAUNCHER_ACL_LISTEN", Weight::Light),
    ("negentropy_listen", "ORLY_LAUNCHER_SYNC_NEGENTROPY_LISTEN", Weight::Light),
    ("acl_enabled", "ORLY_LAUNCHER_ACL_ENABLED", Weight::Light),
    ("acl_mode", "ORLY_ACL_MODE", Weight::Heavy),
    ("data_dir", "ORLY_DATA_DIR", Weight::Light),
    ("log_level", "ORLY_LOG_LEVEL", Weight::Light),
    ("admin_port", "ORLY_LAUNCHER_ADMIN_PORT", Weight::Light),
    ("admin_owners", "ORLY_LAUNCHER_OWNERS", Weight::Light),
    ("bin_dir", "ORLY_LAUNCHER_BIN_DIR", Weight::Light),
    ("relay_port", "ORLY_PORT", Weight::Light),
    ("relay_host", "ORLY_LISTEN", Weight::Light),
    ("auth_to_write", "ORLY_AUTH_TO_WRITE", Weight::Light),
    ("auth_required", "ORLY_AUTH_REQUIRED", Weight::Light),
    ("distributed_sync_enabled", "ORLY_LAUNCHER_SYNC_DISTRIBUTED_ENABLED", Weight::Light),
    ("cluster_sync_enabled", "ORLY_LAUNCHER_SYNC_CLUSTER_ENABLED", Weight::Light),
    ("relay_group_enabled", "ORLY_LAUNCHER_SYNC_RELAYGROUP_ENABLED", Weight::Light),
    ("negentropy_enabled", "ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED", Weight::Light),
];
/// Keys that say which program is run; who may sign requests is not thereby who may run programs.
const PROGRAMS: [&str; 5] =
    ["db_binary", "relay_binary", "acl_binary", "negentropy_binary", "bin_dir"];

/// What stands in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfigFile(BTreeMap<String, Value>);

/// A file that makes no sense, or cannot be read or written.
#[derive(Debug)]
pub(crate) struct InvalidConfig(String);

impl std::fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the file is.
pub(super) fn path(environment: &Environment) -> PathBuf {
    environment.config_directory().join("orly/launcher.json")
}

impl ConfigFile {
    /// Reads the file; one that is not there says nothing.
    pub(crate) fn read(path: &Path) -> Result<Self, InvalidConfig> {
        let fault =
            |error: &dyn std::fmt::Display| InvalidConfig(format!("{}: {error}", path.display()));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(fault(&error)),
        };
        if text.len() > MAX_BYTES {
            return Err(fault(&format!("has {} bytes, {MAX_BYTES} are allowed", text.len())));
        }
        let file = Self(serde_json::from_str(&text).map_err(|error| fault(&error))?);
        file.texts().map_err(|error| fault(&error))?;
        Ok(file)
    }

    /// Hands what stands in it to the reader of settings, as read from `path`.
    pub(super) fn assume(&self, path: &Path, reader: &mut Reader<'_>) {
        for (_, variable, weight, text) in self.texts().unwrap_or_default() {
            reader.assume(path, variable, text, weight);
        }
    }

    /// Takes what an owner wants changed. Programs and keys that are not known are refused.
    pub(crate) fn change(&mut self, changes: BTreeMap<String, Value>) -> Result<(), InvalidConfig> {
        let is_known = |key: &str| KEYS.iter().any(|(known, ..)| *known == key);
        for key in changes.keys() {
            if PROGRAMS.contains(&key.as_str()) {
                let reason = format!("{key}: programs are named in the environment only");
                return Err(InvalidConfig(reason));
            }
            if !is_known(key) {
                let known: Vec<&str> = KEYS
                    .iter()
                    .map(|(known, ..)| *known)
                    .filter(|known| !PROGRAMS.contains(known))
                    .collect();
                let reason = format!("{key} is not known: there are {}", known.join(", "));
                return Err(InvalidConfig(reason));
            }
        }
        self.0.extend(changes);
        self.0.retain(|_, value| !value.is_null());
        self.texts().map(|_| ())
    }

    /// Writes the file, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        std::fs::create_dir_all(directory)?;
        let part = path.with_extension("json.part");
        let mut file = std::fs::File::create(&part)?;
        serde_json::to_writer_pretty(&mut file, &self.0)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(part, path)
    }

    /// The keys that are known and their values, as the environment would have them.
    fn texts(&self) -> Result<Vec<(&'static str, &'static str, Weight, String)>, InvalidConfig> {
        let mut texts = Vec::new();
        for (key, variable, weight) in KEYS {
            let Some(value) = self.0.get(key) else { continue };
            let text = text(value).ok_or_else(|| {
                InvalidConfig(format!(
                    "{key}: expected text, a number, true or false, or a list of texts"
                ))
            })?;
            texts.push((key, variable, weight, text));
        }
        Ok(texts)
    }

    /// The variables that stand in the file and their values.
    pub(crate) fn variables(&self) -> Result<Vec<(&'static str, String)>, InvalidConfig> {
        Ok(self.texts()?.into_iter().map(|(_, variable, _, text)| (variable, text)).collect())
    }
}

/// The keys of the file and the variables they stand for.
pub(crate) fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    KEYS.iter().map(|(key, variable, _)| (*key, *variable))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(list) => {
            let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            Some(texts?.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}
