//! What other commands rely on: the same bytes, and events that verify.

use std::collections::HashSet;

use event::hex;
use secp256k1::{XOnlyPublicKey, schnorr};
use sha2::{Digest, Sha256};

use super::rounds::{Clock, Mix, Rounds};
use super::world::World;

fn lines(count: usize, threads: usize) -> Vec<String> {
    let world = World::new(7, 50, threads);
    let clock = Clock::Span { until: 1_790_812_800, seconds: 1_000_000 };
    let mut rounds = Rounds::new(world, 7, count, clock, Mix::All, threads);
    let mut lines = Vec::new();
    while let Some(batches) = rounds.next_round() {
        let events = batches.iter().flat_map(|batch| batch.iter());
        lines.extend(events.map(|(json, _)| String::from_utf8(json.to_vec()).unwrap()));
    }
    lines
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let alone = lines(1000, 1);
    assert_eq!(alone.len(), 1000);
    assert_eq!(alone, lines(1000, 2));
    assert_eq!(alone, lines(1000, 7));
}

#[test]
fn ids_and_signatures_are_valid() {
    for line in lines(400, 2) {
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        // serde_json escapes control characters only, as NIP-01 does for those that occur.
        let hashed = serde_json::json!([
            0,
            event["pubkey"],
            event["created_at"],
            event["kind"],
            event["tags"],
            event["content"]
        ]);
        let id: [u8; 32] = Sha256::digest(hashed.to_string()).into();
        assert_eq!(event["id"], hex::encode(&id), "{line}");

        let field = |name: &str| event[name].as_str().unwrap().as_bytes();
        let pubkey =
            XOnlyPublicKey::from_byte_array(hex::decode_fixed(field("pubkey")).unwrap()).unwrap();
        let signature =
            schnorr::Signature::from_byte_array(hex::decode_fixed(field("sig")).unwrap());
        signature.verify(&id, &pubkey).unwrap();
    }
}

#[test]
fn ids_are_distinct_and_tags_refer_to_earlier_events() {
    let mut seen = HashSet::new();
    let mut references = 0;
    for line in lines(3000, 2) {
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        for tag in event["tags"].as_array().unwrap() {
            if tag[0] == "e" {
                assert!(seen.contains(tag[1].as_str().unwrap()), "{line}");
                references += 1;
            }
        }
        assert!(seen.insert(event["id"].as_str().unwrap().to_owned()), "{line}");
    }
    assert!(references > 1000, "{references}");
}

#[test]
fn mean_size_is_about_820_bytes() {
    let lines = lines(5000, 2);
    let mean = lines.iter().map(String::len).sum::<usize>() / lines.len();
    assert!((740..900).contains(&mean), "{mean}");
}
