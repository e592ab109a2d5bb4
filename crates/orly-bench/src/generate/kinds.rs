//! The kinds of a real relay, in its proportions, and what an event of each looks like.

use super::author::Draft;
use super::random::Random;
use super::text::{note_length, push_text};
use super::world::{Entry, World};

/// What kind of event to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Note,
    Reaction,
    Repost,
    Zap,
    Profile,
    FollowList,
    RelayList,
    DirectMessage,
    Article,
    Report,
}

/// Shares in thousandths. The mean size of an event is about 820 bytes.
const SHARES: [(Shape, usize); 10] = [
    (Shape::Note, 600),
    (Shape::Reaction, 200),
    (Shape::Repost, 40),
    (Shape::Zap, 40),
    (Shape::Profile, 30),
    (Shape::FollowList, 25),
    (Shape::RelayList, 20),
    (Shape::DirectMessage, 20),
    (Shape::Article, 15),
    (Shape::Report, 10),
];

const RELAYS: &[&str] = &[
    "wss://relay.example.com",
    "wss://nostr.example.net",
    "wss://relay.one.example",
    "wss://relay.two.example",
    "wss://inbox.example.org",
    "wss://eden.example",
    "wss://purple.example",
    "wss://nos.example",
];

impl Shape {
    /// Draws a shape by its share.
    pub(crate) fn draw(random: &mut Random) -> Self {
        let mut point = random.below(1000);
        for (shape, share) in SHARES {
            if point < share {
                return shape;
            }
            point -= share;
        }
        Self::Note
    }

    /// The kind number.
    pub(crate) const fn kind(self) -> u16 {
        match self {
            Self::Profile => 0,
            Self::Note => 1,
            Self::FollowList => 3,
            Self::DirectMessage => 4,
            Self::Repost => 6,
            Self::Reaction => 7,
            Self::Report => 1984,
            Self::Zap => 9735,
            Self::RelayList => 10002,
            Self::Article => 30023,
        }
    }

    /// Writes tags and content. Returns the number in the `d` tag, 0 for kinds without one.
    pub(crate) fn fill(self, draft: &mut Draft, world: &World, random: &mut Random) -> u16 {
        draft.kind = self.kind();
        match self {
            Self::Note => note(draft, world, random),
            Self::Reaction => reaction(draft, world, random),
            Self::Repost => quote(draft, world, random, ""),
            Self::Zap => zap(draft, world, random),
            Self::Profile => profile(draft, random),
            Self::FollowList => follow_list(draft, world, random),
            Self::RelayList => relay_list(draft, random),
            Self::DirectMessage => direct_message(draft, world, random),
            Self::Report => quote(draft, world, random, "spam"),
            Self::Article => return article(draft, world, random),
        }
        0
    }
}

fn note(draft: &mut Draft, world: &World, random: &mut Random) {
    let target = if random.chance(45) { world.recent_note(random) } else { None };
    if let Some(root) = target {
        draft.tags.push(&["e", &root.id_hex(), random.pick(RELAYS), "root"]);
        if random.chance(40) {
            let parent = world.recent_note(random).unwrap_or(root);
            draft.tags.push(&["e", &parent.id_hex(), "", "reply"]);
            draft.tags.push(&["p", world.pubkey(parent)]);
        }
        draft.tags.push(&["p", world.pubkey(root)]);
    } else if random.chance(15) {
        draft.tags.push(&["p", world.any_pubkey(random), "", "mention"]);
    }
    if random.chance(20) {
        push_topics(draft, world, random);
    }
    if random.chance(10) {
        draft.tags.push(&["client", "orly-bench", "31990:client", random.pick(RELAYS)]);
    }
    push_text(&mut draft.content, note_length(random), random);
}

fn reaction(draft: &mut Draft, world: &World, random: &mut Random) {
    quote(draft, world, random, "");
    draft.tags.push(&["k", "1"]);
    draft.content.push_str(random.pick(&["+", "+", "+", "-", "🤙", "❤️", "😂", "🚀", ":soapbox:"]));
}

