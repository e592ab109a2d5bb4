//! What is asked of a store, and on whose behalf.

use event::{EventRef, Filter, Kind, Pubkey};

/// Filters and who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// An event is an answer if one of them matches. Each is answered newest first, the lower id
    /// first in the same second, up to its own limit; no event is given twice.
    pub filters: Vec<Filter>,
    /// Who is asking.
    pub viewer: Viewer,
}

/// Who may see the answer: the one rule of access to private kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// Sees everything: the operator, the relay itself.
    Operator,
    /// Sees private kinds only where one of these pubkeys is a party; nobody's are seen by nobody.
    Pubkeys(Vec<Pubkey>),
}

impl Query {
    /// A query with one filter by the operator.
    pub fn by_operator(filter: Filter) -> Self {
        Self { filters: vec![filter], viewer: Viewer::Operator }
    }
}

impl Viewer {
    /// Whether it may see `event`.
    pub fn may_see(&self, event: EventRef<'_>) -> bool {
        match self {
            Self::Operator => true,
            Self::Pubkeys(pubkeys) => {
                !event.kind().is_private() || pubkeys.iter().any(|pubkey| event.is_party(pubkey))
            }
        }
    }

    /// Whether some events of `kind` may be hidden from it.
    pub fn is_restricted(&self, kind: Kind) -> bool {
        *self != Self::Operator && kind.is_private()
    }
}
