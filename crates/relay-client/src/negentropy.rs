//! Reconciling with a relay (NIP-77): the messages, not what they mean.

use std::time::Duration;

use event::{Filter, hex};

use crate::information::{Claim, claim};
use crate::{ClientError, Connection};

/// After this long without an answer the relay is asked whether it speaks NIP-77 at all.
const DOUBT: Duration = Duration::from_secs(5);

/// An open reconciliation; dropping it tells the relay.
pub struct Negentropy<'a> {
    connection: &'a Connection,
    sub: String,
}

impl Connection {
    /// Opens a reconciliation of what matches `filter`, and waits for the relay's first message.
    pub async fn negentropy(
        &self,
        filter: &Filter,
        message: &[u8],
    ) -> Result<(Negentropy<'_>, Vec<u8>), ClientError> {
        let sub = self.new_sub("neg");
        let answer = self.routes.exchange(&sub)?;
        let session = Negentropy { connection: self, sub };
        let open = format!(
            "[\"NEG-OPEN\",\"{}\",{},\"{}\"]",
            session.sub,
            filter.to_json(),
            hex::encode(message)
        );
        self.send(open).await?;
        let answer = async {
            match answer.await {
                Ok(answer) => answer,
                Err(_) => Err(self.routes.ended()),
            }
        };
        tokio::select! {
            answer = answer => match answer {
                Ok(message) => Ok((session, message)),
                Err(silence @ ClientError::TimedOut { .. }) => Err(self.doubted().await.unwrap_or(silence)),
                Err(error) => Err(error),
            },
            error = self.doubt() => Err(error),
        }
    }

    /// Ends once it is clear that the relay will never answer.
    async fn doubt(&self) -> ClientError {
        tokio::time::sleep(DOUBT).await;
        match self.doubted().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    async fn doubted(&self) -> Option<ClientError> {
        let evidence = "it does not answer NEG-OPEN, and its NIP-11 document does not list 77";
        (claim(&self.url, self.options.reach).await == Claim::NotSupported)
            .then(|| ClientError::NoNegentropy { evidence: evidence.into() })
    }
}

impl Negentropy<'_> {
    /// Sends the next message and waits for the answer.
    pub async fn exchange(&mut self, message: &[u8]) -> Result<Vec<u8>, ClientError> {
        let answer = self.connection.routes.exchange(&self.sub)?;
        let text = format!("[\"NEG-MSG\",\"{}\",\"{}\"]", self.sub, hex::encode(message));
        self.connection.send(text).await?;
        answer.await.map_err(|_| self.connection.routes.ended())?
    }
}

impl Drop for Negentropy<'_> {
    fn drop(&mut self) {
        self.connection.routes.end_session(&self.sub);
        self.connection.try_send(format!("[\"NEG-CLOSE\",\"{}\"]", self.sub));
    }
}
