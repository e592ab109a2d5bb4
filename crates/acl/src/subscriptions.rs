//! Who subscribed until when, and who has which name: kept as markers, whatever the mode.
//!
//! `orlyacl.v1` and `orlydb.v1` both set and tell them: what one is told, the other knows.
//!
//! | marker | value |
//! |---|---|
//! | `acl:subscription:<pubkey>` | a subscription, as JSON |
//! | `acl:alias:<alias>` | whose it is, in hex |
//! | `acl:alias-of:<pubkey>` | the alias somebody has |

use std::sync::Arc;

use event::{Pubkey, Timestamp};
use serde_json::{Value, json};
use store::{Markers, StoreError};
use tokio::sync::Mutex;

const SUBSCRIPTION: &str = "acl:subscription:";
const ALIAS: &str = "acl:alias:";
const ALIAS_OF: &str = "acl:alias-of:";
/// How long an alias may be, in characters.
const MAX_ALIAS: usize = 64;
/// How long the hash of an invoice, or what goes by the name of an alias with a subscription, may be.
const MAX_TEXT: usize = 256;

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
    /// The name it was made under, which need not have been claimed.
    pub alias: String,
}

/// Why something cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The alias is somebody else's.
    #[error("alias {0:?} is taken")]
    Taken(String),
    /// It makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All subscriptions and aliases.
pub struct Subscriptions {
    markers: Arc<dyn Markers>,
    /// What is read to be changed is changed by one at a time.
    turn: Mutex<()>,
}

impl Subscriptions {
    /// Takes the store that keeps them.
    pub fn new(markers: Arc<dyn Markers>) -> Self {
        Self { markers, turn: Mutex::default() }
    }

    /// Begins or prolongs a subscription.
    pub async fn subscribe(
        &self,
        pubkey: Pubkey,
        expires_at: Timestamp,
        invoice_hash: &str,
    ) -> Result<(), ClaimError> {
        let _turn = self.turn.lock().await;
        let before = self.of(pubkey).await?;
        let created_at = before.as_ref().map_or_else(Timestamp::now, |before| before.created_at);
        let alias = match self.alias_of(pubkey).await? {
            Some(alias) => alias,
            None => before.map(|before| before.alias).unwrap_or_default(),
        };
        let invoice_hash = invoice_hash.to_owned();
        self.save(&Subscription { pubkey, expires_at, created_at, invoice_hash, alias }).await
    }

    /// Keeps a subscription as it is, in place of the one before.
    pub async fn save(&self, subscription: &Subscription) -> Result<(), ClaimError> {
        let texts = [("alias", &subscription.alias), ("invoice_hash", &subscription.invoice_hash)];
        if let Some((field, _)) = texts.iter().find(|(_, text)| text.len() > MAX_TEXT) {
            return Err(ClaimError::Invalid(format!("{field}: more than {MAX_TEXT} bytes")));
        }
        let key = format!("{SUBSCRIPTION}{}", subscription.pubkey);
        Ok(self.markers.set_marker(&key, Some(subscription.to_marker())).await?)
    }

    /// Ends a subscription; an alias stays.
    pub async fn unsubscribe(&self, pubkey: Pubkey) -> Result<(), StoreError> {
        self.markers.set_marker(&format!("{SUBSCRIPTION}{pubkey}"), None).await
    }

    /// Whether a subscription runs at `now`.
    pub async fn is_subscribed(&self, pubkey: Pubkey, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.of(pubkey).await?.is_some_and(|subscription| subscription.expires_at > now))
    }

    /// What somebody subscribed to.
    pub async fn of(&self, pubkey: Pubkey) -> Result<Option<Subscription>, StoreError> {
        let value = self.markers.marker(&format!("{SUBSCRIPTION}{pubkey}")).await?;
        Ok(value.map(|value| Subscription::from_marker(pubkey, &value)))
    }

    /// All subscriptions, in order of pubkey.
    pub async fn all(&self) -> Result<Vec<Subscription>, StoreError> {
        let found = self.markers.markers(SUBSCRIPTION).await?;
        let found = found.iter().filter_map(|(key, value)| {
            let pubkey = key.strip_prefix(SUBSCRIPTION)?.parse().ok()?;
            Some(Subscription::from_marker(pubkey, value))
        });
        Ok(found.collect())
    }

    /// Gives an alias to somebody, if it is free or theirs; the one they had is free then.
    pub async fn claim(&self, alias: &str, pubkey: Pubkey) -> Result<(), ClaimError> {
        let alias = checked(alias).map_err(ClaimError::Invalid)?;
        let _turn = self.turn.lock().await;
        let claim = pubkey.to_string().into_bytes();
        // Of several processes one comes first.
        let holder = self.markers.claim_marker(&format!("{ALIAS}{alias}"), claim.clone()).await?;
        if holder != claim {
            return Err(ClaimError::Taken(alias));
        }
        let before = self.alias_of(pubkey).await?.filter(|before| *before != alias);
        let value = Some(alias.into_bytes());
        self.markers.set_marker(&format!("{ALIAS_OF}{pubkey}"), value).await?;
        if let Some(before) = before {
            self.markers.set_marker(&format!("{ALIAS}{before}"), None).await?;
        }
        Ok(())
    }

    /// Whose an alias is.
    pub async fn holder_of(&self, alias: &str) -> Result<Option<Pubkey>, ClaimError> {
        let alias = checked(alias).map_err(ClaimError::Invalid)?;
        let value = self.markers.marker(&format!("{ALIAS}{alias}")).await?;
        Ok(value.and_then(|hex| Pubkey::from_hex(&hex).ok()))
    }

    /// The alias somebody has.
    pub async fn alias_of(&self, pubkey: Pubkey) -> Result<Option<String>, StoreError> {
        let value = self.markers.marker(&format!("{ALIAS_OF}{pubkey}")).await?;
        Ok(value.and_then(|alias| String::from_utf8(alias).ok()))
    }
}

