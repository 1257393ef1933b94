//! Addresses to listen on.
//!
//! `:PORT` is 127.0.0.1:PORT, as in go-livepeer and unlike most programs; a bare host gets the listener's own port. A
//! name other than `localhost` is refused: what it resolves to could change between two starts, and with it what the
//! gateway is open to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A parser of listen addresses whose port is `port` unless the text names one.
pub(in crate::config) fn listen(port: u16) -> impl Fn(&str) -> Result<SocketAddr, String> {
    move |text| {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address);
        }
        if let Some(host) = host(text) {
            return Ok((host, port).into());
        }
        let parts = text.rsplit_once(':');
        let Some((name, number)) = parts.filter(|(name, _)| !name.contains(':')) else {
            return Err(unknown(text, port));
        };
        let number = number
            .parse()
            .map_err(|_| format!("`{text}`: `{number}` is not a port (0 to 65535)"))?;
        match name {
            "" => Ok((Ipv4Addr::LOCALHOST, number).into()),
            name => host(name)
                .map(|host| (host, number).into())
                .ok_or_else(|| unknown(text, port)),
        }
    }
}

/// As [`listen`], and `off` is none.
pub(in crate::config) fn listen_or_off(
    port: u16,
) -> impl Fn(&str) -> Result<Option<SocketAddr>, String> {
    move |text| match text {
        "off" => Ok(None),
        text => listen(port)(text).map(Some),
    }
}

/// Whether both cannot be bound at once.
pub(in crate::config) fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let same_ip = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && same_ip
}

fn host(text: &str) -> Option<IpAddr> {
    match text {
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        text => {
            let inner = text
                .strip_prefix('[')
                .and_then(|text| text.strip_suffix(']'));
            inner.unwrap_or(text).parse().ok()
        }
    }
}

fn unknown(text: &str, port: u16) -> String {
    if text.parse::<u16>().is_ok() {
        return format!("`{text}` is not an address: write :{text}");
    }
    format!(
        "`{text}` is not an address: write IP:PORT, such as 0.0.0.0:{port}, or :PORT for 127.0.0.1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_forms_are_loopback() {
        for (text, address) in [
            (":8935", "127.0.0.1:8935"),
            ("127.0.0.1", "127.0.0.1:9935"),
            ("localhost", "127.0.0.1:9935"),
            ("localhost:80", "127.0.0.1:80"),
            ("0.0.0.0", "0.0.0.0:9935"),
            ("0.0.0.0:8935", "0.0.0.0:8935"),
            ("::1", "[::1]:9935"),
            ("[::1]", "[::1]:9935"),
            ("[::]:8935", "[::]:8935"),
            (":0", "127.0.0.1:0"),
        ] {
            assert_eq!(
                listen(9935)(text),
                Ok(address.parse().expect("an address")),
                "{text}"
            );
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, message) in [
            ("9935", "`9935` is not an address: write :9935"),
            (":99999", "`:99999`: `99999` is not a port (0 to 65535)"),
            (
                "gw.example:80",
                "`gw.example:80` is not an address: write IP:PORT, such as 0.0.0.0:9935, or :PORT for 127.0.0.1",
            ),
        ] {
            assert_eq!(listen(9935)(text), Err(message.to_owned()));
        }
    }

    #[test]
    fn an_unspecified_address_takes_its_port_everywhere() {
        let at = |text: &str| text.parse().expect("an address");
        assert!(clash(at("0.0.0.0:80"), at("127.0.0.1:80")));
        assert!(clash(at("127.0.0.1:80"), at("127.0.0.1:80")));
        assert!(!clash(at("127.0.0.1:80"), at("127.0.0.2:80")));
        assert!(
            !clash(at("127.0.0.1:0"), at("127.0.0.1:0")),
            "port 0 is any free one"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(text in "\\PC{0,40}") {
            let _ = listen(1)(&text);
        }

        #[test]
        fn an_address_reads_back_as_itself(port: u16, ip: IpAddr) {
            let address = SocketAddr::new(ip, port);
            prop_assert_eq!(listen(1)(&address.to_string()), Ok(address));
        }
    }
}
