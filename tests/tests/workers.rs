//! What a worker may reach and what it costs, as the system's own books say.

use std::thread::sleep;
use std::time::Duration;

use tine_tests::patches::PLAYING;
use tine_tests::tine::Tine;

/// Mappings of a process: their rights and what they map.
fn mappings(maps: &str) -> Vec<(&str, &str)> {
    let words = maps.lines().map(|line| line.splitn(6, ' ').collect::<Vec<_>>());
    words.filter(|words| words.len() > 5).map(|words| (words[1], words[5].trim())).collect()
}

#[test]
fn a_worker_can_write_nothing_that_is_shared_but_its_own_lane() {
    let mut tine = Tine::serve(PLAYING, &[]);
    let pool = tine.osc().pool();
    assert_eq!(pool.len(), 10, "eight workers and two spares: {pool:?}");
    for worker in tine.workers() {
        let known = pool.iter().find(|(_, pid, ..)| *pid == worker.pid);
        let (lane, ..) = known.unwrap_or_else(|| panic!("{worker:?} is not in the pool: {pool:?}"));
        let maps = worker.file("maps");
        let shared: Vec<_> = mappings(&maps).into_iter().filter(|(rights, _)| rights.ends_with('s')).collect();
        let writable: Vec<_> = shared.iter().filter(|(rights, _)| rights.contains('w')).collect();
        let expected = usize::from(*lane >= 0);
        assert_eq!(writable.len(), expected, "worker {lane} has one lane, a spare none: {writable:?}");
        assert!(writable.iter().all(|(_, what)| what.starts_with("/memfd:tine-lane")), "{writable:?}");
        assert!(shared.len() >= 10, "tables, engine and all lanes are there to read: {shared:?}");
        assert!(!maps.contains("rwx"), "nothing is both writable and executable");

        let descriptors = worker.descriptors();
        let (standard, others): (Vec<_>, Vec<_>) = descriptors.iter().partition(|(number, _)| *number < 3);
        assert_eq!(standard.len(), 3, "{descriptors:?}");
        let is_socket = |(_, what): &&(i32, String)| what.starts_with("socket:");
        assert!(others.len() == 1 && others.iter().all(is_socket), "only its own socket is open: {descriptors:?}");
    }
    tine.quit();
}

#[test]
fn idle_workers_cost_no_time_and_little_memory() {
    let mut tine = Tine::serve(PLAYING, &[]);
    let pool = tine.osc().pool();
    let is_idle = |pid: i32| pool.iter().any(|(_, known, _, modules)| *known == pid && *modules == 0);
    let idle: Vec<_> = tine.workers().into_iter().filter(|worker| is_idle(worker.pid)).collect();
    assert_eq!(idle.len(), 5, "three of eight, and two spares: {pool:?}");
    let wakes = || -> Vec<u64> { idle.iter().map(|one| one.figure("status", "voluntary_ctxt_switches:")).collect() };
    let before = wakes();
    sleep(Duration::from_secs(3));
    assert_eq!(wakes(), before, "idle workers were woken");
    let dirty: Vec<u64> = idle.iter().map(|worker| worker.figure("smaps_rollup", "Private_Dirty:")).collect();
    println!("private dirty memory of idle workers: {dirty:?} kB");
    assert!(dirty.iter().all(|&kb| kb < 1024), "{dirty:?} kB");
    tine.quit();
}
