//! How an address counts: what one customer of a provider has is one.

use std::net::{IpAddr, Ipv6Addr};

/// The address under which a client is counted: an IPv6 client has a whole /64 to itself.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
