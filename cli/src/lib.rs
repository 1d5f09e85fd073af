//! x
#![forbid(unsafe_code)]
pub mod catalog;
pub mod files;
pub mod grammar;
pub mod patchfile;
pub mod similar;
pub mod words;
