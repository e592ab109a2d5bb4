//! What is asked of a store, and on whose behalf.

use event::{EventRef, Filter, Kind, Pubkey};

use crate::HiddenAuthors;

/// Filters and who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// An event is an answer if one of them matches. Each is answered newest first, the lower id
    /// first in the same second, up to its own limit; no event is given twice.
    pub filters: Vec<Filter>,
    /// Who is asking.
    pub viewer: Viewer,
}

/// Who may see the answer: the one rule of what readers are shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Viewer {
    /// Whose events of private kinds it sees.
    pub private: Private,
    /// Whether it sees events of authors who are hidden ([`HiddenAuthors`]).
    pub hidden: Hidden,
}

/// Whose events of private kinds somebody sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Private {
    /// Everybody's.
    All,
    /// Those to which one of these pubkeys is a party; nobody's are seen by nobody.
    Of(Vec<Pubkey>),
}

/// What becomes of events whose authors are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hidden {
    /// They are shown.
    Shown,
    /// They are withheld.
    Withheld,
}

impl Query {
    /// A query with one filter by the operator.
    pub fn by_operator(filter: Filter) -> Self {
        Self { filters: vec![filter], viewer: Viewer::OPERATOR }
    }
}

impl Viewer {
    /// Sees everything: the operator, the relay itself.
    pub const OPERATOR: Self = Self { private: Private::All, hidden: Hidden::Shown };

    /// A reader who proved to be these pubkeys.
    pub const fn of(pubkeys: Vec<Pubkey>) -> Self {
        Self { private: Private::Of(pubkeys), hidden: Hidden::Withheld }
    }

    /// Whether it may see `event` where these authors are hidden.
    pub fn may_see<B: AsRef<[u8]>>(&self, event: EventRef<'_>, hidden: &HiddenAuthors<B>) -> bool {
        let is_party = match &self.private {
            Private::All => true,
            Private::Of(pubkeys) => {
                !event.kind().is_private() || pubkeys.iter().any(|pubkey| event.is_party(pubkey))
            }
        };
        is_party && (self.hidden == Hidden::Shown || !hidden.contains(&event.pubkey()))
    }

    /// Whether some events of `kind` may be withheld from it because they are private.
    pub fn is_restricted(&self, kind: Kind) -> bool {
        self.private != Private::All && kind.is_private()
    }
}
