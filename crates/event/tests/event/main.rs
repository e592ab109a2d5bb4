//! Whatever comes off the wire is read or refused, and what is read is written the same again.

mod decoders;
mod packed;
mod wire;
