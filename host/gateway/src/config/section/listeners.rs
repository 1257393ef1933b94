//! Where the gateway listens.

use std::net::SocketAddr;

use crate::config::decoder::{Decoder, switch};
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::address::{clash, listen, listen_or_off};

/// Addresses. No two of them clash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listeners {
    /// Push and playback; at least one.
    pub http: Vec<SocketAddr>,
    /// RTMP; `None` is off.
    pub rtmp: Option<SocketAddr>,
    /// Admin API, metrics and demo page.
    pub cli: SocketAddr,
    /// Whether `/live/…` takes segments. Playback does not depend on it.
    pub http_ingest: bool,
}

pub(in crate::config) const GROUP: Group = Group {
    heading: "Listeners",
    settings: &[
        Setting {
            key: "http-addr",
            shape: Shape::List,
            value: "ADDR",
            default: Initial::Value("127.0.0.1:9935"),
            summary: "Where segments are pushed and streams are played.",
            detail: "IP:PORT; :PORT is 127.0.0.1:PORT and a bare IP gets port 9935. May be given twice, for instance to \
                     answer on :8935 as well, the port of go-livepeer's documentation. 0.0.0.0:PORT is open to the world: \
                     set --auth-webhook-url with it.",
        },
        Setting {
            key: "rtmp-addr",
            shape: Shape::One,
            value: "ADDR|off",
            default: Initial::Value("127.0.0.1:1935"),
            summary: "Where OBS, ffmpeg and other encoders publish.",
            detail: "IP:PORT, or off where streams come by HTTP push only. A connection has 10 s to publish; as many may be at \
                     that as there are --max-sessions, and 16 more.",
        },
        Setting {
            key: "cli-addr",
            shape: Shape::One,
            value: "ADDR",
            default: Initial::Value("127.0.0.1:5935"),
            summary: "Admin API, metrics and the demo page.",
            detail: "IP:PORT. It changes policies, so an address other than loopback needs a token: see \
                     --admin-token-file.",
        },
        Setting {
            key: "http-ingest",
            shape: Shape::Switch,
            value: "true|false",
            default: Initial::Unset(
                "true, but false when an --http-addr is not loopback and there is no --auth-webhook-url",
            ),
            summary: "Take segments by HTTP push (PUT or POST /live/NAME/SEQ.ts).",
            detail: "Set it to true to let anyone push who reaches a public --http-addr, to false to serve playback alone \
                     over HTTP.",
        },
    ],
};

// === impl Listeners ===

impl Listeners {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>) -> Self {
        let mut http = decoder.many("http-addr", listen(9935));
        if http.is_empty() {
            http.push(SocketAddr::from(([127, 0, 0, 1], 9935)));
        }
        let rtmp = decoder.one("rtmp-addr", listen_or_off(1935));
        let cli = decoder.one("cli-addr", listen(5935));

        let mut bound: Vec<(&str, SocketAddr)> = Vec::new();
        let all = http.iter().map(|&address| ("http-addr", address));
        let all = all.chain(rtmp.map(|address| ("rtmp-addr", address)));
        for (key, address) in all.chain([("cli-addr", cli)]) {
            if let Some((other, taken)) = bound.iter().find(|(_, taken)| clash(*taken, address)) {
                let message = format!(
                    "{key} {address} takes the same port as {other} {taken}: give each listener its own"
                );
                decoder.refuse(&[key, other], message);
            }
            bound.push((key, address));
        }

        let http_ingest = Self::decode_http_ingest(decoder, &http);
        if !http_ingest && rtmp.is_none() {
            let message = "no stream can come in: http-ingest is off and so is rtmp-addr. Set http-ingest to true \
                           (an auth-webhook-url then says who may push) or give an rtmp-addr";
            decoder.refuse(&["rtmp-addr", "http-ingest"], message);
        }
        Self {
            http,
            rtmp,
            cli,
            http_ingest,
        }
    }

    fn decode_http_ingest(decoder: &mut Decoder<'_>, http: &[SocketAddr]) -> bool {
        if let Some(wanted) = decoder.optional("http-ingest", switch) {
            return wanted;
        }
        let public = http.iter().find(|address| !address.ip().is_loopback());
        match public {
            Some(address) if !decoder.is_given("auth-webhook-url") => {
                decoder.notices.push(format!(
                    "HTTP push is off: http-addr {address} is not loopback and there is no auth-webhook-url to ask who \
                     may push. Set http-ingest to true to take pushes from anyone"
                ));
                false
            }
            _ => true,
        }
    }
}
