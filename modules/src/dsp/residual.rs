//! Band-limited edges: what must be added to a naive wave so that its jumps and corners do not alias.
//!
//! A naive wave that jumps holds all frequencies, and those above half the rate fold down. The cure is to put in
//! place of every jump the step response of a steep linear-phase low-pass: the *residual* is that response minus the
//! ideal step, 32 frames long, and centred on the jump. Corners (jumps of the slope) take its integral,
//! and jumps of the curvature the integral of that.
//! Linear phase leaves no DC; the price is half its length in latency: [`BEST`], or half of that and 20 to 30 dB more
//! alias, [`LOW`].
//!
//! Source: Brandt, "Hard Sync Without Aliasing", ICMC 2001 (residuals); Esqueda, Välimäki, Bilbao, "Rounding Corners
//! with BLAMP", DAFx-16 (corners).

use bytemuck::{Pod, Zeroable};

use super::kaiser::Kaiser;

/// Frames that a residual spans at most.
pub const TAPS: usize = 32;

/// How long a residual is, and how steep its low-pass.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// Frames by which everything that carries these residuals is late: half their length.
    pub latency: usize,
    /// Shape of Kaiser's window.
    beta: f64,
}

/// 32 taps, with side lobes below -150 dB once the table is summed up (SOUND.md, our probe).
pub const BEST: Kernel = Kernel { latency: TAPS / 2, beta: 12.3 };

/// 16 taps: a saw's alias at -122 / -116 / -113 / -111 / -111 dB for the pitches of SOUND.md. The best beta for those: 8 loses
/// 9 dB at the upper end, 9 loses 7 dB at the lower.
pub const LOW: Kernel = Kernel { latency: TAPS / 4, beta: 8.5 };

/// Positions of an edge between two frames that the tables hold. 128 lose 23 dB (SOUND.md, our probe).
const PHASES: usize = 512;

/// One residual per position of the edge; row `q` is for an edge `q / 512` frames before a frame.
///
/// Tap `j` of a row lies `j - latency + q / 512` frames after the edge. Row 512 is row 0 of the frame before, seen from
/// the left of the edge, so that interpolation between rows never crosses it. Taps past the end of a short kernel are 0.
pub type Rows = [[f32; TAPS]; PHASES + 1];

/// The residuals of a step of 1 and of its integrals.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Residuals {
    /// For a jump: BLEP.
    pub step: Rows,
    /// For a corner: BLAMP.
    pub ramp: Rows,
    /// For a change of the curvature, of 1 per frame and frame: one integral further.
    pub bow: Rows,
    latency: u32,
}

impl Residuals {
    /// Frames by which what carries these residuals is late.
    #[inline(always)]
    pub fn latency(&self) -> usize {
        (self.latency as usize).min(BEST.latency)
    }

    /// Computes the tables in place; about 16 000 values of the kernel.
    pub fn fill(&mut self, kernel: Kernel) {
        self.latency = kernel.latency as u32;
        // The left of an edge mirrors its right, for the kernel is even. With k(s) scaled to an area of 1 and its moments
        // M_i = integral of s^i k(s) from t to the end, the residuals t > 0 after the edge are, integrating by parts,
        // step: -M_0;  ramp: M_1 - t M_0;  bow: -(M_2 - 2 t M_1 + t^2 M_0) / 2.
        let window = Kaiser::new(kernel.beta);
        let side_cells = kernel.latency * PHASES;
        let cell = 1.0 / PHASES as f64;
        let mut moments = vec![[0.0f64; 3]; side_cells + 1];
        let mut right = [0.0; 3];
        for index in (0..side_cells).rev() {
            // Simpson's rule over cells of 1/512: the kernel's shape takes whole frames, so its error is (1/512)^4.
            let start = index as f64 * cell;
            let (middle, left) = (kernel.powers(&window, start + 0.5 * cell), kernel.powers(&window, start));
            for order in 0..3 {
                let area = (left[order] + 4.0 * middle[order] + right[order]) * cell / 6.0;
                moments[index][order] = moments[index + 1][order] + area;
            }
            right = left;
        }
        let unit = 0.5 / moments[0][0];
        for phase in 0..=PHASES {
            for tap in 0..2 * kernel.latency {
                let position = tap * PHASES + phase;
                let is_after = position > side_cells || (position == side_cells && phase == 0);
                let distance = position.abs_diff(side_cells);
                let time = distance as f64 * cell;
                let [m0, m1, m2] = moments[distance].map(|moment| moment * unit);
                let side = if is_after { -1.0 } else { 1.0 };
                self.step[phase][tap] = (side * m0) as f32;
                self.ramp[phase][tap] = (m1 - time * m0) as f32;
                self.bow[phase][tap] = (side * 0.5 * (m2 - 2.0 * time * m1 + time * time * m0)) as f32;
            }
        }
    }
}

