//! The host's log.
//!
//! [`error!`](crate::error), [`warn!`](crate::warn), [`info!`](crate::info), [`debug!`](crate::debug) and
//! [`trace!`](crate::trace) take what `format!` takes. Nothing is formatted unless somebody reads that level, and the host is
//! asked once a level and question, so a message in a loop over all rows costs a load and a branch while it is off.
//!
//! Mind the size: printing a float with `{}` brings some 10 kB of code into the component.

use core::cell::Cell;
use core::fmt;

pub use crate::bindings::log::Level;

thread_local! {
    /// Two bits a level: whether the host was asked, and what it said.
    static KNOWN: Cell<u16> = const { Cell::new(0) };
}

/// Whether anyone reads `level` now.
#[must_use]
pub fn enabled(level: Level) -> bool {
    let shift = 2 * level as u16;
    KNOWN.with(|known| {
        let asked = known.get() >> shift & 0b11;
        if asked != 0 {
            return asked == 0b11;
        }
        let answer = host::enabled(level);
        known.set(known.get() | (0b01 | u16::from(answer) << 1) << shift);
        answer
    })
}

/// Writes one message; used by the macros.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    match message.as_str() {
        Some(fixed) => host::write(level, fixed),
        None => host::write(level, &message.to_string()),
    }
}

/// Writes one message that is there already.
pub fn write_text(level: Level, message: &str) {
    host::write(level, message);
}

/// A new question: the levels may have changed.
pub(crate) fn forget() {
    KNOWN.with(|known| known.set(0));
}

#[cfg(target_arch = "wasm32")]
mod host {
    pub(super) use crate::bindings::log::{enabled, write};
}

#[cfg(not(target_arch = "wasm32"))]
use crate::native::sink as host;

macro_rules! levels {
    ($($(#[$doc:meta])+ $name:ident = $level:ident;)+) => {
        levels! { @each ($) $($(#[$doc])+ $name = $level;)+ }
    };
    (@each ($dollar:tt) $($(#[$doc:meta])+ $name:ident = $level:ident;)+) => {
        $($(#[$doc])+
        #[macro_export]
        macro_rules! $name {
            ($dollar($message:tt)+) => {
                if $crate::log::enabled($crate::log::Level::$level) {
                    $crate::log::write($crate::log::Level::$level, ::core::format_args!($dollar($message)+));
                }
            };
        })+
    };
}

levels! {
    /// Logs what the operator must see.
    error = Error;
    /// Logs what the operator should see.
    warn = Warn;
    /// Logs what is worth knowing.
    info = Info;
    /// Logs what helps when something is looked into.
    debug = Debug;
    /// Logs what only the policy's author wants to know.
    trace = Trace;
}
