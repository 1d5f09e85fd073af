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
    // What the machine itself kept from everybody is not ours.
    let rows = osc.ask("/stats", &[]);
    let stalled =
        rows.iter().find(|row| row.args.first().is_some_and(|name| tine_tests::osc::text(name) == "machine_stalled"));
    let stalled = stalled.map(|row| tine_tests::osc::number(&row.args[1]));
    let (late, xruns) = (osc.stat("late_blocks"), osc.stat("xruns"));
    match stalled {
        Some(stalled) => assert!(xruns <= stalled, "{xruns} xruns, the machine stalled {stalled} times"),
        // Without that figure: a machine that is left alone stalls in less than one block of a thousand.
        None => assert!(late <= osc.stat("blocks") / 1000.0, "{late} late blocks, {xruns} xruns"),
    }
    tine.quit();
}
