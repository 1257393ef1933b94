//! A port that stays ours while nobody listens on it.
//!
//! A killed orchestrator must refuse connections and come back under the same URI. Closing the listener alone would let
//! any process of the machine take an ephemeral port meanwhile. So a second socket is bound to the port and never
//! listens: connecting to it is refused by the kernel, and binding to it is refused to others.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Connections the kernel keeps until they are accepted.
const BACKLOG: u32 = 1024;

/// A reserved address.
#[derive(Debug)]
pub(crate) struct Port {
    address: SocketAddr,
    _reservation: TcpSocket,
}

// === impl Port ===

impl Port {
    /// Reserves an address; port 0 takes any that is free.
    pub(crate) fn reserve(address: SocketAddr) -> io::Result<Self> {
        let reservation = bound(address)?;
        let address = reservation.local_addr()?;
        let port = Self {
            address,
            _reservation: reservation,
        };
        // Another process may listen there with the same option set: only listening tells.
        drop(port.listen()?);
        Ok(port)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens, until the listener is dropped.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        bound(self.address)?.listen(BACKLOG)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_reserved_port_refuses_and_comes_back() {
        let port = Port::reserve((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        for _ in 0..3 {
            let refused = TcpStream::connect(port.address()).await;
            let error = refused.expect_err("nobody listens");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

            let listener = port.listen().expect("ours");
            let (client, server) =
                tokio::join!(TcpStream::connect(port.address()), listener.accept());
            client.expect("connects");
            server.expect("accepts");
        }
    }

    #[tokio::test]
    async fn a_port_that_is_listened_on_is_not_reserved_twice() {
        let port = Port::reserve((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        let _listener = port.listen().expect("ours");
        assert!(Port::reserve(port.address()).is_err());
    }
}
