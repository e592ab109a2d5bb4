//! A Neo4j server that keeps the events, for processes that speak to it themselves.

use std::time::Duration;

use service_settings::Neo4jServer;
use store_neo4j::{Neo4jError, Neo4jStore, Options};

/// The store at a server, within a runtime. It connects when it is first asked. The relay is at `urls`.
pub fn at_neo4j(settings: &Neo4jServer, urls: Vec<String>) -> Result<Neo4jStore, Neo4jError> {
    let options = Options {
        connections: settings.max_conn_pool.get(),
        fetch_size: settings.fetch_size.get(),
        retry: Duration::from_secs(settings.max_tx_retry_sec.get()),
        result_limit: settings.query_result_limit.get(),
        ..Options::new(settings.uri.as_str(), &settings.user, settings.password.as_str())
    };
    Neo4jStore::new(options, urls)
}
