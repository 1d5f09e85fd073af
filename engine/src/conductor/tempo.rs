//! Musical time: how many beats have passed, block by block. What sets it is a param of the output module; what follows it reads
//! each block's [`TempoBlock`].
//!
//! A new tempo holds from the block in which it is set; over a ramp each block has its mean.

use tine_protocol::ids::{Block, Slot};
use tine_protocol::plan::LaneEvent;
use tine_protocol::segment::{RING_BLOCKS, TempoBlock, engine};
use tine_protocol::sys::memory::{ReadMap, WriteMap};

/// The tempo and where it goes.
#[derive(Clone, Debug, Default)]
pub struct Tempo {
    slot: Slot,
    /// `None` if the output module has no such param: time stands.
    input: Option<u32>,
    from_bpm: f32,
    to_bpm: f32,
    done_frames: u32,
    length_frames: u32,
    /// At the start of the next block.
    beat: f64,
    /// Since when beats have passed at the same speed, how fast, and how many frames that are: a sum over blocks would drift.
    since: f64,
    beats_per_frame: f64,
    frames: u64,
}

impl Tempo {
    /// Time that begins at beat 0 with `bpm`, as input `input` of the module in `slot` says.
    pub fn new(slot: Slot, input: Option<u32>, bpm: f32) -> Tempo {
        Tempo { slot, input, from_bpm: bpm, to_bpm: bpm, ..Tempo::default() }
    }

    /// Goes on where the last block left off that an engine before has conducted; `first` comes next. Lanes compute the blocks between the
    /// two as well: without their time a clock would take them for a jump back to beat 0.
    pub fn resume(&mut self, control: &mut WriteMap, first: Block, rate_hz: u32, frames: u32) {
        if let Some(last) = newest_of(|at| control.read(at), first) {
            self.beat = last.beat + last.beats_per_frame * f64::from(frames);
            for block in last.block..first {
                self.write(block, rate_hz, frames, control);
            }
        }
    }

    /// Heeds an event, if it is a new tempo.
    pub fn hear(&mut self, event: &LaneEvent) {
        if event.slot == self.slot && Some(event.input) == self.input {
            let now = self.bpm(self.done_frames as f32);
            (self.from_bpm, self.to_bpm) = (now, event.value);
            (self.done_frames, self.length_frames) = (0, event.ramp_frames);
        }
    }

    /// Writes the time of `block` into its place, and moves on to the next.
    pub fn write(&mut self, block: Block, rate_hz: u32, frames: u32, control: &mut WriteMap) {
        let bpm = if self.input.is_some() { self.bpm(self.done_frames as f32 + 0.5 * frames as f32) } else { 0.0 };
        let beats_per_frame = f64::from(bpm) / (60.0 * f64::from(rate_hz));
        control.write(engine::tempo(block), TempoBlock { block: block + 1, beat: self.beat, beats_per_frame });
        if beats_per_frame != self.beats_per_frame {
            (self.since, self.beats_per_frame, self.frames) = (self.beat, beats_per_frame, 0);
        }
        self.frames += u64::from(frames);
        self.beat = self.since + beats_per_frame * self.frames as f64;
        self.done_frames = self.done_frames.saturating_add(frames).min(self.length_frames);
    }

    fn bpm(&self, done_frames: f32) -> f32 {
        if done_frames >= self.length_frames as f32 {
            return self.to_bpm;
        }
        self.from_bpm + (self.to_bpm - self.from_bpm) * done_frames / self.length_frames as f32
    }
}

/// The newest time that was written for one of the first `blocks` blocks.
pub fn newest(view: &ReadMap, blocks: u64) -> Option<TempoBlock> {
    newest_of(|at| view.read(at), blocks)
}

fn newest_of(read: impl Fn(usize) -> TempoBlock, blocks: u64) -> Option<TempoBlock> {
    let places = (0..RING_BLOCKS as u64).map(|block| read(engine::tempo(block)));
    places.filter(|tempo| (1..=blocks).contains(&tempo.block)).max_by_key(|tempo| tempo.block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tine_protocol::sys::memory;

    const FRAMES: u32 = 64;

    fn area() -> WriteMap {
        WriteMap::new(&memory::create(c"test-tempo", engine::BYTES).unwrap(), engine::BYTES).unwrap()
    }

    fn at(control: &WriteMap, block: Block) -> TempoBlock {
        control.read(engine::tempo(block))
    }

    #[test]
    fn beats_pass_at_the_tempo_and_a_ramp_arrives() {
        let mut control = area();
        let mut tempo = Tempo::new(Slot(3), Some(2), 120.0);
        for block in 0..750 {
            tempo.write(block, 48_000, FRAMES, &mut control);
        }
        // 750 blocks are a second: two beats.
        assert!((tempo.beat - 2.0).abs() < 1e-9);
        let faster = LaneEvent { slot: Slot(3), input: 2, value: 240.0, ramp_frames: 48_000, ..LaneEvent::default() };
        tempo.hear(&LaneEvent { slot: Slot(4), ..faster });
        tempo.hear(&LaneEvent { input: 1, ..faster });
        tempo.hear(&faster);
        for block in 750..1500 {
            tempo.write(block, 48_000, FRAMES, &mut control);
        }
        // The mean of 120 and 240 over a second.
        assert!((tempo.beat - 5.0).abs() < 1e-6, "{}", tempo.beat);
        assert_eq!(tempo.bpm(tempo.done_frames as f32), 240.0);
    }

    #[test]
    fn an_engine_that_follows_goes_on_in_time() {
        let mut control = area();
        let mut tempo = Tempo::new(Slot(3), Some(2), 90.0);
        for block in 0..21 {
            tempo.write(block, 48_000, FRAMES, &mut control);
        }
        let mut next = Tempo::new(Slot(3), Some(2), 90.0);
        next.resume(&mut control, 22, 48_000, FRAMES);
        let between = at(&control, 21);
        assert_eq!(between.block, 22, "the block between the two engines has its time");
        next.write(22, 48_000, FRAMES, &mut control);
        tempo.write(21, 48_000, FRAMES, &mut control);
        assert_eq!(at(&control, 21), between);
        assert!((at(&control, 22).beat - tempo.beat).abs() < 1e-12);
        let mut fresh = Tempo::new(Slot(3), Some(2), 90.0);
        fresh.resume(&mut area(), 0, 48_000, FRAMES);
        assert_eq!(fresh.beat, 0.0);
    }
}
