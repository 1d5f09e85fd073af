//! Latency inside of a patch: none from hop to hop, exactly one block in a loop.

use std::collections::BTreeSet;

use tine_tests::osc::{number, text};
use tine_tests::tine::{Tine, render, run, said};
use tine_tests::wav::{assert_same, left, peak};

const SOURCE: &str = "create noise --id source\n";

fn chain(length: usize) -> String {
    let ids = (1..=length).map(|hop| format!("hop{hop}"));
    let creates: String = ids.clone().map(|id| format!("create vca --id {id}\n")).collect();
    let path: String = ids.map(|id| format!(" > {id}")).collect();
    format!("{SOURCE}{creates}connect source{path} > out\n")
}

#[test]
fn eight_hops_between_eight_workers_add_no_latency() {
    let frames = 48_000;
    let direct = render(&chain(0), 1.0, &["--workers", "9"]);
    assert!(peak(&direct) > 0.1);
    // Noise is an impulse in every frame: any shift shows.
    assert_same("rendered", &direct, &render(&chain(8), 1.0, &["--workers", "9"]), frames);

    let arguments = ["--workers", "9", "--lead", "16", "--record", "live.wav"];
    let mut tine = Tine::serve(&chain(8), &arguments);
    tine.play_until(frames);
    let rows = tine.osc().ask("/list", &[&"hop*"]);
    let hops: Vec<_> = rows.iter().filter(|row| row.addr == "/list.reply").collect();
    let workers: BTreeSet<i32> = hops.iter().map(|row| number(&row.args[2]) as i32).collect();
    assert_eq!((hops.len(), workers.len()), (8, 8), "each hop is a worker of its own");
    assert!(hops.iter().all(|row| text(&row.args[1]) == "vca"));
    tine.quit();
    assert_same("live", &direct, &tine.recording(), frames);
}

#[test]
fn a_loop_is_told_of_and_delays_by_one_block() {
    let head = format!("{SOURCE}create vca --id quiet gain=0.25\ncreate mix --id sum\ncreate vca --id half gain=0.5\n");
    let open = format!("{head}connect source > quiet > sum.in1\nconnect sum > out\n");
    let closed = format!("{open}connect sum > half > sum.in2\n");

    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--backend", "null", "--osc", "off"], &format!("{closed}info sum\n"));
    assert!(output.status.success(), "{}", said(&output));
    let answers = String::from_utf8_lossy(&output.stdout);
    let told: Vec<&str> = answers.lines().filter(|line| line.contains("one block late")).collect();
    assert_eq!(told.len(), 2, "the cable says so when it is made, and in `info`: {answers}");

    for block in [64, 256] {
        let block_words = block.to_string();
        let arguments = ["--block", block_words.as_str()];
        let (source, looped) = (left(&render(&open, 0.5, &arguments)), left(&render(&closed, 0.5, &arguments)));
        for (frame, &sample) in looped.iter().enumerate() {
            let before = frame.checked_sub(block).map_or(0.0, |before| looped[before]);
            assert_eq!(sample, source[frame] + 0.5 * before, "frame {frame} with blocks of {block}");
        }
    }
}
