//! Finding the programs of the services.

use std::path::{Path, PathBuf};

use daemon::InvalidSetting;
use nix::unistd::{AccessFlags, access};

/// Where programs are looked for, in this order.
pub(crate) struct Programs {
    directories: Vec<PathBuf>,
}

impl Programs {
    /// Beside the launcher first, then in these directories.
    pub(crate) fn new(directories: Vec<PathBuf>) -> Self {
        let own = std::env::current_exe().ok();
        let own = own.and_then(|own| own.parent().map(Path::to_owned));
        Self { directories: own.into_iter().chain(directories).collect() }
    }

    /// The first of these programs that there is. `variable` is where another one can be named.
    pub(crate) fn find(&self, names: &[String], variable: &str) -> Result<PathBuf, InvalidSetting> {
        let found = names.iter().find_map(|name| {
            if name.contains('/') {
                return Some(PathBuf::from(name)).filter(|path| is_program(path));
            }
            let paths = self.directories.iter().map(|directory| directory.join(name));
            paths.into_iter().find(|path| is_program(path))
        });
        found.ok_or_else(|| InvalidSetting::Other(self.missing(names, variable)))
    }

    fn missing(&self, names: &[String], variable: &str) -> String {
        let names = names.join(" or ");
        if names.contains('/') {
            let fault = match Path::new(&names).exists() {
                true => "this is no program that may be run",
                false => "there is no program of this name",
            };
            return format!("{variable}=\"{names}\": {fault}");
        }
        let places: Vec<String> =
            self.directories.iter().map(|directory| directory.display().to_string()).collect();
        format!(
            "{variable}: program {names} is in none of {}: install it, or name its path by the variable",
            places.join(", ")
        )
    }
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_that_can_run_is_taken_and_a_missing_one_is_named() {
        let directory = tempfile::tempdir().unwrap();
        for (name, mode) in [("orly-acl", 0o755), ("notes", 0o644)] {
            let path = directory.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let programs = Programs { directories: vec!["/nowhere".into(), directory.path().into()] };
        let find = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            programs.find(&names, "ORLY_X").map_err(|fault| fault.to_string())
        };
        assert_eq!(find(&["orly-acl-follows", "orly-acl"]), Ok(directory.path().join("orly-acl")));
        let place = directory.path().display();
        assert_eq!(
            find(&["notes"]),
            Err(format!(
                "ORLY_X: program notes is in none of /nowhere, {place}: install it, or name its path by \
                 the variable"
            ))
        );
        let error = find(&["/nowhere/orly"]).unwrap_err();
        assert_eq!(error, "ORLY_X=\"/nowhere/orly\": there is no program of this name");
        let notes = directory.path().join("notes").display().to_string();
        let error = find(&[&notes]).unwrap_err();
        assert_eq!(error, format!("ORLY_X=\"{notes}\": this is no program that may be run"));
    }
}
