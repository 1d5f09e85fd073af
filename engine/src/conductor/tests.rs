//! The conductor on real segments: what its thread, which nothing may hold up, is allowed to do.

use std::sync::atomic::AtomicU64;

use assert_no_alloc::assert_no_alloc;
use rtsan_standalone::ScopedSanitizeRealtime;
use tine_worker::executor::Patience;

use super::stand::{FRAMES, Stand, batch};
use super::*;
use crate::feed;

/// Blocks that the rings between the threads have room for.
const BLOCKS: u64 = 41;

/// Counts what it hears.
struct Ear(Arc<AtomicU64>);

impl Listener for Ear {
    fn hear(&mut self, block: &[[f32; SIDES]]) {
        let heard = block.iter().filter(|frame| frame[0].abs() > 1e-3).count();
        self.0.fetch_add(heard as u64, Ordering::Relaxed);
    }
}

#[test]
fn a_cycle_never_allocates_or_blocks() {
    let (sink, mut device) = feed::feed(BLOCKS as usize * FRAMES);
    let heard = Arc::new(AtomicU64::new(0));
    let pace = Pace::Device { outlet: Outlet { sink, period: FRAMES as u32, ear: None }, lead: 1, first: 0 };
    let mut stand = Stand::new(pace, Patience::Wait);
    let Stand { conductor, state, worker, orders, listeners, listeners_back, new_outlets, old_outlets, .. } =
        &mut stand;
    for block in 0..BLOCKS {
        if block % 3 == 0 {
            assert!(orders.push(batch(block, block * FRAMES as u64, 2 * FRAMES as u64)).is_ok());
        }
        if block % 10 == 5 {
            let ear: Box<dyn Listener> = Box::new(Ear(Arc::clone(&heard)));
            assert!(listeners.push(Some(ear)).is_ok());
        }
        worker.run_block(block);
        assert_no_alloc(|| {
            // The block of a birth asks the kernel for pages, in place of as many page faults.
            let _guard = (block > 0).then(ScopedSanitizeRealtime::default);
            conductor.step(block, state);
        });
        while listeners_back.pop().is_ok() {}
    }
    // The device is lost: another takes its place.
    let (sink, _other_device) = feed::feed(2 * FRAMES);
    assert!(new_outlets.push(Outlet { sink, period: FRAMES as u32, ear: None }).is_ok());
    worker.run_block(BLOCKS);
    assert_no_alloc(|| {
        let _guard = ScopedSanitizeRealtime::default();
        conductor.step(BLOCKS, state);
    });
    let old = old_outlets.pop().expect("the way to the old one comes back");
    assert_eq!(old.sink.room(), 0, "and nothing more went there");
    let mut returned = 0;
    while let Ok(report) = stand.reports.pop() {
        returned += u64::from(matches!(report, Report::Done(batch) if batch.events.is_empty()));
    }
    assert_eq!(returned, BLOCKS.div_ceil(3), "batches that took effect and came back");
    assert!(heard.load(Ordering::Relaxed) > 1000, "the cycles are silent");

    let mut samples = vec![0.0f32; FRAMES * SIDES];
    for _ in 0..=BLOCKS {
        assert_no_alloc(|| {
            let _guard = ScopedSanitizeRealtime::default();
            device.fill(&mut samples, SIDES);
        });
    }
    assert_eq!(stand.conductor.telemetry.late_blocks.load(Ordering::Relaxed), 0);
}
