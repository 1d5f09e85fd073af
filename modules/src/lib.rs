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
pub mod kinds;
pub mod module;
pub mod rig;
pub mod runner;
#[cfg(test)]
pub(crate) mod spectrum;
pub mod tables;

pub use block::{Block, Param, Tape};
pub use catalogue::{CATALOGUE, kind};
pub use module::Module;
pub use runner::Kind;
pub use tables::Tables;
