//! What an operator sets: every environment variable of the relay process.

mod guarding;
mod limits;
mod log;
mod unused;
mod values;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use service_settings::{
    AccessControl, EmbeddedStore, EventLimits, Key, Neo4jServer, Reconciliation, RelayAddresses,
    RelayDatabase, ServiceAddress,
};

use self::guarding::Guarding;
use self::limits::Limits;
use self::log::Log;
use self::unused::Unused;
pub(crate) use self::values::Host;
use self::values::{Addresses, Proxies};

daemon::settings! {
    /// The settings of the relay process.
    #[derive(Clone, Debug)]
    pub(crate) struct Settings {
        section "Address" {
            /// Address to listen on.
            listen: IpAddr = "ORLY_LISTEN", "0.0.0.0";
            /// Port of WebSocket and HTTP; 0 takes a free one.
            port: u16 = "ORLY_PORT", "3334";
            /// Separate port for `/healthz` and `/metrics`; 0 for none.
            health_port: u16 = "ORLY_HEALTH_PORT", "0";
            /// Whether `/shutdown` on that port ends the relay, whoever asks.
            enable_shutdown: bool = "ORLY_ENABLE_SHUTDOWN", "false";
            /// Proxies whose `X-Forwarded-For` is believed.
            trusted_proxies: Vec<Proxies> = "ORLY_TRUSTED_PROXIES", "";
            /// Whether pages of other origins may call `/api`.
            cors_enabled: bool = "ORLY_CORS_ENABLED", "false";
            /// The origins that may, if not all.
            cors_origins: Vec<String> = "ORLY_CORS_ORIGINS", "";
        }
        section "About" {
            /// Name of the relay (NIP-11), and of the directory its `.env` file is in.
            app_name: String = "ORLY_APP_NAME", "ORLY";
            /// One or two sentences about the relay (NIP-11).
            description: String = "ORLY_RELAY_DESCRIPTION", "A Nostr relay.";
            /// Whom to write to, as an address or URI (NIP-11).
            contact: Option<String> = "ORLY_RELAY_CONTACT", "";
            /// Picture of the relay, as a URL (NIP-11).
            icon: Option<String> = "ORLY_RELAY_ICON", "";
        }
        section "Access" {
            /// Whether reading and writing need NIP-42.
            auth_required: bool = "ORLY_AUTH_REQUIRED", "false";
            /// Whether writing needs NIP-42.
            auth_to_write: bool = "ORLY_AUTH_TO_WRITE", "false";
            /// Whether messages of remote signers (NIP-46, kind 24133) need no NIP-42, where it is needed.
            nip46_bypass_auth: bool = "ORLY_NIP46_BYPASS_AUTH", "false";
            /// Whether everybody may read private messages and gift wraps, not only their parties.
            privileged_open: bool = "ORLY_PRIVILEGED_OPEN", "false";
            /// Only clients from these addresses: `10.1.` means `10.1.0.0/16`, and so does `10.1`.
            ip_whitelist: Vec<Addresses> = "ORLY_IP_WHITELIST", "";
            /// No clients from these addresses.
            ip_blacklist: Vec<Addresses> = "ORLY_IP_BLACKLIST", "";
            /// Where access is decided: in this process, or in another one such as orly-acl.
            acl_type: Host = "ORLY_ACL_TYPE", "local";
            /// Address of the access control service, for `ORLY_ACL_TYPE=grpc`.
            acl_server: ServiceAddress = "ORLY_GRPC_ACL_SERVER", "127.0.0.1:50052";
            /// How long it may take for an answer.
            acl_timeout: Duration = "ORLY_GRPC_ACL_TIMEOUT", "10s";
        }
        section "Event store" {
            /// Where events are kept: in this process (`badger`, the name of the original's engine; ours is
            /// LMDB), at a Neo4j server (`neo4j`), or in a database service (`grpc`), ours or the original's.
            db_type: RelayDatabase = "ORLY_DB_TYPE", "badger";
            /// Address of the database service.
            db_server: ServiceAddress = "ORLY_GRPC_SERVER", "127.0.0.1:50051";
            /// Whether the files of that service are read directly, if they are on this host and this user
            /// may read and lock them: queries then take no way through it.
            db_direct_reads: bool = "ORLY_GRPC_DIRECT_READS", "true";
            /// How long the database service may be away at the start: until then the relay waits for it
            /// without a word in the log (clients are told `error:`), and commands wait before they fail.
            db_timeout: Duration = "ORLY_GRPC_CONNECT_TIMEOUT", "10s";
        }
        section "Synchronisation" {
            /// Whether clients may reconcile (NIP-77).
            negentropy_enabled: bool = "ORLY_NEGENTROPY_ENABLED", "false";
            /// Where that is done, and peers are kept in step: in this process, or in another one such as
            /// orly-sync-negentropy (grpc).
            sync_type: Host = "ORLY_SYNC_TYPE", "local";
            /// Address of that other process.
            sync_server: ServiceAddress = "ORLY_GRPC_SYNC_NEGENTROPY", "127.0.0.1:50064";
            /// How long it may take for an answer.
            sync_timeout: Duration = "ORLY_GRPC_SYNC_TIMEOUT", "10s";
            /// Who may read private messages and gift wraps of others, authenticated: relays that are trusted
            /// as this one is.
            full_sync_pubkeys: Vec<Key> = "ORLY_NEGENTROPY_FULL_SYNC_PUBKEYS", "";
        }
        /// Where clients find the relay.
        group relay_addresses: RelayAddresses;
        /// The event store, if this process keeps it.
        group store: EmbeddedStore;
        /// The event store, if it is at a Neo4j server.
        group neo4j: Neo4jServer;
        /// Who may read and write.
        group access: AccessControl;
        /// What clients may ask, publish and take at most.
        group limits: Limits;
        /// How often an address may ask.
        group guarding: Guarding;
        /// Which events are taken.
        group events: EventLimits;
        /// What clients may reconcile, and which relays are kept in step, in this process.
        group reconciliation: Reconciliation;
        /// The log.
        group log: Log;
        /// What sets nothing.
        group unused: Unused;
    }
    one value {}
    no effect {}
    not yet {}
}

