//! Black-box tests, in one binary: of real devices, processes and files, and of how the house is built.

mod architecture;
#[cfg(feature = "devices")]
mod devices;