impl Subscription {
    fn to_marker(&self) -> Vec<u8> {
        json!({
            "expires_at": self.expires_at.as_secs(),
            "created_at": self.created_at.as_secs(),
            "invoice_hash": self.invoice_hash,
            "alias": self.alias,
        })
        .to_string()
        .into_bytes()
    }

    fn from_marker(pubkey: Pubkey, value: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(value).unwrap_or_default();
        let time = |name: &str| Timestamp::from_secs(value[name].as_u64().unwrap_or_default());
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Self {
            pubkey,
            expires_at: time("expires_at"),
            created_at: time("created_at"),
            invoice_hash: text("invoice_hash"),
            alias: text("alias"),
        }
    }
}

/// An alias as it is compared: in lower case.
fn checked(alias: &str) -> Result<String, String> {
    let alias = alias.trim().to_ascii_lowercase();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=MAX_ALIAS).contains(&alias.len()) && alias.bytes().all(is_allowed) {
        return Ok(alias);
    }
    Err(format!("alias: expected 1 to {MAX_ALIAS} letters, digits, dots, dashes or underscores"))
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

    fn fresh() -> Subscriptions {
        Subscriptions::new(Arc::new(MemoryStore::new(vec![])))
    }

    #[tokio::test]
    async fn a_subscription_runs_until_it_expires_or_is_ended() {
        let subscriptions = fresh();
        assert!(!subscriptions.is_subscribed(ALICE, at(5)).await.unwrap());
        subscriptions.claim("alice", ALICE).await.unwrap();
        assert_eq!(subscriptions.of(ALICE).await.unwrap(), None);
        subscriptions.subscribe(ALICE, at(10), "hash").await.unwrap();
        assert!(subscriptions.is_subscribed(ALICE, at(9)).await.unwrap());
        assert!(!subscriptions.is_subscribed(ALICE, at(10)).await.unwrap());
        let found = subscriptions.of(ALICE).await.unwrap().unwrap();
        assert_eq!((&*found.alias, &*found.invoice_hash), ("alice", "hash"));
        assert_eq!(subscriptions.all().await.unwrap(), [found]);
        subscriptions.unsubscribe(ALICE).await.unwrap();
        assert!(!subscriptions.is_subscribed(ALICE, at(9)).await.unwrap());
        assert_eq!(subscriptions.holder_of("alice").await.unwrap(), Some(ALICE));
        let long = subscriptions.subscribe(ALICE, at(10), &"x".repeat(257)).await;
        assert!(matches!(long, Err(ClaimError::Invalid(_))), "{long:?}");
    }

    #[tokio::test]
    async fn an_alias_belongs_to_who_claims_it_first_until_they_take_another() {
        let subscriptions = fresh();
        subscriptions.claim("Anna", ALICE).await.unwrap();
        subscriptions.claim("anna", ALICE).await.unwrap();
        let taken = subscriptions.claim("ANNA", BOB).await;
        assert!(matches!(taken, Err(ClaimError::Taken(_))), "{taken:?}");
        subscriptions.claim("anna.b", ALICE).await.unwrap();
        subscriptions.claim("anna", BOB).await.unwrap();
        assert_eq!(subscriptions.alias_of(ALICE).await.unwrap().as_deref(), Some("anna.b"));
        assert_eq!(subscriptions.holder_of("anna").await.unwrap(), Some(BOB));
        assert_eq!(subscriptions.holder_of("nobody").await.unwrap(), None);
        for alias in ["", "a b", &"x".repeat(65)] {
            let invalid = subscriptions.claim(alias, ALICE).await;
            assert!(matches!(invalid, Err(ClaimError::Invalid(_))), "{invalid:?}");
        }
    }
}
