//! Numbers of failure kinds: what [`Failure::kind`](crate::failover::Failure) may be.
//!
//! More may come; a policy that meets one it does not know still knows the blame.

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident = $number:literal;)+) => {
        $($(#[$doc])+ pub const $name: u16 = $number;)+

        /// Every kind: name as here, number.
        pub const ALL: &[(&str, u16)] = &[$((stringify!($name), $number)),+];
    };
}

kinds! {
    /// No connection: refused, unreachable, TLS failed, name not found.
    CONNECT = 1;
    /// Connected, but no response headers in time.
    HEADER_TIMEOUT = 2;
    /// Headers came, the result did not in time.
    BODY_TIMEOUT = 3;
    /// The connection broke in the middle.
    RESET = 4;
    /// A 5xx answer.
    SERVER_ERROR = 5;
    /// A 4xx answer that none of the other kinds describes.
    REFUSED = 6;
    /// An answer that cannot be decoded, or says nothing.
    GARBAGE = 7;
    /// The number of renditions, or one of them, is wrong.
    BAD_RENDITION = 8;
    /// A rendition could not be fetched.
    DOWNLOAD = 9;
    /// An error from the transcoder that is not the input's fault.
    TRANSCODER = 10;
    /// It has too much queued for this session.
    BUSY = 11;
    /// It takes no more sessions.
    CAPPED = 12;
    /// The session's token is expired, unknown or missing: refresh and send again.
    TOKEN = 13;
    /// No session could be agreed.
    SESSION = 14;
    /// It cannot do this job after all.
    INCOMPATIBLE = 15;
    /// The media cannot be transcoded by anyone.
    BAD_INPUT = 16;
    /// It wants uploads to its own storage.
    STORAGE = 17;
    /// The price is above what the operator allows.
    PRICE = 18;
    /// The payment was refused.
    PAYMENT = 19;
    /// The hard deadline passed.
    DEADLINE = 20;
    /// Ended by the gateway: a hedge won, or the application left.
    CANCELLED = 21;
    /// Something is wrong in the gateway.
    INTERNAL = 22;
}
