//! How it sounds: the real binary renders and measures every row of its tables, and each target is held.

use tine_tests::tine::{run, said};

#[test]
fn every_target_of_sound_is_met() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["bench", "sound", "--json", "sound.json"], "");
    assert!(output.status.success(), "{}", said(&output));
    let json = std::fs::read(folder.path().join("sound.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let figures = report["figures"].as_array().expect("there are figures");
    assert!(figures.len() > 150, "only {} rows were measured", figures.len());
    let mut missed = Vec::new();
    for figure in figures {
        let target = &figure["targets"][0];
        let row = format!("{}: {} {}, target {}", figure["name"], figure["max"], figure["unit"], target["below"]);
        println!("{row}");
        if target["is_met"] != true {
            missed.push(row);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
