//! Who subscribed until when, and who has which name: kept as markers, whatever the mode.

use std::sync::Arc;

use event::{Pubkey, Timestamp};
use serde_json::{Value, json};
use store::StoreError;
use tokio::sync::Mutex;

use crate::AclStore;

const SUBSCRIPTION: &str = "acl:subscription:";
const ALIAS: &str = "acl:alias:";
/// How long a name may be, in characters.
const MAX_ALIAS: usize = 64;
/// How many names one pubkey may have.
const MAX_ALIASES: usize = 32;

/// What somebody subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Who.
    pub pubkey: Pubkey,
    /// Until when.
    pub expires_at: Timestamp,
    /// Since when.
    pub created_at: Timestamp,
    /// The hash of the invoice that was paid.
    pub invoice_hash: String,
    /// Their names, the first claimed first.
    pub aliases: Vec<String>,
}

/// Why a name cannot be claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// It is somebody else's.
    #[error("alias {0:?} is taken")]
    Taken(String),
    /// It is no name.
    #[error("{0}")]
    Invalid(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All subscriptions and names.
pub struct Subscriptions {
    store: Arc<dyn AclStore>,
    /// Two claims of a name come one after the other.
    turn: Mutex<()>,
}

impl Subscriptions {
    /// Takes the store that keeps them.
    pub fn new(store: Arc<dyn AclStore>) -> Self {
        Self { store, turn: Mutex::default() }
    }

    /// Begins or prolongs a subscription.
    pub async fn subscribe(
        &self,
        pubkey: Pubkey,
        expires_at: Timestamp,
        invoice_hash: &str,
    ) -> Result<(), ClaimError> {
        if invoice_hash.len() > 256 {
            return Err(ClaimError::Invalid("invoice_hash has more than 256 bytes".into()));
        }
        let _turn = self.turn.lock().await;
        let before = self.read(pubkey).await?;
        let created_at = before.as_ref().map_or_else(Timestamp::now, |before| before.created_at);
        let aliases = before.map(|before| before.aliases).unwrap_or_default();
        let invoice_hash = invoice_hash.to_owned();
        let subscription = Subscription { pubkey, expires_at, created_at, invoice_hash, aliases };
        Ok(self.write(&subscription).await?)
    }

    /// Ends a subscription; names stay.
    pub async fn unsubscribe(&self, pubkey: Pubkey) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let Some(subscription) = self.read(pubkey).await? else { return Ok(()) };
        let ended = Subscription {
            expires_at: Timestamp::default(),
            invoice_hash: String::new(),
            ..subscription
        };
        if ended.aliases.is_empty() {
            return self.store.set_marker(&format!("{SUBSCRIPTION}{pubkey}"), None).await;
        }
        self.write(&ended).await
    }

    /// Whether a subscription runs at `now`.
    pub async fn is_subscribed(&self, pubkey: Pubkey, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.read(pubkey).await?.is_some_and(|subscription| subscription.expires_at > now))
    }

    /// What is known of somebody.
    pub async fn of(&self, pubkey: Pubkey) -> Result<Option<Subscription>, StoreError> {
        self.read(pubkey).await
    }

    /// Gives a name to somebody, if it is free or theirs.
    pub async fn claim(&self, alias: &str, pubkey: Pubkey) -> Result<(), ClaimError> {
        let alias = name(alias).map_err(ClaimError::Invalid)?;
        let _turn = self.turn.lock().await;
        match self.holder(&alias).await? {
            Some(holder) if holder != pubkey => return Err(ClaimError::Taken(alias)),
            Some(_) => return Ok(()),
            None => {}
        }
        let fresh = || Subscription {
            pubkey,
            expires_at: Timestamp::default(),
            created_at: Timestamp::now(),
            invoice_hash: String::new(),
            aliases: Vec::new(),
        };
        let mut subscription = self.read(pubkey).await?.unwrap_or_else(fresh);
        if subscription.aliases.len() >= MAX_ALIASES {
            let text = format!("{pubkey} has {MAX_ALIASES} aliases, no more are allowed");
            return Err(ClaimError::Invalid(text));
        }
        let holder = pubkey.to_string().into_bytes();
        self.store.set_marker(&format!("{ALIAS}{alias}"), Some(holder)).await?;
        subscription.aliases.push(alias);
        Ok(self.write(&subscription).await?)
    }

    /// Whose a name is.
    pub async fn holder_of(&self, alias: &str) -> Result<Option<Pubkey>, StoreError> {
        match name(alias) {
            Ok(alias) => self.holder(&alias).await,
            Err(_) => Ok(None),
        }
    }

    async fn holder(&self, alias: &str) -> Result<Option<Pubkey>, StoreError> {
        let value = self.store.marker(&format!("{ALIAS}{alias}")).await?;
        Ok(value.and_then(|hex| Pubkey::from_hex(&hex).ok()))
    }

    async fn read(&self, pubkey: Pubkey) -> Result<Option<Subscription>, StoreError> {
        let value = self.store.marker(&format!("{SUBSCRIPTION}{pubkey}")).await?;
        Ok(value.map(|value| {
            let value: Value = serde_json::from_slice(&value).unwrap_or_default();
            let time = |name: &str| Timestamp::from_secs(value[name].as_u64().unwrap_or_default());
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let aliases = value["aliases"].as_array().into_iter().flatten().map(text).collect();
            Subscription {
                pubkey,
                expires_at: time("expires_at"),
                created_at: time("created_at"),
                invoice_hash: text(&value["invoice_hash"]),
                aliases,
            }
        }))
    }

    async fn write(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let value = json!({
            "expires_at": subscription.expires_at.as_secs(),
            "created_at": subscription.created_at.as_secs(),
            "invoice_hash": subscription.invoice_hash,
            "aliases": subscription.aliases,
        });
        let key = format!("{SUBSCRIPTION}{}", subscription.pubkey);
        self.store.set_marker(&key, Some(value.to_string().into_bytes())).await
    }
}

