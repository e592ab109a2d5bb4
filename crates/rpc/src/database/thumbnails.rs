//! Small pictures that a relay made and would rather not make again.

use sha2::{Digest, Sha256};
use tonic::Status;

use super::Database;
use super::failure::OrFail;
use super::files::Name;
use super::records::checked_name;
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const GET: &str = "get thumbnail";
const SAVE: &str = "save thumbnail";
/// How large a thumbnail may be.
const BYTES: usize = 4 << 20;

impl Database {
    pub(super) async fn get_thumbnail(
        &self,
        request: proto::GetThumbnailRequest,
    ) -> Result<proto::GetThumbnailResponse, Status> {
        let name = name(&request.key).or_fail(GET)?;
        let data = self.thumbnails.read(name).await.or_fail(GET)?;
        Ok(proto::GetThumbnailResponse { found: data.is_some(), data: data.unwrap_or_default() })
    }

    pub(super) async fn save_thumbnail(
        &self,
        request: proto::SaveThumbnailRequest,
    ) -> Result<proto::Empty, Status> {
        let name = name(&request.key).or_fail(SAVE)?;
        if request.data.len() > BYTES {
            let reason = format!("more than {BYTES} bytes");
            return Err(Malformed::new("data", reason)).or_fail(SAVE);
        }
        self.thumbnails.write(name, request.data).await.or_fail(SAVE)?;
        Ok(proto::Empty {})
    }
}

/// The file's name: a key may hold anything.
fn name(key: &str) -> Result<Name, Malformed> {
    Ok(Sha256::digest(checked_name("key", key)?).into())
}
