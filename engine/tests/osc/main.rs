//! The OSC server over real sockets, against a small session made for these tests. Waits are bounded only to fail.

mod addresses;
mod bundles;
mod client;
mod fake;
mod hostile;
mod notify;
mod requests;
