//! Settings as the binary takes them, and `orly env`.

use crate::house::House;

#[test]
fn a_bad_value_stops_every_command_that_needs_settings() {
    let house = House::new();
    let bad = [("ORLY_PORT", "abc"), ("ORLY_ACL_MODE", "strict")];
    for arguments in [&[][..], &["info"], &["env"]] {
        let answer = house.run_with(&bad, arguments);
        assert_eq!(answer.code, Some(64), "{answer:?}");
        assert_eq!(
            answer.err,
            "ORLY_PORT=\"abc\": expected a port number (0 to 65535)\n\
             ORLY_ACL_MODE=\"strict\": expected none, follows, managed or curating\n"
        );
    }
    assert_eq!(house.run_with(&bad, &["version"]).code, Some(0));
}

#[test]
fn env_shows_values_and_where_they_come_from() {
    let house = House::new();
    std::fs::create_dir_all(house.path(".config/mine")).unwrap();
    let file = "ORLY_PORT=1\nORLY_QUERY_RESULT_LIMIT=7\n";
    std::fs::write(house.path(".config/mine/.env"), file).unwrap();
    let variables = [("ORLY_APP_NAME", "mine"), ("ORLY_PORT", "2"), ("ORLY_PROT", "3")];
    let text = house.run_with(&variables, &["env"]).out;
    let line = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name}=")));
        line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("ORLY_PORT"), "ORLY_PORT=2 # environment");
    assert_eq!(line("ORLY_QUERY_RESULT_LIMIT"), "ORLY_QUERY_RESULT_LIMIT=7 # file");
    assert_eq!(line("ORLY_LOG_LEVEL"), "ORLY_LOG_LEVEL=info # default");
    assert!(text.contains("# ORLY_PROT is not known: is it misspelt?"), "{text}");
    let set = house.run_with(&variables, &["env", "--set"]).out;
    assert_eq!(set.lines().filter(|line| line.starts_with("ORLY_")).count(), 3, "{set}");
}

#[test]
fn help_and_version_are_no_failure_and_nonsense_is() {
    let house = House::new();
    let help = house.run(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.out.contains("Examples:") && help.out.contains("Exit codes:"));
    let version = house.run(&["version"]).out;
    assert_eq!(version, house.run(&["--version"]).out);
    assert_eq!(house.run(&["nonsense"]).code, Some(64));
}
