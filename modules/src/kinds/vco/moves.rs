//! How the phases of all channels move through one chunk: what is the same work for each is done side by side.

use super::controls::Controls;
use super::voice::Voice;
use crate::dsp::course::{Course, bits};
use crate::dsp::steady::CHUNK;
use crate::dsp::sync::Sync;

/// Steps and syncs of `W` channels over one chunk, and the course of the one that is being drawn.
pub(super) struct Moves<const W: usize> {
    steps: [[i32; W]; CHUNK],
    /// Bit per frame in which a sync came.
    syncs: [u64; W],
    sync_times: [[f64; W]; CHUNK],
    course: Course,
}

impl<const W: usize> Moves<W> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Moves { steps: [[0; W]; CHUNK], syncs: [0; W], sync_times: [[0.0; W]; CHUNK], course: Course::default() }
    }

    /// Takes in the chunk of `frames` from `start` on.
    #[inline(always)]
    pub(super) fn gather(&mut self, voices: &mut [Voice; W], controls: &Controls<'_, W>, start: usize, frames: usize) {
        let mut seatings = [voices[0].seating; W];
        for lane in 0..W {
            seatings[lane] = voices[lane].seating;
        }
        controls.steps(start, &seatings, &mut self.steps[..frames]);
        self.syncs = [0; W];
        let Some(rows) = controls.sync else { return };
        let mut syncs = [voices[0].sync; W];
        for lane in 0..W {
            syncs[lane] = voices[lane].sync;
        }
        let (fired, times) = (&mut self.syncs, &mut self.sync_times);
        Sync::next(
            &mut syncs,
            &rows[start..start + frames],
            #[inline(always)]
            |lane, frame, time| {
                fired[lane] |= 1 << frame;
                times[frame][lane] = time;
            },
        );
        for lane in 0..W {
            voices[lane].sync = syncs[lane];
        }
    }

    /// The course of one channel.
    #[inline(always)]
    pub(super) fn plot(
        &mut self,
        voice: &mut Voice,
        controls: &Controls<'_, W>,
        lane: usize,
        start: usize,
        frames: usize,
        is_soft: bool,
    ) -> &Course {
        let (syncs, course) = (self.syncs[lane], &mut self.course);
        for frame in bits(syncs) {
            course.sync_times[frame] = self.sync_times[frame][lane];
        }
        (course.resets, course.turns) = if is_soft { (0, syncs) } else { (syncs, 0) };
        voice.plot(course, controls, lane, start, &self.steps[..frames], is_soft);
        course
    }
}
