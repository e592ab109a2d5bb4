//! The launcher as an operator runs it, over services that behave as a test wants.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod admin;
mod commands;
mod faults;
mod house;
mod http;
mod order;
mod real;
mod starts;
