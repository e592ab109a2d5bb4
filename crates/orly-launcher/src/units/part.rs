//! A part of the appliance, and where it listens.

use std::net::SocketAddr;

use rpc::{Address, ServiceKind};
use supervisor::Unit;

/// A part of the appliance, which may be switched off.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// What it is called here.
    pub(crate) name: &'static str,
    /// Other names it is known by.
    pub(crate) aliases: &'static [&'static str],
    /// One of database, acl, sync, relay.
    pub(crate) category: &'static str,
    /// What it does.
    pub(crate) description: &'static str,
    /// Where it listens.
    pub(crate) address: Listen,
    /// The variable that says so.
    pub(crate) address_variable: &'static str,
    /// What runs; `None` if it is switched off.
    pub(crate) unit: Option<Unit>,
}

/// Where a unit listens, and so how it is asked whether it is ready.
#[derive(Clone, Debug)]
pub(crate) enum Listen {
    /// gRPC.
    Service(Address, ServiceKind),
    /// HTTP.
    Http(SocketAddr),
}
