//! How an operator changes at run time who may do what (NIP-86).

use async_trait::async_trait;
use event::{Event, Pubkey, Timestamp};
use store::StoreError;

use crate::{Census, CuratingConfig, Entry, List, Mode, Subject};

/// How long the reason of an entry may be, in bytes.
pub(crate) const MAX_REASON: usize = 1024;

/// Changes who may do what. The caller has made sure that an operator asks.
#[async_trait]
pub trait Management: Send + Sync + 'static {
    /// Puts something on a list, and takes it off the list that says the contrary. An event that is
    /// banned is removed from the store as well.
    async fn put(&self, list: List, entry: Entry) -> Result<(), ManagementError>;

    /// Takes something off a list, if it is there.
    async fn remove(&self, list: List, subject: Subject) -> Result<(), ManagementError>;

    /// What is on a list, in order.
    async fn entries(&self, list: List) -> Result<Vec<Entry>, ManagementError>;

    /// Takes a kind 30078 with the `d` tag `curating-config`.
    async fn configure(&self, event: Event) -> Result<(), ManagementError>;

    /// The configuration of the mode curating, if there is one.
    async fn config(&self) -> Result<Option<CuratingConfig>, ManagementError>;

    /// Authors who are neither trusted nor blacklisted, those with the most events first.
    async fn unclassified(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<UnclassifiedUsers, ManagementError>;

    /// Counts the events of all authors anew.
    async fn scan(&self) -> Result<Census, ManagementError>;

    /// Takes the pubkeys of relays that are kept in step with this one; they are as admins.
    async fn set_peers(&self, peers: Vec<Pubkey>) -> Result<(), ManagementError>;
}

/// Authors who are neither trusted nor blacklisted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnclassifiedUsers {
    /// Those asked for.
    pub users: Vec<UnclassifiedUser>,
    /// How many there are.
    pub total: usize,
}

/// An author who is neither trusted nor blacklisted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnclassifiedUser {
    /// Who it is.
    pub pubkey: Pubkey,
    /// How many events of theirs are stored.
    pub events: u64,
    /// When the oldest of them was made.
    pub first_seen: Timestamp,
}

/// Why something cannot be managed.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// The mode has no such thing.
    #[error("access control runs in mode {mode}, this needs {needed} (ORLY_ACL_MODE)")]
    WrongMode {
        /// The mode it runs in.
        mode: Mode,
        /// What would be needed.
        needed: &'static str,
    },
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Access control runs elsewhere, and that is away.
    #[error("access control is not reachable: {0}")]
    Unavailable(String),
}

impl ManagementError {
    /// What a mode answers that has no lists.
    pub(crate) fn needs_lists(mode: Mode, list: List) -> Self {
        let needed = match (list.belongs_to(Mode::Managed), list.belongs_to(Mode::Curating)) {
            (true, true) => "managed or curating",
            (true, false) => "managed",
            (false, _) => "curating",
        };
        Self::WrongMode { mode, needed }
    }

    /// What other modes answer to questions about curating.
    pub(crate) const fn needs_curating(mode: Mode) -> Self {
        Self::WrongMode { mode, needed: "curating" }
    }
}

/// Makes sure that an entry fits its list.
pub(crate) fn check_entry(mode: Mode, list: List, entry: &Entry) -> Result<(), ManagementError> {
    check_subject(mode, list, entry.subject)?;
    if entry.reason.len() > MAX_REASON {
        let len = entry.reason.len();
        let text = format!("the reason has {len} bytes, {MAX_REASON} are allowed");
        return Err(ManagementError::Invalid(text));
    }
    Ok(())
}

/// Makes sure that a list is one of the mode and made of such subjects.
pub(crate) fn check_subject(
    mode: Mode,
    list: List,
    subject: Subject,
) -> Result<(), ManagementError> {
    if !list.belongs_to(mode) {
        return Err(ManagementError::needs_lists(mode, list));
    }
    if list.holds() != subject.kind() {
        let text = format!("{subject} cannot be on the list {}", list.name());
        return Err(ManagementError::Invalid(text));
    }
    Ok(())
}

/// The changes of markers that put an entry on its list, and off the contrary one.
pub(crate) fn changes(list: List, entry: &Entry) -> Vec<(String, Option<Vec<u8>>)> {
    let mut changes = vec![(list.key(entry.subject), Some(entry.to_marker()))];
    changes.extend(list.contrary().map(|contrary| (contrary.key(entry.subject), None)));
    changes
}
