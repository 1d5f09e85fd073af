//! What every kind promises, checked on every kind of the catalogue, and what each kind is for.
#![forbid(unsafe_code)]

mod clicks;
mod clock;
mod conformance;
mod controls;
mod delay;
mod follow;
mod gates;
mod keys;
mod noise;
mod out;
mod pan;
mod quantize;
mod random;
mod routing;
mod signal;
mod steps;

/// Ends the process when a block allocates.
#[global_allocator]
static GUARD: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
