//! The kinds of Tine, one file each, and the DSP that they share.
//!
//! Knows no process, no shared memory, no OSC and no clock: a module is a pure function of its state,
//! params, events and inputs (DESIGN 4).
#![forbid(unsafe_code)]

#[macro_use]
mod macros;

pub mod block;
pub mod catalogue;
pub mod dsp;
pub mod fft;
pub mod kinds;
pub mod measure;
pub mod module;
pub mod rig;
pub mod runner;
pub mod sounds;
pub mod spectrum;
pub mod tables;
pub mod transport;

pub use block::{Block, Outputs, Param, Tape, Tapes};
pub use catalogue::{CATALOGUE, kind};
pub use fft::Ffts;
pub use module::Module;
pub use runner::Kind;
pub use sounds::{Prepared, Recording, Sound, Sounds};
pub use tables::Tables;
pub use transport::Transport;
