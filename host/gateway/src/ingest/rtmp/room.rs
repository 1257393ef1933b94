//! How many segments of one stream may be under way.
//!
//! # Contract
//!
//! Every segment that is sent out [enters](Room::enter) and leaves when it is back, lost or late. While [`MAX`] are under way the
//! publisher is not read: TCP makes it wait, and it drops pictures or falls behind as on any slow uplink. So a file that is published
//! faster than it plays costs no more memory than a camera.
//!
//! # Why a number and not bytes
//!
//! The bytes are held by the playlists anyway, which keep more segments than this. A live stream never comes near: a segment is given
//! up after three times its length, so that no more than four or five of even length are under way at once.

use std::sync::Arc;

use tokio::sync::watch;

/// Most segments under way before the publisher has to wait.
pub(super) const MAX: usize = 8;

/// The count of one stream.
#[derive(Debug)]
pub(super) struct Room(watch::Sender<usize>);

/// A segment under way, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Room>);

// === impl Room ===

impl Room {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(0)))
    }

    /// Counts a segment, whether there is room or not: the tail of a connection is never held up.
    pub(super) fn enter(self: &Arc<Self>) -> UnderWay {
        self.0.send_modify(|count| *count += 1);
        UnderWay(self.clone())
    }

    pub(super) fn is_free(&self) -> bool {
        *self.0.borrow() < MAX
    }

    /// Waits until there is room for one more.
    pub(super) async fn free(&self) {
        // The sender is alive as long as `self`.
        let _ = self.0.subscribe().wait_for(|&count| count < MAX).await;
    }
}

// === impl UnderWay ===

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_full_room_is_free_again_when_one_leaves() {
        let room = Room::new();
        let mut inside: Vec<_> = (0..MAX).map(|_| room.enter()).collect();
        assert!(!room.is_free());
        assert_eq!(room.free().now_or_never(), None);
        let waiting = tokio::spawn({
            let room = room.clone();
            async move { room.free().await }
        });
        inside.pop();
        waiting.await.expect("no panic");
        assert!(room.is_free());
    }

    #[test]
    fn a_tail_enters_a_full_room() {
        let room = Room::new();
        let inside: Vec<_> = (0..MAX + 2).map(|_| room.enter()).collect();
        assert!(!room.is_free());
        drop(inside);
        assert!(room.is_free());
    }
}
