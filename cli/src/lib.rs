//! x
#![forbid(unsafe_code)]
pub mod grammar;
pub mod similar;
