//! The service as a process: every call over a socket, kills, restarts, and its end.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod calls;
mod house;
mod kill;
mod service;
mod starting;
mod stopping;
mod trials;
