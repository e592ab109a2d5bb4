//! The service: access control of this process, for relays and operators to call.

mod calls;
mod curating;
mod deciding;
mod lists;
mod subscribing;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use acl::{AccessControl, AclStore, Curating, Follows, LocalAcl, ManagementError, Subscriptions};
use event::Event;
use tonic::Status;

use super::failure::{malformed, to_status};
use crate::connect::MESSAGE_LIMIT;
use crate::proto::orlyacl::v1::acl_service_server::AclServiceServer;
use crate::proto::orlydb::v1 as db;
use crate::{Readiness, Service};

/// `orlyacl.v1.ACLService`.
pub struct AclServer {
    acl: Arc<LocalAcl>,
    store: Arc<dyn AclStore>,
    subscriptions: Subscriptions,
    readiness: Readiness,
    /// Unlike that of any other service.
    instance: u64,
}

impl AclServer {
    /// Serves access control, which is run by whoever made it, over the store it keeps its decisions in.
    pub fn new(acl: Arc<LocalAcl>, store: Arc<dyn AclStore>, readiness: Readiness) -> Self {
        let subscriptions = Subscriptions::new(Arc::clone(&store) as _);
        Self { acl, store, subscriptions, readiness, instance: rand::random() }
    }

    /// The service, to be added to a server.
    pub fn into_service(self) -> Service {
        let service = AclServiceServer::new(self)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Service::new(service)
    }

    fn follows(&self) -> Result<&Follows, Status> {
        self.acl.follows().ok_or_else(|| self.wrong_mode("follows"))
    }

    fn curating(&self) -> Result<&Curating, Status> {
        self.acl.curating().ok_or_else(|| self.wrong_mode("curating"))
    }

    fn wrong_mode(&self, needed: &'static str) -> Status {
        to_status(ManagementError::WrongMode { mode: self.acl.mode(), needed })
    }
}

/// Where a client is: an address, with the port that relays of the original leave at it.
fn place(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port)
}

/// An event off the wire.
fn event(message: Option<db::Event>) -> Result<Event, Status> {
    let message = message.ok_or_else(|| Status::invalid_argument("event: is missing"))?;
    Event::try_from(message).map_err(malformed)
}
