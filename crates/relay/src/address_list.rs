//! Lists of addresses, as operators write them.

use std::net::IpAddr;

use crate::{InvalidNetwork, Network};

/// Addresses that an operator names: one (`192.0.2.1`), a network (`192.0.2.0/24`), or how they start.
///
/// A start ends where a number does: `10.1` and `10.1.` are both `10.1.0.0/16` and never `10.11.0.1`;
/// `2001:db8:` is `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange(Network);

impl AddressRange {
    /// Whether an address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(address)
    }
}

impl std::str::FromStr for AddressRange {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        if let Ok(network) = text.parse() {
            return Ok(Self(network));
        }
        let start = text.trim_end_matches(['.', ':']);
        let network = if text.contains(':') { start_v6(start) } else { start_v4(start) };
        network.ok_or(InvalidNetwork)?.parse().map(Self)
    }
}

fn start_v4(start: &str) -> Option<String> {
    let mut bytes = [0u8; 4];
    let parts = start.split('.').count();
    for (byte, part) in bytes.iter_mut().zip(start.split('.')) {
        *byte = part.parse().ok()?;
    }
    (parts < 4).then(|| format!("{}/{}", IpAddr::from(bytes), parts * 8))
}

fn start_v6(start: &str) -> Option<String> {
    let mut segments = [0u16; 8];
    let parts = start.split(':').count();
    for (segment, part) in segments.iter_mut().zip(start.split(':')) {
        *segment = u16::from_str_radix(part, 16).ok()?;
    }
    (parts < 8).then(|| format!("{}/{}", IpAddr::from(segments), parts * 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_ends_where_a_number_does() {
        let cases = [
            ("10.1", "10.1.2.3", "10.11.0.1"),
            ("10.1.", "10.1.0.0", "10.10.0.1"),
            ("127.", "127.8.8.8", "12.7.0.1"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.10"),
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.11"),
            ("192.0.2.0/25", "192.0.2.127", "192.0.2.128"),
            ("2001:db8:", "2001:db8::1", "2001:db80::1"),
            ("2001:db8::/48", "2001:db8:0:1::1", "2001:db8:1::1"),
            ("fe80::1", "fe80::1", "fe80::10"),
        ];
        for (text, inside, outside) in cases {
            let range: AddressRange = text.parse().unwrap();
            assert!(range.contains(inside.parse().unwrap()), "{text} {inside}");
            assert!(!range.contains(outside.parse().unwrap()), "{text} {outside}");
        }
    }

    #[test]
    fn what_starts_no_address_is_refused() {
        for text in ["", ".", "10.300", "10.1.2.3.", "a.b", "10.1/99", ":", "12345:", "1:2::3:"] {
            assert!(text.parse::<AddressRange>().is_err(), "{text}");
        }
    }
}
