//! Who may do what: the modes none, follows, managed and curating.
//!
//! [`AccessControl`] is what a relay asks, [`Management`] how an operator changes it (NIP-86). What is
//! decided at run time is kept as markers beside the events, so that every process on a store agrees
//! within [`REFRESH`]. No socket of a client, no gRPC and no environment live here.

mod access_control;
mod authorities;
mod authors;
mod changes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod counted;
mod curating;
mod follows;
mod ledger;
mod level;
mod lists;
mod local;
mod managed;
mod management;
mod mode;
mod open;
mod subscriptions;
mod throttle;

pub use access_control::AccessControl;
pub use authorities::Authorities;
pub use authors::{AuthorsEvents, delete_events_of, events_of};
pub use changes::Changes;
pub use curating::{Census, Curating, CuratingConfig, CuratingConfigError, Verdict};
pub use follows::{FollowLists, Follows, FollowsSettings};
pub use ledger::{AclStore, REFRESH};
pub use level::{AccessLevel, UnknownLevel};
pub use lists::{Entry, List, Subject, SubjectKind};
pub use local::{LocalAcl, Settings};
pub use managed::Managed;
pub use management::{Management, ManagementError, UnclassifiedUser, UnclassifiedUsers};
pub use mode::{Mode, UnknownMode};
pub use open::Open;
pub use subscriptions::{ClaimError, Subscription, Subscriptions};
pub use throttle::ThrottleSettings;
