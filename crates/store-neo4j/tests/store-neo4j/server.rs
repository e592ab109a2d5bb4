//! Real servers for tests: `ORLY_TEST_NEO4J=bolt://user:password@host:port`, several with commas between.
//!
//! Each store under test has a server of its own, which is erased before. One rule compares two stores: two servers
//! are needed for all of them.

use std::any::Any;
use std::io::Write;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use store::conformance::{SerialEngine, Subject, relay_urls};
use store::{EventStore, SerialStore};
use store_neo4j::{Neo4jStore, Options};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The engine under test.
pub(crate) struct Engine;

struct Servers {
    all: Vec<Options>,
    free: std::sync::Mutex<Vec<Options>>,
    permits: Arc<Semaphore>,
}

static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    let list = std::env::var("ORLY_TEST_NEO4J").unwrap_or_default();
    let all: Vec<Options> = list.split(',').filter(|text| !text.is_empty()).map(options).collect();
    if all.is_empty() {
        let text = "skipped: ORLY_TEST_NEO4J names no server (bolt://user:password@host:port,…)";
        // Not captured: who runs tests is to see it.
        drop(writeln!(std::io::stderr(), "{text}"));
    }
    let permits = Arc::new(Semaphore::new(all.len()));
    Servers { free: std::sync::Mutex::new(all.clone()), all, permits }
});
/// Whether there is a server; if not, tests say so.
pub(crate) fn is_there() -> bool {
    !SERVERS.all.is_empty()
}

fn options(text: &str) -> Options {
    let form = "ORLY_TEST_NEO4J: expected bolt://user:password@host:port";
    let (scheme, rest) = text.split_once("://").expect(form);
    let (credentials, address) = rest.rsplit_once('@').expect(form);
    let (user, password) = credentials.split_once(':').expect(form);
    Options::new(format!("{scheme}://{address}"), user, password)
}

/// A server of one's own, for a while.
pub(crate) struct Server {
    pub(crate) options: Options,
    _permit: OwnedSemaphorePermit,
}

impl Server {
    /// Waits for a server, and erases it.
    pub(crate) async fn take() -> Self {
        let permit = Arc::clone(&SERVERS.permits).acquire_owned().await.unwrap();
        let options = SERVERS.free.lock().unwrap().pop().unwrap();
        Neo4jStore::new(options.clone(), vec![]).unwrap().erase().await.unwrap();
        Self { options, _permit: permit }
    }

    pub(crate) fn store(&self) -> Arc<Neo4jStore> {
        Arc::new(Neo4jStore::new(self.options.clone(), relay_urls()).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        SERVERS.free.lock().unwrap().push(self.options.clone());
    }
}

#[async_trait]
impl store::conformance::Engine for Engine {
    async fn fresh(&self) -> Subject {
        let server = Server::take().await;
        Subject::new(server.store(), server)
    }
}

#[async_trait]
impl SerialEngine for Engine {
    async fn fresh(&self) -> (Arc<dyn EventStore>, Arc<dyn SerialStore>, Box<dyn Any + Send>) {
        let server = Server::take().await;
        let store = server.store();
        (Arc::clone(&store) as _, store, Box::new(server))
    }
}
