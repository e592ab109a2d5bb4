//! Public keys.

use daemon::Setting;
use event::Pubkey;

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub Pubkey);

impl Setting for Key {
    fn expected() -> String {
        "a public key (npub1… or 64 hex digits)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        Pubkey::from_hex_or_npub(text).ok().map(Self)
    }
}
