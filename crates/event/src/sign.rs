//! Making events: drafts, secret keys, signatures (BIP-340), bech32 names of keys (NIP-19).

use std::fmt;
use std::str::FromStr;

use secp256k1::{Keypair, SecretKey, schnorr};

use crate::json::{Scanner, push_text};
use crate::packed::{HEADER, Header};
use crate::parse::{expiration, push_tags};
use crate::{Event, EventId, Kind, Pubkey, Signature, Tags, Timestamp, id_of};

/// A secret key and its public key. Its `Debug` shows only the latter.
#[derive(Clone)]
pub struct Keys(Keypair);

/// What an author writes; the rest of an event follows from it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// When it was made.
    pub created_at: Timestamp,
    /// The kind.
    pub kind: Kind,
    /// The tags.
    pub tags: Vec<Vec<String>>,
    /// The content.
    pub content: String,
}

/// Bytes or text that name no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a key of 64 hex digits or its bech32 form (npub1…, nsec1…)")]
pub struct InvalidKey;

impl Keys {
    /// Takes the 32 secret bytes.
    pub fn from_secret(bytes: [u8; 32]) -> Result<Self, InvalidKey> {
        let secret = SecretKey::from_secret_bytes(bytes).map_err(|_| InvalidKey)?;
        Ok(Self(Keypair::from_secret_key(&secret)))
    }

    /// The 32 secret bytes.
    pub fn to_secret(&self) -> [u8; 32] {
        self.0.secret_key().to_secret_bytes()
    }

    /// The public key.
    pub fn pubkey(&self) -> Pubkey {
        Pubkey::new(self.0.x_only_public_key().0.to_byte_array())
    }

    /// The secret key as `nsec1…` (NIP-19).
    pub fn to_nsec(&self) -> String {
        bech32_text("nsec", &self.to_secret())
    }

    /// Makes the event `draft` describes.
    pub fn sign(&self, draft: &Draft) -> Event {
        let mut buffer = vec![0; HEADER];
        push_draft_tags(&mut buffer, &draft.tags);
        let tags_len = buffer.len() - HEADER;
        push_text(&mut buffer, &draft.content);
        let tags = std::str::from_utf8(&buffer[HEADER..HEADER + tags_len]).unwrap_or_default();
        let mut header = Header {
            id: EventId::new([0; 32]),
            pubkey: self.pubkey(),
            sig: Signature::new([0; 64]),
            created_at: draft.created_at.min(Timestamp::MAX),
            expiration: expiration(Tags::new(tags)),
            kind: draft.kind,
            tags_len,
        };
        header.id = id_of(Event::seal(buffer.clone(), &header).as_ref());
        let sig = schnorr::sign_no_aux_rand(header.id.as_bytes(), &self.0);
        header.sig = Signature::new(sig.to_byte_array());
        Event::seal(buffer, &header)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.pubkey())
    }
}

impl FromStr for Keys {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::from_secret(key_bytes("nsec", text)?)
    }
}

impl Pubkey {
    /// Reads 64 hex digits or an `npub1…` (NIP-19), as operators write them.
    pub fn from_hex_or_npub(text: &str) -> Result<Self, InvalidKey> {
        key_bytes("npub", text).map(Self::new)
    }

    /// The key as `npub1…` (NIP-19).
    pub fn to_npub(&self) -> String {
        bech32_text("npub", self.as_bytes())
    }
}

fn bech32_text(prefix: &str, key: &[u8; 32]) -> String {
    let hrp = bech32::Hrp::parse(prefix).expect("a short lower-case word");
    bech32::encode::<bech32::Bech32>(hrp, key).expect("a key is shorter than bech32's limit")
}

fn key_bytes(prefix: &str, text: &str) -> Result<[u8; 32], InvalidKey> {
    let text = text.trim();
    let bytes = if text.starts_with(prefix) {
        let (hrp, bytes) = bech32::decode(text).map_err(|_| InvalidKey)?;
        (hrp.as_str() == prefix).then_some(bytes)
    } else {
        crate::hex::decode(text.as_bytes())
    };
    bytes.ok_or(InvalidKey)?.try_into().map_err(|_| InvalidKey)
}

fn push_draft_tags(out: &mut Vec<u8>, tags: &[Vec<String>]) {
    let json = serde_json::to_string(tags).expect("strings are always JSON");
    push_tags(&mut Scanner::new(&json), out)
        .expect("it was just written as a list of lists of strings");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Forged, Verifier};

    fn keys() -> Keys {
        Keys::from_secret([7; 32]).unwrap()
    }

    fn draft() -> Draft {
        Draft {
            created_at: Timestamp::from_secs(1_700_000_000),
            kind: Kind::new(1),
            tags: vec![vec!["t".into(), "a\"\u{1}\n/é".into()]],
            content: "line\nbreak \\ \u{8}\u{c}\u{7f}".into(),
        }
    }

    #[test]
    fn signed_events_verify_and_survive_json() {
        let event = keys().sign(&draft());
        assert_eq!(Verifier::default().verify(event.as_ref()), Ok(()));
        assert_eq!(Event::from_json(&event.as_ref().to_json()).unwrap(), event);
        assert_eq!(event.as_ref().content(), draft().content);
    }

    #[test]
    fn any_change_is_noticed() {
        let json = keys().sign(&draft()).as_ref().to_json();
        let mut verifier = Verifier::default();
        let mut check = |text: String| verifier.verify(Event::from_json(&text).unwrap().as_ref());
        assert_eq!(check(json.replace("break", "brake")), Err(Forged::Id));
        let last = json.rfind("\"}").unwrap();
        let digit = if json.as_bytes()[last - 1] == b'0' { "1" } else { "0" };
        let forged = format!("{}{digit}\"}}", &json[..last - 1]);
        assert_eq!(check(forged), Err(Forged::Signature));
    }

    #[test]
    fn keys_are_read_from_hex_and_bech32() {
        let npub = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg";
        let hex = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e";
        assert_eq!(Pubkey::from_hex_or_npub(npub).unwrap().to_string(), hex);
        assert_eq!(Pubkey::from_hex_or_npub(hex).unwrap().to_npub(), npub);
        assert_eq!(keys().to_nsec().parse::<Keys>().unwrap().to_secret(), [7; 32]);
        assert_eq!(Pubkey::from_hex_or_npub(hex).unwrap().to_string(), hex);
        assert_eq!(Pubkey::from_hex_or_npub("npub1x"), Err(InvalidKey));
    }
}
