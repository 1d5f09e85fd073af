//! The states of a group of filters, and the loops over a chunk.

use super::{CHUNK, Chunk, DAMPING_12, DAMPING_24, FEEDBACK_MAX, KICK, LADDER_LEVEL, Voice, Weights};
use crate::dsp::halfband::{self, Chain};
use crate::dsp::ladder::{self, Ladder};
use crate::dsp::svf::Svf;

/// The states of a group, channels side by side.
pub(super) struct Cells<const W: usize> {
    svf: [Svf<W>; 2],
    ladder: Ladder<W>,
    up: [Chain<W>; 2],
    down: [Chain<W>; 2],
}

impl<const W: usize> Cells<W> {
    #[inline(always)]
    pub(super) fn load(voices: &[Voice; W]) -> Self {
        let chain = Chain { memory: [[0.0; W]; halfband::MEMORY] };
        let stage = Svf { states: [[0.0; W]; 2] };
        let ladder = Ladder { states: [[0.0; W]; 4] };
        let mut cells = Cells { svf: [stage; 2], ladder, up: [chain; 2], down: [chain; 2] };
        for (lane, voice) in voices.iter().enumerate() {
            for (cells, states) in cells.svf.iter_mut().zip(&voice.svf) {
                for (cell, state) in cells.states.iter_mut().zip(states) {
                    cell[lane] = *state;
                }
            }
            for (cell, state) in cells.ladder.states.iter_mut().zip(&voice.ladder) {
                cell[lane] = *state;
            }
            for (chain, memory) in cells.up.iter_mut().chain(&mut cells.down).zip(&voice.halfbands) {
                for (cell, state) in chain.memory.iter_mut().zip(memory) {
                    cell[lane] = *state;
                }
            }
        }
        cells
    }

    /// Stores what the weights keep in use; the rest starts from silence when it comes back. Each channel decides for itself.
    #[inline(always)]
    pub(super) fn store(&self, voices: &mut [Voice; W]) {
        for (lane, voice) in voices.iter_mut().enumerate() {
            for stage in 0..2 {
                voice.svf[stage] = self.svf[stage].states.map(|row| row[lane]);
            }
            voice.ladder = self.ladder.states.map(|row| row[lane]);
            for (memory, chain) in voice.halfbands.iter_mut().zip(self.up.iter().chain(&self.down)) {
                *memory = chain.memory.map(|row| row[lane]);
            }
        }
    }

    /// Silences what a channel does not use, so that it does not matter whether its neighbours did.
    #[inline(always)]
    pub(super) fn rest(&mut self, weights: &Weights<W>) {
        for lane in 0..W {
            let is_ladder = weights.0[Weights::<W>::LADDER][lane];
            if is_ladder == 1.0 || weights.0[Weights::<W>::STEEP][lane] == 0.0 {
                self.svf[0].states.iter_mut().for_each(|row| row[lane] = 0.0);
            }
            if is_ladder == 1.0 {
                self.svf[1].states.iter_mut().for_each(|row| row[lane] = 0.0);
            }
            if is_ladder == 0.0 {
                self.ladder.states.iter_mut().for_each(|row| row[lane] = 0.0);
                for chain in self.up.iter_mut().chain(&mut self.down) {
                    chain.memory.iter_mut().for_each(|row| row[lane] = 0.0);
                }
            }
        }
    }
}

impl<const W: usize> Cells<W> {
    #[inline(always)]
    pub(super) fn run(&mut self, chunk: &Chunk<W>, weights: &Weights<W>, output: &mut [[f32; W]]) {
        let is_svf = weights.any(Weights::<W>::LADDER, |share| share < 1.0);
        if is_svf {
            self.run_svf(chunk, weights, output);
        }
        if weights.any(Weights::<W>::LADDER, |share| share > 0.0) {
            let mut ladder = [[0.0; W]; CHUNK];
            self.run_ladder(chunk, &weights.taps(), &mut ladder);
            let share = weights.0[Weights::<W>::LADDER];
            for (row, ladder) in output.iter_mut().zip(&ladder) {
                for lane in 0..W {
                    row[lane] = blend(share[lane], row[lane], ladder[lane]);
                }
            }
        }
    }

