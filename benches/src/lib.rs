//! What the benches measure, where more than one does.
#![forbid(unsafe_code)]

pub mod cases;