impl Settings {
    /// The relay's own settings; its key is not known yet.
    pub(crate) fn relay(&self) -> relay::Settings {
        relay::Settings {
            about: relay::About {
                name: self.app_name.clone(),
                description: self.description.clone(),
                url: self.relay_addresses.url.clone().map(String::from),
                addresses: self.relay_addresses.others(),
                contact: self.contact.clone(),
                icon: self.icon.clone(),
                operator: self.access.owners().first().copied(),
                identity: Arc::default(),
            },
            access: relay::Access {
                owners: self.access.owners(),
                admins: self.access.admins(),
                auth_required: self.auth_required,
                auth_to_write: self.auth_to_write,
                open_to_signers: self.nip46_bypass_auth,
                privileged_open: self.privileged_open,
                full_sync: self.full_sync_pubkeys.iter().map(|key| key.0).collect(),
                ip_whitelist: self.ip_whitelist.iter().map(|range| range.0).collect(),
                ip_blacklist: self.ip_blacklist.iter().map(|range| range.0).collect(),
            },
            limits: self.limits.relay(&self.events, daemon::memory_limit()),
            guarding: self.guarding.relay(),
            cors_origins: self.cors_enabled.then(|| self.cors_origins.clone()),
            trusted_proxies: self.trusted_proxies.iter().map(|proxies| proxies.0).collect(),
            verify_threads: self.limits.verify_threads(),
            drain: self.limits.drain_timeout,
            ends_by_http: self.enable_shutdown,
        }
    }
}

#[cfg(test)]
mod tests;
