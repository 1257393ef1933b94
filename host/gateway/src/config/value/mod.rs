//! Parsers of single values. Each takes the text of one value and says what is wrong in words that fit behind
//! `SETTING: `. Texts that may hold a secret (URLs) are not repeated in them.

pub(super) mod account;
pub(super) mod address;
pub(super) mod blocked;
pub(super) mod duration;
pub(super) mod host;
pub(super) mod number;
pub(super) mod price;
pub(super) mod size;
pub(super) mod web;
pub(super) mod wei;
