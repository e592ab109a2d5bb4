//! How often events are read, for whoever has to choose what to drop.
//!
//! Counts gather in memory and are written down from time to time: a kill loses the last half minute.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use store::{Serial, StoreError};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::Database;
use super::failure::OrFail;
use super::subscriptions::seconds_now;
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const RECORD: &str = "record event access";
const GET: &str = "get event access info";
const LEAST: &str = "get least accessed events";
/// How often counts are written down.
const INTERVAL: Duration = Duration::from_secs(30);
/// How many serials may wait for that.
const MOST_WAITING: usize = 50_000;
/// How many records are written at once.
const WRITES: usize = 256;
/// How many events one call looks at, and how many it names.
const MOST_SCANNED: usize = 200_000;
const MOST_NAMED: usize = 100_000;
const STEP: usize = 1000;

/// What was not written down yet.
#[derive(Default)]
pub(super) struct AccessLog {
    waiting: Mutex<Waiting>,
    hasher: RandomState,
}

#[derive(Default)]
struct Waiting {
    reads: HashMap<u64, proto::GetEventAccessInfoResponse>,
    /// Which connection read what: a connection counts once.
    seen: HashSet<(u64, u64)>,
}

impl AccessLog {
    /// Counts a read; `true` if it is time to write down what waits.
    fn record(&self, serial: u64, connection: &str, now: i64) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = connection.is_empty()
            || waiting.seen.insert((serial, self.hasher.hash_one(connection)));
        let read = waiting.reads.entry(serial).or_default();
        read.last_access = now;
        read.access_count = read.access_count.saturating_add(u32::from(is_new));
        waiting.reads.len().max(waiting.seen.len()) >= MOST_WAITING
    }

    fn waiting(&self, serial: u64) -> proto::GetEventAccessInfoResponse {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.reads.get(&serial).copied().unwrap_or_default()
    }

    fn take(&self) -> HashMap<u64, proto::GetEventAccessInfoResponse> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner)).reads
    }
}

impl Database {
    pub(super) async fn record_event_access(
        &self,
        request: proto::RecordEventAccessRequest,
    ) -> Result<proto::Empty, Status> {
        let serial = request.serial;
        if serial == 0 || serial > Serial::MAX.as_u64() {
            return Err(Malformed::new("serial", format!("{serial} is none"))).or_fail(RECORD);
        }
        if self.access.record(serial, &request.connection_id, seconds_now()) {
            self.write_access_log().await.or_fail(RECORD)?;
        }
        Ok(proto::Empty {})
    }

    pub(super) async fn get_event_access_info(
        &self,
        request: proto::GetEventAccessInfoRequest,
    ) -> Result<proto::GetEventAccessInfoResponse, Status> {
        let stored = self.records.access.get(&name(request.serial)).await.or_fail(GET)?;
        Ok(sum(stored.unwrap_or_default(), self.access.waiting(request.serial)))
    }

    pub(super) async fn get_least_accessed_events(
        &self,
        request: proto::GetLeastAccessedEventsRequest,
    ) -> Result<proto::SerialList, Status> {
        let limit = usize::try_from(request.limit)
            .map_err(|_| Malformed::new("limit", format!("{} is negative", request.limit)))
            .or_fail(LEAST)?;
        let before = seconds_now().saturating_sub(request.min_age_sec.max(0));
        let serials = self.least_accessed(limit.min(MOST_NAMED), before).await.or_fail(LEAST)?;
        Ok(proto::SerialList { serials })
    }

    /// Events made before `before` that nobody read since, those read least often first.
    async fn least_accessed(&self, limit: usize, before: i64) -> Result<Vec<u64>, StoreError> {
        self.write_access_log().await?;
        let mut reads: HashMap<u64, proto::GetEventAccessInfoResponse> = HashMap::new();
        for (name, read) in self.records.access.list("").await? {
            reads.extend(name.parse::<u64>().ok().map(|serial| (serial, read)));
        }
        let (mut never, mut known) = (Vec::new(), Vec::new());
        let mut first = Serial::new(1);
        for _ in 0..MOST_SCANNED / STEP {
            let serials = self.serials.serials(first, Serial::MAX, STEP).await?;
            let Some(last) = serials.last() else { break };
            first = Serial::new(last.as_u64() + 1);
            for (serial, event) in self.serials.fetch(&serials).await?.iter() {
                let made = i64::try_from(event.created_at().as_secs()).unwrap_or(i64::MAX);
                match reads.get(&serial.as_u64()) {
                    None if made <= before => never.push(serial.as_u64()),
                    Some(read) if read.last_access <= before => {
                        known.push((read.access_count, read.last_access, serial.as_u64()));
                    }
                    None | Some(_) => {}
                }
            }
            if never.len() >= limit {
                break;
            }
        }
        known.sort_unstable();
        never.extend(known.into_iter().map(|(.., serial)| serial));
        never.truncate(limit);
        Ok(never)
    }

    /// Writes down what waits.
    pub(super) async fn write_access_log(&self) -> Result<(), StoreError> {
        let _editing = self.editing.lock().await;
        let waiting: Vec<_> = self.access.take().into_iter().collect();
        for some in waiting.chunks(WRITES) {
            try_join_all(some.iter().map(|&(serial, read)| async move {
                let name = name(serial);
                let stored = self.records.access.get(&name).await?.unwrap_or_default();
                self.records.access.put(&name, &sum(stored, read)).await
            }))
            .await?;
        }
        Ok(())
    }

    /// Writes down what waits from time to time, until the shutdown and then.
    pub(super) async fn keep_access_log(&self, shutdown: CancellationToken) {
        let mut is_last = false;
        while !is_last {
            is_last = shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none();
            if let Err(error) = self.write_access_log().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "access counts are lost");
            }
        }
    }
}

fn sum(
    stored: proto::GetEventAccessInfoResponse,
    new: proto::GetEventAccessInfoResponse,
) -> proto::GetEventAccessInfoResponse {
    proto::GetEventAccessInfoResponse {
        last_access: stored.last_access.max(new.last_access),
        access_count: stored.access_count.saturating_add(new.access_count),
    }
}

fn name(serial: u64) -> String {
    format!("{serial:013}")
}
