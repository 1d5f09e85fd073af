//! The `tine` binary.
fn main() {}
