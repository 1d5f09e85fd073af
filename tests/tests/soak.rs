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
    let (late, stalls) = (osc.stat("late_blocks"), osc.stat("machine_stalls"));
    println!("machine_stalls {stalls}, the longest {} ms", osc.stat("machine_stall_max_ms"));
    // What the machine itself kept from everybody is not ours; one stall may cost several blocks.
    let blocks_per_stall = (osc.stat("machine_stall_max_ms") / 1.33).ceil() + 1.0;
    assert!(late <= stalls * blocks_per_stall, "{late} late blocks, the machine stalled {stalls} times");
    tine.quit();
}
