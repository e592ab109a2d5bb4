//! `env`: every setting, its value and its origin.

use std::io::Write;
use std::process::ExitCode;

use daemon::{EXIT_USAGE, Effect, Entry, Environment, Loaded, Origin};

use crate::command_line::Env;
use crate::output::{print, told};
use crate::settings::Settings;

pub(super) fn run(arguments: &Env) -> ExitCode {
    let Loaded { settings, findings } = daemon::load::<Settings>(&Environment::read());
    let mut text = format!("# file: {}", findings.file.display());
    let mut section = "";
    for entry in &findings.entries {
        if arguments.set && entry.origin == Origin::Default {
            continue;
        }
        if section != entry.row.section {
            section = entry.row.section;
            text.push_str(&format!("\n\n# {section}"));
        }
        text.push('\n');
        push_entry(&mut text, entry, arguments.explain);
    }
    for variable in &findings.unknown {
        text.push_str(&format!("\n\n# {variable} is not known: is it misspelt?"));
    }
    let printed = told(print(&text));
    match settings {
        Ok(_) => printed,
        Err(faults) => {
            drop(writeln!(std::io::stderr(), "{faults}"));
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn push_entry(text: &mut String, entry: &Entry, explain: bool) {
    let row = entry.row;
    if explain {
        text.push_str(&format!("\n# {}\n", row.text()));
        if row.effect == Effect::Full {
            text.push_str(&format!("# expected: {}\n", (row.expected)()));
        }
    }
    let value = if entry.value.contains([' ', '#', '"']) {
        format!("'{}'", entry.value)
    } else {
        entry.value.clone()
    };
    text.push_str(&format!("{:<60} # {}", format!("{}={value}", row.variable), entry.origin));
}
