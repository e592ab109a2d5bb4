//! What a table of variables says to people: its page in `docs/settings`, and the end of `--help`.

use crate::{Effect, Settings};

/// The page about the variables of `process`, which is `what`; `more` is what to know of its settings alone.
pub fn page<S: Settings>(process: &str, what: &str, more: &str) -> String {
    let mut page = format!(
        "# Settings of {process}\n\n\
         Environment variables of `{process}`, {what}. They are read from the environment, then from the file \
         `$XDG_CONFIG_HOME/<ORLY_APP_NAME>/.env`. {more}A value that is not allowed stops the start with exit \
         code 64. Lists are separated by commas; durations are written as in `30s`, `5m`, `1h30m`; a variable \
         that is empty counts as not set.\n\n\
         Made from `crates/{process}/src/settings.rs` by `UPDATE_EXPECT=1 cargo test -p {process}`.\n"
    );
    let mut rows: Vec<_> = S::TABLE.iter().collect();
    rows.sort_by_key(|row| row.effect);
    let mut section = "";
    for row in rows {
        let is_set = row.effect == Effect::Full;
        if section != row.section {
            section = row.section;
            page.push_str(&format!("\n## {section}\n\n"));
            page.push_str(if is_set {
                "| Variable | Default | Allowed | Meaning |\n|---|---|---|---|\n"
            } else {
                "| Variable | Default | Meaning |\n|---|---|---|\n"
            });
        }
        let names: Vec<String> = [&[row.variable], row.aliases]
            .concat()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let default =
            if row.default.is_empty() { "–".to_owned() } else { format!("`{}`", row.default) };
        let allowed = if is_set { format!("{} | ", (row.expected)()) } else { String::new() };
        page.push_str(&format!("| {} | {default} | {allowed}{} |\n", names.join(", "), row.text()));
    }
    page
}

/// The variables that do something, for the end of `--help`.
pub fn help<S: Settings>() -> String {
    let mut help = "Settings are environment variables:\n".to_owned();
    for row in S::TABLE.iter().filter(|row| row.effect == Effect::Full) {
        help.push_str(&format!("  {}={}\n      {}\n", row.variable, row.default, row.text()));
    }
    help
}

#[cfg(test)]
mod tests;
