//! Whether an event is what its id and signature say (NIP-01, BIP-340).

use secp256k1::{XOnlyPublicKey, schnorr};
use sha2::{Digest, Sha256};

use crate::{EventId, EventRef, Pubkey, hex};

/// How many parsed public keys a verifier remembers.
const CACHED_KEYS: usize = 4096;

/// Why an event is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// The id is not the hash of the event.
    #[error("id is not the hash of the event")]
    Id,
    /// The public key is no point of the curve.
    #[error("pubkey is not a valid public key")]
    Pubkey,
    /// The signature is not the author's.
    #[error("sig is not a valid signature of the id by pubkey")]
    Signature,
}

/// Checks ids and signatures; remembers public keys, since parsing one costs a tenth of a check.
pub struct Verifier {
    keys: Vec<Option<(Pubkey, XOnlyPublicKey)>>,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { keys: vec![None; CACHED_KEYS] }
    }
}

impl Verifier {
    /// Checks the id, then the signature (some 50 µs).
    pub fn verify(&mut self, event: EventRef<'_>) -> Result<(), Forged> {
        if !has_valid_id(event) {
            return Err(Forged::Id);
        }
        let key = self.key(event.pubkey())?;
        let sig = schnorr::Signature::from_byte_array(*event.sig().as_bytes());
        let id = event.id();
        schnorr::verify(&sig, id.as_bytes(), &key).map_err(|_| Forged::Signature)
    }

    fn key(&mut self, pubkey: Pubkey) -> Result<XOnlyPublicKey, Forged> {
        let [.., high, low] = *pubkey.as_bytes();
        let slot = &mut self.keys[usize::from(u16::from_be_bytes([high, low])) % CACHED_KEYS];
        match slot {
            Some((known, key)) if *known == pubkey => Ok(*key),
            _ => {
                let key = XOnlyPublicKey::from_byte_array(*pubkey.as_bytes());
                let key = key.map_err(|_| Forged::Pubkey)?;
                *slot = Some((pubkey, key));
                Ok(key)
            }
        }
    }
}

/// Whether the id is the hash of the event.
///
/// Control characters without a letter escape are hashed as `\u00xx`, as all JSON writers do, or
/// verbatim, as the letter of NIP-01 has it.
pub fn has_valid_id(event: EventRef<'_>) -> bool {
    let id = event.id();
    id_of(event) == id || (has_control_escape(event) && verbatim_id_of(event) == id)
}

/// The hash that is an event's id.
pub fn id_of(event: EventRef<'_>) -> EventId {
    let (tags, content) = event.raw_text();
    hash(event, tags, content)
}

fn has_control_escape(event: EventRef<'_>) -> bool {
    memchr::memmem::find(event.as_bytes(), b"\\u00").is_some()
}

fn verbatim_id_of(event: EventRef<'_>) -> EventId {
    let verbatim = |text: &str| {
        let mut out = Vec::with_capacity(text.len());
        let mut bytes = text.as_bytes();
        while let Some((&byte, rest)) = bytes.split_first() {
            let escaped = rest.strip_prefix(b"u").and_then(|rest| rest.split_first_chunk::<4>());
            match (byte, rest.first(), escaped) {
                (b'\\', _, Some((digits, rest))) => {
                    out.extend(hex::decode(&digits[2..]).unwrap_or_default());
                    bytes = rest;
                }
                (b'\\', Some(&letter), _) => {
                    out.extend_from_slice(&[byte, letter]);
                    bytes = &rest[1..];
                }
                _ => {
                    out.push(byte);
                    bytes = rest;
                }
            }
        }
        out
    };
    hash(event, &verbatim(event.tags().as_json()), &verbatim(event.content_raw()))
}

fn hash(event: EventRef<'_>, tags: &[u8], content: &[u8]) -> EventId {
    let mut digits = itoa::Buffer::new();
    let mut head = Vec::with_capacity(128);
    head.extend_from_slice(b"[0,\"");
    hex::push(&mut head, event.pubkey().as_bytes());
    head.extend_from_slice(b"\",");
    head.extend_from_slice(digits.format(event.created_at().as_secs()).as_bytes());
    head.push(b',');
    head.extend_from_slice(digits.format(event.kind().as_u16()).as_bytes());
    head.push(b',');
    let hash = Sha256::new()
        .chain_update(&head)
        .chain_update(tags)
        .chain_update(b",\"")
        .chain_update(content)
        .chain_update(b"\"]");
    EventId::new(hash.finalize().into())
}
