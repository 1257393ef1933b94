//! `pointsman devnet`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Args;

use super::Error;

/// Orchestrators for development.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devnet {
    /// How many.
    pub orchestrators: NonZeroU16,
    /// TOML with the price, latency, capacity and faults of each.
    pub profile: Option<PathBuf>,
    /// The first one's port on 127.0.0.1; the others follow. 0 is any free port for each.
    pub base_port: u16,
    /// Where they are changed while they run.
    pub control: SocketAddr,
    /// Answer with the source instead of transcoding.
    pub passthrough: bool,
}

/// Flags of `devnet`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How many orchestrators
    #[arg(long, value_name = "N", default_value = "3")]
    orchestrators: NonZeroU16,
    /// TOML file with the price, latency, capacity and faults of each [default: all alike, without faults]
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Port of the first one on 127.0.0.1, the others follow; 0 takes free ports
    #[arg(long, value_name = "PORT", default_value_t = 8935)]
    base_port: u16,
    /// Where to change them while they run; a port alone is on 127.0.0.1
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7935", value_parser = control)]
    control_addr: SocketAddr,
    /// Answer with the source instead of transcoding: no ffmpeg needed, and no CPU
    #[arg(long)]
    passthrough: bool,
}

// === impl Arguments ===

impl Arguments {
    pub(super) fn decode(self) -> Result<Devnet, Error> {
        let devnet = Devnet {
            orchestrators: self.orchestrators,
            profile: self.profile,
            base_port: self.base_port,
            control: self.control_addr,
            passthrough: self.passthrough,
        };
        let (first, count) = (
            u32::from(devnet.base_port),
            u32::from(devnet.orchestrators.get()),
        );
        let last = first + count - 1;
        if first != 0 && last > u32::from(u16::MAX) {
            return Err(Error::Usage(format!(
                "--base-port {first}: {count} orchestrators need the ports up to {last}, and 65535 is the last"
            )));
        }
        let port = u32::from(devnet.control.port());
        if first != 0 && (first..=last).contains(&port) {
            return Err(Error::Usage(format!(
                "--control-addr {}: the orchestrators take the ports {first} to {last}",
                devnet.control
            )));
        }
        Ok(devnet)
    }
}

fn control(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text).parse::<u16>();
    let address = match port {
        Ok(port) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
        Err(_) => text
            .parse()
            .map_err(|_| "write IP:PORT, or :PORT for 127.0.0.1".to_owned())?,
    };
    if !address.ip().is_loopback() {
        return Err("faults are injected here without a token: use a loopback address".to_owned());
    }
    Ok(address)
}
