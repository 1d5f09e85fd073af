//! A hop by itself: two processes of the real lane loop pass blocks of a vca chain, sleeping or looking, on one core or on two.
//!
//! Forks, so nothing here may run beside another thread. As in the engine both are woken at the start of a cycle, and the
//! first is held back until the second waits for it.

use std::io;
use std::mem::size_of;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tine_modules::Tables;
use tine_protocol::segment::{engine, lane};
use tine_protocol::sys::clock::{now_ns, sleep_until_ns};
use tine_protocol::sys::memory::{self, ReadMap, WriteMap};
use tine_protocol::sys::process::{self, Ended, Forked};
use tine_protocol::sys::sched;
use tine_worker::rig::Rig;

use super::figure::Samples;

/// How a hop is measured.
#[derive(Clone, Copy)]
pub struct Passing {
    /// Core of the first process and of the second.
    pub cores: [u16; 2],
    /// How often the second looks before it sleeps.
    pub spins: u32,
    /// Blocks.
    pub blocks: u64,
    /// Frames per second and per block.
    pub rate_hz: u32,
    /// Frames per block.
    pub frames: usize,
}

/// Enough looks to outlast the time for which the first is held back, on any processor.
pub const SPIN: u32 = 1_000_000;

/// How long the second is given to begin its wait.
const HOLD_NS: u64 = 150_000;

/// Past this the other process is dead.
const PEER_WAIT_NS: u64 = 2_000_000_000;

/// What a process notes per block: the moment and its own computing, both in nanoseconds.
const NOTE: usize = 2 * size_of::<u64>();

impl Passing {
    /// Time from the moment that the first process begins a block to the moment that the second has finished it, less what
    /// both compute.
    ///
    /// # Errors
    /// If the system refuses a process or a segment, or one of the processes ends early.
    pub fn measure(self) -> Result<Samples, String> {
        self.measure_io().map_err(|error| format!("hop: {error}"))
    }

    /// What is left without a hop: both modules in one process, from the begin of a block to its end, less what they compute.
    ///
    /// # Errors
    /// As [`Passing::measure`].
    pub fn measure_alone(self) -> Result<Samples, String> {
        self.alone_io().map_err(|error| format!("hop: {error}"))
    }

    fn alone_io(self) -> io::Result<Samples> {
        let rig = Rig::new(&[&["vca", "vca"]], self.rate_hz, self.frames, 0)?;
        let tables = Tables::build();
        let bytes = (NOTE * self.blocks as usize).next_multiple_of(memory::PAGE);
        let notes_fd = memory::create(c"bench-notes", bytes)?;
        let parent = std::process::id();
        let pid = match process::fork()? {
            Forked::Parent(pid) => pid,
            Forked::Child => {
                become_peer(parent, || self.compute_alone(&rig, &tables, WriteMap::new(&notes_fd, bytes)?))
            }
        };
        if process::wait_for(pid) != Some(Ended::Exited(0)) {
            return Err(io::Error::other("the process that computes blocks ended early"));
        }
        let notes = ReadMap::new(&notes_fd, bytes)?;
        let mut samples = Samples::micros();
        for block in 0..self.blocks as usize {
            let [took, busy]: [u64; 2] = notes.read(block * NOTE);
            samples.add(took.saturating_sub(busy));
        }
        Ok(samples)
    }

    fn compute_alone(self, rig: &Rig, tables: &Tables, mut notes: WriteMap) -> io::Result<()> {
        self.settle(0);
        let mut executor = rig.executor(0, tables)?;
        for block in 0..self.blocks {
            sleep_until_ns(now_ns() + self.block_ns());
            let began_ns = now_ns();
            let report = executor.run_block(block);
            notes.write(block as usize * NOTE, [now_ns() - began_ns, report.busy_ns]);
        }
        Ok(())
    }

    fn block_ns(self) -> u64 {
        self.frames as u64 * 1_000_000_000 / u64::from(self.rate_hz)
    }

