//! The directory as a whole: in virtual time against orchestrators that exist only in memory, and against real sockets.

mod fake;
mod network;
mod probing;
mod registry;
mod restart;
mod scores;
mod together;
mod view;
mod webhook;
mod wishes;
