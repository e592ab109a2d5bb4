//! A whole relay over LMDB, in this process, under clients that know nothing of it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod client;
mod harness;
mod http_client;

mod access;
mod access_modes;
mod admin_api;
mod count;
mod decisions;
mod frames;
mod http;
mod limits;
mod live;
mod management;
mod negentropy_sessions;
mod proxies;
mod publish;
mod query;
mod shutdown;
mod silence;
mod slow_reader;
