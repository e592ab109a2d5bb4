//! `identity`: the relay's own key.

use store_lmdb::Access;

use crate::command_line::Identity;
use crate::event_store;
use crate::output::print;
use crate::settings::Settings;

pub(super) async fn run(settings: &Settings, arguments: &Identity) -> anyhow::Result<()> {
    let store = event_store::of_command(settings, Access::Create).await?;
    let keys = store::identity(&*store, rand::random()).await?;
    print(&format!("npub {}\nhex  {}", keys.pubkey().to_npub(), keys.pubkey()))?;
    if arguments.secret {
        print(&format!("nsec {}", keys.to_nsec()))?;
    }
    Ok(())
}
