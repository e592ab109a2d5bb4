use std::time::Duration;

use super::*;

crate::settings! {
    /// A process with one variable of each sort.
    #[derive(Debug)]
    struct Kitchen {
        section "Heat" {
            /// How long it
            /// bakes.
            bake: Duration = "ORLY_BAKE" | "OVEN_BAKE" | "STOVE_BAKE", "30m";
            /// Port of the oven.
            port: u16 = "ORLY_PORT", "3334";
        }
        section "People" {
            /// Who may enter.
            cooks: Vec<String> = "ORLY_COOKS", "";
            /// The key.
            key: Option<Key> = "ORLY_KEY", "";
        }
    }
    one value {
        /// Fuel of the oven.
        "ORLY_FUEL": Wood, "wood";
    }
    no effect {
        /// There is no gas.
        "ORLY_GAS", "0";
    }
    not yet {
        /// Dishwasher.
        "ORLY_DISHWASHER", "false";
    }
}

struct Wood;

impl Setting for Wood {
    fn expected() -> String {
        "wood".into()
    }

    fn parse(text: &str) -> Option<Self> {
        (text == "wood").then_some(Self)
    }
}

#[derive(Debug)]
struct Key;

impl Setting for Key {
    const IS_SECRET: bool = true;

    fn expected() -> String {
        "a key".into()
    }

    fn parse(text: &str) -> Option<Self> {
        (text == "sesame").then_some(Self)
    }
}

fn load_from(variables: &[(&str, &str)], file: &str) -> Loaded<Kitchen> {
    load(&Environment::of(variables.iter().copied()).with_file(file))
}

fn entry(loaded: &Loaded<Kitchen>, variable: &str) -> (String, String) {
    let entry = loaded.findings.entry(variable).unwrap();
    (entry.value.clone(), entry.origin.to_string())
}

#[test]
fn own_name_goes_before_alias_and_environment_before_file() {
    type Variables = &'static [(&'static str, &'static str)];
    let cases: [(Variables, &str, &str, &str); 6] = [
        (&[("ORLY_BAKE", "1s"), ("OVEN_BAKE", "2s")], "ORLY_BAKE=3s", "1s", "environment"),
        (&[("OVEN_BAKE", "2s")], "ORLY_BAKE=3s", "3s", "file"),
        (&[("STOVE_BAKE", "1s")], "OVEN_BAKE=2s", "2s", "alias OVEN_BAKE"),
        (&[("STOVE_BAKE", "1s")], "", "1s", "alias STOVE_BAKE"),
        (&[("ORLY_BAKE", "")], "", "30m", "default"),
        (&[], "", "30m", "default"),
    ];
    for (variables, file, value, origin) in cases {
        let loaded = load_from(variables, file);
        assert_eq!(entry(&loaded, "ORLY_BAKE"), (value.into(), origin.into()));
        assert_eq!(loaded.settings.unwrap().bake, crate::parse_duration(value).unwrap());
    }
}

#[test]
fn every_bad_value_is_named_with_what_is_allowed() {
    let variables =
        [("OVEN_BAKE", "hot"), ("ORLY_PORT", "abc"), ("ORLY_KEY", "mellon"), ("ORLY_FUEL", "gas")];
    let faults = load_from(&variables, "nonsense").settings.unwrap_err().to_string();
    let expected = "\
        OVEN_BAKE=\"hot\": expected a duration such as 250ms, 30s, 5m or 1h30m\n\
        ORLY_PORT=\"abc\": expected a port number (0 to 65535)\n\
        ORLY_KEY=\"********\": expected a key\n\
        ORLY_FUEL=\"gas\": expected wood\n\
        /etc/ORLY/.env:1: expected NAME=value";
    assert_eq!(faults, expected);
}

#[test]
fn nothing_is_a_value_for_lists_and_options() {
    let kitchen = load_from(&[], "").settings.unwrap();
    assert!(kitchen.cooks.is_empty() && kitchen.key.is_none());
    assert_eq!(kitchen.port, 3334);
}

#[test]
fn secrets_are_masked() {
    let loaded = load_from(&[("ORLY_KEY", "sesame")], "");
    assert_eq!(entry(&loaded, "ORLY_KEY").0, "********");
    assert!(loaded.settings.unwrap().key.is_some());
}

#[test]
fn misspelt_variables_are_found() {
    let variables = [("ORLY_PROT", "1"), ("ORLY_BAK", "1s"), ("ORLY_WINDOW", "1"), ("PATH", "/")];
    assert_eq!(load_from(&variables, "").findings.unknown, ["ORLY_BAK", "ORLY_PROT"]);
}
