//! Lets the cross-language suite of hoytech/negentropy (`test/fuzz.pl`) drive this crate, line by line.
//!
//! In: `item,<created_at>,<id>`, `seal`, `initiate`, `msg,<hex>`. Out: `msg,<hex>`, `have,<id>`, `need,<id>`, `done`.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

use event::{Timestamp, hex};
use reconcile::{FrameSizeLimit, Initiator, Item, Responder, SortedVec};

#[expect(clippy::disallowed_methods, reason = "the suite hands the limit over in the environment")]
fn frame_size_limit() -> Result<FrameSizeLimit, Box<dyn Error>> {
    let bytes = std::env::var("FRAMESIZELIMIT").unwrap_or_else(|_| "0".into());
    Ok(FrameSizeLimit::new(bytes.parse()?)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let limit = frame_size_limit()?;
    let mut items = Vec::new();
    let mut set = SortedVec::default();
    let mut initiator = None;
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let line = line?;
        match line.split(',').collect::<Vec<_>>()[..] {
            [""] => {}
            ["item", created_at, id] => {
                items.push(Item {
                    created_at: Timestamp::from_secs(created_at.parse()?),
                    id: id.parse()?,
                });
            }
            ["seal"] => set = SortedVec::from(std::mem::take(&mut items)),
            ["initiate"] => {
                let (side, message) = Initiator::open(&set, limit, u32::MAX)?;
                initiator = Some(side);
                writeln!(out, "msg,{}", hex::encode(&message))?;
            }
            ["msg", digits] => {
                let message = hex::decode(digits.as_bytes()).ok_or("not hex")?;
                if let Some(initiator) = &mut initiator {
                    let step = initiator.step(&set, &message)?;
                    for id in step.have {
                        writeln!(out, "have,{id}")?;
                    }
                    for id in step.need {
                        writeln!(out, "need,{id}")?;
                    }
                    match step.next {
                        Some(message) => writeln!(out, "msg,{}", hex::encode(&message))?,
                        None => writeln!(out, "done")?,
                    }
                } else {
                    let answer = Responder::new(limit).answer(&set, &message)?;
                    writeln!(out, "msg,{}", hex::encode(&answer.message))?;
                }
            }
            _ => return Err(format!("unknown line: {line}").into()),
        }
        out.flush()?;
    }
    Ok(())
}