    fn measure_io(self) -> io::Result<Samples> {
        let mut rig = Rig::new(&[&["vca"], &["vca"]], self.rate_hz, self.frames, self.spins)?;
        let tables = Tables::build();
        let half = (NOTE * self.blocks as usize).next_multiple_of(memory::PAGE);
        let notes_fd = memory::create(c"bench-notes", 2 * half)?;
        let parent = std::process::id();
        let mut peers = Vec::new();
        for side in [1, 0] {
            match process::fork()? {
                Forked::Parent(pid) => peers.push((pid, process::watch(pid)?)),
                Forked::Child => become_peer(parent, || {
                    let (first, second) = WriteMap::new(&notes_fd, 2 * half)?.split(half);
                    match side {
                        0 => self.lead(&mut rig, &tables, first),
                        _ => self.follow(&rig, &tables, second, half),
                    }
                }),
            }
        }
        // The leader was started last, and ends first: then the follower has nothing to wait for.
        let leader = peers.pop().and_then(|(pid, _)| process::wait_for(pid));
        if leader != Some(Ended::Exited(0)) {
            peers.iter().for_each(|(_, pidfd)| process::kill(pidfd));
        }
        let follower = peers.pop().and_then(|(pid, _)| process::wait_for(pid));
        if leader != Some(Ended::Exited(0)) || follower != Some(Ended::Exited(0)) {
            return Err(io::Error::other("a process that passes blocks ended early"));
        }
        let notes = ReadMap::new(&notes_fd, 2 * half)?;
        let mut samples = Samples::micros();
        for block in 0..self.blocks as usize {
            let [from, from_busy]: [u64; 2] = notes.read(block * NOTE);
            let [to, to_busy]: [u64; 2] = notes.read(half + block * NOTE);
            samples.add((to - from).saturating_sub(from_busy + to_busy));
        }
        Ok(samples)
    }

    /// Takes its core and the priority of a worker, where that is allowed.
    fn settle(self, side: usize) {
        let _ = sched::bind(0, &[self.cores[side]]);
        let _ = sched::set_fifo(0, sched::priority::WORKER);
        let _ = process::lock_memory();
    }

    /// Starts each cycle, holds back, computes, and notes when it began.
    fn lead(self, rig: &mut Rig, tables: &Tables, mut notes: WriteMap) -> io::Result<()> {
        self.settle(0);
        let mut executor = rig.executor(0, tables)?;
        let mut cycle_ns = now_ns() + 20_000_000;
        for block in 0..self.blocks {
            sleep_until_ns(cycle_ns);
            rig.control.publish(engine::start(1), block + 1);
            rig.control.wake(engine::start(1));
            sleep_until_ns(now_ns() + HOLD_NS);
            let began_ns = now_ns();
            let report = executor.run_block(block);
            notes.write(block as usize * NOTE, [began_ns, report.busy_ns]);
            let done = rig.view.lanes[1].count(lane::DONE);
            // By the clock, not by its word: waking us is no part of the hop.
            cycle_ns = now_ns().max(cycle_ns + self.block_ns());
            let until_ns = now_ns() + PEER_WAIT_NS;
            sleep_until_ns(cycle_ns);
            while done.load() <= block {
                if now_ns() > until_ns {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                sleep_until_ns(now_ns() + HOLD_NS);
            }
        }
        Ok(())
    }

    /// Waits for each cycle, computes, and notes when it was done.
    fn follow(self, rig: &Rig, tables: &Tables, mut notes: WriteMap, offset: usize) -> io::Result<()> {
        self.settle(1);
        let mut executor = rig.executor(1, tables)?;
        for block in 0..self.blocks {
            let start = rig.view.engine.count(engine::start(1));
            let until_ns = now_ns() + PEER_WAIT_NS;
            while start.load() <= block {
                start.wait(block, Some(until_ns));
                if now_ns() > until_ns {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            let report = executor.run_block(block);
            notes.write(offset + block as usize * NOTE, [now_ns(), report.busy_ns]);
        }
        Ok(())
    }
}

/// The child's side of a fork; never returns.
fn become_peer(parent: u32, role: impl FnOnce() -> io::Result<()>) -> ! {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        process::die_with_parent(parent)?;
        process::set_name("tine-bench");
        role()
    }));
    process::exit_now(i32::from(!matches!(outcome, Ok(Ok(())))))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_note_is_two_numbers() {
        assert_eq!(super::NOTE, size_of::<[u64; 2]>());
    }
}
