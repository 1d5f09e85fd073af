//! Two copies of a signal, a quarter of a cycle apart at every pitch: what a frequency shifter turns.
//!
//! Two chains of all-passes, elliptic: the quarter holds within 0.009 degrees from 1/3200 of the rate up to as far below its half
//! (15 Hz to 23 985 Hz at 48 kHz), which leaves -82 dB of the mirrored sideband. All-passes bend phases, so a copy is not the
//! signal itself: mixed with it, it makes notches. Double precision, because poles this close to 1 amplify rounding.
//!
//! Source: Ansari, "IIR discrete-time Hilbert transformers", IEEE Trans. ASSP 35:8, 1987; coefficients by the closed form of
//! de Soras, HIIR, for 16 coefficients and a transition of 1/1600, dealt to the chains in turn as by Niemitalo.

const SECTIONS: usize = 8;

/// Coefficients of the chain that is ahead.
const AHEAD: [f64; SECTIONS] = [
    0.051_470_610_027_234_08,
    0.359_631_088_518_128_6,
    0.671_128_195_390_064_3,
    0.853_933_026_904_287_6,
    0.939_295_908_514_324_3,
    0.975_566_994_601_744_2,
    0.990_550_586_737_196_1,
    0.997_061_375_929_683_1,
];

/// And of the one that is behind, by a further frame.
const BEHIND: [f64; SECTIONS] = [
    0.186_219_610_438_038_4,
    0.529_367_274_185_329_8,
    0.778_181_531_565_989_9,
    0.905_335_397_505_526_7,
    0.961_363_209_410_881_6,
    0.984_678_891_669_887,
    0.994_405_884_607_232_2,
    0.999_085_486_696_819_7,
];

/// What one channel's chain remembers: what entered and left its sections in the two frames before.
pub type Memory = [[f64; 2]; SECTIONS + 1];

/// The chains of `W` channels side by side.
pub struct Hilbert<const W: usize> {
    chains: [[[[f64; W]; 2]; SECTIONS + 1]; 2],
    /// What the second chain gave in the frame before.
    late: [f64; W],
}

impl<const W: usize> Hilbert<W> {
    /// Takes the chains out of the voices' states.
    #[inline(always)]
    pub fn load(of: impl Fn(usize) -> ([Memory; 2], f64)) -> Self {
        let mut hilbert = Hilbert { chains: [[[[0.0; W]; 2]; SECTIONS + 1]; 2], late: [0.0; W] };
        for channel in 0..W {
            let (memories, late) = of(channel);
            hilbert.late[channel] = late;
            for chain in 0..2 {
                for section in 0..=SECTIONS {
                    for age in 0..2 {
                        hilbert.chains[chain][section][age][channel] = memories[chain][section][age];
                    }
                }
            }
        }
        hilbert
    }

    /// What `channel` remembers, to put back.
    #[inline(always)]
    pub fn store(&self, channel: usize) -> ([Memory; 2], f64) {
        let memories = self.chains.map(|chain| chain.map(|ages| ages.map(|lanes| lanes[channel])));
        (memories, self.late[channel])
    }

    /// The copy that is behind, and the one a quarter of a cycle ahead of it: cosine and minus sine of a cosine.
    #[inline(always)]
    pub fn step(&mut self, input: [f64; W]) -> [[f64; W]; 2] {
        let behind = self.late;
        let ahead = pass(&mut self.chains[0], input, &AHEAD);
        self.late = pass(&mut self.chains[1], input, &BEHIND);
        [behind, ahead]
    }
}

/// One frame through a chain of (a - z^-2) / (1 - a z^-2).
#[inline(always)]
fn pass<const W: usize>(
    memory: &mut [[[f64; W]; 2]; SECTIONS + 1],
    input: [f64; W],
    coefficients: &[f64; SECTIONS],
) -> [f64; W] {
    let mut value = input;
    for section in 0..SECTIONS {
        let mut output = [0.0; W];
        for lane in 0..W {
            let before = memory[section][1][lane];
            output[lane] = coefficients[section] * (value[lane] + memory[section + 1][1][lane]) - before;
        }
        memory[section] = [value, memory[section][0]];
        value = output;
    }
    memory[SECTIONS] = [value, memory[SECTIONS][0]];
    value
}
