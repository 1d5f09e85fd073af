//! The engine: session, conductor, pool, devices, OSC. Knows no kind by name and no text.
#![forbid(unsafe_code)]

pub mod answer;
pub mod command;
pub mod device;
pub mod error;
pub mod feed;
pub mod handle;
pub mod interpreter;
pub mod name;
pub mod osc;
