//! Strings without formatting.
//!
//! Printing through `format!` costs a component some kilobytes that a small policy does not have; messages are put together here.

/// The parts, one after another.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        text.push_str(part);
    }
    text
}
