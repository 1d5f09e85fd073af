//! The OSC server over UDP: what a network may ask of a session. Never blocks on the session.
//!
//! Four threads: one receives and submits (`server.rs`), one sends, one tells subscribers what happens, and one does
//! what may take its time (files, lines of the REPL, address patterns). Every queue between them is bounded, and what
//! does not fit is refused or counted in [`OscStats`].
//!
//! - A bundle is one [`Request`](crate::command::Request): it takes effect whole or not at all. A nested bundle keeps
//!   its own timetag; where that is the outer one's, it is part of the outer one.
//! - What is not a command of the session (queries, controls, files) follows in order once the bundle's commands are in
//!   effect, and is refused with them. In a bundle without commands it is done at once, whatever the timetag.
//! - Files and lines cannot be timed: a bundle for later that holds one is refused as `unsupported`.
//! - The commands of one sender take effect in the order of its datagrams, slow ones included: while one is under way
//!   the sender's later ones wait behind it.

mod action;
mod args;
pub mod decode;
mod dispatch;
mod echo;
mod files;
mod glob;
mod handlers;
mod matching;
mod notify;
mod reply;
mod rows;
mod server;
mod slow;
mod stats;
mod table;
mod tokens;

pub use server::{OscConfig, OscServer, serve};
pub use stats::OscStats;
pub use table::{ADDRESSES, Address};