    #[inline(always)]
    fn run_svf(&mut self, chunk: &Chunk<W>, weights: &Weights<W>, output: &mut [[f32; W]]) {
        let steep = weights.0[Weights::<W>::STEEP];
        let mut base = [DAMPING_12; W];
        for lane in 0..W {
            base[lane] += steep[lane] * (DAMPING_24[1] - DAMPING_12);
        }
        let mut input = [[0.0; W]; CHUNK];
        for (row, driven) in input[..chunk.frames].iter_mut().zip(&chunk.input) {
            for lane in 0..W {
                row[lane] = soften(driven[lane]);
            }
        }
        if weights.any(Weights::<W>::STEEP, |steep| steep > 0.0) {
            let mut first = [[0.0; W]; CHUNK];
            let rows = (&input[..chunk.frames], &mut first[..chunk.frames]);
            run_stage::<W, false>(&mut self.svf[0], chunk, rows, weights, [DAMPING_24[0]; W]);
            for (row, first) in input[..chunk.frames].iter_mut().zip(&first) {
                for lane in 0..W {
                    row[lane] = blend(steep[lane], row[lane], first[lane]);
                }
            }
        }
        run_stage::<W, true>(&mut self.svf[1], chunk, (&input[..chunk.frames], output), weights, base);
    }

    #[inline(always)]
    fn run_ladder(&mut self, chunk: &Chunk<W>, taps: &[[f32; W]; ladder::TAPS], output: &mut [[f32; W]; CHUNK]) {
        let mut now = chunk.ladder_tuning(0);
        // Local copies, which LLVM keeps in registers.
        let (mut cells, mut up, mut down) = (self.ladder, self.up, self.down);
        for frame in 0..chunk.frames {
            if !chunk.is_even {
                now = chunk.ladder_tuning(frame);
            }
            let mut input = chunk.input[frame];
            let res = chunk.row(frame).1;
            for lane in 0..W {
                let is_silent = cells.states[0][lane].abs() + cells.states[3][lane].abs() < 0.01 * KICK;
                let kick = if is_silent && FEEDBACK_MAX * res[lane] > 4.0 { KICK } else { 0.0 };
                input[lane] = LADDER_LEVEL * input[lane] + kick;
            }
            let [even, odd] = halfband::up(&mut up, input);
            let even = cells.step(even, &now, taps);
            let odd = cells.step(odd, &now, taps);
            output[frame] = halfband::down(&mut down, [even, odd]);
        }
        (self.ladder, self.up, self.down) = (cells, up, down);
    }
}

/// Runs one stage of the svf, whose damping is `base` without resonance, over a chunk and mixes its bands.
#[inline(always)]
fn run_stage<const W: usize, const RESONATES: bool>(
    stage: &mut Svf<W>,
    chunk: &Chunk<W>,
    (input, output): (&[[f32; W]], &mut [[f32; W]]),
    weights: &Weights<W>,
    base: [f32; W],
) {
    let mut cell = *stage;
    let (low, high) = (weights.0[Weights::<W>::LOW], weights.0[Weights::<W>::HIGH]);
    let mut band = weights.0[Weights::<W>::BAND];
    for lane in 0..W {
        // 0 dB at the centre without resonance.
        band[lane] *= base[lane];
    }
    let mut now = chunk.svf_tuning::<RESONATES>(0, &base);
    if chunk.is_even && now.limit == [0.0; W] {
        // Without a limiter the coefficients stay as they are; the same numbers as below.
        let gains = now.gains([0.0; W]);
        for (row, input) in output.iter_mut().zip(input) {
            *row = cell.step(*input, &gains).mix(&low, &band, &high);
        }
    } else {
        for (frame, (row, input)) in output.iter_mut().zip(input).enumerate() {
            if !chunk.is_even {
                now = chunk.svf_tuning::<RESONATES>(frame, &base);
            }
            let energy = cell.energy();
            let mut input = *input;
            for lane in 0..W {
                let is_silent = energy[lane] < 0.01 * KICK * KICK;
                input[lane] = if is_silent && now.damping[lane] < 0.0 { input[lane] + KICK } else { input[lane] };
            }
            *row = cell.step(input, &now.gains(energy)).mix(&low, &band, &high);
        }
    }
    *stage = cell;
}

/// Linear to a level of 1, then ever flatter towards 2: 2 - 1/x continues x with the same slope.
#[inline(always)]
fn soften(x: f32) -> f32 {
    let size = x.abs();
    if size <= 1.0 { x } else { (2.0 - 1.0 / size).copysign(x) }
}

/// `a` at 0, `b` at 1, exactly.
#[inline(always)]
fn blend(share: f32, a: f32, b: f32) -> f32 {
    if share <= 0.0 {
        a
    } else if share >= 1.0 {
        b
    } else {
        a + share * (b - a)
    }
}
