//! The relay information document (NIP-11): what this relay is and does, true to its settings.

use serde_json::{Map, Value, json};

use acl::Mode;
use event::{Event, SubscriptionId};

use crate::labels::Label;
use crate::nips::supported;
use crate::relay::Relay;

/// The document.
pub(crate) fn document(relay: &Relay) -> Value {
    let (about, access, limits) =
        (&relay.settings.about, &relay.settings.access, &relay.settings.limits);
    let mut document = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            document.insert(name.into(), value);
        }
    };
    let labels = &relay.labels;
    put("name", Some(json!(labels.or(Label::Name, &about.name))));
    put("description", Some(json!(labels.or(Label::Description, &about.description))));
    put("pubkey", about.operator.map(|pubkey| json!(pubkey.to_string())));
    put("self", about.identity.get().map(|pubkey| json!(pubkey.to_string())));
    put("contact", about.contact.as_ref().map(|contact| json!(contact)));
    let icon = labels.changed(Label::Icon).or_else(|| about.icon.clone());
    put("icon", icon.map(|icon| json!(icon)));
    put(
        "supported_nips",
        Some(json!(supported(relay.spoken()).map(|nip| nip.number).collect::<Vec<_>>())),
    );
    put("negentropy", relay.reconciles().then(|| json!(1)));
    put("software", Some(json!("https://git.mleku.dev/mleku/orly")));
    put("version", Some(json!(env!("CARGO_PKG_VERSION"))));
    let restricted_writes =
        access.auth_required || access.auth_to_write || relay.access.mode() != Mode::None;
    let mut limitation = json!({
        "max_message_length": limits.message_bytes,
        "max_subscriptions": limits.subscriptions,
        "max_filters": limits.filters,
        "max_subid_length": SubscriptionId::MAX_CHARS,
        "max_event_tags": limits.event_tags,
        "max_content_length": limits.event_bytes.saturating_sub(Event::MIN_BYTES),
        "min_pow_difficulty": 0,
        "auth_required": access.auth_required,
        "payment_required": false,
        "restricted_writes": restricted_writes,
        "created_at_upper_limit": limits.created_at_future.as_secs(),
    });
    for (name, limit) in [("max_limit", limits.max_limit), ("default_limit", limits.default_limit)]
    {
        if limit < u64::MAX {
            limitation[name] = json!(limit);
        }
    }
    if !limits.created_at_past.is_zero() {
        limitation["created_at_lower_limit"] = json!(limits.created_at_past.as_secs());
    }
    put("limitation", Some(limitation));
    Value::Object(document)
}
