//! Everything an event can refer to: authors, topics, and the events before it.

use event::hex;

use super::author::Author;
use super::random::Random;
use super::zipf::Zipf;

/// How many hashtags there are.
const TOPICS: usize = 2000;

/// What later events must know of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) id: [u8; 32],
    pub(crate) author: u32,
    pub(crate) kind: u16,
    /// The number in the `d` tag.
    pub(crate) d: u16,
}

/// The authors and topics, by popularity, and the events so far.
pub(crate) struct World {
    pub(crate) authors: Vec<Author>,
    author_ranks: Zipf,
    topics: Vec<String>,
    topic_ranks: Zipf,
    /// The events made before, in order.
    pub(crate) history: Vec<Entry>,
}

impl World {
    /// Derives the authors of a seed.
    pub(crate) fn new(seed: u64, authors: usize, threads: usize) -> Self {
        let known = [
            "nostr",
            "bitcoin",
            "zap",
            "grownostr",
            "art",
            "photography",
            "foodstr",
            "plebchain",
            "music",
        ];
        let topics = (0..TOPICS).map(|rank| {
            known.get(rank).map_or_else(|| format!("topic{rank}"), ToString::to_string)
        });
        Self {
            authors: Author::derive_all(seed, authors, threads),
            author_ranks: Zipf::new(authors),
            topics: topics.collect(),
            topic_ranks: Zipf::new(TOPICS),
            history: Vec::new(),
        }
    }

    /// Draws an author, the first ones most often.
    pub(crate) fn draw_author(&self, random: &mut Random) -> usize {
        self.author_ranks.draw(random)
    }

    /// Draws an author and returns the public key.
    pub(crate) fn any_pubkey(&self, random: &mut Random) -> &str {
        &self.authors[self.draw_author(random)].pubkey
    }

    /// The public key of an event's author.
    pub(crate) fn pubkey(&self, entry: &Entry) -> &str {
        &self.authors[entry.author as usize].pubkey
    }

    /// Draws a hashtag.
    pub(crate) fn topic(&self, random: &mut Random) -> &str {
        &self.topics[self.topic_ranks.draw(random)]
    }

    /// Draws an earlier note: as likely among the last ten as among the hundred before them.
    pub(crate) fn recent_note(&self, random: &mut Random) -> Option<&Entry> {
        let past = self.history.len();
        let magnitude = random.below(past.checked_ilog2()? as usize + 1);
        let distance = random.below(1 << magnitude);
        self.history[..past - distance].iter().rev().take(64).find(|entry| entry.is_note())
    }
}

impl Entry {
    /// The id as on the wire.
    pub(crate) fn id_hex(&self) -> String {
        hex::encode(&self.id)
    }
}
