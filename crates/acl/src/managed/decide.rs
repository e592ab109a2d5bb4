//! What the lists of the mode managed mean.

use std::net::IpAddr;

use event::{EventId, Kind, Prefix, Pubkey, Rejection};

use crate::lists::Lists;
use crate::{AccessLevel, List, Subject};

/// What somebody may do who is neither owner nor admin.
pub(super) fn level(
    lists: &Lists,
    pubkey: Option<Pubkey>,
    address: IpAddr,
    auth_required: bool,
) -> AccessLevel {
    let is_on = |list| pubkey.is_some_and(|pubkey| lists.has(list, Subject::Pubkey(pubkey)));
    let is_blocked = || lists.has(List::BlockedIps, Subject::Ip(address.to_canonical()));
    if is_on(List::BannedPubkeys) {
        AccessLevel::Banned
    } else if is_on(List::AllowedPubkeys) {
        AccessLevel::Write
    } else if is_blocked() {
        AccessLevel::Blocked
    } else if pubkey.is_none() && auth_required {
        AccessLevel::None
    } else {
        AccessLevel::Read
    }
}

/// Why an event is refused: what is said of the event itself comes first, then its kind, its author.
pub(super) fn check(
    lists: &Lists,
    id: EventId,
    author: Pubkey,
    kind: Kind,
) -> Result<(), Rejection> {
    let blocked = |text: String| Err(Rejection::new(Prefix::Blocked, text));
    if lists.has(List::BannedEvents, Subject::Event(id)) {
        return blocked("this event is banned".into());
    }
    if lists.has(List::AllowedEvents, Subject::Event(id)) {
        return Ok(());
    }
    let any_kind = lists.is_empty(List::AllowedKinds);
    if !any_kind && !lists.has(List::AllowedKinds, Subject::Kind(kind)) {
        return blocked(format!("kind {kind} is not allowed here"));
    }
    if lists.has(List::BannedPubkeys, Subject::Pubkey(author)) {
        return blocked("its author is banned".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    use crate::Entry;

    const ALICE: Pubkey = Pubkey::new([1; 32]);
    const ID: EventId = EventId::new([2; 32]);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn lists(entries: &[(List, Subject)]) -> Lists {
        let mut lists = Lists::default();
        for (list, subject) in entries {
            let (added, reason) = (Timestamp::from_secs(1), String::new());
            let entry = Entry { subject: *subject, reason, added, author: None };
            lists.apply(&list.key(*subject), Some(&entry.to_marker()));
        }
        lists
    }

    #[test]
    fn levels_follow_the_lists_the_ban_first() {
        let banned = (List::BannedPubkeys, Subject::Pubkey(ALICE));
        let allowed = (List::AllowedPubkeys, Subject::Pubkey(ALICE));
        let blocked = (List::BlockedIps, Subject::Ip(HERE));
        let cases = [
            (vec![], Some(ALICE), false, AccessLevel::Read),
            (vec![], None, false, AccessLevel::Read),
            (vec![], None, true, AccessLevel::None),
            (vec![], Some(ALICE), true, AccessLevel::Read),
            (vec![allowed], Some(ALICE), false, AccessLevel::Write),
            (vec![allowed], None, false, AccessLevel::Read),
            (vec![banned, allowed], Some(ALICE), false, AccessLevel::Banned),
            (vec![blocked], Some(ALICE), false, AccessLevel::Blocked),
            (vec![blocked, allowed], Some(ALICE), false, AccessLevel::Write),
        ];
        for (entries, pubkey, auth_required, expected) in cases {
            let found = level(&lists(&entries), pubkey, HERE, auth_required);
            assert_eq!(found, expected, "{entries:?}");
        }
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(level(&lists(&[blocked]), None, mapped, false), AccessLevel::Blocked);
    }

    #[test]
    fn an_event_is_refused_by_the_first_rule_that_names_it() {
        let kind = Kind::new(1);
        let banned_event = (List::BannedEvents, Subject::Event(ID));
        let allowed_event = (List::AllowedEvents, Subject::Event(ID));
        let other_kind = (List::AllowedKinds, Subject::Kind(Kind::new(7)));
        let this_kind = (List::AllowedKinds, Subject::Kind(kind));
        let banned = (List::BannedPubkeys, Subject::Pubkey(ALICE));
        let cases = [
            (vec![], ""),
            (vec![banned_event, allowed_event], "blocked: this event is banned"),
            (vec![allowed_event, other_kind, banned], ""),
            (vec![other_kind], "blocked: kind 1 is not allowed here"),
            (vec![other_kind, this_kind], ""),
            (vec![this_kind, banned], "blocked: its author is banned"),
        ];
        for (entries, expected) in cases {
            let found = check(&lists(&entries), ID, ALICE, kind).err();
            let found = found.map(|rejection| rejection.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{entries:?}");
        }
    }
}
