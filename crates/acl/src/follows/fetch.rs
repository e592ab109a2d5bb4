//! Fetching the lists of owners and admins from other relays.

use std::collections::BTreeSet;
use std::time::Duration;

use event::{Event, Filter, Pubkey};
use relay_client::{ClientError, Connection, Options, PeerUrl, Reach};

use super::{FOLLOW_LIST, Follows, RELAY_LIST};

/// How long one relay may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many relays are asked at most.
const MAX_RELAYS: usize = 30;

impl Follows {
    /// Asks the relays of owners and admins for their lists, or those for a start, and stores what they
    /// give. Relays that are named by what was found are asked as well.
    pub(super) async fn fetch(&self) {
        let operators = self.authorities.operators();
        if operators.is_empty() {
            return;
        }
        let mut asked: BTreeSet<PeerUrl> = self.settings.own.iter().cloned().collect();
        for _ in 0..2 {
            for (url, reach) in self.to_ask() {
                if asked.len() >= MAX_RELAYS + self.settings.own.len() || !asked.insert(url.clone())
                {
                    continue;
                }
                match ask(&url, reach, &operators).await {
                    Ok(events) => self.store_found(&url, events).await,
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::info!(relay = %url, error, "fetch follow lists");
                    }
                }
            }
        }
    }

    pub(super) fn to_ask(&self) -> Vec<(PeerUrl, Reach)> {
        let named = self.relays();
        if named.is_empty() {
            return self
                .settings
                .bootstrap
                .iter()
                .map(|url| (url.clone(), Reach::Anywhere))
                .collect();
        }
        // Who may write a relay list may not look around in our house.
        let reach = if self.settings.allow_private { Reach::Anywhere } else { Reach::Public };
        let is_ours = |url: &PeerUrl| self.settings.bootstrap.contains(url);
        let reach_of = |url: &PeerUrl| if is_ours(url) { Reach::Anywhere } else { reach };
        named.into_iter().map(|url| (url.clone(), reach_of(&url))).collect()
    }

    async fn store_found(&self, url: &PeerUrl, events: Vec<Event>) {
        let count = events.len();
        tracing::debug!(relay = %url, count, "fetched follow lists");
        let saved = async {
            self.store.save(events).await?;
            self.refresh().await
        };
        if let Err(error) = saved.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "store follow lists");
        }
    }
}

/// The lists of some pubkeys, as one relay has them: verified, and nothing else.
async fn ask(url: &PeerUrl, reach: Reach, operators: &[Pubkey]) -> Result<Vec<Event>, ClientError> {
    let options = Options {
        connect_timeout: PATIENCE,
        timeout: PATIENCE,
        max_message_bytes: 4 << 20,
        reach,
        ..Options::default()
    };
    let most = operators.len() * 2;
    let filter = Filter {
        kinds: Some(vec![FOLLOW_LIST, RELAY_LIST]),
        authors: Some(operators.to_vec()),
        limit: Some(most as u64),
        ..Filter::default()
    };
    let connection = Connection::open(url, &options).await?;
    let found = connection.query(&filter, most).await;
    connection.close().await;
    found
}