/// A name as it is compared: in lower case.
fn name(alias: &str) -> Result<String, String> {
    let alias = alias.trim().to_ascii_lowercase();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if alias.is_empty() || alias.len() > MAX_ALIAS || !alias.bytes().all(is_allowed) {
        return Err(format!(
            "alias {alias:?}: expected 1 to {MAX_ALIAS} letters, digits, and - _ ."
        ));
    }
    Ok(alias)
}

#[cfg(test)]
mod tests {
    use store::MemoryStore;

    use super::*;

    const ALICE: Pubkey = Pubkey::new([1; 32]);
    const BOB: Pubkey = Pubkey::new([2; 32]);

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[tokio::test]
    async fn a_subscription_runs_until_it_expires_or_is_ended() {
        let subscriptions = Subscriptions::new(Arc::new(MemoryStore::new(None)));
        assert_eq!(subscriptions.of(ALICE).await.unwrap(), None);
        subscriptions.subscribe(ALICE, at(100), "h").await.unwrap();
        assert!(subscriptions.is_subscribed(ALICE, at(99)).await.unwrap());
        assert!(!subscriptions.is_subscribed(ALICE, at(100)).await.unwrap());
        subscriptions.claim("Alice", ALICE).await.unwrap();
        subscriptions.unsubscribe(ALICE).await.unwrap();
        assert!(!subscriptions.is_subscribed(ALICE, at(1)).await.unwrap());
        assert_eq!(subscriptions.of(ALICE).await.unwrap().unwrap().aliases, ["alice"]);
    }

    #[tokio::test]
    async fn a_name_is_one_pubkeys() {
        let subscriptions = Subscriptions::new(Arc::new(MemoryStore::new(None)));
        subscriptions.claim("Alice", ALICE).await.unwrap();
        subscriptions.claim("alice", ALICE).await.unwrap();
        let taken = subscriptions.claim("ALICE", BOB).await.unwrap_err();
        assert!(matches!(taken, ClaimError::Taken(_)), "{taken}");
        assert_eq!(subscriptions.holder_of("aLice").await.unwrap(), Some(ALICE));
        assert_eq!(subscriptions.holder_of("bob").await.unwrap(), None);
        for name in ["", "a b", "ä", &"x".repeat(65)] {
            let invalid = subscriptions.claim(name, BOB).await.unwrap_err();
            assert!(matches!(invalid, ClaimError::Invalid(_)), "{invalid}");
        }
    }
}
