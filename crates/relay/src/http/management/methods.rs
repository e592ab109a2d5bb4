//! The methods, each a thin call of access control, the store, or the relay's labels.

use std::collections::BTreeMap;

use acl::{CuratingConfig, Entry, List, Management, ManagementError, Mode, Subject};
use event::{EventId, Filter, Kind, Timestamp, unescaped};
use serde_json::{Value, json};
use store::{Query, Tombstone};

use super::CallError;
use super::params::Params;
use crate::labels::Label;
use crate::relay::Relay;

/// Methods that every mode has.
const COMMON: [&str; 3] = ["changerelayname", "changerelaydescription", "changerelayicon"];
/// Methods of the mode managed.
const MANAGED: [&str; 22] = [
    "banpubkey",
    "unbanpubkey",
    "listbannedpubkeys",
    "allowpubkey",
    "unallowpubkey",
    "disallowpubkey",
    "listallowedpubkeys",
    "listeventsneedingmoderation",
    "allowevent",
    "unallowevent",
    "disallowevent",
    "banevent",
    "unbanevent",
    "listbannedevents",
    "listallowedevents",
    "allowkind",
    "disallowkind",
    "listallowedkinds",
    "deleteevent",
    "blockip",
    "unblockip",
    "listblockedips",
];
/// Methods of the mode curating.
const CURATING: [&str; 19] = [
    "trustpubkey",
    "untrustpubkey",
    "listtrustedpubkeys",
    "blacklistpubkey",
    "unblacklistpubkey",
    "listblacklistedpubkeys",
    "listunclassifiedusers",
    "markspam",
    "unmarkspam",
    "listspamevents",
    "deleteevent",
    "getcuratingconfig",
    "isconfigured",
    "scanpubkeys",
    "geteventsforpubkey",
    "deleteeventsforpubkey",
    "blockip",
    "unblockip",
    "listblockedips",
];
/// How many reports are looked through for events that need moderation.
const REPORTS: u64 = 1000;
/// Reports (NIP-56).
const REPORT: Kind = Kind::new(1984);

/// The methods that a mode has.
fn supported(mode: Mode) -> impl Iterator<Item = &'static str> {
    let own: &[&str] = match mode {
        Mode::None | Mode::Follows => &[],
        Mode::Managed => &MANAGED,
        Mode::Curating => &CURATING,
    };
    own.iter().chain(&COMMON).copied()
}

/// Answers a call.
pub(super) async fn call(relay: &Relay, method: &str, params: &Params) -> Result<Value, CallError> {
    let mode = relay.access.mode();
    if method == "supportedmethods" {
        return Ok(json!(supported(mode).collect::<Vec<_>>()));
    }
    if !supported(mode).any(|supported| supported == method) {
        return Err(CallError::UnknownMethod(method.chars().take(100).collect()));
    }
    match method {
        "changerelayname" => change(relay, Label::Name, params).await,
        "changerelaydescription" => change(relay, Label::Description, params).await,
        "changerelayicon" => change(relay, Label::Icon, params).await,
        "deleteevent" => {
            let id = params.event_id(0)?;
            relay.store.delete(&[id], Tombstone::Keep).await?;
            Ok(json!(true))
        }
        _ => match &relay.management {
            Some(management) => manage(relay, &**management, method, params).await,
            None => {
                let reason = "this relay has no access control that can be managed";
                Err(ManagementError::Invalid(reason.into()).into())
            }
        },
    }
}

async fn change(relay: &Relay, label: Label, params: &Params) -> Result<Value, CallError> {
    relay.labels.change(label, params.text(0)?).await?;
    Ok(json!(true))
}

async fn manage(
    relay: &Relay,
    management: &dyn Management,
    method: &str,
    params: &Params,
) -> Result<Value, CallError> {
    use List as L;
    let pubkey = || params.pubkey(0).map(Subject::Pubkey);
    let event = || params.event_id(0).map(Subject::Event);
    let ip = || params.ip(0).map(Subject::Ip);
    let kind = || params.kind(0).map(Subject::Kind);
    let (change, list, subject) = match method {
        "banpubkey" => (Change::Put, L::BannedPubkeys, pubkey()?),
        "unbanpubkey" => (Change::Remove, L::BannedPubkeys, pubkey()?),
        "allowpubkey" => (Change::Put, L::AllowedPubkeys, pubkey()?),
        "unallowpubkey" | "disallowpubkey" => (Change::Remove, L::AllowedPubkeys, pubkey()?),
        "banevent" => (Change::Put, L::BannedEvents, event()?),
        "unbanevent" => (Change::Remove, L::BannedEvents, event()?),
        "allowevent" => (Change::Put, L::AllowedEvents, event()?),
        "unallowevent" | "disallowevent" => (Change::Remove, L::AllowedEvents, event()?),
        "allowkind" => (Change::Put, L::AllowedKinds, kind()?),
        "disallowkind" => (Change::Remove, L::AllowedKinds, kind()?),
        "blockip" => (Change::Put, L::BlockedIps, ip()?),
        "unblockip" => (Change::Remove, L::BlockedIps, ip()?),
        "trustpubkey" => (Change::Put, L::TrustedPubkeys, pubkey()?),
        "untrustpubkey" => (Change::Remove, L::TrustedPubkeys, pubkey()?),
        "blacklistpubkey" => (Change::Put, L::BlacklistedPubkeys, pubkey()?),
        "unblacklistpubkey" => (Change::Remove, L::BlacklistedPubkeys, pubkey()?),
        "markspam" => (Change::Put, L::SpamEvents, event()?),
        "unmarkspam" => (Change::Remove, L::SpamEvents, event()?),
        _ => return ask(relay, management, method, params).await,
    };
    match change {
        Change::Put => {
            // What is marked as spam may name its author before the reason.
            let author = params.some_pubkey(1).filter(|_| list == L::SpamEvents);
            let reason = params.reason(if author.is_some() { 2 } else { 1 })?;
            let entry = Entry { subject, reason, added: Timestamp::now(), author };
            management.put(list, entry).await?;
        }
        Change::Remove => management.remove(list, subject).await?,
    }
    Ok(json!(true))
}

