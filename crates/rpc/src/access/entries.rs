//! Entries of lists, configuration and authors, as the wire has them.

use acl::{CuratingConfig, Entry, Subject, SubjectKind, UnclassifiedUser};
use event::{Kind, Pubkey, Timestamp};

use crate::convert::{Malformed, fixed};
use crate::proto::orlyacl::v1 as proto;

/// Makes an entry of a list out of a message and back.
macro_rules! entry {
    ($message:ident: $kind:ident $subject:ident, $reason:ident) => {
        impl From<&Entry> for proto::$message {
            fn from(entry: &Entry) -> Self {
                Self {
                    $subject: entry.subject.to_string(),
                    $reason: entry.reason.clone(),
                    added: seconds(entry.added),
                }
            }
        }

        impl TryFrom<proto::$message> for Entry {
            type Error = Malformed;

            fn try_from(message: proto::$message) -> Result<Self, Malformed> {
                Ok(Self {
                    subject: subject(SubjectKind::$kind, stringify!($subject), &message.$subject)?,
                    reason: message.$reason,
                    added: timestamp(message.added),
                    author: None,
                })
            }
        }
    };
}

entry!(BannedPubkey: Pubkey pubkey, reason);
entry!(AllowedPubkey: Pubkey pubkey, reason);
entry!(TrustedPubkey: Pubkey pubkey, note);
entry!(BlacklistedPubkey: Pubkey pubkey, reason);
entry!(BannedEvent: Event event_id, reason);
entry!(AllowedEvent: Event event_id, reason);
entry!(BlockedIp: Ip ip, reason);

impl From<&Entry> for proto::SpamEvent {
    fn from(entry: &Entry) -> Self {
        Self {
            event_id: entry.subject.to_string(),
            pubkey: entry.author.map(|author| author.to_string()).unwrap_or_default(),
            reason: entry.reason.clone(),
            added: seconds(entry.added),
        }
    }
}

impl TryFrom<proto::SpamEvent> for Entry {
    type Error = Malformed;

    fn try_from(message: proto::SpamEvent) -> Result<Self, Malformed> {
        Ok(Self {
            subject: subject(SubjectKind::Event, "event_id", &message.event_id)?,
            reason: message.reason,
            added: timestamp(message.added),
            author: message.pubkey.parse().ok(),
        })
    }
}

impl From<CuratingConfig> for proto::CuratingConfig {
    fn from(config: CuratingConfig) -> Self {
        let ranges = config.ranges.iter().map(|(first, last)| format!("{first}-{last}"));
        Self {
            config_event_id: config.event.to_string(),
            config_pubkey: config.author.to_string(),
            configured_at: seconds(config.configured_at),
            daily_limit: int(config.daily_limit),
            ip_daily_limit: int(config.ip_daily_limit),
            first_ban_hours: int(config.first_ban_hours),
            second_ban_hours: int(config.second_ban_hours),
            allowed_ranges: ranges.collect(),
            allowed_kinds: config.kinds.iter().map(|kind| kind.as_u16().into()).collect(),
            kind_categories: config.categories,
        }
    }
}

/// Reads a configuration; `None` if there is none.
pub(super) fn config(message: proto::CuratingConfig) -> Result<Option<CuratingConfig>, Malformed> {
    if message.config_event_id.is_empty() {
        return Ok(None);
    }
    let invalid = |field| move |_| Malformed::new(field, "expected 64 hex digits");
    let number = |number: i32| u32::try_from(number).unwrap_or_default();
    let range = |range: &String| {
        let (first, last) = range.split_once('-')?;
        Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
    };
    Ok(Some(CuratingConfig {
        event: message.config_event_id.parse().map_err(invalid("config_event_id"))?,
        author: message.config_pubkey.parse().map_err(invalid("config_pubkey"))?,
        configured_at: timestamp(message.configured_at),
        daily_limit: number(message.daily_limit),
        ip_daily_limit: number(message.ip_daily_limit),
        first_ban_hours: number(message.first_ban_hours),
        second_ban_hours: number(message.second_ban_hours),
        categories: message.kind_categories,
        ranges: message.allowed_ranges.iter().filter_map(range).collect(),
        kinds: message.allowed_kinds.iter().filter_map(|number| kind(*number).ok()).collect(),
    }))
}

impl From<&UnclassifiedUser> for proto::UnclassifiedUser {
    fn from(user: &UnclassifiedUser) -> Self {
        Self {
            pubkey: user.pubkey.to_string(),
            event_count: int(user.events),
            first_seen: user.first_seen.to_string(),
        }
    }
}

impl TryFrom<proto::UnclassifiedUser> for UnclassifiedUser {
    type Error = Malformed;

    fn try_from(message: proto::UnclassifiedUser) -> Result<Self, Malformed> {
        Ok(Self {
            pubkey: pubkey("pubkey", &message.pubkey)?,
            events: u64::try_from(message.event_count).unwrap_or_default(),
            first_seen: Timestamp::from_secs(message.first_seen.parse().unwrap_or_default()),
        })
    }
}

/// What a list is about, from its text.
pub(super) fn subject(
    kind: SubjectKind,
    field: &'static str,
    text: &str,
) -> Result<Subject, Malformed> {
    let expected = match kind {
        SubjectKind::Pubkey => return pubkey(field, text).map(Subject::Pubkey),
        SubjectKind::Event => "the id of an event, 64 hex digits",
        SubjectKind::Kind => "a kind, 0 to 65535",
        SubjectKind::Ip => "an IP address",
    };
    let subject = Subject::parse(kind, &text.trim().to_ascii_lowercase());
    subject.ok_or_else(|| Malformed::new(field, format!("expected {expected}")))
}

/// A pubkey in hex, or as operators write it.
pub(super) fn pubkey(field: &'static str, text: &str) -> Result<Pubkey, Malformed> {
    let pubkey = Pubkey::from_hex_or_npub(text.trim());
    pubkey.map_err(|_| Malformed::new(field, "expected a pubkey, 64 hex digits or npub1…"))
}

/// A pubkey of 32 bytes.
pub(super) fn raw_pubkey(field: &'static str, bytes: &[u8]) -> Result<Pubkey, Malformed> {
    fixed(field, bytes).map(Pubkey::new)
}

/// The same of a client that need not have said who it is; none if there are no bytes.
pub(super) fn proven_pubkey(bytes: &[u8]) -> Result<Option<Pubkey>, Malformed> {
    if bytes.is_empty() { Ok(None) } else { raw_pubkey("pubkey", bytes).map(Some) }
}

/// A kind.
pub(super) fn kind(number: i32) -> Result<Kind, Malformed> {
    let kind = u16::try_from(number).map(Kind::new);
    kind.map_err(|_| Malformed::new("kind", format!("{number} is not between 0 and 65535")))
}

/// A time as the wire has it.
pub(super) fn seconds(at: Timestamp) -> i64 {
    i64::try_from(at.as_secs()).unwrap_or(i64::MAX)
}

/// A time; one before 1970 is 1970.
pub(super) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_secs(u64::try_from(seconds).unwrap_or_default())
}

/// A number as the wire has it, as large as it can be.
pub(super) fn int(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

/// How many, or from where; what is negative is 0.
pub(super) fn size(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}
