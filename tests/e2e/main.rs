//! The program as operators run it: the real binary between real sockets, against orchestrators that speak the real protocol.
//!
//! Each test has a gateway, orchestrators, ports and folders of its own, so that all run at once. Nothing here measures the
//! machine; the one time that is asserted, a segment's own duration, is what the product promises.

mod admin;
mod author;
mod bargains;
mod bundles;
mod examples;
mod exhausted;
mod failing_canary;
mod failures;
mod golden;
mod harness;
mod hedge;
mod hinted;
mod hints;
mod hostile;
mod hostile_rtmp;
mod lifecycle;
mod livepeer_cli;
mod paid;
mod playback;
mod policies;
mod push;
mod recording;
mod registered;
mod registry;
mod restart;
mod rtmp;
mod signer;
mod statuses;
mod trials;
mod uploads;
mod wallet;
mod webhook;
