//! The Nostr relay: WebSocket sessions, subscriptions, ingest, HTTP.
