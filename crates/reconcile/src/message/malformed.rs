//! How bytes fail to be a message.

/// The bytes are no message of protocol V1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There is not even a version byte.
    #[error("message is empty")]
    Empty,
    /// The first byte is no version of any negentropy protocol.
    #[error("first byte {byte:#04x} is no protocol version, 0x60 to 0x6f are")]
    NoVersion {
        /// The byte found.
        byte: u8,
    },
    /// The message ends inside a range.
    #[error("message ends inside a range")]
    Truncated,
    /// A number has more than 64 bits.
    #[error("number exceeds 64 bits")]
    VarintTooLarge,
    /// A number begins with a digit zero.
    #[error("number is padded with zeros")]
    PaddedVarint,
    /// A bound's id prefix is longer than an id.
    #[error("id prefix of {len} bytes, 32 are allowed")]
    PrefixTooLong {
        /// The length announced.
        len: u64,
    },
    /// A bound's time does not fit into 64 bits, or is the reserved one.
    #[error("time of a bound exceeds 64 bits")]
    TimestampTooLarge,
    /// A range ends below its start.
    #[error("range ends below its start")]
    BoundOutOfOrder,
    /// A range's mode is none of the three there are.
    #[error("mode {mode} is unknown, 0 to 2 are defined")]
    UnknownMode {
        /// The mode found.
        mode: u64,
    },
    /// An id list announces more ids than the message has room for.
    #[error("id list of {len} ids, the message has room for {room}")]
    IdListTooLong {
        /// The length announced.
        len: u64,
        /// How many ids fit into the rest of the message.
        room: usize,
    },
}
