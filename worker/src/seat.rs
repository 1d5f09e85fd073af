//! A worker's life: get ready, wait for a lane, execute it until the engine ends.
//!
//! Once it has a lane it sleeps on one futex word and does nothing else: an idle worker causes no wake-up at all.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

use tine_modules::{Kind, Tables};
use tine_protocol::handshake::{announce, first_block};
use tine_protocol::ids::LaneId;
use tine_protocol::message::{AttachOrder, WorkerSays};
use tine_protocol::segment::{LANE_BYTES, LAYOUT_HASH, LaneHead, MAGIC, engine, lane};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::{PAGE, WriteMap};
use tine_protocol::sys::obituary;
use tine_protocol::sys::seccomp::{Confinement, Stage};
use tine_protocol::sys::{process, sched, socket};

use crate::executor::{Executor, Patience, View, Workspace};
#[cfg(feature = "faults")]
use crate::faults::{self, Phase, Situation};

/// What a worker takes over from the zygote.
pub struct Warm<'t> {
    /// All there is to read.
    pub view: View,
    /// The tables.
    pub tables: &'t Tables,
    /// The kinds.
    pub catalogue: &'static [Kind],
    /// Work space; this process's own copy.
    pub workspace: Workspace,
}

/// Lives as a worker; `engine` is the socket to the engine. Returns when the engine ends.
///
/// # Errors
/// If the engine sends what it should not, or the lane cannot be mapped.
pub fn live(warm: Warm<'_>, engine: &OwnedFd, forked_ns: u64) -> io::Result<()> {
    let mapped_ns = now_ns();
    // Pages that every block reads, in this process's own page table.
    warm.view.engine.populate(0..PAGE);
    let is_locked = process::lock_memory().is_ok();
    let locked_ns = now_ns();
    let is_realtime = sched::set_fifo(0, sched::priority::WORKER).is_ok();
    let seated = Confinement::prepare(Stage::Seated)?;
    Confinement::prepare(Stage::Ready)?.enter()?;
    let micros = |from: u64, to: u64| ((to - from) / 1000) as u32;
    let says = WorkerSays {
        phases_us: [micros(forked_ns, mapped_ns), 0, micros(mapped_ns, locked_ns), micros(locked_ns, now_ns())],
        is_realtime: is_realtime.into(),
        is_locked: is_locked.into(),
    };
    socket::send(engine, &says, &[])?;
    let Some((order, descriptors)) = socket::receive::<AttachOrder>(engine, true)? else {
        return Ok(());
    };
    let [segment] = <[OwnedFd; 1]>::try_from(descriptors).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut own = WriteMap::new(&segment, LANE_BYTES)?;
    drop(segment);
    // Without it the supervisor hears of our end a little later.
    let _ = obituary::file(&mut own, lane::OBITUARY);
    execute(warm, own, order, Some(seated))
}

/// Executes a lane from where it stands until the engine ends.
fn execute(warm: Warm<'_>, mut own: WriteMap, order: AttachOrder, mut seated: Option<Confinement>) -> io::Result<()> {
    let lane_number = usize::from(order.lane);
    let (start, resume) = (engine::start(lane_number), engine::resume(lane_number));
    let view = warm.view.clone();
    own.write(std::mem::offset_of!(LaneHead, magic), MAGIC);
    own.write(std::mem::offset_of!(LaneHead, layout), LAYOUT_HASH);
    own.publish(lane::AWAITS, 0);
    // Whatever happens until the first module runs, no module is to blame.
    own.word(lane::RUNNING).store(lane::NOBODY, Ordering::Relaxed);
    let done = own.count(lane::DONE);
    let mut executor =
        Executor::new(LaneId(order.lane), Patience::Wait, own, warm.view, warm.tables, warm.catalogue, warm.workspace);
    // What the predecessor says that it finished is taken only if it can be: the modules' own counts decide in the end.
    let cycle = view.engine.count(start).load();
    let mut next = first_block(done, view.engine.count(resume).load(), cycle);
    #[cfg(feature = "faults")]
    {
        executor.generation = order.generation;
    }
    executor.recovery_mut().quarantine(order.quarantined);
    executor.inspect(next, cycle);
    // From here on the head is ours: what stood there before may have been anything.
    let generation = executor.own().word(lane::GENERATION);
    announce(|| executor.publish_done(next), || generation.store(order.generation, Ordering::Release));
    #[cfg(feature = "faults")]
    faults::at(Phase::Attach, order.generation, Situation { lane: order.lane, block: next, ..Situation::default() });
    if next >= cycle {
        executor.tell_caught_up();
    }
    loop {
        // SYNC lane-start: pairs with the conductor's publish; the events and plans of the block are visible after it.
        let target = view.engine.count(start).load();
        if view.engine.word(engine::QUIT).load(Ordering::Relaxed) != 0 {
            return Ok(());
        }
        next = next.max(view.engine.count(resume).load());
        if next >= target {
            // All memory is there, and all that is needed is mapped. Not sooner: it takes as long as a block.
            if let Some(seated) = seated.take() {
                seated.enter()?;
            }
            view.engine.count(start).wait(target, None);
            continue;
        }
        while next < target {
            let report = executor.run_block(next);
            if report.is_stopped {
                return Ok(());
            }
            let busy = executor.own().word(std::mem::offset_of!(LaneHead, busy_ns));
            busy.store(report.busy_ns as u32, Ordering::Relaxed);
            next += 1;
            if next == cycle {
                executor.tell_caught_up();
            }
            #[cfg(feature = "faults")]
            faults::at(
                Phase::Between,
                order.generation,
                Situation { lane: order.lane, block: next, ..Situation::default() },
            );
        }
    }
}
