//! Changes that an operator makes through this relay (NIP-86).

use acl::{
    AccessControl, Census, CuratingConfig, Entry, List, Management, ManagementError, Subject,
    UnclassifiedUsers,
};
use async_trait::async_trait;
use event::{Event, Pubkey};
use tokio::time::timeout;
use tonic::Status;

use super::RemoteAcl;
use crate::access::entries::{config, size};
use crate::access::failure::{from_status, malformed};
use crate::access::lists;
use crate::proto::orlyacl::v1 as proto;

impl RemoteAcl {
    /// What came of a call on behalf of an operator.
    async fn manage<T>(
        &self,
        list: Option<List>,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, ManagementError> {
        let late = |_| ManagementError::Unavailable("no answer in time".into());
        let result = timeout(self.timeout, call).await.map_err(late)?;
        result.map_err(|status| from_status(&status, self.mode(), list))
    }

    /// The same for a call that changes something.
    async fn change(
        &self,
        list: Option<List>,
        call: impl Future<Output = Result<(), Status>>,
    ) -> Result<(), ManagementError> {
        self.manage(list, call).await?;
        // What fails is done again in a second.
        if self.learn_hidden().await {
            self.keep_hidden().await;
        }
        self.changes.add();
        Ok(())
    }
}

#[async_trait]
impl Management for RemoteAcl {
    async fn put(&self, list: List, entry: Entry) -> Result<(), ManagementError> {
        let mut client = self.client.clone();
        self.change(Some(list), lists::put(&mut client, list, entry)).await
    }

    async fn remove(&self, list: List, subject: Subject) -> Result<(), ManagementError> {
        let mut client = self.client.clone();
        self.change(Some(list), lists::remove(&mut client, list, subject)).await
    }

    async fn entries(&self, list: List) -> Result<Vec<Entry>, ManagementError> {
        let mut client = self.client.clone();
        self.manage(Some(list), lists::entries(&mut client, list)).await
    }

    async fn configure(&self, event: Event) -> Result<(), ManagementError> {
        let mut client = self.client.clone();
        let request = proto::ConfigEventRequest { event: Some(event.as_ref().into()) };
        self.change(None, async { client.process_config_event(request).await.map(|_| ()) }).await
    }

    async fn config(&self) -> Result<Option<CuratingConfig>, ManagementError> {
        let mut client = self.client.clone();
        let call = async {
            let found = client.get_curating_config(proto::Empty {}).await?.into_inner();
            config(found).map_err(malformed)
        };
        self.manage(None, call).await
    }

    async fn unclassified(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<UnclassifiedUsers, ManagementError> {
        let mut client = self.client.clone();
        let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let request = proto::PaginationRequest { limit: number(limit), offset: number(offset) };
        let call = async {
            let found = client.list_unclassified_users(request).await?.into_inner();
            let users = found.users.into_iter().map(TryInto::try_into);
            let users = users.collect::<Result<_, _>>().map_err(malformed)?;
            Ok(UnclassifiedUsers { users, total: size(found.total) })
        };
        self.manage(None, call).await
    }

    async fn scan(&self) -> Result<Census, ManagementError> {
        let mut client = self.client.clone();
        let call = async {
            let found = client.scan_all_pubkeys(proto::Empty {}).await?.into_inner();
            let pubkeys = size(found.total_pubkeys);
            Ok(Census { pubkeys, events: u64::try_from(found.total_events).unwrap_or_default() })
        };
        self.manage(None, call).await
    }

    async fn set_peers(&self, peers: Vec<Pubkey>) -> Result<(), ManagementError> {
        let mut client = self.client.clone();
        let raw = |pubkey: &Pubkey| pubkey.as_bytes().to_vec().into();
        let request =
            proto::UpdatePeerAdminsRequest { peer_pubkeys: peers.iter().map(raw).collect() };
        self.change(None, async { client.update_peer_admins(request).await.map(|_| ()) }).await
    }
}
