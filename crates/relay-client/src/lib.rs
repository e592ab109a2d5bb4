//! Talks to another relay: REQ, EVENT, NEG-*.
