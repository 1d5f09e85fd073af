//! x
#![forbid(unsafe_code)]
pub mod args;
pub mod catalog;
pub mod config;
pub mod files;
pub mod grammar;
pub mod help;
pub mod interpreter;
pub mod patchfile;
pub mod player;
pub mod run;
pub mod script;
pub mod similar;
pub mod words;
