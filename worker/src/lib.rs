//! What a worker does: the zygote's warm-up and forking, and the loop that executes a lane. Knows no patch, no terminal and
//! no network.
#![forbid(unsafe_code)]

pub mod executor;
#[cfg(feature = "faults")]
pub mod faults;
pub mod inherit;
pub mod plans;
mod recovery;
pub mod rig;
pub mod seat;
mod sources;
pub mod warm;
pub mod zygote;
