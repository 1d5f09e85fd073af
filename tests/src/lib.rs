//! What the black-box tests share: servers, configurations and runs of binaries that end with their test. Knows Tine from
//! outside only; what must look inside is a binary of its own (`device-probe`).
#![forbid(unsafe_code)]

pub mod alsa;
pub mod family;
pub mod jack;
pub mod osc;
pub mod patches;
pub mod probe;
pub mod tine;
pub mod wav;
