//! What trust means.

use event::{EventRef, Prefix, Pubkey, Rejection};

use super::state::State;
use super::{CONFIG_KIND, CONFIG_NAME, CuratingConfig};
use crate::{AccessLevel, List, Subject};

/// Why nothing is taken before the mode is configured.
pub(super) const NOT_CONFIGURED: &str =
    "this relay is not configured yet: an owner has to publish its curating-config";

/// How somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Runs the relay.
    Operator,
    Trusted,
    Blacklisted,
    /// Neither.
    Newcomer,
}

/// How somebody stands who does not run the relay.
pub(super) fn standing(state: &State, author: Pubkey) -> Standing {
    let is_on = |list| state.lists.has(list, Subject::Pubkey(author));
    if is_on(List::BlacklistedPubkeys) {
        Standing::Blacklisted
    } else if is_on(List::TrustedPubkeys) {
        Standing::Trusted
    } else {
        Standing::Newcomer
    }
}

/// What somebody may do who does not run the relay.
pub(super) fn level(standing: Option<Standing>, is_blocked: bool) -> AccessLevel {
    match standing {
        Some(Standing::Operator | Standing::Trusted) => AccessLevel::Write,
        Some(Standing::Blacklisted) => AccessLevel::Banned,
        Some(Standing::Newcomer) | None if is_blocked => AccessLevel::Blocked,
        Some(Standing::Newcomer) | None => AccessLevel::Write,
    }
}

/// Whether an event is meant as the configuration.
pub(super) fn is_config(event: EventRef<'_>) -> bool {
    event.kind() == CONFIG_KIND && event.d_tag() == CONFIG_NAME
}

/// Whether an event comes in without being counted; `false` if it is a newcomer's.
pub(super) fn is_allowed(
    state: &State,
    standing: Standing,
    event: EventRef<'_>,
) -> Result<bool, Rejection> {
    let blocked = |text: String| Err(Rejection::new(Prefix::Blocked, text));
    if standing == Standing::Operator && is_config(event) {
        let config = CuratingConfig::of(event);
        return config
            .map(|_| true)
            .map_err(|error| Rejection::new(Prefix::Invalid, error.to_string()));
    }
    let Some(config) = &state.config else { return blocked(NOT_CONFIGURED.into()) };
    if state.lists.has(List::SpamEvents, Subject::Event(event.id())) {
        return blocked("this event is marked as spam".into());
    }
    if !config.allows(event.kind()) {
        return blocked(format!("kind {} is not allowed here", event.kind()));
    }
    match standing {
        Standing::Blacklisted => blocked("its author is blacklisted".into()),
        Standing::Operator | Standing::Trusted => Ok(true),
        Standing::Newcomer => Ok(false),
    }
}
