//! WebSocket frames, as a client writes and reads them (RFC 6455 §5.2).

use std::ops::Range;

use anyhow::{bail, ensure};

use super::MAX_MESSAGE;

const FINAL: u8 = 0x80;
const TEXT: u8 = 1;
const PONG: u8 = 10;
const MASKED: u8 = 0x80;
/// Masking with zeros changes nothing, and any server must accept it.
const NO_MASK: [u8; 4] = [0; 4];

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Data,
    Close,
    Ping,
    Pong,
}

/// The header of a frame that is complete in the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) opcode: Opcode,
    pub(super) is_final: bool,
    pub(super) payload: Range<usize>,
}

impl Frame {
    /// Reads the first frame; `None` while it is incomplete.
    pub(super) fn parse(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some((&[first, second], rest)) = bytes.split_first_chunk() else {
            return Ok(None);
        };
        ensure!(second & MASKED == 0, "the relay masks its frames");
        let (length, header) = match second {
            126 => match rest.first_chunk() {
                Some(length) => (usize::from(u16::from_be_bytes(*length)), 4),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(length) => (usize::try_from(u64::from_be_bytes(*length))?, 10),
                None => return Ok(None),
            },
            length => (usize::from(length), 2),
        };
        ensure!(length <= MAX_MESSAGE, "the relay announces a frame of {length} bytes");
        if bytes.len() < header + length {
            return Ok(None);
        }
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 | 2 => Opcode::Data,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            other => bail!("the relay sends a frame of unknown type {other}"),
        };
        Ok(Some(Self { opcode, is_final: first & FINAL != 0, payload: header..header + length }))
    }
}

/// Appends a text frame whose payload is the parts in order.
pub(crate) fn push_text(out: &mut Vec<u8>, parts: &[&[u8]]) {
    push_frame(out, TEXT, parts);
}

/// Appends the answer to a ping.
pub(super) fn push_pong(out: &mut Vec<u8>, payload: &[u8]) {
    push_frame(out, PONG, &[payload]);
}

fn push_frame(out: &mut Vec<u8>, opcode: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(FINAL | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => out.push(MASKED | length),
        (_, Ok(length)) => {
            out.push(MASKED | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&NO_MASK);
    for part in parts {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_frames_wait_for_more() {
        let whole = [0x81, 126, 0, 200].into_iter().chain([b'x'; 200]).collect::<Vec<_>>();
        for end in 0..whole.len() {
            assert_eq!(Frame::parse(&whole[..end]).unwrap(), None);
        }
        let frame = Frame::parse(&whole).unwrap().unwrap();
        assert_eq!(frame, Frame { opcode: Opcode::Data, is_final: true, payload: 4..204 });
    }

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        for (length, header) in [(0, 6), (125, 6), (126, 8), (65_535, 8), (65_536, 14)] {
            let mut out = Vec::new();
            push_text(&mut out, &[&vec![b'x'; length]]);
            assert_eq!(out.len(), header + length);
        }
    }

    #[test]
    fn absurd_length_is_refused_before_it_is_read() {
        assert!(Frame::parse(&[0x81, 127, 255, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
