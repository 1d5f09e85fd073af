//! What crosses a process or network boundary: specs, shared layouts, rings, messages. Knows no DSP, no policy and
//! no patch. [`sys`] holds all unsafe code.
#![deny(unsafe_code)]

pub mod checksum;
pub mod handshake;
pub mod ids;
pub mod message;
pub mod plan;
pub mod ramp;
pub mod segment;
pub mod spec;
#[allow(unsafe_code)]
pub mod sys;
