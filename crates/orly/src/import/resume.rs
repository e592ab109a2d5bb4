//! Where an import that is interrupted goes on: a marker in the store.

use std::path::Path;
use std::sync::Arc;

use service_store::Store;
use store::StoreError;

use super::chunks::Position;
use super::source::Source;

/// Markers have keys of at most 500 bytes.
const MAX_PATH: usize = 400;

/// The marker of one file.
pub(crate) struct Resume {
    store: Arc<dyn Store>,
    /// Key, and which version of the file the marker is for; none for what cannot be read again.
    file: Option<(String, String)>,
}

impl Resume {
    pub(crate) fn new(store: Arc<dyn Store>, source: &Source, path: &Path) -> Self {
        let path = std::path::absolute(path).ok().and_then(|path| path.to_str().map(str::to_owned));
        let file = source.version.zip(path).filter(|(_, path)| path.len() <= MAX_PATH);
        let file = file
            .map(|((len, changed), path)| (format!("import:{path}"), format!("{len} {changed}")));
        Self { store, file }
    }

    /// Where an earlier import of the same version of the file stopped.
    pub(crate) async fn position(&self) -> Result<Option<Position>, StoreError> {
        let Some((key, version)) = &self.file else { return Ok(None) };
        let Some(value) = self.store.marker(key).await? else { return Ok(None) };
        let position = String::from_utf8(value).ok().and_then(|value| {
            let (bytes, lines) = value.strip_prefix(version)?.trim_start().split_once(' ')?;
            Some(Position { bytes: bytes.parse().ok()?, lines: lines.parse().ok()? })
        });
        Ok(position)
    }

    /// Notes that all in front of `position` is on disk.
    pub(crate) async fn save(&self, position: Position) -> Result<(), StoreError> {
        let Some((key, version)) = &self.file else { return Ok(()) };
        let value = format!("{version} {} {}", position.bytes, position.lines);
        self.store.set_marker(key, Some(value.into_bytes())).await
    }

    /// Forgets the file: all of it is imported.
    pub(crate) async fn clear(&self) -> Result<(), StoreError> {
        let Some((key, _)) = &self.file else { return Ok(()) };
        self.store.set_marker(key, None).await
    }
}
