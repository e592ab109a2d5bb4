//! The words of the store on the wire of `orlystore.v1`. What comes in is checked here.

mod events;
mod filter;
mod outcome;
mod set;

pub(super) use events::{PART_BYTES, pack, pack_events, parts, to_batch, to_events};
pub(super) use filter::{addresses, from_query, ids, pack_ids, to_query};
pub(super) use outcome::{RULE, from_outcomes, to_outcomes};
pub(super) use set::{
    from_initiator, join_answer, join_step, limit_of, split_answer, split_step, to_initiator,
};
