//! The states of a group of filters, and the loop over a chunk.

use bytemuck::{Pod, Zeroable};

use super::Voice;
use super::chunk::Chunk;
use super::cores::{Core, LIMITED_FROM, LadderCore, SvfCore};
use super::setting::{Model, Setting};
use crate::dsp::halfband::{Chain, GENTLE, STEEP};
use crate::dsp::ladder::Ladder;
use crate::dsp::svf::Svf;

/// State of one filter of one channel.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Filter {
    /// The svf's two stages, band and low each; or the ladder's four.
    poles: [f32; 4],
    energies: [f32; 2],
    /// Half-bands at twice the rate, then at four times: up even, up odd, down even, down odd.
    steep: [[f32; 4]; 4],
    gentle: [[f32; 3]; 4],
}

impl Filter {
    /// Silences the half-bands.
    #[inline(always)]
    pub fn rest_half_bands(&mut self) {
        (self.steep, self.gentle) = Default::default();
    }
}

/// The states of a group, channels side by side.
pub(super) struct Cells<const W: usize> {
    poles: [[f32; W]; 4],
    energies: [[f32; W]; 2],
    steep: HalfBands<W, 3>,
    gentle: HalfBands<W, 2>,
}

/// The chains of a step up and of the step back down.
#[derive(Clone, Copy)]
struct HalfBands<const W: usize, const STAGES: usize> {
    up: [Chain<W, STAGES>; 2],
    down: [Chain<W, STAGES>; 2],
}

impl<const W: usize, const STAGES: usize> HalfBands<W, STAGES> {
    const SILENT: Self = HalfBands { up: [Chain::SILENT; 2], down: [Chain::SILENT; 2] };

    #[inline(always)]
    fn load<const CELLS: usize>(&mut self, lane: usize, memory: &[[f32; CELLS]; 4]) {
        for (chain, memory) in self.up.iter_mut().chain(&mut self.down).zip(memory) {
            for (row, cell) in chain.inputs.iter_mut().zip(memory) {
                row[lane] = *cell;
            }
            chain.output[lane] = memory[CELLS - 1];
        }
    }

    #[inline(always)]
    fn store<const CELLS: usize>(&self, lane: usize, memory: &mut [[f32; CELLS]; 4]) {
        for (chain, memory) in self.up.iter().chain(&self.down).zip(memory) {
            for (row, cell) in chain.inputs.iter().zip(memory.iter_mut()) {
                *cell = row[lane];
            }
            memory[CELLS - 1] = chain.output[lane];
        }
    }
}

impl<const W: usize> Cells<W> {
    /// Takes the states of those channels that play `setting`; the others are silent.
    #[inline(always)]
    pub fn load(voices: &[Voice; W], setting: Setting) -> Self {
        let mut cells = Cells {
            poles: [[0.0; W]; 4],
            energies: [[0.0; W]; 2],
            steep: HalfBands::SILENT,
            gentle: HalfBands::SILENT,
        };
        for (lane, voice) in voices.iter().enumerate() {
            let Some(slot) = voice.slot(setting) else { continue };
            let filter = &voice.filters[slot];
            for (row, pole) in cells.poles.iter_mut().zip(&filter.poles) {
                row[lane] = *pole;
            }
            for (row, energy) in cells.energies.iter_mut().zip(&filter.energies) {
                row[lane] = *energy;
            }
            if setting.rate_log2 > 0 {
                cells.steep.load(lane, &filter.steep);
            }
            if setting.rate_log2 > 1 {
                cells.gentle.load(lane, &filter.gentle);
            }
        }
        cells
    }

    /// Puts the states back.
    #[inline(always)]
    pub fn store(&self, voices: &mut [Voice; W], setting: Setting) {
        for (lane, voice) in voices.iter_mut().enumerate() {
            let Some(slot) = voice.slot(setting) else { continue };
            let filter = &mut voice.filters[slot];
            filter.poles = [0, 1, 2, 3].map(|pole| self.poles[pole][lane]);
            filter.energies = [self.energies[0][lane], self.energies[1][lane]];
            if setting.rate_log2 > 0 {
                self.steep.store(lane, &mut filter.steep);
            }
            if setting.rate_log2 > 1 {
                self.gentle.store(lane, &mut filter.gentle);
            }
        }
    }

