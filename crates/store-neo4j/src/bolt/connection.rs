//! One connection: handshake, messages in chunks, requests and their answers.

use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncReadExt, AsyncWriteExt, BufReader};

use super::message::{Request, Response};
use super::stream::{self, Stream};
use super::{BoltError, Mode, Statement, Target, Value};

const MAGIC: [u8; 4] = [0x60, 0x60, 0xB0, 0x17];
/// 5.4 and what it is like back to 5.1; 4.4; nothing older.
const VERSIONS: [u8; 16] = [0, 3, 4, 5, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0];
const AGENT: &str = concat!("orly/", env!("CARGO_PKG_VERSION"));
/// More than any answer has that is asked for here.
const MAX_MESSAGE: usize = 256 << 20;
const MAX_CHUNK: usize = 0xFFFF;

/// A row of an answer.
pub(crate) type Record = Vec<Value>;

/// A connection that was let in.
pub(crate) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
}

impl Connection {
    /// Connects and shows who we are.
    pub(super) async fn open(
        target: &Target,
        user: &str,
        password: &str,
    ) -> Result<Self, BoltError> {
        let mut stream = BufReader::with_capacity(64 << 10, stream::open(target).await?);
        stream.write_all(&[&MAGIC[..], &VERSIONS].concat()).await?;
        stream.flush().await?;
        let mut version = [0; 4];
        stream.read_exact(&mut version).await?;
        let has_logon = match version {
            [0, 0, 1..=4, 5] => true,
            [0, 0, 4, 4] => false,
            _ => return Err(BoltError::Protocol("no common version; Neo4j 5 is needed")),
        };
        let mut connection = Self { stream };
        let address = target.to_string();
        let routing = target.is_routed.then_some(&*address);
        let credentials = (!has_logon).then_some((user, password));
        let mut requests = vec![Request::Hello { agent: AGENT, routing, credentials }];
        if has_logon {
            requests.push(Request::Logon { user, password });
        }
        connection.send(&requests).await?;
        for _ in &requests {
            connection.receive().await?.success()?;
        }
        Ok(connection)
    }

    /// Whether the server has left, or says what nobody asked.
    pub(super) async fn is_stale(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut self.stream).poll_fill_buf(cx).is_ready())).await
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self, mode: Mode, timeout: Duration) -> Result<(), BoltError> {
        self.exchange(&Request::Begin { mode, timeout }).await
    }

    /// Ends a transaction: what it wrote stays.
    pub(crate) async fn commit(&mut self) -> Result<(), BoltError> {
        self.exchange(&Request::Commit).await
    }

    /// Ends a transaction: nothing was written.
    pub(crate) async fn rollback(&mut self) -> Result<(), BoltError> {
        self.exchange(&Request::Rollback).await
    }

    /// Runs statements of a transaction one after the other; gives the rows of each.
    pub(crate) async fn run(
        &mut self,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Record>>, BoltError> {
        let requests = statements
            .iter()
            .flat_map(|statement| [Request::Run(statement), Request::Pull { most: -1 }]);
        self.send(&requests.collect::<Vec<_>>()).await?;
        let mut answers = Vec::with_capacity(statements.len());
        let mut failure = None;
        for _ in statements {
            let mut rows = Vec::new();
            let mut left = 2;
            while left > 0 {
                match self.receive().await? {
                    Response::Record(row) => rows.push(row),
                    response => {
                        left -= 1;
                        if let Err(error) = response.success() {
                            failure.get_or_insert(error);
                        }
                    }
                }
            }
            answers.push(rows);
        }
        match failure {
            None => Ok(answers),
            Some(error) => Err(self.recover(error).await?),
        }
    }

    /// Runs a statement of a transaction, and shows its rows with the names of their columns until `visit` has
    /// enough; `fetch` of them are asked for at a time.
    pub(crate) async fn stream(
        &mut self,
        statement: &Statement,
        fetch: usize,
        mut visit: impl FnMut(&[String], Record) -> ControlFlow<()> + Send,
    ) -> Result<(), BoltError> {
        let most = i64::try_from(fetch.max(1)).unwrap_or(i64::MAX);
        self.send(&[Request::Run(statement), Request::Pull { most }]).await?;
        let columns = match self.receive().await?.success() {
            Ok(metadata) => columns(&metadata),
            Err(error) => {
                // The request for rows is passed over.
                self.receive().await?;
                return Err(self.recover(error).await?);
            }
        };
        let mut flow = ControlFlow::Continue(());
        loop {
            match self.receive().await? {
                Response::Record(row) if flow.is_continue() => flow = visit(&columns, row),
                Response::Record(_) => {}
                response => match response.success() {
                    Err(error) => return Err(self.recover(error).await?),
                    Ok(metadata) if metadata.get("has_more") != Some(&Value::Bool(true)) => {
                        return Ok(());
                    }
                    Ok(_) if flow.is_continue() => self.send(&[Request::Pull { most }]).await?,
                    Ok(_) => self.send(&[Request::Discard]).await?,
                },
            }
        }
    }

    async fn exchange(&mut self, request: &Request<'_>) -> Result<(), BoltError> {
        self.send(std::slice::from_ref(request)).await?;
        match self.receive().await?.success() {
            Ok(_) => Ok(()),
            Err(error) => Err(self.recover(error).await?),
        }
    }

    /// Makes the connection fit for use again after a refusal, which also ends its transaction.
    async fn recover(&mut self, error: BoltError) -> Result<BoltError, BoltError> {
        self.send(&[Request::Reset]).await?;
        self.receive().await?.success()?;
        Ok(error)
    }

    async fn send(&mut self, requests: &[Request<'_>]) -> Result<(), BoltError> {
        let mut out = Vec::new();
        for request in requests {
            for chunk in request.to_bytes().chunks(MAX_CHUNK) {
                let len = u16::try_from(chunk.len()).expect("chunks are of this length at most");
                out.extend_from_slice(&len.to_be_bytes());
                out.extend_from_slice(chunk);
            }
            out.extend_from_slice(&[0, 0]);
        }
        self.stream.write_all(&out).await?;
        Ok(self.stream.flush().await?)
    }

    async fn receive(&mut self) -> Result<Response, BoltError> {
        let mut message = Vec::new();
        loop {
            let len = usize::from(self.stream.read_u16().await?);
            match (len, message.len()) {
                // An empty message keeps the connection alive.
                (0, 0) => {}
                (0, _) => return Response::from_bytes(&message),
                (len, before) if before + len > MAX_MESSAGE => {
                    return Err(BoltError::Protocol("a message of more than 256 MiB"));
                }
                (len, before) => {
                    message.resize(before + len, 0);
                    self.stream.read_exact(&mut message[before..]).await?;
                }
            }
        }
    }
}

impl Response {
    fn success(self) -> Result<Value, BoltError> {
        match self {
            Self::Success(metadata) => Ok(metadata),
            Self::Failure { code, message } => Err(BoltError::Refused { code, message }),
            Self::Ignored => Err(BoltError::Connection(io::ErrorKind::ConnectionReset.into())),
            Self::Record(_) => Err(BoltError::Protocol("a row where none was asked for")),
        }
    }
}

/// The names of columns.
fn columns(metadata: &Value) -> Vec<String> {
    let Some(Value::List(names)) = metadata.get("fields") else { return Vec::new() };
    names.iter().filter_map(Value::as_text).map(str::to_owned).collect()
}
