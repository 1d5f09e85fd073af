//! What is measured: every kind at its defaults with a cable into each audio input, all outputs read; and dear special cases.

use tine_modules::rig::Rig;
use tine_modules::runner::Kind;
use tine_modules::{CATALOGUE, kind};
use tine_protocol::spec::Signal;

const RATE_HZ: f32 = 48_000.0;

/// Frames of a block.
pub const FRAMES: usize = 64;

/// Name, kind, params, and per cable: input, gain, frequency in Hz of the sine that it carries.
type Special = (&'static str, &'static str, &'static [(&'static str, f32)], &'static [(&'static str, f32, f32)]);

const CASES: &[Special] = &[
    ("vco saw", "vco", &[("freq", 440.0), ("shape", 0.0)], &[]),
    ("vco pulse", "vco", &[("freq", 440.0), ("shape", 1.0)], &[]),
    ("vco tri", "vco", &[("freq", 440.0), ("shape", 2.0)], &[]),
    ("vco sine", "vco", &[("freq", 440.0), ("shape", 3.0)], &[]),
    ("vco saw, fm", "vco", &[("freq", 440.0), ("fm_depth", 0.9)], &[("fm", 1.0, 110.0)]),
    (
        "vco pulse, fm + pwm + sync",
        "vco",
        &[("freq", 440.0), ("shape", 1.0), ("fm_depth", 0.9)],
        &[("fm", 1.0, 110.0), ("pw", 0.4, 70.0), ("sync", 1.0, 167.0)],
    ),
    ("vco saw, xfm", "vco", &[("freq", 440.0)], &[("xfm", 0.5, 110.0)]),
    ("vco saw, soft sync", "vco", &[("freq", 440.0), ("sync_mode", 1.0)], &[("sync", 1.0, 167.0)]),
    ("vco saw, low latency", "vco", &[("freq", 440.0), ("latency", 1.0)], &[]),
    ("vcf svf 12", "vcf", &[("res", 0.4)], &[("in", 1.0, 440.0)]),
    ("vcf svf 24", "vcf", &[("res", 0.4), ("slope", 1.0)], &[("in", 1.0, 440.0)]),
    ("vcf svf 12, res 0.9", "vcf", &[("res", 0.9)], &[("in", 1.0, 440.0)]),
    ("vcf svf 12, cutoff moving", "vcf", &[("res", 0.4)], &[("in", 1.0, 440.0), ("cutoff", 2.0, 900.0)]),
    ("vcf ladder", "vcf", &[("res", 0.6), ("model", 1.0)], &[("in", 1.0, 440.0)]),
    (
        "vcf ladder, cutoff moving",
        "vcf",
        &[("res", 0.6), ("model", 1.0)],
        &[("in", 1.0, 440.0), ("cutoff", 2.0, 900.0)],
    ),
    ("vcf ladder, 4x", "vcf", &[("res", 0.6), ("model", 1.0), ("quality", 2.0)], &[("in", 1.0, 440.0)]),
    ("vcf ladder, 1x", "vcf", &[("res", 0.6), ("model", 1.0), ("quality", 0.0)], &[("in", 1.0, 440.0)]),
    ("vcf svf 12, driven at 4x", "vcf", &[("drive", 10.0), ("quality", 2.0)], &[("in", 1.0, 440.0)]),
    ("wavetable, fm", "wavetable", &[("freq", 440.0)], &[("fm", 0.9, 110.0)]),
    ("wavetable, position moving", "wavetable", &[("freq", 440.0)], &[("position", 0.5, 3.0)]),
    ("op, feedback and fm", "op", &[("freq", 440.0), ("feedback", 0.3)], &[("pm", 0.5, 440.0)]),
    ("delay, time moving", "delay", &[], &[("in", 1.0, 440.0), ("time", 0.1, 1.0)]),
];

/// One thing that is measured.
pub struct Case {
    /// What it is.
    pub name: String,
    kind: &'static Kind,
    params: &'static [(&'static str, f32)],
    cables: Vec<(&'static str, f32, f32)>,
    /// The only output that is read; all of them without it.
    output: Option<&'static str>,
}

impl Case {
    /// All of them.
    ///
    /// # Panics
    /// If one names a kind that does not exist.
    pub fn all() -> Vec<Case> {
        let defaults = CATALOGUE.iter().map(|kind| {
            let audio = kind.spec.inputs.iter().filter(|port| port.signal == Signal::Audio);
            let cables = audio.map(|port| (port.name, 1.0, 440.0)).collect();
            Case { name: format!("{}, defaults", kind.spec.name), kind, params: &[], cables, output: None }
        });
        let special = CASES.iter().map(|(name, of, params, cables)| {
            let (_, kind) = kind(of).expect("the kind exists");
            Case { name: (*name).to_owned(), kind, params, cables: cables.to_vec(), output: Some("out") }
        });
        defaults.chain(special).collect()
    }

    /// A module for it, with so many channels.
    pub fn rig(&self, channels: usize) -> Rig {
        let rig = Rig::new(self.kind, channels, RATE_HZ, FRAMES);
        let rig = self.output.iter().fold(rig, |rig, output| rig.only(&[output]));
        let mut rig = self.params.iter().fold(rig, |rig, (param, value)| rig.with(param, *value));
        for (input, gain, hz) in &self.cables {
            let cable = rig.patch_poly(input, *gain, channels);
            // Channels differ a little in pitch, and one block is fed again and again: an edge more per block.
            rig.feed(cable, |channel, frame| {
                (std::f32::consts::TAU * hz * (1.0 + 0.01 * channel as f32) / RATE_HZ * frame as f32).sin()
            });
        }
        rig
    }
}
