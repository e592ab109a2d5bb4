//! Base-128 numbers, most significant digit first (protocol V1, "Varint").

use std::ops::Deref;

use crate::message::Malformed;

/// How many digits the largest `u64` takes.
pub(crate) const MAX_LEN: usize = 10;

/// The digits of one number.
pub(crate) struct Varint {
    digits: [u8; MAX_LEN],
    start: usize,
}

impl Deref for Varint {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}

/// Writes a number with as few digits as possible.
pub(crate) fn encode(number: u64) -> Varint {
    let mut digits = [0; MAX_LEN];
    let mut start = MAX_LEN - 1;
    let mut rest = number;
    loop {
        let [low, ..] = rest.to_le_bytes();
        let more = if start == MAX_LEN - 1 { 0 } else { 0x80 };
        digits[start] = low & 0x7f | more;
        rest >>= 7;
        if rest == 0 {
            return Varint { digits, start };
        }
        start -= 1;
    }
}

/// Reads a number off the front of `bytes`.
pub(crate) fn decode(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut number: u64 = 0;
    let mut rest = *bytes;
    loop {
        let Some((digit, tail)) = rest.split_first() else { return Err(Malformed::Truncated) };
        if number == 0 && *digit == 0x80 {
            return Err(Malformed::PaddedVarint);
        }
        if number >> (64 - 7) != 0 {
            return Err(Malformed::VarintTooLarge);
        }
        number = number << 7 | u64::from(digit & 0x7f);
        rest = tail;
        if digit & 0x80 == 0 {
            *bytes = rest;
            return Ok(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(mut bytes: &[u8], expected: Result<u64, Malformed>, left: usize) {
        assert_eq!(decode(&mut bytes), expected);
        assert_eq!(bytes.len(), left);
    }

    #[test]
    fn the_most_significant_digit_comes_first() {
        assert_eq!(encode(0)[..], [0]);
        assert_eq!(encode(127)[..], [0x7f]);
        assert_eq!(encode(128)[..], [0x81, 0]);
        assert_eq!(encode(u64::MAX).len(), MAX_LEN);
    }

    #[test]
    fn numbers_that_end_early_pad_or_overflow_are_refused() {
        check(&[], Err(Malformed::Truncated), 0);
        check(&[0xff, 0xff], Err(Malformed::Truncated), 2);
        check(&[0x80, 0x01], Err(Malformed::PaddedVarint), 2);
        check(
            &[0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
            Err(Malformed::VarintTooLarge),
            10,
        );
        check(&[0xff; 40], Err(Malformed::VarintTooLarge), 40);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(number in any::<u64>(), shift in 0..64, tail in any::<[u8; 3]>()) {
            let number = number >> shift;
            let bytes = [&encode(number)[..], &tail].concat();
            check(&bytes, Ok(number), tail.len());
        }
    }
}
