//! Connections that are used again.
//!
//! Whoever takes one gives it back when its last answer was read. One that is not given back, because a call failed or
//! was given up half way, is closed: what it would say next is nobody's.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::{BoltError, Connection, Target};

/// How long connecting may take, and waiting for a connection that others use.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a server is reached.
#[derive(Clone)]
pub(crate) struct PoolOptions {
    pub(crate) target: Target,
    pub(crate) user: String,
    pub(crate) password: String,
    /// How many connections there may be.
    pub(crate) connections: usize,
}

pub(crate) struct Pool {
    options: PoolOptions,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

/// A connection of one's own for a while.
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    connection: Connection,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(options: PoolOptions) -> Self {
        let permits = Semaphore::new(options.connections.clamp(1, Semaphore::MAX_PERMITS));
        Self { options, idle: Mutex::default(), permits }
    }

    pub(crate) fn options(&self) -> &PoolOptions {
        &self.options
    }

    /// Takes a connection, or makes one.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, BoltError> {
        let permit = timeout(PATIENCE, self.permits.acquire()).await;
        let busy = BoltError::Busy(self.options.connections);
        let permit = permit.map_err(|_| busy)?.expect("nobody closes it");
        let connection = match self.take_idle().await {
            Some(connection) => connection,
            None => self.open().await?,
        };
        Ok(Lease { pool: self, connection, _permit: permit })
    }

    async fn take_idle(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().pop()?;
            if !connection.is_stale().await {
                return Some(connection);
            }
        }
    }

    async fn open(&self) -> Result<Connection, BoltError> {
        let PoolOptions { target, user, password, .. } = &self.options;
        let opening = timeout(PATIENCE, Connection::open(target, user, password));
        opening.await.map_err(|_| BoltError::TooSlow(PATIENCE))?
    }
}

impl Lease<'_> {
    /// Gives the connection back, on which nothing is under way.
    pub(crate) fn give_back(self) {
        self.pool.idle.lock().push(self.connection);
    }

    /// Ends a transaction that read, and gives the connection back if it is fit for use: after a refusal it was
    /// made so.
    pub(crate) async fn end_reading<T>(
        mut self,
        answered: Result<T, BoltError>,
    ) -> Result<T, BoltError> {
        match &answered {
            Ok(_) => self.connection.rollback().await?,
            Err(BoltError::Refused { .. }) => {}
            Err(_) => return answered,
        }
        self.give_back();
        answered
    }
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
