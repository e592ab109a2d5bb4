//! Reconciliation: what it keeps between messages, and what a message led to, in parts.

use event::EventId;
use reconcile::{Answer, FrameSizeLimit, Initiator, InitiatorState, Step};

use super::events::PART_BYTES;
use super::filter::{ids, pack_ids};
use crate::Malformed;
use crate::proto::orlystore::v1 as proto;

const PART_IDS: usize = PART_BYTES / EventId::LEN;

/// Reads a cap on messages.
pub(in crate::store) fn limit_of(bytes: u64) -> Result<FrameSizeLimit, Malformed> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    FrameSizeLimit::new(bytes)
        .map_err(|error| Malformed::new("frame_size_limit", error.to_string()))
}

/// Puts an initiator on the wire.
pub(in crate::store) fn from_initiator(initiator: &Initiator) -> proto::Initiator {
    let InitiatorState { frame_size_limit, max_rounds, rounds, fruitless } = initiator.into();
    let frame_size_limit = frame_size_limit.bytes() as u64;
    proto::Initiator { frame_size_limit, max_rounds, rounds, fruitless }
}

/// Reads an initiator.
pub(in crate::store) fn to_initiator(
    initiator: Option<proto::Initiator>,
) -> Result<Initiator, Malformed> {
    let initiator = initiator.ok_or_else(|| Malformed::new("initiator", "missing"))?;
    let proto::Initiator { frame_size_limit, max_rounds, rounds, fruitless } = initiator;
    let frame_size_limit = limit_of(frame_size_limit)?;
    Ok(InitiatorState { frame_size_limit, max_rounds, rounds, fruitless }.into())
}

/// Divides an answer into parts that fit into a message.
pub(in crate::store) fn split_answer(answer: Answer) -> Vec<proto::AnswerResponse> {
    let Answer { message, have, need, complete } = answer;
    let mut parts: Vec<proto::AnswerResponse> = Vec::new();
    let part = proto::AnswerResponse::default;
    parts.extend(
        message
            .chunks(PART_BYTES)
            .map(|chunk| proto::AnswerResponse { message: chunk.to_vec().into(), ..part() }),
    );
    let packed = |ids: &[EventId]| Some(pack_ids(ids));
    parts.extend(
        have.chunks(PART_IDS).map(|ids| proto::AnswerResponse { have: packed(ids), ..part() }),
    );
    parts.extend(
        need.chunks(PART_IDS).map(|ids| proto::AnswerResponse { need: packed(ids), ..part() }),
    );
    parts.push(proto::AnswerResponse { complete, ..part() });
    parts
}

/// Adds a part to an answer.
pub(in crate::store) fn join_answer(
    answer: &mut Answer,
    part: proto::AnswerResponse,
) -> Result<(), Malformed> {
    answer.message.extend_from_slice(&part.message);
    answer.have.extend(ids("have", part.have)?);
    answer.need.extend(ids("need", part.need)?);
    answer.complete = part.complete;
    Ok(())
}

/// Divides what a message led to into parts that fit into a message.
pub(in crate::store) fn split_step(initiator: &Initiator, step: Step) -> Vec<proto::StepResponse> {
    let Step { have, need, next } = step;
    let mut parts: Vec<proto::StepResponse> = Vec::new();
    let part = proto::StepResponse::default;
    let packed = |ids: &[EventId]| Some(pack_ids(ids));
    parts.extend(
        have.chunks(PART_IDS).map(|ids| proto::StepResponse { have: packed(ids), ..part() }),
    );
    parts.extend(
        need.chunks(PART_IDS).map(|ids| proto::StepResponse { need: packed(ids), ..part() }),
    );
    if let Some(message) = next {
        parts.extend(
            message
                .chunks(PART_BYTES)
                .map(|chunk| proto::StepResponse { next: Some(chunk.to_vec().into()), ..part() }),
        );
    }
    parts.push(proto::StepResponse { initiator: Some(from_initiator(initiator)), ..part() });
    parts
}

/// Adds a part to what a message led to; the last one says how far the reconciliation is.
pub(in crate::store) fn join_step(
    step: &mut Step,
    part: proto::StepResponse,
) -> Result<Option<Initiator>, Malformed> {
    step.have.extend(ids("have", part.have)?);
    step.need.extend(ids("need", part.need)?);
    if let Some(chunk) = part.next {
        step.next.get_or_insert_default().extend_from_slice(&chunk);
    }
    part.initiator.map(|initiator| to_initiator(Some(initiator))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize) -> Vec<EventId> {
        (0..count)
            .map(|number| {
                let mut id = [0; 32];
                id[..8].copy_from_slice(&number.to_be_bytes());
                EventId::new(id)
            })
            .collect()
    }

    #[test]
    fn answers_and_steps_of_any_size_come_back_as_they_were() {
        let message = vec![7; PART_BYTES + 1];
        for (have, need, message) in
            [(0, 0, vec![]), (1, 2, vec![1]), (PART_IDS + 1, PART_IDS, message)]
        {
            let (have, need) = (many(have), many(need));
            let answer = Answer {
                message: message.clone(),
                have: have.clone(),
                need: need.clone(),
                complete: true,
            };
            let mut found = Answer::default();
            for part in split_answer(answer.clone()) {
                join_answer(&mut found, part).unwrap();
            }
            assert!(found == answer);
            let state = InitiatorState {
                frame_size_limit: FrameSizeLimit::new(4096).unwrap(),
                max_rounds: 9,
                rounds: 3,
                fruitless: 1,
            };
            let step = Step { have, need, next: Some(message).filter(|next| !next.is_empty()) };
            let (mut found, mut last) = (Step::default(), None);
            for part in split_step(&state.into(), step.clone()) {
                last = join_step(&mut found, part).unwrap();
            }
            assert!(found == step);
            assert_eq!(InitiatorState::from(&last.unwrap()), state);
        }
    }

    #[test]
    fn a_cap_too_small_to_work_with_is_refused() {
        let error = limit_of(17).unwrap_err().to_string();
        assert!(error.starts_with("frame_size_limit: frame size limit 17"), "{error}");
        assert!(to_initiator(None).is_err());
    }
}
