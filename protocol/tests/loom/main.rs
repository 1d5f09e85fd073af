//! Every interleaving, as the memory model allows it, of what the conductor, lanes, followers and the supervisor say to each other: none
//! loses, repeats or tears a block, or a wake-up.
//!
//! The functions of `tine_protocol::handshake` are the very ones that run; what stands around them here names the lines that it mirrors.
//! Waits have no deadline in the model: what a look after 50 ms would mend is found as a deadlock. Each model has its counter-proofs, in
//! which something is left out or swapped and loom finds what goes wrong.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p tine-protocol --test loom`; `LOOM_MAX_PREEMPTIONS` says how often at most a thread is
//! interrupted where it need not be (2 unless set; every one: a number that is never reached).
#![cfg(loom)]

mod attach;
mod bell;
mod commit;
mod cycle;
mod failover;
mod model;
