//! Both ends of every seam, over real sockets.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod store;
