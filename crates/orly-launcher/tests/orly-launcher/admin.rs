use event::Timestamp;

use crate::house::House;
use crate::http::{Admin, pubkey, token};

fn owned() -> (House, Admin) {
    let mut house = House::new();
    house.set("ORLY_LAUNCHER_OWNERS", &pubkey(1));
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let admin = Admin::of(&house);
    (house, admin)
}

#[test]
fn an_owner_sees_the_units() {
    let (_house, admin) = owned();
    let answer = admin.signed(1, "GET", "/api/status", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let status = answer.json();
    assert_eq!((&status["services_running"], &status["ready"]), (&true.into(), &true.into()));
    let db = House::unit(&status, "db");
    assert_eq!(
        (&db["status"], &db["category"], &db["enabled"]),
        (&"running".into(), &"database".into(), &true.into())
    );
    assert!(db["started_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(House::unit(&status, "cluster")["status"], "disabled");
    let answer = admin.signed(1, "GET", "/api/binaries", "");
    assert!(answer.json()["programs"][0]["path"].as_str().unwrap().ends_with("orly-db-badger"));
    let answer = admin.signed(1, "GET", "/api/config", "").json();
    assert_eq!((&answer["db_backend"], &answer["acl_enabled"]), (&"badger".into(), &true.into()));
}

#[test]
fn whoever_is_no_owner_sees_nothing() {
    let (_house, admin) = owned();
    let path = "/api/status";
    assert_eq!(admin.request("GET", path, "", "").status, 401);
    assert_eq!(admin.signed(2, "GET", path, "").status, 403);
    assert_eq!(admin.request("GET", path, "Authorization: Bearer 00\r\n", "").status, 401);
    // A signature is good once, for one method and URL, for a minute, and for this launcher.
    let used = format!("Authorization: {}\r\n", admin.token(1, "GET", path, ""));
    assert_eq!(admin.request("GET", path, &used, "").status, 200);
    assert!(admin.request("GET", path, &used, "").body.contains("used already"));
    let url = format!("http://{}{path}", admin.host);
    let old = Timestamp::from_secs(Timestamp::now().as_secs() - 90);
    let now = Timestamp::now();
    for bad in [
        token(1, "POST", &url, "", now),
        token(1, "GET", &url.replace("status", "config"), "", now),
        token(1, "GET", &url, "", old),
        "Nostr x".to_owned(),
    ] {
        assert_eq!(
            admin.request("GET", path, &format!("Authorization: {bad}\r\n"), "").status,
            401
        );
    }
    let elsewhere = token(1, "GET", "http://evil.example/api/status", "", now);
    let headers = format!("Host: evil.example\r\nAuthorization: {elsewhere}\r\n");
    let answer = admin.request("GET", path, &headers, "");
    assert!(
        answer.status == 401 && answer.body.contains("ORLY_LAUNCHER_ADMIN_URL"),
        "{}",
        answer.body
    );
}

#[test]
fn the_body_is_signed_as_well() {
    let (house, admin) = owned();
    let path = "/api/restart-service";
    let body = r#"{"service":"relay"}"#;
    let headers = format!("Authorization: {}\r\n", admin.token(1, "POST", path, body));
    let other = admin.request("POST", path, &headers, r#"{"service":"db"}"#);
    assert_eq!(other.status, 401);
    let bare = format!("Authorization: {}\r\n", admin.token(1, "POST", path, ""));
    assert_eq!(admin.request("POST", path, &bare, body).status, 401);
    assert_eq!(House::unit(&house.status(), "relay")["restarts"], 0);
    assert_eq!(admin.request("POST", path, &headers, body).status, 200);
}

#[test]
fn units_are_stopped_and_started() {
    let (mut house, admin) = owned();
    let post = |path: &str, body: &str| admin.signed(1, "POST", path, body);
    assert_eq!(post("/api/restart-service", r#"{"service":"orly-db"}"#).status, 200);
    house.wait_until("a restart", |status| {
        House::unit(status, "db")["restarts"] == 1 && status["ready"] == true
    });
    assert_eq!(post("/api/stop-service", r#"{"service":"relay"}"#).status, 200);
    house.wait_until("a stop", |status| House::unit(status, "relay")["status"] == "stopped");
    assert_eq!(post("/api/start-service", r#"{"service":"relay"}"#).status, 200);
    assert_eq!(post("/api/start-service", r#"{"service":"rely"}"#).status, 404);
    assert_eq!(post("/api/start-service", "relay").status, 400);
    assert_eq!(post("/api/start-services", "").status, 409);
    assert_eq!(post("/api/stop-services", "").status, 200);
    house.wait_until("all have stopped", |status| {
        status["processes"]
            .as_array()
            .is_some_and(|units| units.iter().all(|unit| unit["pid"] == 0))
    });
    assert_eq!(post("/api/stop-services", "").status, 409);
    assert_eq!(post("/api/start-services", "").status, 200);
    house.wait_until("all are ready", |status| status["ready"] == true);
    assert_eq!(post("/api/restart", "").status, 200);
    house.wait_until("a restart of all", |status| {
        House::unit(status, "db")["restarts"] == 3 && status["ready"] == true
    });
    for path in ["/api/update", "/api/rollback"] {
        let answer = post(path, "{}");
        assert!(
            answer.status == 501 && answer.body.contains("upgrade the image"),
            "{}",
            answer.body
        );
    }
    assert_eq!(admin.signed(1, "GET", "/api/releases", "").status, 501);
    assert_eq!(admin.signed(1, "GET", "/api/nothing", "").status, 404);
    let answer = admin.signed(1, "GET", "/api/restart", "");
    assert!(answer.status == 405 && answer.head.contains("allow: POST"), "{}", answer.head);
}

#[test]
fn settings_are_written_for_the_next_start() {
    let (mut house, admin) = owned();
    let post = |body: &str| admin.signed(1, "POST", "/api/config", body);
    let answer = post(r#"{"acl_mode":"managed","log_level":"debug"}"#);
    assert_eq!((answer.status, &answer.json()["restart_needed"]), (200, &true.into()));
    for (bad, reason) in [
        (r#"{"acl_mode":"open"}"#, "none, follows, managed"),
        (r#"{"db_binary":"/tmp/x"}"#, "environment only"),
        (r#"{"nonsense":1}"#, "is not known"),
        ("[]", "invalid type"),
    ] {
        let answer = post(bad);
        assert!(answer.status == 400 && answer.body.contains(reason), "{}", answer.body);
    }
    let answer = admin.signed(1, "GET", "/api/config", "").json();
    assert_eq!((&answer["acl_mode"], &answer["log_level"]), (&"managed".into(), &"debug".into()));
    assert_eq!(house.stop().code, Some(0));
}

#[test]
fn without_owners_only_the_machines_own_user_gets_in() {
    let mut house = House::started();
    let admin = Admin::of(&house);
    let answer = admin.signed(1, "GET", "/api/status", "");
    assert!(
        answer.status == 403 && answer.body.contains("ORLY_LAUNCHER_OWNERS"),
        "{}",
        answer.body
    );
    let (code, text) = house.run(&["login"]);
    assert_eq!(code, Some(0));
    let (url, token) = text.trim().split_once("/admin#token=").unwrap();
    assert_eq!(url, format!("http://{}", admin.host));
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(admin.request("GET", "/api/status", &bearer, "").status, 200);
    assert_eq!(admin.request("DELETE", "/api/session", &bearer, "").status, 200);
    assert_eq!(admin.request("GET", "/api/status", &bearer, "").status, 401);
    assert_eq!(house.stop().code, Some(0));
}

#[test]
fn a_signature_opens_a_session() {
    let (_house, admin) = owned();
    let answer = admin.signed(1, "POST", "/api/session", "").json();
    let bearer = format!("Authorization: Bearer {}\r\n", answer["token"].as_str().unwrap());
    assert_eq!(admin.request("GET", "/api/status", &bearer, "").status, 200);
}

#[test]
fn the_page_is_whole_and_lets_nothing_else_in() {
    let (_house, admin) = owned();
    let page = admin.request("GET", "/admin", "", "");
    assert_eq!(page.status, 200);
    let head = page.head.to_ascii_lowercase();
    assert!(head.contains("default-src 'none'; script-src 'nonce-"), "{head}");
    assert!(!page.body.contains("{{") && page.body.contains("<script nonce="));
    assert!(!page.body.contains("http://") && !page.body.contains("https://"));
    assert!(head.contains("x-frame-options: deny"));
    assert_eq!(admin.request("GET", "/", "", "").status, 303);
    assert_eq!(admin.request("GET", "/healthz", "", "").body, "ok");
    assert_eq!(admin.request("POST", "/api/config", "", &"x".repeat(100_000)).status, 413);
}
