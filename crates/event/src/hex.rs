//! Lower-case hexadecimal, the wire form of ids, keys and signatures (NIP-01).

/// Writes `bytes` as lower-case hex at the end of `out`.
pub fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len() * 2, 0);
    faster_hex::hex_encode(bytes, &mut out[start..]).expect("room for two digits a byte");
}

/// Returns `bytes` as a lower-case hex string.
pub fn encode(bytes: &[u8]) -> String {
    faster_hex::hex_string(bytes)
}

/// Decodes exactly `2 * N` lower-case hex digits; `None` for anything else.
pub fn decode_fixed<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    faster_hex::hex_decode_with_case(digits, &mut bytes, faster_hex::CheckCase::Lower).ok()?;
    Some(bytes)
}

/// Decodes any even number of hex digits, upper or lower case.
pub fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let mut bytes = vec![0; digits.len() / 2];
    faster_hex::hex_decode(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_width_takes_lower_case_of_the_exact_length_only() {
        assert_eq!(decode_fixed::<2>(b"00ff"), Some([0, 255]));
        assert_eq!(decode_fixed::<2>(b"00FF"), None);
        assert_eq!(decode_fixed::<2>(b"00f"), None);
        assert_eq!(decode_fixed::<2>(b"00fg"), None);
    }
}
