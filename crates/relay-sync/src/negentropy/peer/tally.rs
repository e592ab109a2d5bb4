//! Counting while it goes on, and telling whoever wants to hear.

use event::EventId;
use parking_lot::Mutex;
use relay_client::Traffic;

use super::SyncReport;

/// A step of a synchronisation; the numbers so far come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncProgress<'a> {
    /// A message of the peer told of differences not known before, perhaps of none.
    Round {
        /// Ids we have and the peer lacks.
        have: &'a [EventId],
        /// Ids the peer has and we lack.
        need: &'a [EventId],
    },
    /// Events that were fetched were saved or passed over.
    Saved(u64),
    /// The peer answered an event we published.
    Sent,
}

type Progress<'a> = dyn FnMut(SyncProgress<'_>, &SyncReport) + Send + 'a;

/// The report in the making.
pub(super) struct Tally<'a>(Mutex<(SyncReport, &'a mut Progress<'a>)>);

impl<'a> Tally<'a> {
    pub(super) fn new(progress: &'a mut Progress<'a>) -> Self {
        Self(Mutex::new((SyncReport::default(), progress)))
    }

    /// Changes the numbers.
    pub(super) fn count<T>(&self, change: impl FnOnce(&mut SyncReport) -> T) -> T {
        change(&mut self.0.lock().0)
    }

    /// Changes the numbers and tells of the step.
    pub(super) fn step(&self, step: SyncProgress<'_>, change: impl FnOnce(&mut SyncReport)) {
        let (report, progress) = &mut *self.0.lock();
        change(report);
        progress(step, report);
    }

    pub(super) fn traffic(&self, traffic: Traffic) {
        self.count(|report| report.traffic = traffic);
    }

    pub(super) fn into_report(self) -> SyncReport {
        self.0.into_inner().0
    }
}
