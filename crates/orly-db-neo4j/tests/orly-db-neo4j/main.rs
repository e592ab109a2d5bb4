//! The service as a process, in front of a real Neo4j server: what it keeps, kills, restarts, and its end.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod house;
mod kill;
mod questions;
mod remote;
#[path = "../../../orly-db-badger/tests/orly-db-badger/service.rs"]
mod service;
mod starting;
#[path = "../../../orly-db-badger/tests/orly-db-badger/trials.rs"]
mod trials;
