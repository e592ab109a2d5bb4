//! Calls about the service itself.

use tonic::Status;

use super::Database;
use super::failure::OrFail;
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const SYNC: &str = "sync";
const LEVEL: &str = "set log level";

impl Database {
    pub(super) async fn get_path(&self, _: proto::Empty) -> Result<proto::PathResponse, Status> {
        Ok(proto::PathResponse { path: self.options.directory.to_string_lossy().into_owned() })
    }

    pub(super) async fn sync(&self, _: proto::Empty) -> Result<proto::Empty, Status> {
        // What was answered is on disk already; only access counts wait.
        self.write_access_log().await.or_fail(SYNC)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn ready(&self, _: proto::Empty) -> Result<proto::ReadyResponse, Status> {
        Ok(proto::ReadyResponse { ready: self.readiness.is_ready() })
    }

    pub(super) async fn set_log_level(
        &self,
        request: proto::SetLogLevelRequest,
    ) -> Result<proto::Empty, Status> {
        if (self.set_log_level)(&request.level) {
            return Ok(proto::Empty {});
        }
        let reason = "expected one of off, fatal, error, warn, info, debug, trace";
        Err(Malformed::new("level", reason)).or_fail(LEVEL)
    }

    pub(super) async fn run_migrations(&self, _: proto::Empty) -> Result<proto::Empty, Status> {
        // The store brings its tables up to date when it is opened.
        Ok(proto::Empty {})
    }
}
