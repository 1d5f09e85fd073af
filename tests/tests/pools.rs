//! How the pool lives: it grows and shrinks, prefers seats that did not fail, and replaces a worker that is told to go.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tine_tests::osc::Osc;
use tine_tests::patches::PLAYING;
use tine_tests::tine::{PATIENCE, STEADY, Tine, render};
use tine_tests::wav::assert_same;

/// Seats with their states and modules, as `pool` has them.
fn seats(osc: &Osc) -> Vec<(i32, String, i32)> {
    let seats = osc.pool().into_iter().filter(|(seat, ..)| *seat >= 0);
    seats.map(|(seat, _, state, modules)| (seat, state, modules)).collect()
}

/// Waits until the pool is as wished.
fn wait_for(osc: &Osc, what: &str, is_so: impl Fn(&[(i32, String, i32)]) -> bool) {
    let begun = Instant::now();
    while !is_so(&seats(osc)) {
        assert!(begun.elapsed() < PATIENCE * 3, "{what}: {:?}", seats(osc));
        sleep(Duration::from_millis(20));
    }
}

fn idle(seats: &[(i32, String, i32)]) -> usize {
    seats.iter().filter(|(_, state, _)| state == "idle").count()
}

#[test]
fn a_worker_that_is_replaced_is_not_heard() {
    let arguments: Vec<&str> = STEADY.into_iter().chain(["--record", "live.wav"]).collect();
    let mut tine = Tine::serve(PLAYING, &arguments);
    let osc = tine.osc();
    tine.play_until(4_800);
    for worker in 0..4 {
        osc.done("/eval", &[&format!("restart {worker}")]);
        wait_for(&osc, "full again", |seats| seats.iter().all(|(_, state, _)| state == "idle" || state == "busy"));
        let frames = osc.stat("frames") as usize;
        tine.play_until(frames + 9_600);
    }
    assert_eq!(osc.stat("worker_deaths"), 4.0);
    let (message, _) = osc.refused("/eval", &[&"restart 8"]);
    assert!(message.contains("no worker 8"), "{message}");
    tine.quit();
    let recorded = tine.recording();
    let rendered = render(PLAYING, recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    assert_same("with four others", &recorded, &rendered, 4 * 9_600);
}

#[test]
fn a_seat_whose_worker_has_just_died_is_not_chosen_first() {
    let mut tine = Tine::serve("", &["--workers", "3"]);
    let osc = tine.osc();
    let pool = osc.pool();
    let (_, first, ..) = pool.iter().find(|(seat, ..)| *seat == 0).expect("worker 0");
    kill(Pid::from_raw(*first), Signal::SIGKILL).unwrap();
    let begun = Instant::now();
    while osc.stat("worker_deaths") < 1.0 {
        assert!(begun.elapsed() < PATIENCE);
        sleep(Duration::from_millis(5));
    }
    for (id, seat) in [("a", 1), ("b", 2), ("c", 0)] {
        osc.done("/create", &[&"vco", &id]);
        let modules = seats(&osc).into_iter().find(|(number, ..)| *number == seat).map(|(.., modules)| modules);
        assert_eq!(modules, Some(1), "{id}: {:?}", seats(&osc));
    }
    assert!((0.9..1.0).contains(&osc.stat("availability")), "{}", osc.stat("availability"));
    tine.quit();
}

#[test]
fn the_pool_grows_while_idle_workers_run_low() {
    let mut tine = Tine::serve("", &["--workers", "2", "--max-workers", "5", "--spares", "1"]);
    let osc = tine.osc();
    assert_eq!(seats(&osc).len(), 2);
    for number in 0..5 {
        osc.done("/create", &[&"vco", &format!("m{number}")]);
        let (open, wanted) = (seats(&osc).len(), (number + 3).min(5));
        wait_for(&osc, "two are idle while there is room", |seats| {
            seats.len() == wanted && idle(seats) == wanted - number - 1
        });
        assert!(open > number, "each has a worker of its own");
    }
    let alone = seats(&osc);
    assert!(alone.iter().all(|(.., modules)| *modules == 1), "{alone:?}");
    // No further: the sixth shares.
    osc.done("/create", &[&"vco", &"m5"]);
    assert_eq!(seats(&osc).len(), 5);
    let (message, _) = osc.refused("/eval", &[&"create vco --worker 5"]);
    assert!(message.contains("no worker 5"), "{message}");
    tine.quit();
}

#[test]
#[ignore = "takes a minute: ./check --long"]
fn the_pool_shrinks_to_where_it_began_after_a_minute() {
    let arguments: Vec<&str> =
        STEADY.into_iter().chain(["--record", "live.wav", "--workers", "4", "--max-workers", "9"]).collect();
    let mut tine = Tine::serve(PLAYING, &arguments);
    let osc = tine.osc();
    // The patch was there before the pool could grow: it is on the four.
    wait_for(&osc, "two are idle", |seats| seats.len() == 6 && idle(seats) == 2);
    osc.done("/create", &[&"vco", &"guest"]);
    wait_for(&osc, "it grows", |seats| seats.len() == 7 && idle(seats) == 2);
    let processes = tine.members().len();
    osc.done("/destroy", &[&"guest"]);
    wait_for(&osc, "it shrinks", |seats| seats.len() == 6);
    wait_for(&osc, "two stay idle", |seats| idle(seats) == 2);
    assert_eq!(tine.members().len(), processes - 1);
    assert_eq!((osc.stat("worker_deaths"), osc.stat("workers_retired")), (0.0, 1.0));
    tine.quit();
    let recorded = tine.recording();
    let rendered = render(PLAYING, recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    assert_same("while the pool grew and shrank", &recorded, &rendered, 48_000);
}
