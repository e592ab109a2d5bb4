//! Why a unit does not work, in words.

use std::fmt;
use std::time::Duration;

use crate::{Ending, Health};

/// Why a unit does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its program could not be started.
    NotSpawned(String),
    /// Its process ended by itself.
    Ended(Ending),
    /// It took too long to become ready.
    NotReady {
        /// How long it was given.
        timeout: Duration,
        /// What the last probe said.
        health: Option<Health>,
    },
    /// It runs and does not answer.
    Hung(String),
    /// It did not stop when asked, and was killed.
    Stubborn(Duration),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSpawned(reason) => write!(f, "cannot be started: {reason}"),
            Self::Ended(ending) => ending.fmt(f),
            Self::NotReady { timeout, health } => {
                write!(f, "not ready after {timeout:?}")?;
                match health {
                    Some(Health::Unready(reason) | Health::Silent(reason)) => {
                        write!(f, " ({reason})")
                    }
                    Some(Health::Serving) | None => Ok(()),
                }
            }
            Self::Hung(reason) => write!(f, "runs and does not answer ({reason})"),
            Self::Stubborn(timeout) => write!(f, "did not stop within {timeout:?} and was killed"),
        }
    }
}
