//! What became of saved events.

use store::{SaveOutcome, Serial};

use crate::Malformed;
use crate::proto::orlystore::v1 as proto;

/// What is said of an event that a store refused by a rule that the wire does not name.
pub(in crate::store) const RULE: &str = "a rule of the event store is against it";

/// Puts outcomes on the wire.
pub(in crate::store) fn from_outcomes(outcomes: &[SaveOutcome]) -> proto::SaveResponse {
    let serial = |outcome: &SaveOutcome| match outcome {
        SaveOutcome::Stored(serial) => serial.as_u64(),
        _ => 0,
    };
    let kind = |outcome: &SaveOutcome| match outcome {
        SaveOutcome::Stored(_) => proto::SaveOutcome::Stored,
        SaveOutcome::Duplicate => proto::SaveOutcome::Duplicate,
        SaveOutcome::Superseded => proto::SaveOutcome::Superseded,
        SaveOutcome::Deleted => proto::SaveOutcome::Deleted,
        SaveOutcome::Vanished => proto::SaveOutcome::Vanished,
        SaveOutcome::Expired => proto::SaveOutcome::Expired,
        SaveOutcome::Ephemeral => proto::SaveOutcome::Ephemeral,
        SaveOutcome::Refused(_) => proto::SaveOutcome::Refused,
    };
    proto::SaveResponse {
        outcomes: outcomes.iter().map(|outcome| kind(outcome).into()).collect(),
        serials: outcomes.iter().map(serial).collect(),
    }
}

/// Reads the outcomes of `count` events.
pub(in crate::store) fn to_outcomes(
    response: &proto::SaveResponse,
    count: usize,
) -> Result<Vec<SaveOutcome>, Malformed> {
    let proto::SaveResponse { outcomes, serials } = response;
    if outcomes.len() != count || serials.len() != count {
        let reason = format!("expected {count}, found {}", outcomes.len().min(serials.len()));
        return Err(Malformed::new("outcomes", reason));
    }
    let outcome = |(&outcome, &serial): (&i32, &u64)| match proto::SaveOutcome::try_from(outcome) {
        Ok(proto::SaveOutcome::Stored) => Ok(SaveOutcome::Stored(Serial::new(serial))),
        Ok(proto::SaveOutcome::Duplicate) => Ok(SaveOutcome::Duplicate),
        Ok(proto::SaveOutcome::Superseded) => Ok(SaveOutcome::Superseded),
        Ok(proto::SaveOutcome::Deleted) => Ok(SaveOutcome::Deleted),
        Ok(proto::SaveOutcome::Vanished) => Ok(SaveOutcome::Vanished),
        Ok(proto::SaveOutcome::Expired) => Ok(SaveOutcome::Expired),
        Ok(proto::SaveOutcome::Ephemeral) => Ok(SaveOutcome::Ephemeral),
        Ok(proto::SaveOutcome::Refused) => Ok(SaveOutcome::Refused(RULE)),
        Ok(proto::SaveOutcome::Unspecified) | Err(_) => {
            Err(Malformed::new("outcomes", format!("{outcome} is not known to this version")))
        }
    };
    outcomes.iter().zip(serials).map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_come_back_as_they_were() {
        let all = [
            SaveOutcome::Stored(Serial::new(9)),
            SaveOutcome::Duplicate,
            SaveOutcome::Superseded,
            SaveOutcome::Deleted,
            SaveOutcome::Vanished,
            SaveOutcome::Expired,
            SaveOutcome::Ephemeral,
            SaveOutcome::Refused(RULE),
        ];
        let sent = from_outcomes(&all);
        assert_eq!(to_outcomes(&sent, all.len()).unwrap(), all);
        assert!(to_outcomes(&sent, all.len() + 1).is_err());
        let unknown = proto::SaveResponse { outcomes: vec![99], serials: vec![0] };
        assert!(to_outcomes(&unknown, 1).is_err());
    }
}
