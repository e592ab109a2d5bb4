//! The end of a first start that did not succeed.

use std::fmt;

use crate::{Cause, Ending};

/// A unit kept all from starting.
#[derive(Clone, Debug)]
pub struct StartFailed {
    /// The unit.
    pub unit: String,
    /// Why.
    pub cause: Cause,
    /// Units that were not started because of it.
    pub not_started: Vec<String>,
    /// What it last wrote.
    pub last_lines: Vec<String>,
}

impl StartFailed {
    /// The exit code of the unit's process.
    pub fn code(&self) -> Option<i32> {
        match self.cause {
            Cause::Ended(Ending::Code(code)) => Some(code),
            _ => None,
        }
    }
}

impl std::error::Error for StartFailed {}

impl fmt::Display for StartFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unit {}: {}", self.unit, self.cause)?;
        if !self.not_started.is_empty() {
            write!(f, "; not started: {}", self.not_started.join(", "))?;
        }
        if !self.last_lines.is_empty() {
            write!(f, "\nits last output:")?;
        }
        self.last_lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
