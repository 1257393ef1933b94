//! RTMP's 32-bit milliseconds, continued without end and with jumps recognised.
//!
//! Both tracks share the encoder's clock, so one reference unwraps both, and video alone decides when time jumped: if
//! either track could, the stragglers of the other would jump it back. Audio has to be within [`JUMP`] of the newest
//! picture or sound; what is not is dropped until video has followed.

use super::{TICKS, TICKS_PER_MS};

/// A step larger than this, either way, is a jump.
const JUMP: i64 = 2 * TICKS;
/// Ticks of a whole turn of the 32-bit counter.
const TURN: i64 = (1 << 32) * TICKS_PER_MS;

/// The clock of one connection.
#[derive(Debug, Default)]
pub(super) struct Clock {
    epoch: u32,
    video: Option<Stamp>,
    /// The newest audio of this epoch.
    audio: Option<i64>,
}

/// A time on the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) epoch: u32,
    /// What the encoder said, 90 kHz.
    pub(super) time: i64,
    /// The same, but after the picture before it.
    pub(super) dts: i64,
}

// === impl Clock ===

impl Clock {
    /// Places a video timestamp, ms.
    pub(super) fn video(&mut self, timestamp: u32) -> Stamp {
        let time = self.unwrap(timestamp);
        let newest = self.newest();
        let stamp = match self.video {
            Some(last) if time < last.time - JUMP || newest.is_some_and(|at| time > at + JUMP) => {
                self.epoch = self.epoch.wrapping_add(1);
                self.audio = None;
                Stamp::new(self.epoch, fresh(timestamp))
            }
            Some(last) => Stamp {
                epoch: self.epoch,
                time,
                dts: time.max(last.dts + 1),
            },
            None => {
                self.audio = self.audio.filter(|at| (time - at).abs() <= JUMP);
                Stamp::new(self.epoch, time)
            }
        };
        self.video = Some(stamp);
        stamp
    }

    /// Places an audio timestamp, ms; `None` when it belongs to no picture.
    pub(super) fn audio(&mut self, timestamp: u32) -> Option<Stamp> {
        let time = self.unwrap(timestamp);
        if self.video.is_some() && self.newest().is_some_and(|at| (time - at).abs() > JUMP) {
            return None;
        }
        self.audio = Some(time);
        Some(Stamp::new(self.epoch, time))
    }

    fn newest(&self) -> Option<i64> {
        self.video.map(|stamp| stamp.time).max(self.audio)
    }

    /// The time nearest to the newest one that has this timestamp.
    fn unwrap(&self, timestamp: u32) -> i64 {
        let time = fresh(timestamp);
        match self.newest() {
            None => time,
            Some(newest) => {
                let turns = (newest - time + TURN / 2).div_euclid(TURN);
                time + turns * TURN
            }
        }
    }
}

// === impl Stamp ===

impl Stamp {
    fn new(epoch: u32, time: i64) -> Self {
        Self {
            epoch,
            time,
            dts: time,
        }
    }
}

fn fresh(timestamp: u32) -> i64 {
    i64::from(timestamp) * TICKS_PER_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dts(clock: &mut Clock, timestamp: u32) -> (u32, i64) {
        let stamp = clock.video(timestamp);
        (stamp.epoch, stamp.dts / TICKS_PER_MS)
    }

    #[test]
    fn the_counter_wraps_without_a_jump() {
        let mut clock = Clock::default();
        assert_eq!(dts(&mut clock, u32::MAX - 39), (0, (1 << 32) - 40));
        assert_eq!(dts(&mut clock, 0), (0, 1 << 32));
        assert_eq!(
            clock.audio(5).map(|stamp| stamp.time),
            Some(((1 << 32) + 5) * 90)
        );
        assert_eq!(dts(&mut clock, 40), (0, (1 << 32) + 40));
        let late = clock.audio(u32::MAX - 9).map(|stamp| stamp.time);
        assert_eq!(late, Some(((1 << 32) - 10) * 90));
    }

    #[test]
    fn a_small_step_back_is_clamped() {
        let mut clock = Clock::default();
        clock.video(1000);
        let stamp = clock.video(990);
        assert_eq!((stamp.epoch, stamp.dts), (0, 90_001));
        assert_eq!(clock.video(1000).dts, 90_002);
        assert_eq!(dts(&mut clock, 1040), (0, 1040));
    }

    #[test]
    fn a_jump_begins_an_epoch_in_which_audio_follows_video() {
        let mut clock = Clock::default();
        clock.video(10_000);
        assert!(clock.audio(10_010).is_some());
        assert_eq!(clock.audio(20), None, "audio alone does not jump");
        assert_eq!(dts(&mut clock, 0), (1, 0));
        assert_eq!(clock.audio(10_030), None, "a straggler does not jump back");
        assert_eq!(clock.audio(20).map(|stamp| stamp.epoch), Some(1));
        assert_eq!(dts(&mut clock, 5000), (2, 5000));
    }

    #[test]
    fn a_picture_every_five_seconds_is_no_jump_while_audio_goes_on() {
        let mut clock = Clock::default();
        clock.video(0);
        for timestamp in (0..5000).step_by(23) {
            assert!(clock.audio(timestamp).is_some());
        }
        assert_eq!(dts(&mut clock, 5000), (0, 5000));
    }

    #[test]
    fn audio_alone_is_counted_freely() {
        let mut clock = Clock::default();
        assert!(clock.audio(0).is_some());
        assert!(clock.audio(60_000).is_some());
    }

    proptest! {
        #[test]
        fn decoding_times_increase_within_an_epoch(stamps in prop::collection::vec((any::<bool>(), any::<u32>()), 1..50)) {
            let mut clock = Clock::default();
            let mut last: Option<Stamp> = None;
            for (video, timestamp) in stamps {
                if !video {
                    clock.audio(timestamp);
                    continue;
                }
                let stamp = clock.video(timestamp);
                if let Some(last) = last.filter(|last| last.epoch == stamp.epoch) {
                    prop_assert!(stamp.dts > last.dts);
                }
                last = Some(stamp);
            }
        }
    }
}
