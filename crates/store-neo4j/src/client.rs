//! Reading and writing transactions, each within a limit of time.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::bolt::{BoltError, Connection, Mode, Pool, Record, Statement};
use crate::{Neo4jError, Options};

/// How long reading may take.
const READ_LIMIT: Duration = Duration::from_secs(60);
/// How long one try of writing may take: whoever vanishes may have written much.
const WRITE_LIMIT: Duration = Duration::from_secs(300);
const FIRST_DELAY: Duration = Duration::from_millis(20);
const LONGEST_DELAY: Duration = Duration::from_secs(1);

/// A server.
pub(crate) struct Client {
    pool: Pool,
    pub(crate) options: Options,
}

/// What is done in a transaction that writes, as often as it takes.
pub(crate) trait Work: Send {
    type Output: Send;

    /// Does it once; `attempt` is what earlier tries came to.
    fn attempt(
        &mut self,
        connection: &mut Connection,
        attempt: Attempt,
    ) -> impl Future<Output = Result<Ending<Self::Output>, WorkError>> + Send;
}

/// What is known of the tries before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// Nothing of them was kept.
    Fresh,
    /// The answer of a commit was lost: it may be done already.
    Uncertain,
}

/// How a transaction ends.
pub(crate) enum Ending<T> {
    /// What it wrote stays.
    Commit(T),
    /// There was nothing to write.
    Nothing(T),
}

/// Why a try did not come to its end.
pub(crate) enum WorkError {
    Bolt(BoltError),
    Neo4j(Neo4jError),
}

impl From<BoltError> for WorkError {
    fn from(error: BoltError) -> Self {
        Self::Bolt(error)
    }
}

impl From<Neo4jError> for WorkError {
    fn from(error: Neo4jError) -> Self {
        Self::Neo4j(error)
    }
}

impl Client {
    pub(crate) fn new(options: Options) -> Result<Self, Neo4jError> {
        Ok(Self { pool: Pool::new(options.pool()?), options })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.pool.options().target.to_string()
    }

    /// All rows that a statement finds.
    pub(crate) async fn rows(&self, statement: &Statement) -> Result<Vec<Record>, Neo4jError> {
        let mut rows = Vec::new();
        let collect = |row| {
            rows.push(row);
            ControlFlow::Continue(())
        };
        self.read(statement, self.options.fetch_size, collect).await?;
        Ok(rows)
    }

    /// Shows the rows that a statement finds, until `visit` has enough. Nothing can be written.
    pub(crate) async fn read(
        &self,
        statement: &Statement,
        fetch: usize,
        mut visit: impl FnMut(Record) -> ControlFlow<()> + Send,
    ) -> Result<(), Neo4jError> {
        let visit = |_: &[String], row| visit(row);
        let reading = self.read_within(statement, READ_LIMIT, Duration::ZERO, fetch, visit);
        reading.await.map_err(|error| self.explain(error))
    }

    /// The same with the names of columns, and a limit of time at the server; this side gives up `grace` later.
    pub(crate) async fn read_within(
        &self,
        statement: &Statement,
        limit: Duration,
        grace: Duration,
        fetch: usize,
        visit: impl FnMut(&[String], Record) -> ControlFlow<()> + Send,
    ) -> Result<(), BoltError> {
        let reading = async {
            let mut connection = self.pool.lease().await?;
            connection.begin(Mode::Read, limit).await?;
            let streamed = connection.stream(statement, fetch, visit).await;
            connection.end_reading(streamed).await
        };
        timeout(limit + grace, reading).await.map_err(|_| BoltError::TooSlow(limit))?
    }

    /// Reads what several statements find, in one transaction.
    pub(crate) async fn read_all(
        &self,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Record>>, Neo4jError> {
        let reading = async {
            let mut connection = self.pool.lease().await?;
            connection.begin(Mode::Read, READ_LIMIT).await?;
            let answers = connection.run(statements).await;
            connection.end_reading(answers).await
        };
        let answers = timeout(READ_LIMIT, reading).await;
        let answers = answers.map_err(|_| BoltError::TooSlow(READ_LIMIT)).flatten();
        answers.map_err(|error| self.explain(error))
    }

    /// Writes what statements say; gives the rows of each.
    pub(crate) async fn write(
        &self,
        statements: Vec<Statement>,
    ) -> Result<Vec<Vec<Record>>, Neo4jError> {
        self.transaction(&mut Statements(statements)).await
    }

    /// Does `work` in a transaction. Where others are in the way, it is tried again for as long as is set.
    pub(crate) async fn transaction<W: Work>(&self, work: &mut W) -> Result<W::Output, Neo4jError> {
        let end = Instant::now() + self.options.retry;
        let mut attempt = Attempt::Fresh;
        let mut delay = FIRST_DELAY;
        loop {
            let trying = timeout(WRITE_LIMIT, self.attempt(work, &mut attempt)).await;
            let error = match trying.unwrap_or_else(|_| Err(BoltError::TooSlow(WRITE_LIMIT).into()))
            {
                Ok(output) => return Ok(output),
                Err(WorkError::Neo4j(error)) => return Err(error),
                Err(WorkError::Bolt(error)) => error,
            };
            // Once a commit may have been made, the caller is not told that it was not.
            let is_worth_it = error.is_transient() || attempt == Attempt::Uncertain;
            if !is_worth_it || Instant::now() + delay > end {
                return Err(self.explain(error));
            }
            tracing::debug!(%error, "transaction is tried again");
            sleep(delay).await;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    async fn attempt<W: Work>(
        &self,
        work: &mut W,
        attempt: &mut Attempt,
    ) -> Result<W::Output, WorkError> {
        let mut connection = self.pool.lease().await?;
        connection.begin(Mode::Write, WRITE_LIMIT).await?;
        let worked = work.attempt(&mut connection, *attempt).await;
        let output = match worked {
            Ok(Ending::Commit(output)) => {
                let committed = connection.commit().await;
                if matches!(committed, Err(BoltError::Connection(_))) {
                    *attempt = Attempt::Uncertain;
                }
                committed.map(|()| output).map_err(WorkError::Bolt)
            }
            Ok(Ending::Nothing(output)) => {
                connection.rollback().await.map(|()| output).map_err(WorkError::Bolt)
            }
            Err(error) => Err(error),
        };
        if output.is_ok() || matches!(output, Err(WorkError::Bolt(BoltError::Refused { .. }))) {
            connection.give_back();
        }
        output
    }

    /// What an error means to an operator.
    pub(crate) fn explain(&self, error: BoltError) -> Neo4jError {
        let options = self.pool.options();
        Neo4jError::at(&options.target, &options.user, error)
    }
}

/// Statements that need no look at what others found.
struct Statements(Vec<Statement>);

impl Work for Statements {
    type Output = Vec<Vec<Record>>;

    async fn attempt(
        &mut self,
        connection: &mut Connection,
        _: Attempt,
    ) -> Result<Ending<Self::Output>, WorkError> {
        Ok(Ending::Commit(connection.run(&self.0).await?))
    }
}
