use acl::Mode;
use daemon::Environment;
use expect_test::expect_file;

use super::*;

fn load(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = Environment::of(variables.iter().copied());
    daemon::load(&environment).settings.map_err(|faults| faults.to_string())
}

/// A home with this `launcher.json`.
fn home(file: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join("orly")).unwrap();
    std::fs::write(home.path().join("orly/launcher.json"), file).unwrap();
    home
}

#[test]
fn the_file_stands_behind_the_environment_but_for_engine_and_mode() {
    let home = home(
        r#"{"db_backend":"neo4j","acl_mode":"managed","relay_port":7000,"db_listen":":1",
            "acl_enabled":true,"admin_owners":[],"someone_elses":{}}"#,
    );
    let settings = load(&[
        ("XDG_CONFIG_HOME", home.path().to_str().unwrap()),
        ("ORLY_LAUNCHER_DB_BACKEND", "badger"),
        ("ORLY_ACL_MODE", "follows"),
        ("ORLY_PORT", "8000"),
    ])
    .unwrap();
    let variables = settings.variables;
    assert_eq!(variables.db_backend, DbBackend::Neo4j);
    assert_eq!(variables.acl_mode, Some(AclMode(Mode::Managed)));
    assert_eq!((variables.relay_port, variables.acl_enabled), (8000, true));
    assert_eq!(variables.db_listen.0.to_string(), "127.0.0.1:1");
}

#[test]
fn a_file_that_makes_no_sense_is_named() {
    let cases = [
        ("{", "launcher.json: EOF while parsing an object"),
        (r#"{"relay_port":{}}"#, "launcher.json: relay_port: expected text"),
        (r#"{"relay_port":70000}"#, "launcher.json: ORLY_PORT=\"70000\": expected a port number"),
    ];
    for (file, expected) in cases {
        let home = home(file);
        let error = load(&[("XDG_CONFIG_HOME", home.path().to_str().unwrap())]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_an_owner_writes_is_what_is_read_and_names_no_program() {
    let home = home(r#"{"relay_port":7000,"acl_enabled":true}"#);
    let path = home.path().join("orly/launcher.json");
    let mut file = ConfigFile::read(&path).unwrap();
    let change = |file: &mut ConfigFile, json: &str| {
        file.change(serde_json::from_str(json).unwrap()).map_err(|invalid| invalid.to_string())
    };
    change(&mut file, r#"{"relay_port":7001,"acl_enabled":null,"acl_mode":"managed"}"#).unwrap();
    file.write(&path).unwrap();
    let variables = ConfigFile::read(&path).unwrap().variables().unwrap();
    assert_eq!(variables, [("ORLY_ACL_MODE", "managed".into()), ("ORLY_PORT", "7001".into())]);
    let error = change(&mut file, r#"{"db_binary":"/tmp/x"}"#).unwrap_err();
    assert!(error.contains("in the environment only"), "{error}");
    assert!(change(&mut file, r#"{"port":1}"#).unwrap_err().starts_with("port is not known"));
}

#[test]
fn the_socket_is_where_the_user_or_the_data_is() {
    let socket = |variables: &[(&str, &str)]| load(variables).unwrap().socket();
    let data = ("ORLY_DATA_DIR", "/data");
    assert_eq!(socket(&[data]), PathBuf::from("/data/orly-launcher.sock"));
    let nobody = ("XDG_RUNTIME_DIR", "/nowhere/1");
    assert_eq!(socket(&[data, nobody]), PathBuf::from("/data/orly-launcher.sock"));
    let runtime = tempfile::tempdir().unwrap();
    let user = ("XDG_RUNTIME_DIR", runtime.path().to_str().unwrap());
    assert_eq!(socket(&[data, user]), runtime.path().join("orly-launcher.sock"));
    assert_eq!(socket(&[user, ("ORLY_LAUNCHER_SOCKET", "/s")]), PathBuf::from("/s"));
}

#[test]
fn values_are_refused_with_what_is_allowed() {
    let cases = [
        ("ORLY_LAUNCHER_DB_BACKEND", "sqlite", "badger (the embedded engine) or neo4j"),
        ("ORLY_ACL_MODE", "open", "none, follows, managed or curating"),
        ("ORLY_LAUNCHER_ADMIN_URL", "admin.example", "a URL such as https://admin.example.com"),
        ("ORLY_LAUNCHER_STOP_TIMEOUT", "30", "a duration such as 250ms, 30s, 5m or 1h30m"),
    ];
    for (variable, value, expected) in cases {
        let message = load(&[(variable, value)]).unwrap_err();
        assert_eq!(message, format!("{variable}={value:?}: expected {expected}"));
    }
    assert!(load(&[("ORLY_LAUNCHER_DB_LISTEN", ":0")]).unwrap_err().contains("not 0"));
}

#[test]
fn the_page_in_docs_is_that_of_the_table() {
    let (what, more) = (
        "which runs the parts of the appliance",
        "Behind both stands `$XDG_CONFIG_HOME/orly/launcher.json`, which the admin page writes; engine and mode \
         in that file go before the environment. All variables are handed on to the units, which have tables of \
         their own. `orly-launcher env` shows what holds and why. ",
    );
    expect_file!["../../../../docs/settings/orly-launcher.md"]
        .assert_eq(&daemon::page::<Settings>("orly-launcher", what, more));
}