enum Change {
    Put,
    Remove,
}

async fn ask(
    relay: &Relay,
    management: &dyn Management,
    method: &str,
    params: &Params,
) -> Result<Value, CallError> {
    let list = match method {
        "listbannedpubkeys" => List::BannedPubkeys,
        "listallowedpubkeys" => List::AllowedPubkeys,
        "listbannedevents" => List::BannedEvents,
        "listallowedevents" => List::AllowedEvents,
        "listallowedkinds" => List::AllowedKinds,
        "listblockedips" => List::BlockedIps,
        "listtrustedpubkeys" => List::TrustedPubkeys,
        "listblacklistedpubkeys" => List::BlacklistedPubkeys,
        "listspamevents" => List::SpamEvents,
        "listeventsneedingmoderation" => return reported(relay, management).await,
        "getcuratingconfig" => return Ok(config_json(management.config().await?)),
        "isconfigured" => return Ok(json!(management.config().await?.is_some())),
        "scanpubkeys" => {
            let census = management.scan().await?;
            return Ok(json!({ "total_pubkeys": census.pubkeys, "total_events": census.events }));
        }
        "listunclassifiedusers" => {
            let found = management.unclassified(params.number(0)?, params.number(1)?).await?;
            let users = found.users.iter().map(|user| {
                json!({
                    "pubkey": user.pubkey.to_string(),
                    "event_count": user.events,
                    "first_seen": user.first_seen.as_secs(),
                })
            });
            return Ok(json!({ "users": users.collect::<Vec<_>>(), "total": found.total }));
        }
        "geteventsforpubkey" => return events_of(relay, params).await,
        "deleteeventsforpubkey" => {
            let removed = acl::delete_events_of(&*relay.store, params.pubkey(0)?).await?;
            return Ok(json!({ "deleted": removed }));
        }
        _ => return Err(CallError::UnknownMethod(method.to_owned())),
    };
    let entries = management.entries(list).await?;
    Ok(entries.iter().map(entry_json).collect())
}

async fn events_of(relay: &Relay, params: &Params) -> Result<Value, CallError> {
    let (limit, offset) = (params.number(1)?, params.number(2)?);
    let found = acl::events_of(&*relay.store, params.pubkey(0)?, limit, offset).await?;
    let events = found.events.iter().map(|(_, event)| {
        json!({
            "id": event.id().to_string(),
            "kind": event.kind().as_u16(),
            "content": event.content(),
            "created_at": event.created_at().as_secs(),
        })
    });
    Ok(json!({ "events": events.collect::<Vec<_>>(), "total": found.total }))
}

/// Stored events that somebody reported (NIP-56) and nobody decided about.
async fn reported(relay: &Relay, management: &dyn Management) -> Result<Value, CallError> {
    let filter = Filter { kinds: Some(vec![REPORT]), limit: Some(REPORTS), ..Filter::default() };
    let mut rows = relay.store.query(Query::by_operator(filter));
    let mut reasons: BTreeMap<EventId, String> = BTreeMap::new();
    while let Some(batch) = rows.next().await? {
        for (_, report) in batch.iter() {
            for tag in report.tags().iter().filter(|tag| tag.name() == Some("e")) {
                let Some(Ok(id)) = tag.value().map(str::parse) else { continue };
                let reason = tag.values().nth(2).map(unescaped).unwrap_or_default();
                reasons.entry(id).or_insert_with(|| reason.into_owned());
            }
        }
    }
    for entry in management.entries(List::AllowedEvents).await? {
        if let Subject::Event(id) = entry.subject {
            reasons.remove(&id);
        }
    }
    let ids: Vec<EventId> = reasons.keys().copied().collect();
    let stored = relay.store.contains(&ids).await?;
    let needy = reasons.iter().zip(stored).filter(|(_, is_stored)| *is_stored);
    Ok(needy.map(|((id, reason), _)| json!({ "id": id.to_string(), "reason": reason })).collect())
}

fn entry_json(entry: &Entry) -> Value {
    let name = match entry.subject {
        Subject::Kind(kind) => return json!(kind.as_u16()),
        Subject::Pubkey(_) => "pubkey",
        Subject::Event(_) => "id",
        Subject::Ip(_) => "ip",
    };
    let mut json = json!({ "reason": entry.reason, "added": entry.added.as_secs() });
    json[name] = json!(entry.subject.to_string());
    if let Some(author) = entry.author {
        json["pubkey"] = json!(author.to_string());
    }
    json
}

fn config_json(config: Option<CuratingConfig>) -> Value {
    let Some(config) = config else { return Value::Null };
    let ranges = config.ranges.iter().map(|(first, last)| format!("{first}-{last}"));
    let kinds = config.kinds.iter().map(|kind| kind.as_u16());
    json!({
        "config_event_id": config.event.to_string(),
        "config_pubkey": config.author.to_string(),
        "configured_at": config.configured_at.as_secs(),
        "daily_limit": config.daily_limit,
        "ip_daily_limit": config.ip_daily_limit,
        "first_ban_hours": config.first_ban_hours,
        "second_ban_hours": config.second_ban_hours,
        "kind_categories": config.categories,
        "allowed_ranges": ranges.collect::<Vec<_>>(),
        "allowed_kinds": kinds.collect::<Vec<_>>(),
    })
}
