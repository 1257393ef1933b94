//! The playlists of a stream, from outside: tables of what is listed when, a slow reference, and a real player.

mod gaps;
mod master;
mod observer;
mod order;
mod play;
mod property;
mod reference;
mod stage;
mod window;
