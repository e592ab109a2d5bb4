//! What all parts of a store share: the server, the state of the graph, and news of it.

use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Weak};
use std::time::Duration;

use event::Pubkey;
use parking_lot::Mutex;
use store::{HIDDEN_AUTHORS_MARKER, Hidden, HiddenAuthors, Serial, Viewer};
use tokio::sync::{OnceCell, watch};
use tokio::time::{Instant, sleep};

use crate::Neo4jError;
use crate::bolt::{Statement, Value};
use crate::client::Client;
use crate::graph::{self, Graph};

/// How often a look is taken at what other processes wrote.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How often a server that is away is looked for.
const AWAY_INTERVAL: Duration = Duration::from_secs(1);
/// How often the same trouble is told.
const REMINDER_INTERVAL: Duration = Duration::from_secs(60);
const NEWS: &str = "MATCH (s:EventStore {name: 'orly'}) RETURN s.serial, s.hidden";
const HIDDEN: &str = "MATCH (s:EventStore {name: 'orly'}) OPTIONAL MATCH (m:Marker {key: $key}) \
    RETURN s.hidden, m.value";

/// What all parts of a store share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) relay_urls: Vec<String>,
    graph: OnceCell<Graph>,
    last_serial: watch::Sender<Serial>,
    hidden: Mutex<Option<KnownHidden>>,
    /// What was last said of a graph that is not there.
    told: Mutex<Option<(Discriminant<Neo4jError>, Instant)>>,
}

/// The hidden authors as they were when the store had counted so many changes of them.
#[derive(Clone)]
struct KnownHidden {
    revision: i64,
    authors: Arc<HiddenAuthors>,
}

impl Shared {
    pub(crate) fn new(client: Client, relay_urls: Vec<String>) -> Self {
        let (last_serial, _) = watch::channel(Serial::default());
        Self {
            client,
            relay_urls,
            graph: OnceCell::new(),
            last_serial,
            hidden: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// The graph, made ready when it is first asked for. Where it is not to be had, the log says why.
    pub(crate) async fn graph(&self) -> Result<&Graph, Neo4jError> {
        let graph = self.prepared().await;
        if let Err(error) = &graph {
            self.tell(error);
        }
        graph
    }

    /// The same, without a word in the log.
    pub(crate) async fn prepared(&self) -> Result<&Graph, Neo4jError> {
        self.graph.get_or_try_init(|| graph::prepare(&self.client)).await
    }

    /// Says in the log why the graph is not there, and again only after a while.
    fn tell(&self, error: &Neo4jError) {
        let kind = discriminant(error);
        let mut told = self.told.lock();
        let is_known = |(before, at): &(Discriminant<Neo4jError>, Instant)| {
            *before == kind && at.elapsed() < REMINDER_INTERVAL
        };
        if !told.as_ref().is_some_and(is_known) {
            tracing::error!("{error}");
            *told = Some((kind, Instant::now()));
        }
    }

    /// News of the newest serial.
    pub(crate) fn news(&self) -> watch::Receiver<Serial> {
        self.last_serial.subscribe()
    }

    /// Says that events up to this serial were stored.
    pub(crate) fn announce(&self, last: Serial) {
        self.last_serial.send_if_modified(|known| {
            let is_news = last > *known;
            *known = last.max(*known);
            is_news
        });
    }

    /// The authors who are hidden from a viewer.
    pub(crate) async fn hidden_from(
        &self,
        viewer: &Viewer,
    ) -> Result<Arc<HiddenAuthors>, Neo4jError> {
        if viewer.hidden == Hidden::Shown {
            return Ok(Arc::default());
        }
        let known = self.hidden.lock().clone();
        match known {
            Some(known) => Ok(known.authors),
            None => self.read_hidden().await,
        }
    }

    /// Reads who is hidden.
    pub(crate) async fn read_hidden(&self) -> Result<Arc<HiddenAuthors>, Neo4jError> {
        let statement = Statement::new(HIDDEN).with("key", HIDDEN_AUTHORS_MARKER);
        let rows = self.client.rows(&statement).await?;
        let value = match rows.into_iter().next().map(<[Value; 2]>::try_from) {
            Some(Ok([revision, value])) => (revision.as_int().unwrap_or_default(), value),
            _ => return Err(Neo4jError::Damaged("the node EventStore")),
        };
        let (revision, Value::Bytes(packed)) = value else {
            return Ok(self.keep_hidden(value.0, HiddenAuthors::default()));
        };
        Ok(self.keep_hidden(revision, HiddenAuthors::from_marker(packed)))
    }

    fn keep_hidden(&self, revision: i64, authors: HiddenAuthors) -> Arc<HiddenAuthors> {
        let authors = Arc::new(authors);
        let mut known = self.hidden.lock();
        // Of two who read at once the later one knows better.
        if known.as_ref().is_none_or(|known| known.revision <= revision) {
            *known = Some(KnownHidden { revision, authors: Arc::clone(&authors) });
        }
        authors
    }

    /// Looks at what other processes wrote.
    async fn look(&self) -> Result<(), Neo4jError> {
        let rows = self.client.rows(&Statement::new(NEWS)).await?;
        let Some([Value::Int(serial), revision]) = rows.first().map(Vec::as_slice) else {
            return Ok(());
        };
        self.announce(Serial::new(u64::try_from(*serial).unwrap_or_default()));
        let known = self.hidden.lock().as_ref().map(|known| known.revision);
        if known.is_some() && known != revision.as_int() {
            self.read_hidden().await?;
        }
        Ok(())
    }
}

/// Looks from time to time at what other processes wrote, for as long as there is a store.
pub(crate) async fn follow(shared: Weak<Shared>) {
    let mut is_away = false;
    loop {
        sleep(if is_away { AWAY_INTERVAL } else { POLL_INTERVAL }).await;
        let Some(shared) = shared.upgrade() else { return };
        if shared.graph.initialized() {
            let looked = shared.look().await;
            report(&mut is_away, looked.err());
        }
    }
}

/// Says in the log when a server leaves and when it is back.
fn report(is_away: &mut bool, error: Option<Neo4jError>) {
    match (&error, *is_away) {
        (Some(error), false) => tracing::warn!("{error}"),
        (None, true) => tracing::info!("neo4j answers again"),
        _ => {}
    }
    *is_away = error.is_some();
}

/// A pubkey from a column.
pub(crate) fn pubkey(value: &Value) -> Option<Pubkey> {
    Pubkey::from_hex(value.as_text()?.as_bytes()).ok()
}
