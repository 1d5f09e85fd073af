//! What crosses a process or network boundary.
pub mod spec;
