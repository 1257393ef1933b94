//! Compiles `proto/net.proto` without protoc.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto/net.proto");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("proto");
    let descriptors = protox::compile(["net.proto"], [&root])?;
    tonic_prost_build::configure()
        // Ordered maps: the same message always encodes to the same bytes.
        .btree_map(".")
        // Connections are another crate's business: the client is generic over its channel.
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}
