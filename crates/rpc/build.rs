//! Generates the messages, clients and servers of `proto/`, and the descriptors for reflection.

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 8] = [
    "orlydb/v1/service.proto",
    "orlyacl/v1/acl.proto",
    "orlysync/common/v1/types.proto",
    "orlysync/distributed/v1/service.proto",
    "orlysync/cluster/v1/service.proto",
    "orlysync/relaygroup/v1/service.proto",
    "orlysync/negentropy/v1/service.proto",
    "orlystore/v1/store.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    // Build scripts run in the directory of their crate.
    let proto = PathBuf::from("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let descriptors = protox::compile(FILES, [&proto])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
