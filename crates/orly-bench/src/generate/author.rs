//! Authors with keys derived from the seed, and the signing of their events (NIP-01).

use std::thread;

use event::hex;
use secp256k1::{Keypair, SecretKey, schnorr};
use sha2::{Digest, Sha256};

use super::json::{Tags, push_escaped};

/// One author.
pub(crate) struct Author {
    keypair: Keypair,
    /// The public key as on the wire.
    pub(crate) pubkey: String,
}

/// An event that lacks its author, id and signature. Kept and refilled, to save allocations.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) kind: u16,
    pub(crate) created_at: u64,
    pub(crate) tags: Tags,
    pub(crate) content: String,
    hashed: Vec<u8>,
}

impl Author {
    fn derive(seed: u64, index: usize) -> Self {
        let hash = Sha256::digest(format!("orly-bench author {seed}/{index}"));
        let secret = SecretKey::from_secret_bytes(hash.into())
            .expect("a hash is a valid key but for 2^-128");
        let keypair = Keypair::from_secret_key(&secret);
        let pubkey = hex::encode(&keypair.x_only_public_key().0.to_byte_array());
        Self { keypair, pubkey }
    }

    /// Derives the first `count` authors of a seed on `threads` threads.
    pub(crate) fn derive_all(seed: u64, count: usize, threads: usize) -> Vec<Self> {
        let share = count.div_ceil(threads).max(1);
        thread::scope(|scope| {
            let starts = (0..count).step_by(share);
            let work = starts.map(|start| {
                scope.spawn(move || {
                    (start..count.min(start + share))
                        .map(|i| Self::derive(seed, i))
                        .collect::<Vec<_>>()
                })
            });
            let running: Vec<_> = work.collect();
            running
                .into_iter()
                .flat_map(|part| part.join().expect("deriving does not panic"))
                .collect()
        })
    }

    /// Appends the signed event as JSON, and returns its id.
    ///
    /// The auxiliary randomness is fixed, so that the same draft gives the same bytes.
    pub(crate) fn sign(&self, draft: &mut Draft, out: &mut Vec<u8>) -> [u8; 32] {
        let mut number = itoa::Buffer::new();
        let hashed = &mut draft.hashed;
        hashed.clear();
        extend(hashed, &[b"[0,\"", self.pubkey.as_bytes(), b"\","]);
        let shared_from = hashed.len();
        hashed.extend_from_slice(number.format(draft.created_at).as_bytes());
        let created_at_to = hashed.len();
        extend(hashed, &[b",", number.format(draft.kind).as_bytes()]);
        let kind_to = hashed.len();
        extend(hashed, &[b",[", draft.tags.as_bytes(), b"]"]);
        let tags_to = hashed.len();
        hashed.extend_from_slice(b",\"");
        push_escaped(hashed, &draft.content);
        hashed.extend_from_slice(b"\"]");
        let id: [u8; 32] = Sha256::digest(&*hashed).into();
        let signature = schnorr::sign_with_aux_rand(&id, &self.keypair, &[0; 32]);

        out.extend_from_slice(b"{\"id\":\"");
        hex::push(out, &id);
        extend(out, &[b"\",\"pubkey\":\"", self.pubkey.as_bytes(), b"\",\"created_at\":"]);
        out.extend_from_slice(&hashed[shared_from..created_at_to]);
        extend(out, &[b",\"kind\":", &hashed[created_at_to + 1..kind_to]]);
        extend(out, &[b",\"tags\":", &hashed[kind_to + 1..tags_to]]);
        extend(out, &[b",\"content\":", &hashed[tags_to + 1..hashed.len() - 1], b",\"sig\":\""]);
        hex::push(out, &signature.to_byte_array());
        out.extend_from_slice(b"\"}");
        id
    }
}

impl Draft {
    /// Empties the draft and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.tags.clear();
        self.content.clear();
    }
}

fn extend(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}