    /// Filters a chunk: a row of `heard` for each of its frames.
    #[inline(always)]
    pub fn run(&mut self, setting: Setting, chunk: &Chunk<W>, heard: &mut [[f32; W]]) {
        if setting.model == Model::Ladder {
            match setting.rate_log2 {
                0 => self.run_ladder::<1, 2>(setting, chunk, heard),
                1 => self.run_ladder::<2, 1>(setting, chunk, heard),
                _ => self.run_ladder::<4, 1>(setting, chunk, heard),
            }
        } else if setting.is_steep {
            self.run_svf::<true>(setting, chunk, heard);
        } else {
            self.run_svf::<false>(setting, chunk, heard);
        }
        if setting.model == Model::Gate {
            chunk.attenuate(heard);
        }
    }

    #[inline(always)]
    fn run_svf<const STEEP: bool>(&mut self, setting: Setting, chunk: &Chunk<W>, heard: &mut [[f32; W]]) {
        match setting.rate_log2 {
            0 if chunk.resonates_above(LIMITED_FROM) => self.run_stages::<1, STEEP, true>(setting, chunk, heard),
            0 => self.run_stages::<1, STEEP, false>(setting, chunk, heard),
            1 => self.run_stages::<2, STEEP, true>(setting, chunk, heard),
            _ => self.run_stages::<4, STEEP, true>(setting, chunk, heard),
        }
    }

    #[inline(always)]
    fn run_stages<const RATE: usize, const STEEP: bool, const LIMITS: bool>(
        &mut self,
        setting: Setting,
        chunk: &Chunk<W>,
        heard: &mut [[f32; W]],
    ) {
        let stages = [0, 2].map(|pole| Svf { states: [self.poles[pole], self.poles[pole + 1]] });
        let mut core = SvfCore::<W, STEEP, LIMITS>::new(stages, self.energies, setting);
        self.play::<RATE, _>(&mut core, chunk, heard);
        let [first, second] = core.stages.map(|stage| stage.states);
        // A stage that rests begins from silence when it comes back.
        let first = if STEEP { first } else { [[0.0; W]; 2] };
        self.poles = [first[0], first[1], second[0], second[1]];
        self.energies = if LIMITS { core.energies } else { [[0.0; W]; 2] };
    }

    #[inline(always)]
    fn run_ladder<const RATE: usize, const STEPS: usize>(
        &mut self,
        setting: Setting,
        chunk: &Chunk<W>,
        heard: &mut [[f32; W]],
    ) {
        let mut core = LadderCore::<W, STEPS>::new(Ladder { states: self.poles }, setting);
        self.play::<RATE, _>(&mut core, chunk, heard);
        self.poles = core.ladder.states;
    }

    /// Runs `core` at `RATE` times the rate over a chunk.
    #[inline(always)]
    fn play<const RATE: usize, C: Core<W>>(&mut self, core: &mut C, chunk: &Chunk<W>, heard: &mut [[f32; W]]) {
        // Local copies, which LLVM keeps in registers.
        let (mut steep, mut gentle) =
            if RATE > 1 { (self.steep, self.gentle) } else { (HalfBands::SILENT, HalfBands::SILENT) };
        for (frame, (heard, input)) in heard.iter_mut().zip(&chunk.input).enumerate() {
            if frame == 0 || !chunk.is_even {
                let mut cutoff = chunk.cutoff[frame];
                for lane in 0..W {
                    cutoff[lane] *= 1.0 / RATE as f32;
                }
                core.tune(cutoff, chunk.res[frame]);
            }
            let input = core.enter(*input);
            *heard = match RATE {
                1 => core.step(input),
                2 => {
                    let [even, odd] = STEEP.up(&mut steep.up, input);
                    let twice = [core.step(even), core.step(odd)];
                    STEEP.down(&mut steep.down, twice)
                }
                _ => {
                    let mut twice = STEEP.up(&mut steep.up, input);
                    for sample in &mut twice {
                        let [even, odd] = GENTLE.up(&mut gentle.up, *sample);
                        let four = [core.step(even), core.step(odd)];
                        *sample = GENTLE.down(&mut gentle.down, four);
                    }
                    STEEP.down(&mut steep.down, twice)
                }
            };
        }
        if RATE > 1 {
            (self.steep, self.gentle) = (steep, gentle);
        }
    }
}
