//! Markers as clients use them; those of this service are out of their reach.

use tonic::Status;

use super::Database;
use super::failure::OrFail;
use super::records::RESERVED;
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const SET: &str = "set marker";
const GET: &str = "get marker";
const HAS: &str = "has marker";
const DELETE: &str = "delete marker";

impl Database {
    pub(super) async fn set_marker(
        &self,
        request: proto::SetMarkerRequest,
    ) -> Result<proto::Empty, Status> {
        let key = writable(&request.key).or_fail(SET)?;
        self.markers.set_marker(key, Some(request.value.into())).await.or_fail(SET)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn get_marker(
        &self,
        request: proto::GetMarkerRequest,
    ) -> Result<proto::GetMarkerResponse, Status> {
        let value = self.markers.marker(&request.key).await.or_fail(GET)?;
        let found = value.is_some();
        Ok(proto::GetMarkerResponse { value: value.unwrap_or_default().into(), found })
    }

    pub(super) async fn has_marker(
        &self,
        request: proto::HasMarkerRequest,
    ) -> Result<proto::HasMarkerResponse, Status> {
        let exists = self.markers.marker(&request.key).await.or_fail(HAS)?.is_some();
        Ok(proto::HasMarkerResponse { exists })
    }

    pub(super) async fn delete_marker(
        &self,
        request: proto::DeleteMarkerRequest,
    ) -> Result<proto::Empty, Status> {
        let key = writable(&request.key).or_fail(DELETE)?;
        self.markers.set_marker(key, None).await.or_fail(DELETE)?;
        Ok(proto::Empty {})
    }
}

fn writable(key: &str) -> Result<&str, Malformed> {
    if key.starts_with(RESERVED) {
        let reason = format!("keys that start with \"{RESERVED}\" belong to this service");
        return Err(Malformed::new("key", reason));
    }
    Ok(key)
}
