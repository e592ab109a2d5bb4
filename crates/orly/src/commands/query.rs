//! `query`: prints the events that match, one a line.

use std::path::Path;

use store::{Query, Viewer};
use store_lmdb::Access;

use super::export::write_rows;
use crate::command_line;
use crate::event_store;
use crate::output::{Output, print};
use crate::settings::Settings;

pub(super) async fn run(
    settings: &Settings,
    arguments: &command_line::Query,
) -> anyhow::Result<()> {
    let store = event_store::of_command(settings, Access::Read).await?;
    let query = Query { filters: arguments.filters.clone(), viewer: Viewer::OPERATOR };
    if arguments.count {
        return print(&store.count(&query).await?.to_string());
    }
    let mut output = Output::create(Path::new("-"), false)?;
    write_rows(store.query(query).as_mut(), &mut output, |_| ()).await?;
    output.finish()
}
