//! How streams come in: HTTP push and RTMP, on terms that a webhook may set.

pub mod hints;
pub mod multipart;
pub mod push;
pub mod renditions;
pub mod rtmp;
pub mod terms;
pub mod webhook;
