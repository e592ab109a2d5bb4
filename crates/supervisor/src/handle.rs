//! Talking to the supervisor from elsewhere.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::{Event, Input, Output, Status};

/// What is not done, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No unit has this name.
    #[error("no unit is called {name:?}: there are {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// It is so already.
    #[error("{0} already")]
    Already(&'static str),
    /// All is about to end.
    #[error("the supervisor is stopping")]
    Gone,
}

/// The supervisor has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the supervisor has ended")]
pub struct Gone;

impl From<Gone> for Refused {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Talks to the supervisor.
#[derive(Clone)]
pub struct Handle {
    pub(crate) sender: mpsc::Sender<Message>,
    pub(crate) output: Arc<Output>,
}

/// What reaches the supervisor.
pub(crate) enum Message {
    Unit(usize, u64, Event),
    Change(Change, oneshot::Sender<Result<(), Refused>>),
    Status(oneshot::Sender<Status>),
    Hangup,
}

/// What someone wants.
pub(crate) enum Change {
    One(fn(usize) -> Input, String),
    StartAll,
    StopAll,
    RestartAll,
}

impl Handle {
    /// What there is to be seen.
    pub async fn status(&self) -> Result<Status, Gone> {
        let (sender, receiver) = oneshot::channel();
        self.sender.send(Message::Status(sender)).await.map_err(|_| Gone)?;
        receiver.await.map_err(|_| Gone)
    }

    /// What the units wrote.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// Starts a unit, and all it needs.
    pub async fn start(&self, unit: &str) -> Result<(), Refused> {
        self.change(Change::One(Input::Start, unit.into())).await
    }

    /// Stops a unit.
    pub async fn stop(&self, unit: &str) -> Result<(), Refused> {
        self.change(Change::One(Input::Stop, unit.into())).await
    }

    /// Stops a unit and starts it.
    pub async fn restart(&self, unit: &str) -> Result<(), Refused> {
        self.change(Change::One(Input::Restart, unit.into())).await
    }

    /// Starts all units.
    pub async fn start_all(&self) -> Result<(), Refused> {
        self.change(Change::StartAll).await
    }

    /// Stops all units, in order.
    pub async fn stop_all(&self) -> Result<(), Refused> {
        self.change(Change::StopAll).await
    }

    /// Stops all units in order, and starts those that ran.
    pub async fn restart_all(&self) -> Result<(), Refused> {
        self.change(Change::RestartAll).await
    }

    /// Passes SIGHUP on to the units that listen to it.
    pub async fn hang_up(&self) -> Result<(), Gone> {
        self.sender.send(Message::Hangup).await.map_err(|_| Gone)
    }

    async fn change(&self, change: Change) -> Result<(), Refused> {
        let (sender, receiver) = oneshot::channel();
        self.sender.send(Message::Change(change, sender)).await.map_err(|_| Gone)?;
        receiver.await.map_err(|_| Gone)?
    }
}
