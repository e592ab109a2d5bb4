use daemon::Environment;

use super::*;

fn read<S: daemon::Settings>(variables: &[(&str, &str)]) -> S {
    daemon::load(&Environment::of(variables.iter().copied())).settings.unwrap()
}

fn settings(variables: &[(&str, &str)]) -> Reconciliation {
    read(variables)
}

fn peers(variables: &[(&str, &str)]) -> PeerSettings {
    settings(variables).peers(&read::<EventLimits>(&[]))
}

#[test]
fn the_four_narrow_the_filter() {
    let author = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e";
    let filter = |variables: &[(&str, &str)]| peers(variables).options.filter.to_json();
    let json = r##"{"kinds":[1,3,7],"since":10,"until":90,"#t":["x"],"limit":5}"##;
    assert_eq!(filter(&[]), "{}");
    assert_eq!(
        filter(&[
            ("ORLY_SYNC_NEGENTROPY_FILTER", json),
            ("ORLY_SYNC_NEGENTROPY_FILTER_KINDS", "7, 0,3"),
            ("ORLY_SYNC_NEGENTROPY_FILTER_AUTHORS", author),
            ("ORLY_SYNC_NEGENTROPY_FILTER_SINCE", "20"),
            ("ORLY_SYNC_NEGENTROPY_FILTER_UNTIL", "95"),
        ]),
        format!(r##"{{"authors":["{author}"],"kinds":[3,7],"#t":["x"],"since":20,"until":90}}"##)
    );
    assert_eq!(filter(&[("ORLY_SYNC_NEGENTROPY_FILTER_KINDS", "0,1")]), r#"{"kinds":[0,1]}"#);
}

#[test]
fn small_frames_are_raised_to_the_least() {
    let limit =
        |bytes| peers(&[("ORLY_SYNC_NEGENTROPY_FRAME_SIZE", bytes)]).options.frame_size_limit;
    assert_eq!(limit("2048"), FrameSizeLimit::new(4096).unwrap());
    assert_eq!(limit("60000"), FrameSizeLimit::new(60_000).unwrap());
    assert_eq!(limit("0"), FrameSizeLimit::NONE);
}

#[test]
fn a_relay_is_no_peer_of_itself() {
    let peers = [("ORLY_SYNC_NEGENTROPY_PEERS", "wss://a.example.com/,wss://b.example.com")];
    for own in ["ORLY_RELAY_URL", "ORLY_RELAY_ADDRESSES"] {
        let own = read(&[(own, "wss://a.example.com")]);
        let urls = settings(&peers).peer_urls(&own);
        assert_eq!(urls, ["wss://b.example.com".parse().unwrap()]);
    }
}

#[test]
fn what_the_guide_shows_is_taken() {
    let settings = settings(&[
        ("ORLY_SYNC_NEGENTROPY_PEERS", "wss://relay1.example.com,wss://relay2.example.com"),
        ("ORLY_SYNC_NEGENTROPY_FILTER_KINDS", "0,1,3,6,7,1984,10000,30000"),
        ("ORLY_SYNC_NEGENTROPY_ID_SIZE", "32"),
        ("ORLY_SYNC_NEGENTROPY_SESSION_TIMEOUT", "5m"),
    ]);
    assert_eq!(settings.peer_urls(&read(&[])).len(), 2);
    assert_eq!(settings.sessions().timeout, Duration::from_secs(300));
    assert_eq!(settings.peer_filter().kinds.map(|kinds| kinds.len()), Some(8));
}
