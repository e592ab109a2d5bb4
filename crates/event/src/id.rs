//! The fixed-width names of NIP-01: event id, public key, signature.

use std::fmt;
use std::str::FromStr;

use crate::hex;

/// A text was not the expected number of lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} lower-case hex digits")]
pub struct InvalidHex {
    /// How many digits the value has on the wire.
    pub expected: usize,
}

macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// How many bytes it has.
            pub const LEN: usize = $len;

            /// Takes the raw bytes.
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Reads the wire form: lower-case hex of the exact length.
            pub fn from_hex(digits: &[u8]) -> Result<Self, InvalidHex> {
                hex::decode_fixed(digits).map(Self).ok_or(InvalidHex { expected: $len * 2 })
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = InvalidHex;

            fn from_str(text: &str) -> Result<Self, InvalidHex> {
                Self::from_hex(text.as_bytes())
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = std::array::TryFromSliceError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self)
            }
        }
    };
}

fixed_bytes!(
    /// SHA-256 of an event's NIP-01 serialisation.
    EventId,
    32
);
fixed_bytes!(
    /// An author's x-only public key (BIP-340).
    Pubkey,
    32
);
fixed_bytes!(
    /// A Schnorr signature (BIP-340) of an event id.
    Signature,
    64
);
