//! Who appears in the rules.

use std::net::{IpAddr, Ipv4Addr};

use event::{Draft, Event, Keys, Kind, Pubkey, Timestamp};

pub const OWNER: u8 = 1;
pub const ADMIN: u8 = 2;
pub const ALICE: u8 = 3;
pub const BOB: u8 = 4;

/// Where clients come from.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// The keys of somebody.
pub fn keys(seed: u8) -> Keys {
    Keys::from_secret([seed; 32]).unwrap()
}

/// The pubkey of somebody.
pub fn pubkey(seed: u8) -> Pubkey {
    keys(seed).pubkey()
}

/// An event.
pub(super) fn event(author: u8, kind: u16, at: u64, tags: &[[&str; 2]]) -> Event {
    keys(author).sign(&Draft {
        created_at: Timestamp::from_secs(at),
        kind: Kind::new(kind),
        tags: tags.iter().map(|tag| tag.map(String::from).to_vec()).collect(),
        content: String::new(),
    })
}

/// The list of whom somebody follows.
pub(super) fn follow_list(author: u8, at: u64, followed: &[u8]) -> Event {
    let hex: Vec<String> = followed.iter().map(|seed| pubkey(*seed).to_string()).collect();
    let tags: Vec<[&str; 2]> = hex.iter().map(|hex| ["p", hex]).collect();
    event(author, 3, at, &tags)
}
