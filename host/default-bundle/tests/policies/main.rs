//! The policies as they are embedded.

mod ask;
mod documented;
mod files;
mod guest;
mod twin;
