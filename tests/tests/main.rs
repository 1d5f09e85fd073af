//! Black-box tests, in one binary: of real devices, processes and files, and of how the house is built.

mod architecture;
mod bundles;
mod chain;
mod churn;
mod clicks;
#[cfg(feature = "devices")]
mod devices;
mod durability;
mod endings;
mod examples;
mod faults;
mod fuzz;
mod kills;
mod languages;
mod lies;
mod music;
mod order;
mod outlets;
mod overload;
mod pools;
mod refusals;
mod renders;
#[cfg(feature = "devices")]
mod servers;
mod soak;
mod sound;
mod terminals;
mod usage;
mod workers;
