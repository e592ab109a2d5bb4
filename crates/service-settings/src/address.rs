//! Where a service listens or is found.

use daemon::Setting;
use rpc::Address;

/// The address of a gRPC service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress(pub Address);

impl Setting for ServiceAddress {
    fn expected() -> String {
        Address::EXPECTED.into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}
