//! Whether an event may come in at all: limits and access, before its signature costs anything.

use event::{Event, EventRef, Kind, Prefix, Pubkey, Rejection, Timestamp};

use crate::Settings;

/// Reposts (NIP-18), whose content may be what they repost.
const REPOSTS: [Kind; 2] = [Kind::new(6), Kind::new(16)];

/// Says why `event`, sent by a client that authenticated as `pubkeys`, is refused.
pub(crate) fn admit(
    settings: &Settings,
    pubkeys: &[Pubkey],
    event: EventRef<'_>,
    now: Timestamp,
) -> Result<(), Rejection> {
    let invalid = |text: String| Err(Rejection::new(Prefix::Invalid, text));
    let limits = &settings.limits;
    let size = event.as_bytes().len();
    if size > limits.event_bytes {
        return invalid(format!("event has {size} bytes, {} are allowed", limits.event_bytes));
    }
    let tags = event.tags().iter().count();
    if tags > limits.event_tags {
        return invalid(format!("event has {tags} tags, {} are allowed", limits.event_tags));
    }
    let (created_at, now_secs) = (event.created_at().as_secs(), now.as_secs());
    let (future, past) = (limits.created_at_future.as_secs(), limits.created_at_past.as_secs());
    if created_at > now_secs + future {
        let ahead = created_at - now_secs;
        return invalid(format!("created_at is {ahead} s ahead, {future} s are allowed"));
    }
    if past > 0 && created_at + past < now_secs {
        let ago = now_secs - created_at;
        return invalid(format!("created_at is {ago} s ago, {past} s are allowed"));
    }
    if event.is_expired(now) {
        return invalid("this event has expired".into());
    }
    if event.kind() == Kind::CLIENT_AUTH {
        return invalid("kind 22242 is for AUTH messages only".into());
    }
    let access = &settings.access;
    let is_open = access.open_to_signers && event.kind() == Kind::NOSTR_CONNECT;
    if (access.auth_required || access.auth_to_write) && pubkeys.is_empty() && !is_open {
        return Err(Rejection::new(Prefix::AuthRequired, "authenticate to publish here"));
    }
    if REPOSTS.contains(&event.kind()) && embeds_protected(event) {
        return Err(Rejection::new(Prefix::Blocked, "a repost may not embed a protected event"));
    }
    if is_protected(event) && !pubkeys.contains(&event.pubkey()) {
        let (prefix, text) = if pubkeys.is_empty() {
            (
                Prefix::AuthRequired,
                "this event is protected: only its author may publish it, authenticated",
            )
        } else {
            (Prefix::Restricted, "this event is protected: only its author may publish it")
        };
        return Err(Rejection::new(prefix, text));
    }
    Ok(())
}

/// Whether only its author may publish it (NIP-70).
fn is_protected(event: EventRef<'_>) -> bool {
    event.tags().as_json().contains("[\"-\"")
        && event.tags().iter().any(|tag| tag.name() == Some("-"))
}

/// Whether a repost brings such an event along.
fn embeds_protected(repost: EventRef<'_>) -> bool {
    let content = repost.content();
    content.contains("\"-\"")
        && Event::from_json(&content).is_ok_and(|event| is_protected(event.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Draft, Keys};

    fn check(change: impl FnOnce(&mut Settings, &mut Draft), authenticated: bool) -> String {
        let now = Timestamp::from_secs(1_000_000);
        let keys = Keys::from_secret([7; 32]).unwrap();
        let mut settings = Settings::default();
        let mut draft =
            Draft { created_at: now, kind: Kind::new(1), tags: vec![], content: "hi".into() };
        change(&mut settings, &mut draft);
        let pubkeys = if authenticated { vec![keys.pubkey()] } else { vec![] };
        let event = keys.sign(&draft);
        admit(&settings, &pubkeys, event.as_ref(), now)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn limits_are_named_with_the_value_found() {
        assert_eq!(check(|_, _| {}, false), "");
        let late = |_: &mut Settings, draft: &mut Draft| {
            draft.created_at = Timestamp::from_secs(1_001_204)
        };
        assert_eq!(check(late, false), "invalid: created_at is 1204 s ahead, 900 s are allowed");
        let old = |settings: &mut Settings, draft: &mut Draft| {
            settings.limits.created_at_past = std::time::Duration::from_secs(60);
            draft.created_at = Timestamp::from_secs(999_900);
        };
        assert_eq!(check(old, false), "invalid: created_at is 100 s ago, 60 s are allowed");
        let tags = |settings: &mut Settings, draft: &mut Draft| {
            settings.limits.event_tags = 1;
            draft.tags = vec![vec!["a".into()]; 2];
        };
        assert_eq!(check(tags, false), "invalid: event has 2 tags, 1 are allowed");
    }

    #[test]
    fn protected_events_come_from_their_author_only() {
        let protect = |_: &mut Settings, draft: &mut Draft| draft.tags = vec![vec!["-".into()]];
        assert!(check(protect, false).starts_with("auth-required: "));
        assert_eq!(check(protect, true), "");
    }

    #[test]
    fn a_repost_embeds_no_protected_event() {
        let repost = |protection: &str| {
            let tags = vec![vec![protection.to_owned()]];
            let created_at = Timestamp::from_secs(1);
            let draft = Draft { created_at, kind: Kind::new(1), tags, content: String::new() };
            let inner = Keys::from_secret([8; 32]).unwrap().sign(&draft).as_ref().to_json();
            let embed = |_: &mut Settings, draft: &mut Draft| {
                draft.kind = Kind::new(6);
                draft.content = inner.clone();
            };
            check(embed, false)
        };
        assert_eq!(repost("-"), "blocked: a repost may not embed a protected event");
        assert_eq!(repost("t"), "");
    }

    #[test]
    fn writing_may_need_authentication() {
        let lock = |settings: &mut Settings, _: &mut Draft| settings.access.auth_to_write = true;
        assert_eq!(check(lock, false), "auth-required: authenticate to publish here");
        assert_eq!(check(lock, true), "");
    }

    #[test]
    fn signers_may_be_let_through() {
        let lock = |is_open: bool, kind: u16| {
            check(
                |settings, draft| {
                    settings.access.auth_required = true;
                    settings.access.open_to_signers = is_open;
                    draft.kind = Kind::new(kind);
                },
                false,
            )
        };
        assert_eq!(lock(true, 24133), "");
        assert!(lock(true, 1).starts_with("auth-required: "));
        assert!(lock(false, 24133).starts_with("auth-required: "));
    }
}
