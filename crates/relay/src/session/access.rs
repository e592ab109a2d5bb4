//! Who the client of a session is, and what it may do, as access control says.

use std::sync::Arc;
use std::time::Duration;

use acl::{AccessLevel, Mode};
use event::{EventRef, Filter, Kind, Prefix, Rejection, RelayMessage, SubscriptionId, Timestamp};
use store::{Hidden, HiddenAuthors};

use super::Session;
use super::socket::CloseReason;
use crate::auth::own_names;

/// Kinds by which clients find each other: they may be read before NIP-42.
const DIRECTORY: [Kind; 7] = [
    Kind::new(0),
    Kind::new(3),
    Kind::new(5),
    Kind::new(1984),
    Kind::new(10_000),
    Kind::new(10_002),
    Kind::new(10_050),
];

/// As how many pubkeys a client may authenticate.
const MAX_PUBKEYS: usize = 32;

/// What was learned about a client, and under which revision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    revision: u64,
    level: AccessLevel,
    /// Whether its events never have to wait.
    is_swift: bool,
}

impl Session {
    /// Takes an answer to the challenge (NIP-42).
    pub(super) fn authenticate(&mut self, event: EventRef<'_>) {
        let hosts = own_names(&self.relay.settings.about, &self.host);
        let result = self.challenge.check(event, &hosts, Timestamp::now());
        let reason = match result {
            Ok(pubkey) if self.pubkeys.contains(&pubkey) => String::new(),
            Ok(_) if self.pubkeys.len() >= MAX_PUBKEYS => {
                format!(
                    "restricted: {MAX_PUBKEYS} pubkeys are authenticated here, no more are allowed"
                )
            }
            Ok(pubkey) => {
                self.pubkeys.push(pubkey);
                self.standing = None;
                self.viewer = self.relay.viewer(&self.pubkeys, None);
                String::new()
            }
            Err(reason) => format!("invalid: {reason}"),
        };
        self.send(RelayMessage::Ok {
            id: event.id(),
            accepted: reason.is_empty(),
            reason: &reason,
        });
    }

    /// What the client may do: the most that one of its pubkeys may.
    async fn level(&mut self) -> Result<AccessLevel, Rejection> {
        let access = &self.relay.access;
        let revision = access.revision();
        if let Some(standing) = self.standing
            && standing.revision == revision
        {
            return Ok(standing.level);
        }
        let mut level = None;
        for pubkey in &self.pubkeys {
            level = level.max(Some(access.level(Some(*pubkey), self.address).await?));
        }
        let level = match level {
            Some(level) => level,
            None => access.level(None, self.address).await?,
        };
        self.standing = Some(Standing { revision, level, is_swift: false });
        self.viewer = self.relay.viewer(&self.pubkeys, Some(level));
        Ok(level)
    }

    /// Says why the client may not publish an event.
    pub(super) async fn check_write(&mut self, event: EventRef<'_>) -> Result<(), Rejection> {
        // What owners and admins want deleted is theirs to say, whoever passes it on.
        if event.kind() == Kind::DELETION && self.relay.is_admin(&event.pubkey()) {
            return Ok(());
        }
        let level = self.level().await?;
        if self.relay.is_open_to_signers(event.kind()) && level == AccessLevel::None {
            return Ok(());
        }
        if level.may_write() { Ok(()) } else { Err(self.refusal(level, "publish")) }
    }

    /// Says why the client may not read what some filters ask for.
    pub(super) async fn check_read(&mut self, filters: &[Filter]) -> Result<(), Rejection> {
        let is_directory = |filter: &Filter| {
            let kinds = filter.kinds.as_deref().unwrap_or_default();
            let is_open =
                |kind: &Kind| DIRECTORY.contains(kind) || self.relay.is_open_to_signers(*kind);
            !kinds.is_empty() && kinds.iter().all(is_open)
        };
        let is_open = filters.iter().all(is_directory);
        if self.relay.settings.access.auth_required && self.pubkeys.is_empty() && !is_open {
            return Err(Rejection::new(Prefix::AuthRequired, "authenticate to read here"));
        }
        let level = self.level().await?;
        if level.may_read() || (level == AccessLevel::None && is_open) {
            Ok(())
        } else {
            Err(self.refusal(level, "read"))
        }
    }

    /// How long the next event has to wait.
    pub(super) async fn delay(&mut self) -> Result<Duration, Rejection> {
        let access = &self.relay.access;
        if access.mode() != Mode::Follows || self.standing.is_some_and(|known| known.is_swift) {
            return Ok(Duration::ZERO);
        }
        // Only what is proven counts: who claims to be somebody must not slow them down.
        let mut delay = None::<Duration>;
        for pubkey in &self.pubkeys {
            let of_this = access.throttle(Some(*pubkey), self.address).await?;
            delay = Some(delay.map_or(of_this, |delay| delay.min(of_this)));
        }
        let delay = match delay {
            Some(delay) => delay,
            None => access.throttle(None, self.address).await?,
        };
        if let Some(standing) = &mut self.standing {
            standing.is_swift = delay.is_zero();
        }
        Ok(delay)
    }

    /// Whether the client may see an event that is delivered live.
    pub(super) fn may_see(&self, event: EventRef<'_>) -> bool {
        match self.viewer.hidden {
            Hidden::Shown => self.viewer.may_see(event, &HiddenAuthors::<Vec<u8>>::default()),
            Hidden::Withheld => self.viewer.may_see(event, &self.relay.access.hidden_authors()),
        }
    }

    /// Looks again at what the client may do, for something was decided: what it may no longer read ends,
    /// and so does the connection if its address is blocked.
    pub(super) async fn reexamine(&mut self) -> Result<(), CloseReason> {
        let could_read = self.standing.is_none_or(|standing| standing.level.may_read());
        // While nobody can say, what was allowed goes on.
        let Ok(level) = self.level().await else { return Ok(()) };
        let subs: Vec<SubscriptionId> = self.subscriptions.keys().cloned().collect();
        for sub in subs {
            let Some(live) = self.subscriptions.get(&sub) else { continue };
            let subscription = Arc::clone(&live.subscription);
            if let Err(rejection) = self.check_read(&subscription.filters).await {
                self.close_subscription(&sub, &rejection.to_string());
            }
        }
        let is_blocked = level == AccessLevel::Blocked;
        if level.may_read() || !(could_read || is_blocked) {
            return Ok(());
        }
        if let Some(reconciler) = &self.relay.reconciler {
            reconciler.close_connection(&self.number.into()).await;
        }
        let refusal = self.refusal(level, "read");
        self.send(RelayMessage::Notice(&refusal.to_string()));
        if is_blocked { Err(CloseReason::Blocked) } else { Ok(()) }
    }

    fn refusal(&self, level: AccessLevel, what: &str) -> Rejection {
        match level {
            AccessLevel::Blocked => Rejection::new(Prefix::Blocked, "this address is blocked"),
            AccessLevel::Banned => Rejection::new(Prefix::Blocked, "this pubkey is banned"),
            _ if self.pubkeys.is_empty() => {
                Rejection::new(Prefix::AuthRequired, format!("authenticate to {what} here"))
            }
            _ => Rejection::new(Prefix::Restricted, format!("this pubkey may not {what} here")),
        }
    }
}