impl Kernel {
    /// The low-pass, `time` frames from its middle: a sinc that ends at half the rate, under Kaiser's window.
    fn at(&self, window: &Kaiser, time: f64) -> f64 {
        let angle = std::f64::consts::PI * time;
        let sinc = if angle < 1e-9 { 1.0 } else { libm::sin(angle) / angle };
        sinc * window.at(time / self.latency as f64)
    }

    /// The same times the powers 0, 1 and 2 of the time.
    fn powers(&self, window: &Kaiser, time: f64) -> [f64; 3] {
        let value = self.at(window, time);
        [value, value * time, value * time * time]
    }
}

/// Adds the residual of an edge of `amount` that came `age` (0..=1) frames before frame 0 of the wave; the naive value
/// of that frame belongs into `into[latency]`. `into` has at least [`TAPS`] values.
#[inline(always)]
pub fn add(rows: &Rows, into: &mut [f32], age: f32, amount: f32) {
    let position = age * PHASES as f32;
    let row = (position as usize).min(PHASES - 1);
    let part = position - row as f32;
    let (near, far) = (amount * (1.0 - part), amount * part);
    let (this, next) = (&rows[row], &rows[row + 1]);
    if let Some(into) = into.first_chunk_mut::<TAPS>() {
        for tap in 0..TAPS {
            into[tap] += near * this[tap] + far * next[tap];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> [Box<Residuals>; 2] {
        [BEST, LOW].map(|kernel| {
            let mut tables: Box<Residuals> = bytemuck::zeroed_box();
            tables.fill(kernel);
            tables
        })
    }

    #[test]
    fn the_residuals_fade_out_at_both_ends_and_jump_by_one_at_the_edge() {
        for tables in tables() {
            let (latency, taps) = (tables.latency(), 2 * tables.latency());
            assert_eq!(tables.step[0][latency], -0.5, "just after the edge");
            assert_eq!(tables.step[PHASES][latency - 1], 0.5, "just before it");
            for rows in [&tables.step, &tables.ramp, &tables.bow] {
                assert!(rows[0][0].abs() < 1e-7 && rows[PHASES][taps - 1].abs() < 1e-7);
                for tap in 0..TAPS - 1 {
                    if tap + 1 != latency {
                        assert!((rows[PHASES][tap] - rows[0][tap + 1]).abs() < 1e-7, "rows join at tap {tap}");
                    }
                }
                assert!(rows.iter().all(|row| row[taps..].iter().all(|&tap| tap == 0.0)), "nothing past the end");
            }
        }
    }

    #[test]
    fn a_sampled_step_with_its_residual_keeps_the_area_of_the_ideal_step() {
        // The naive step came `phase / 512` frames before its first sample, and leaves that much area out or in.
        for tables in tables() {
            for (phase, row) in tables.step.iter().enumerate() {
                let sum: f64 = row.iter().map(|&tap| f64::from(tap)).sum();
                // The short kernel's side lobes are higher: its DC gain depends on the position by 3e-6.
                let limit = if tables.latency() == BEST.latency { 1e-6 } else { 1e-5 };
                assert!((sum - (phase as f64 / PHASES as f64 - 0.5)).abs() < limit, "row {phase} sums to {sum}");
            }
        }
    }

    #[test]
    fn every_residual_is_the_integral_of_the_one_before() {
        for tables in tables() {
            for (rows, integrals) in [(&tables.step, &tables.ramp), (&tables.ramp, &tables.bow)] {
                for tap in 0..2 * tables.latency() {
                    for phase in 1..PHASES {
                        let rise = f64::from(integrals[phase + 1][tap]) - f64::from(integrals[phase - 1][tap]);
                        let slope = rise * PHASES as f64 / 2.0;
                        assert!((slope - f64::from(rows[phase][tap])).abs() < 3e-5, "tap {tap} phase {phase}");
                    }
                }
            }
        }
    }
}
