//! `info`: what the event store holds.

use event::hex;
use serde_json::json;
use service_settings::RelayDatabase;
use store::EventStore;
use store_lmdb::Access;

use crate::command_line::Info;
use crate::event_store;
use crate::figures::{bytes, grouped};
use crate::output::print;
use crate::settings::Settings;

pub(super) async fn run(settings: &Settings, arguments: &Info) -> anyhow::Result<()> {
    match settings.db_type {
        RelayDatabase::Embedded => embedded(settings, arguments).await,
        RelayDatabase::Remote => remote(settings, arguments).await,
        RelayDatabase::Neo4j => neo4j(settings, arguments).await,
    }
}

async fn embedded(settings: &Settings, arguments: &Info) -> anyhow::Result<()> {
    let store = event_store::embedded(settings, Access::Read)?;
    let status = store.status().await?;
    let database = store.describe()?;
    let id = hex::encode(&database.database_id);
    if arguments.json {
        let info = json!({
            "events": status.events,
            "last_serial": status.last_serial.as_u64(),
            "disk_bytes": status.disk_bytes,
            "map_bytes": database.map_bytes,
            "schema": database.schema,
            "database_id": id,
            "readers": database.readers,
            "max_readers": database.max_readers,
        });
        return print(&info.to_string());
    }
    let lines = [
        ("directory", settings.store.data_dir.display().to_string()),
        ("events", grouped(status.events)),
        ("last serial", grouped(status.last_serial.as_u64())),
        ("on disk", bytes(status.disk_bytes)),
        ("map", format!("{}, grows when full", bytes(database.map_bytes))),
        ("readers", format!("{} of {} at most at once", database.readers, database.max_readers)),
        ("schema", database.schema.to_string()),
        ("database id", id),
    ];
    print_lines(&lines)
}

async fn remote(settings: &Settings, arguments: &Info) -> anyhow::Result<()> {
    let store = event_store::connected(settings).await?;
    let status = store.status().await?;
    let service = store.address();
    if arguments.json {
        let info = json!({
            "events": status.events,
            "last_serial": status.last_serial.as_u64(),
            "disk_bytes": status.disk_bytes,
            "service": service.to_string(),
        });
        return print(&info.to_string());
    }
    let reading = if store.reads_files() { "its files, directly" } else { "through the service" };
    let mut lines = vec![
        ("service", service.to_string()),
        ("reading", reading.to_owned()),
        ("events", grouped(status.events)),
        ("last serial", grouped(status.last_serial.as_u64())),
        ("on disk", bytes(status.disk_bytes)),
    ];
    lines.extend(status.read_only.map(|reason| ("read-only", reason)));
    print_lines(&lines)
}

async fn neo4j(settings: &Settings, arguments: &Info) -> anyhow::Result<()> {
    let store = event_store::of_command(settings, Access::Read).await?;
    let status = store.status().await?;
    let server = settings.neo4j.uri.as_str();
    if arguments.json {
        let info = json!({
            "events": status.events,
            "last_serial": status.last_serial.as_u64(),
            "server": server,
        });
        return print(&info.to_string());
    }
    print_lines(&[
        ("server", server.to_owned()),
        ("events", grouped(status.events)),
        ("last serial", grouped(status.last_serial.as_u64())),
    ])
}

fn print_lines(lines: &[(&str, String)]) -> anyhow::Result<()> {
    let lines: Vec<String> =
        lines.iter().map(|(name, value)| format!("{name:<12} {value}")).collect();
    print(&lines.join("\n"))
}
