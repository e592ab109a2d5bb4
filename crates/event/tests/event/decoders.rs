//! Events, filters and messages as JSON, tokens of NIP-98, keys.

use event::{ClientMessage, Event, Filter, Keys, Pubkey, Timestamp, check_http_auth};
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::wire::{signed, tags, texts};

/// Whether another reader of JSON takes the text.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

fn comes_back(event: &Event) {
    let json = event.as_ref().to_json();
    assert_eq!(Event::from_json(&json).as_ref(), Ok(event), "{json}");
}

fn filter_comes_back(filter: &Filter) {
    let json = filter.to_json();
    assert_eq!(Filter::from_json(&json).as_ref(), Ok(filter), "{json}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_message_is_json_and_comes_back(text in texts()) {
        let Ok(message) = ClientMessage::from_json(&text) else { return Ok(()) };
        prop_assert!(is_json(&text), "{}", text);
        match message {
            ClientMessage::Event(event) | ClientMessage::Auth(event) => comes_back(&event),
            ClientMessage::Req { filters, .. } | ClientMessage::Count { filters, .. } => {
                filters.iter().for_each(filter_comes_back);
            }
            ClientMessage::NegOpen { filter, .. } => filter_comes_back(&filter),
            ClientMessage::Close(_) | ClientMessage::NegMsg { .. } | ClientMessage::NegClose(_) => {}
        }
    }

    #[test]
    fn a_part_of_a_message_is_read_alone_or_refused(text in texts()) {
        // What stands between the name and the closing bracket.
        let inner = text.split_once(',').map_or(&*text, |(_, rest)| rest);
        let inner = inner.strip_suffix(']').unwrap_or(inner);
        for text in [&text, inner] {
            if let Ok(event) = Event::from_json(text) {
                prop_assert!(is_json(text), "{}", text);
                comes_back(&event);
            }
            if let Ok(filter) = Filter::from_json(text) {
                prop_assert!(is_json(text), "{}", text);
                filter_comes_back(&filter);
            }
        }
    }

    #[test]
    fn an_authorization_is_refused_unless_it_is_one(text in texts(), bytes in any::<Vec<u8>>()) {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        let urls = ["https://relay.example/".to_owned()];
        for header in [text.clone(), format!("Nostr {}", STANDARD.encode(&text)), format!("Nostr {}", STANDARD.encode(bytes))] {
            let result = check_http_auth(&header, "GET", &urls, Some(b""), Timestamp::from_secs(1_700_000_000));
            prop_assert!(result.is_err(), "{}", header);
        }
    }

    #[test]
    fn a_key_is_read_or_refused(text in "(npub1|nsec1)?[0-9a-zA-Z]{0,70}", any in any::<String>()) {
        for text in [&text, &any] {
            if let Ok(key) = Pubkey::from_hex_or_npub(text) {
                prop_assert_eq!(Pubkey::from_hex_or_npub(&key.to_npub()), Ok(key));
            }
            if let Ok(keys) = text.parse::<Keys>() {
                prop_assert_eq!(keys.to_nsec().parse::<Keys>().map(|keys| keys.to_secret()), Ok(keys.to_secret()));
            }
        }
    }
}

proptest! {
    #[test]
    fn an_event_says_to_others_what_its_author_wrote(tags in tags(), content in any::<String>()) {
        let event = signed(1, tags.clone(), content.clone());
        comes_back(&event);
        let value: Value = serde_json::from_str(&event.as_ref().to_json()).unwrap();
        prop_assert_eq!(&value["tags"], &Value::from(tags.iter().map(|tag| Value::from(tag.clone())).collect::<Vec<_>>()));
        prop_assert_eq!(&value["content"], &Value::from(content));
        let read = event.as_ref().tags().iter().map(|tag| tag.values().map(event::unescaped).map(String::from).collect::<Vec<_>>());
        prop_assert_eq!(read.collect::<Vec<_>>(), tags);
    }
}
