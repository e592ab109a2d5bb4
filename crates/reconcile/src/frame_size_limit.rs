//! The cap on a message.

use std::num::NonZeroUsize;

/// How many bytes a message we write may have: no limit, or at least [`FrameSizeLimit::MIN`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameSizeLimit(Option<NonZeroUsize>);

/// A frame size limit too small to make progress in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame size limit {bytes}: at least {} bytes, or 0 for no limit", FrameSizeLimit::MIN)]
pub struct FrameSizeLimitTooSmall {
    /// The limit asked for.
    pub bytes: usize,
}

impl FrameSizeLimit {
    /// Messages of any size.
    pub const NONE: Self = Self(None);

    /// The smallest limit there is.
    pub const MIN: usize = 4096;

    /// Room kept for what closes a message: a bound, a skip, and the fingerprint of the rest.
    const RESERVE: usize = 200;

    /// Takes a number of bytes, 0 for no limit.
    pub fn new(bytes: usize) -> Result<Self, FrameSizeLimitTooSmall> {
        match NonZeroUsize::new(bytes) {
            Some(limit) if limit.get() < Self::MIN => Err(FrameSizeLimitTooSmall { bytes }),
            limit => Ok(Self(limit)),
        }
    }

    /// The number of bytes, 0 for no limit.
    pub fn bytes(self) -> usize {
        self.0.map_or(0, NonZeroUsize::get)
    }

    /// Whether a message of this length has to be closed.
    pub(crate) fn is_reached(self, len: usize) -> bool {
        self.0.is_some_and(|limit| len > limit.get() - Self::RESERVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_no_limit_and_less_than_the_minimum_is_refused() {
        assert_eq!(FrameSizeLimit::new(0), Ok(FrameSizeLimit::NONE));
        assert_eq!(FrameSizeLimit::new(4095), Err(FrameSizeLimitTooSmall { bytes: 4095 }));
        assert_eq!(FrameSizeLimit::new(4096).map(FrameSizeLimit::bytes), Ok(4096));
        assert_eq!(FrameSizeLimit::NONE.bytes(), 0);
        assert!(!FrameSizeLimit::NONE.is_reached(usize::MAX));
    }
}
