//! Renditions in memory, as a real orchestrator without object storage keeps them: the last twelve of each rendition,
//! until the session ends.

use std::collections::{HashMap, VecDeque};

use crate::body::Parts;

/// Files kept of each rendition.
pub(crate) const WINDOW: usize = 12;

/// The renditions of one session.
#[derive(Debug, Default)]
pub(crate) struct Store {
    windows: HashMap<String, VecDeque<(String, Parts)>>,
}

// === impl Store ===

impl Store {
    /// Keeps a file of a rendition, in place of one of the same name.
    pub(crate) fn put(&mut self, rendition: &str, file: &str, data: Parts) {
        let window = self.windows.entry(rendition.to_owned()).or_default();
        if let Some((_, old)) = window.iter_mut().find(|(name, _)| name == file) {
            *old = data;
            return;
        }
        if window.len() == WINDOW {
            window.pop_front();
        }
        window.push_back((file.to_owned(), data));
    }

    /// A file that is still kept.
    pub(crate) fn get(&self, rendition: &str, file: &str) -> Option<Parts> {
        let window = self.windows.get(rendition)?;
        let (_, data) = window.iter().find(|(name, _)| name == file)?;
        Some(data.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn the_thirteenth_pushes_out_the_first() {
        let mut store = Store::default();
        for seq in 0..=WINDOW {
            let data = vec![Bytes::from(format!("{seq}"))].into();
            store.put("a", &format!("{seq}.ts"), data);
        }
        store.put("b", "0.ts", vec![Bytes::from_static(b"b")].into());
        assert!(store.get("a", "0.ts").is_none());
        assert!(store.get("a", "1.ts").is_some());
        assert_eq!(store.get("a", "12.ts").map(|data| data.len()), Some(2));
        assert!(store.get("b", "0.ts").is_some(), "each has its own window");
    }

    #[test]
    fn a_segment_that_comes_again_takes_no_second_place() {
        let mut store = Store::default();
        for _ in 0..100 {
            store.put("a", "0.ts", Parts::default());
        }
        store.put("a", "0.ts", vec![Bytes::from_static(b"new")].into());
        assert_eq!(store.get("a", "0.ts").map(|data| data.len()), Some(3));
        assert_eq!(store.windows["a"].len(), 1);
    }
}
