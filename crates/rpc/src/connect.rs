//! A connection to a service, made when it is first needed and again whenever it broke.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::Address;

/// The largest message to and from the event store, 64 MiB.
pub const DATABASE_MESSAGE_LIMIT: usize = 64 << 20;
/// The largest message to and from access control and the sync services, 16 MiB.
pub const MESSAGE_LIMIT: usize = 16 << 20;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Servers of Go's library hang up on a client that pings more often than every 5 minutes.
const PING_INTERVAL: Duration = Duration::from_secs(310);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Silence of the network is noticed below HTTP/2, which no server minds.
const TCP_KEEPALIVE: Duration = Duration::from_secs(20);
/// How much a server may send ahead, a call and altogether.
pub(crate) const STREAM_WINDOW: u32 = 4 << 20;
pub(crate) const CONNECTION_WINDOW: u32 = 16 << 20;
/// A batch of events in one HTTP/2 frame instead of many costs less at both ends.
pub(crate) const FRAME_BYTES: u32 = 1 << 20;

impl Address {
    /// A channel to this address. It connects on the first call and again after each failure; a call
    /// while nobody answers fails at once as unavailable.
    pub(crate) fn connect(&self) -> Channel {
        let uri = match self {
            Self::Tcp { .. } => format!("http://{self}"),
            Self::Unix(_) => self.to_string(),
        };
        let endpoint = Endpoint::from_shared(uri).expect("an address makes a URI");
        endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(TCP_KEEPALIVE))
            .http2_keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME_BYTES)
            .connect_lazy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_address_makes_a_channel() {
        for text in ["127.0.0.1:1", "[::1]:1", "a_b.example:1", ":1", "unix:/x y/é.sock", "unix:a"]
        {
            text.parse::<Address>().unwrap().connect();
        }
    }
}
