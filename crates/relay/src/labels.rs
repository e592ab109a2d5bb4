//! Name, description and picture as an operator changed them at run time (NIP-86): kept as markers
//! (`relay:label:…`), so that every relay process on the store shows the same.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use store::{Markers, StoreError};
use tokio_util::sync::CancellationToken;

const PREFIX: &str = "relay:label:";
/// How often it is looked whether another process changed something.
const REFRESH: Duration = Duration::from_secs(5);
/// How long a text may be, in bytes.
const MAX_BYTES: usize = 4096;

/// What can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Name,
    Description,
    Icon,
}

/// What was changed.
pub(crate) struct Labels {
    markers: Arc<dyn Markers>,
    texts: RwLock<[Option<String>; 3]>,
}

impl Label {
    const ALL: [Self; 3] = [Self::Name, Self::Description, Self::Icon];

    const fn key(self) -> &'static str {
        match self {
            Self::Name => "relay:label:name",
            Self::Description => "relay:label:description",
            Self::Icon => "relay:label:icon",
        }
    }
}

impl Labels {
    /// Reads what was changed before; later, if the store is away.
    pub(crate) async fn read(markers: Arc<dyn Markers>) -> Result<Self, StoreError> {
        let labels = Self { markers, texts: RwLock::default() };
        match labels.refresh().await {
            Ok(()) | Err(StoreError::Unavailable(_)) => Ok(labels),
            Err(error) => Err(error),
        }
    }

    /// The text in place of `usual`.
    pub(crate) fn or(&self, label: Label, usual: &str) -> String {
        self.changed(label).unwrap_or_else(|| usual.to_owned())
    }

    /// The text, if it was changed.
    pub(crate) fn changed(&self, label: Label) -> Option<String> {
        self.texts.read()[label as usize].clone()
    }

    /// Changes a text; one that is empty stands for what was set at the start.
    pub(crate) async fn change(&self, label: Label, text: &str) -> Result<(), StoreError> {
        if text.len() > MAX_BYTES {
            let reason = format!("the text has {} bytes, {MAX_BYTES} are allowed", text.len());
            return Err(StoreError::Invalid(reason));
        }
        let text = (!text.is_empty()).then(|| text.to_owned());
        self.markers.set_marker(label.key(), text.clone().map(String::into_bytes)).await?;
        self.texts.write()[label as usize] = text;
        Ok(())
    }

    /// Takes over what other processes change, until `shutdown`.
    pub(crate) async fn follow(self: Arc<Self>, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(REFRESH)).await.is_some() {
            if let Err(error) = self.refresh().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "read the relay's name");
            }
        }
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let markers = self.markers.markers(PREFIX).await?;
        let text = |label: Label| {
            let marker = markers.iter().find(|(key, _)| key == label.key());
            marker.map(|(_, text)| String::from_utf8_lossy(text).into_owned())
        };
        *self.texts.write() = Label::ALL.map(text);
        Ok(())
    }
}
