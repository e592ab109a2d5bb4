//! `db backup`: a copy of the event store, taken while the relay runs.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use service_settings::EmbeddedStore;
use store::EventStore;
use store_lmdb::Access;

use crate::command_line::Backup;
use crate::event_store;
use crate::figures::{bytes, grouped};
use crate::output::print;
use crate::progress::Progress;
use crate::settings::Settings;

/// What LMDB calls the file of a database: a directory with it can be opened.
const DATABASE: &str = "data.mdb";
/// How often the size of the copy is looked at.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn run(settings: &Settings, arguments: &Backup) -> anyhow::Result<()> {
    let store = event_store::files(settings, Access::Read)?;
    let most = store.status().await?.disk_bytes;
    let copy = Copy::create(&arguments.destination)?;
    let mut file = copy.file.try_clone().context("open the copy twice")?;
    let mut work = tokio::task::spawn_blocking(move || store.backup(&mut file));
    let mut progress = Progress::start(Some(most));
    let result = loop {
        match tokio::time::timeout(LOOK, &mut work).await {
            Ok(result) => break result.context("copy the event store")?,
            Err(_) => {
                let written = copy.len()?;
                progress.update(written, || format!("{} written", bytes(written)));
            }
        }
    };
    drop(progress);
    result.with_context(|| format!("write {}", copy.part.display()))?;
    copy.finish()?;
    let len = copy.len()?;
    let events = events_in(settings, &copy.wanted).await?;
    print(&format!("{events}{} in {}", bytes(len), copy.wanted.display()))
}

/// Counts the events of the copy, if it lies where it can be opened.
async fn events_in(settings: &Settings, copy: &Path) -> anyhow::Result<String> {
    let (Some(data_dir), true) = (copy.parent(), copy.ends_with(DATABASE)) else {
        return Ok(String::new());
    };
    let place = EmbeddedStore { data_dir: data_dir.to_owned(), ..settings.store.clone() };
    let store = service_store::open(&place, Access::Read, vec![]).context("open the copy")?;
    Ok(format!("{} events, ", grouped(store.status().await?.events)))
}

/// A copy that has no name of its own until it is complete, and goes away if it does not become so.
struct Copy {
    file: File,
    part: PathBuf,
    wanted: PathBuf,
}

impl Copy {
    fn create(destination: &Path) -> anyhow::Result<Self> {
        let is_directory =
            destination.is_dir() || destination.as_os_str().as_encoded_bytes().ends_with(b"/");
        let wanted = if is_directory {
            fs::create_dir_all(destination)
                .with_context(|| format!("create {}", destination.display()))?;
            destination.join(DATABASE)
        } else {
            destination.to_owned()
        };
        ensure!(!wanted.exists(), "{} exists: a backup replaces nothing", wanted.display());
        let mut part = wanted.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut options = File::options();
        // It holds the relay's key.
        options.write(true).create_new(true).mode(0o600);
        match options.open(&part) {
            Ok(file) => Ok(Self { file, part, wanted }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => bail!(
                "{} exists: another backup is writing it, or one was killed; then remove it",
                part.display()
            ),
            Err(error) => Err(error).with_context(|| format!("create {}", part.display())),
        }
    }

    fn len(&self) -> anyhow::Result<u64> {
        Ok(self.file.metadata().context("read the size of the copy")?.len())
    }

    /// Gives the copy its name, for good.
    fn finish(&self) -> anyhow::Result<()> {
        let named = || format!("name {}", self.wanted.display());
        // Unlike a renaming, a link replaces nothing that came to be meanwhile; some file systems have none.
        match fs::hard_link(&self.part, &self.wanted) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(named);
            }
            Err(_) => fs::rename(&self.part, &self.wanted).with_context(named)?,
        }
        let directory = self.wanted.parent().filter(|path| !path.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).with_context(named)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // After a renaming it is not there.
        drop(fs::remove_file(&self.part));
    }
}
