//! Why a relay could not be talked to, by what to do about it.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::PeerUrl;

/// A conversation with a relay ended, or a request failed.
///
/// All who wait for something on a connection that breaks hear the same reason, so it can be cloned.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there, or not as a relay does.
    #[error("cannot connect to {url}")]
    Connect {
        /// The relay.
        url: PeerUrl,
        /// Why.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The relay does not reconcile.
    #[error("the relay does not speak NIP-77: {evidence}")]
    NoNegentropy {
        /// What shows it.
        evidence: String,
    },
    /// The set is larger than the relay reconciles at once.
    #[error("the relay refuses a set of this size: {reason}")]
    TooLarge {
        /// The relay's words.
        reason: String,
        /// How many records it takes, if it said so.
        max: Option<u64>,
    },
    /// The relay wants to know who is asking (NIP-42).
    #[error("the relay wants authentication: {reason}")]
    AuthRequired {
        /// The relay's words.
        reason: String,
    },
    /// The relay will not.
    #[error("the relay refuses: {reason}")]
    Refused {
        /// The relay's words.
        reason: String,
    },
    /// The relay was silent for too long.
    #[error("no {awaited} from the relay within {}s{}", after.as_secs_f32(), said(notice.as_deref()))]
    TimedOut {
        /// What was waited for.
        awaited: &'static str,
        /// How long.
        after: Duration,
        /// The last NOTICE it sent.
        notice: Option<String>,
    },
    /// The connection ended.
    #[error("the connection ended: {reason}")]
    Closed {
        /// How.
        reason: String,
    },
    /// The relay did what it must not.
    #[error("the relay breaks the protocol: {violation}")]
    Protocol {
        /// What it did.
        violation: String,
    },
}

impl ClientError {
    pub(crate) fn connect(url: &PeerUrl, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Connect { url: url.clone(), source: Arc::from(source.into()) }
    }

    pub(crate) fn connect_timed_out(url: &PeerUrl, after: Duration) -> Self {
        let text = format!("no answer within {}s", after.as_secs_f32());
        Self::connect(url, io::Error::new(io::ErrorKind::TimedOut, text))
    }

    pub(crate) fn closed(reason: impl Into<String>) -> Self {
        Self::Closed { reason: reason.into() }
    }

    pub(crate) fn protocol(violation: impl Into<String>) -> Self {
        Self::Protocol { violation: violation.into() }
    }

    /// Reads the reason of a NEG-ERR or CLOSED.
    pub(crate) fn refused(reason: &str, max: Option<u64>) -> Self {
        let reason = reason.to_owned();
        let text = reason.to_ascii_lowercase();
        let is_size = max.is_some()
            || [
                "too many query results",
                "too many records",
                "too many events",
                "too large",
                "too big",
            ]
            .iter()
            .any(|words| text.contains(words));
        if text.starts_with("auth-required") {
            Self::AuthRequired { reason }
        } else if is_size {
            Self::TooLarge { reason, max }
        } else if ["not supported", "unsupported", "not enabled", "disabled"]
            .iter()
            .any(|words| text.contains(words))
        {
            Self::NoNegentropy { evidence: format!("it says {reason:?}") }
        } else {
            Self::Refused { reason }
        }
    }
}

fn said(notice: Option<&str>) -> String {
    notice.map_or_else(String::new, |notice| format!("; it had said {notice:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_apart() {
        let size =
            |reason, max| matches!(ClientError::refused(reason, max), ClientError::TooLarge { .. });
        assert!(size("blocked: too many query results", Some(1_000_000)));
        assert!(size("blocked: this query is too big", None));
        assert!(!size("blocked: you are banned", None), "not each refusal is about size");
        assert!(matches!(
            ClientError::refused("auth-required: who are you?", None),
            ClientError::AuthRequired { .. }
        ));
        assert!(matches!(
            ClientError::refused("negentropy not enabled on this relay", None),
            ClientError::NoNegentropy { .. }
        ));
    }
}
