//! The conductor beside a worker that lies: nothing that it is told waits for ever.

use std::sync::atomic::AtomicBool;

use tine_protocol::segment::RING_BLOCKS;
use tine_worker::executor::Patience;

use super::stand::{FRAMES, Stand, batch};
use super::*;

impl Stand {
    fn events_moved(&self) -> u64 {
        self.conductor.telemetry.events_moved.load(Ordering::Relaxed)
    }
}

fn stand() -> Stand {
    Stand::new(Pace::Free, Patience::GoOn)
}

#[test]
fn a_batch_waits_eight_blocks_for_a_lane_that_lies_or_stands_still() {
    for lie in [0, u64::MAX, 50] {
        let mut stand = stand();
        assert!(stand.orders.push(batch(7, 0, 0)).is_ok());
        stand.worker.own().publish(lane::DONE, lie);
        let returned_at = (0..100).find(|&block| {
            stand.late(block);
            !stand.returned().is_empty()
        });
        // A lane that says 50 is believed when 50 blocks are due, and not before.
        assert_eq!(returned_at, Some(RING_BLOCKS as u64), "{lie}");
    }
}

#[test]
fn a_block_is_not_finished_by_a_count_that_was_not_asked_for() {
    let mut stand = stand();
    assert!(stand.orders.push(batch(1, 0, 0)).is_ok());
    for (block, ahead, is_late) in [(0, 0, true), (1, 1, false), (2, 2, true), (3, 1 << 32, true), (4, 1, false)] {
        stand.worker.own().publish(lane::DONE, block + ahead);
        let before = stand.conductor.telemetry.late_blocks.load(Ordering::Relaxed);
        stand.late(block);
        let is_counted = stand.conductor.telemetry.late_blocks.load(Ordering::Relaxed) > before;
        assert_eq!(is_counted, is_late, "{ahead} ahead of block {block}");
    }
}

#[test]
fn events_wait_for_a_lane_that_is_lost_and_go_when_it_is_back() {
    let mut stand = stand();
    assert!(stand.orders.push(batch(1, 0, 0)).is_ok());
    (0..20).for_each(|block| stand.late(block));
    assert!(stand.orders.push(batch(2, 20 * FRAMES as u64, 3)).is_ok());
    (20..40).for_each(|block| stand.late(block));
    assert_eq!((stand.returned(), stand.state.events[0].len()), (vec![1, 2], 3), "answered, and still to be done");
    assert!(stand.events_moved() >= 3 * 20);
    stand.worker.own().publish(lane::DONE, 40);
    stand.late(40);
    assert_eq!(stand.state.events[0].len(), 0);
    let count: u32 = stand.conductor.control.read(engine::events(0, 40) + std::mem::offset_of!(EventBlock, count));
    assert_eq!(count, 3);
}

#[test]
fn a_flood_for_a_lane_that_never_comes_back_is_counted_and_answered() {
    const BLOCKS: u64 = 2_000;
    let mut stand = stand();
    let mut returned = 0;
    for block in 0..BLOCKS {
        assert!(
            stand.orders.push(batch(block, block * FRAMES as u64, 10)).is_ok(),
            "the conductor takes no more orders"
        );
        stand.late(block);
        returned += stand.returned().len() as u64;
    }
    let dropped = stand.conductor.telemetry.events_dropped.load(Ordering::Relaxed);
    assert!(returned >= BLOCKS - RING_BLOCKS as u64, "{returned} of {BLOCKS} batches came back");
    // In the first eight blocks the lane could still come.
    assert_eq!(dropped + stand.state.events[0].len() as u64 + 10 * RING_BLOCKS as u64, BLOCKS * 10);
    assert_eq!(stand.conductor.telemetry.reports_lost.load(Ordering::Relaxed), 0);
}

#[test]
fn reports_of_lateness_leave_room_for_those_that_the_session_waits_for() {
    let mut stand = stand();
    assert!(stand.orders.push(batch(1, 0, 0)).is_ok());
    // Nobody reads the reports meanwhile.
    (0..2 * PENDING_MAX as u64).for_each(|block| stand.late(block));
    assert!(stand.conductor.telemetry.reports_lost.load(Ordering::Relaxed) > 0);
    assert!(stand.orders.push(batch(2, 0, 0)).is_ok());
    (2 * PENDING_MAX as u64..2 * PENDING_MAX as u64 + 9).for_each(|block| stand.late(block));
    assert_eq!(stand.returned(), [1, 2]);
}

#[test]
fn a_count_that_changes_without_end_holds_a_block_up_until_its_deadline() {
    let mut stand = stand();
    assert!(stand.orders.push(batch(1, 0, 0)).is_ok());
    let is_over = AtomicBool::new(false);
    let Stand { conductor, state, worker, .. } = &mut stand;
    let own = worker.own();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut count = 1 << 40;
            while !is_over.load(Ordering::Relaxed) {
                own.publish(lane::DONE, count);
                count += 1;
            }
        });
        for block in 0..20 {
            conductor.cycle(block, Some(now_ns() + 1_000_000), state);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(stand.conductor.telemetry.late_blocks.load(Ordering::Relaxed), 20);
}

#[test]
fn who_claims_to_be_done_and_has_committed_nothing_is_looked_at() {
    let mut stand = stand();
    assert!(stand.orders.push(batch(1, 0, 0)).is_ok());
    stand.worker.own().publish(lane::DONE, 1);
    stand.late(0);
    assert!(is_ringing(&stand.conductor.alarm), "`out` hears the lane");
    stand.conductor.alarm.silence();
    stand.worker.run_block(0);
    stand.worker.run_block(1);
    stand.late(1);
    assert!(!is_ringing(&stand.conductor.alarm));
}

fn is_ringing(alarm: &Alarm) -> bool {
    use std::os::fd::AsFd;
    tine_protocol::sys::process::wait_any([alarm.as_fd()], Some(0))[0]
}