/// Tags of an event about another: reposts, reactions, reports.
fn quote(draft: &mut Draft, world: &World, random: &mut Random, label: &str) {
    let target = world.recent_note(random);
    let hint = if label.is_empty() { random.pick(RELAYS) } else { label };
    if let Some(note) = target {
        draft.tags.push(&["e", &note.id_hex(), hint]);
    }
    let pubkey = target.map_or_else(|| world.any_pubkey(random), |note| world.pubkey(note));
    if label.is_empty() {
        draft.tags.push(&["p", pubkey]);
    } else {
        draft.tags.push(&["p", pubkey, label]);
    }
}

fn zap(draft: &mut Draft, world: &World, random: &mut Random) {
    let sats = random.pick(&["21", "100", "210", "1000", "5000", "21000"]);
    let sender = world.any_pubkey(random);
    let target = world.recent_note(random);
    let receiver = target.map_or_else(|| world.any_pubkey(random), |note| world.pubkey(note));
    draft.tags.push(&["p", receiver]);
    if let Some(note) = target {
        draft.tags.push(&["e", &note.id_hex()]);
    }
    draft.tags.push(&["P", sender]);
    draft.tags.push(&["bolt11", &format!("lnbc{sats}n1p{}{}", hex32(random), hex32(random))]);
    draft.tags.push(&["preimage", &hex32(random)]);
    let request = format!(
        r#"{{"id":"{}","pubkey":"{sender}","created_at":{},"kind":9734,"tags":[["p","{receiver}"],["amount","{sats}000"],["relays","{}","{}"]],"content":"","sig":"{}{}"}}"#,
        hex32(random),
        draft.created_at,
        random.pick(RELAYS),
        random.pick(RELAYS),
        hex32(random),
        hex32(random),
    );
    draft.tags.push(&["description", &request]);
}

fn profile(draft: &mut Draft, random: &mut Random) {
    let mut about = String::new();
    push_text(&mut about, 20 + random.below(200), random);
    let name = format!("user{}", random.below(1_000_000));
    let fields = serde_json::json!({
        "name": name, "display_name": format!("{name} ⚡"), "about": about,
        "picture": format!("https://image.example/{name}.jpg"),
        "nip05": format!("{name}@example.com"), "lud16": format!("{name}@wallet.example"),
    });
    draft.content.push_str(&fields.to_string());
}

fn follow_list(draft: &mut Draft, world: &World, random: &mut Random) {
    for _ in 0..40 + random.below(121) {
        draft.tags.push(&["p", world.any_pubkey(random)]);
    }
}

fn relay_list(draft: &mut Draft, random: &mut Random) {
    for relay in &RELAYS[..2 + random.below(RELAYS.len() - 1)] {
        match random.below(4) {
            0 => draft.tags.push(&["r", relay, "read"]),
            1 => draft.tags.push(&["r", relay, "write"]),
            _ => draft.tags.push(&["r", relay]),
        }
    }
}

fn direct_message(draft: &mut Draft, world: &World, random: &mut Random) {
    draft.tags.push(&["p", world.any_pubkey(random)]);
    for _ in 0..1 + random.below(6) {
        draft.content.push_str(&hex32(random));
    }
    draft.content.push_str("?iv=");
    draft.content.push_str(&hex32(random)[..24]);
}

fn article(draft: &mut Draft, world: &World, random: &mut Random) -> u16 {
    let number = u16::try_from(random.below(20)).expect("below 20");
    let mut title = String::new();
    push_text(&mut title, 20, random);
    draft.tags.push(&["d", &format!("article-{number}")]);
    draft.tags.push(&["title", &title]);
    draft.tags.push(&["published_at", &draft.created_at.to_string()]);
    push_topics(draft, world, random);
    if random.chance(30) {
        let address = format!("30023:{}:article-{}", world.any_pubkey(random), random.below(20));
        draft.tags.push(&["a", &address, random.pick(RELAYS)]);
    }
    push_text(&mut draft.content, 300 + random.below(180), random);
    number
}

fn push_topics(draft: &mut Draft, world: &World, random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        draft.tags.push(&["t", world.topic(random)]);
    }
}

fn hex32(random: &mut Random) -> String {
    event::hex::encode(&random.bytes())
}

impl Entry {
    /// Whether `e` tags refer to it.
    pub(crate) const fn is_note(&self) -> bool {
        self.kind == Shape::Note.kind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_a_thousand() {
        assert_eq!(SHARES.iter().map(|(_, share)| share).sum::<usize>(), 1000);
    }
}
