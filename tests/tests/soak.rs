//! Minutes of play, for figures: `./check --long`.

use tine_tests::tine::Tine;

#[test]
#[ignore = "takes a minute: ./check --long"]
fn eight_workers_in_a_row_keep_time_for_a_minute() {
    let ids = (1..=8).map(|hop| format!("hop{hop}"));
    let creates: String = ids.clone().map(|id| format!("create vcf --id {id}\n")).collect();
    let path: String = ids.map(|id| format!(" > {id}")).collect();
    let patch = format!("create vco --id source\n{creates}connect source{path} > out\n");
    let mut tine = Tine::serve(&patch, &["--workers", "9"]);
    tine.play_until(60 * 48_000);
    let osc = tine.osc();
    let names = ["cycle_us", "cycle_load", "late_blocks", "late_block_max_ms", "xruns", "missed_frames", "blocks"];
    for name in names {
        println!("{name} {}", osc.stat(name));
    }
    println!("machine_stalls {}, the longest {} ms", osc.stat("machine_stalls"), osc.stat("machine_stall_max_ms"));
    let (ours, machine) = (osc.stat("late_by_us"), osc.stat("late_by_machine"));
    println!("late by us {ours}, by the machine {machine}");
    // The watch looks once a millisecond: on a machine that stalls a hundred times a second it cannot see every one.
    assert!(ours <= 0.02 * machine, "{ours} late blocks that no stall of the machine explains");
    tine.quit();
}
