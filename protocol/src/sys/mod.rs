//! The system below: the only place in Tine where unsafe code may stand, and what a port would have to rewrite.
//!
//! Linux 5.16 or later: memfd, futex, pidfd, seals.

#[cfg(not(target_os = "linux"))]
compile_error!("Tine needs Linux 5.16 or later: memfd, futex, pidfd and seals are what it stands on");

pub mod alarm;
pub mod clock;
#[cfg(feature = "faults")]
pub mod fault;
pub mod fpu;
pub mod futex;
pub mod memory;
pub mod obituary;
pub mod process;
pub mod sched;
pub mod seccomp;
pub mod socket;
pub mod terminal;
