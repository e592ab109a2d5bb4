//! `identity`: the relay's own key.

use store_lmdb::Access;

use crate::command_line::Identity;
use crate::output::print;
use crate::settings::Settings;
use crate::wiring;

pub(super) async fn run(settings: &Settings, arguments: &Identity) -> anyhow::Result<()> {
    let store = wiring::open(settings, Access::Create)?;
    let keys = store::identity(&store, rand::random()).await?;
    print(&format!("npub {}\nhex  {}", keys.pubkey().to_npub(), keys.pubkey()))?;
    if arguments.secret {
        print(&format!("nsec {}", keys.to_nsec()))?;
    }
    Ok(())
}
