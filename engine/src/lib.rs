//! The engine: session, conductor, pool, devices, OSC. Knows no kind by name and no text.
#![forbid(unsafe_code)]

pub mod answer;
mod arena;
pub mod batch;
mod bell;
mod claim;
mod clock;
pub mod command;
pub mod conductor;
pub mod device;
mod ear;
mod edit;
pub mod engine;
pub mod error;
pub mod feed;
#[cfg(test)]
mod fuzz;
pub mod handle;
mod history;
pub mod interpreter;
pub mod journal;
pub mod keeper;
mod memo;
mod mending;
mod model;
pub mod name;
mod notices;
pub mod osc;
mod outlet;
pub mod placement;
mod planner;
mod pool;
mod posting;
pub mod recorder;
mod resume;
pub mod scope;
mod session;
pub mod similar;
mod sounds;
mod stage;
mod stall;
mod stats;
mod timing;
mod value;
mod voices;

/// Ends a test in which real-time code allocates.
#[cfg(test)]
#[global_allocator]
static GUARD: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
