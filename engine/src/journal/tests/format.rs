//! Torn and spoilt files: the patch is that of the last record that can be trusted, and nothing is thrown away.

use proptest::prelude::*;

use super::fake::Fake;
use super::scene::{Scene, create, id, request, restored, set, story, writer, written};
use crate::command::{Command, Measure, Value};
use crate::journal::generation::Generations;
use crate::journal::line;
use crate::journal::note::Note;
use crate::journal::writer::Message;

/// A session's folder after the story, and the patch after each of its records, the empty one first.
fn told(story: Vec<Vec<Command>>) -> (Fake, Vec<String>) {
    let (store, mut scene) = (Fake::default(), Scene::default());
    let (mut writer, _) = writer(&store, Generations::default());
    let mut states = vec![written(&scene.state)];
    writer.work([Message::Snapshot(scene.state.clone())].into_iter());
    for request in story {
        if let Some(message) = scene.request(&request) {
            writer.work([message].into_iter());
            states.push(written(&scene.state));
        }
    }
    (store, states)
}

fn state(store: &Fake) -> String {
    written(&restored(store).state.expect("a session"))
}

/// Goes on after what was found, and has it found again.
fn assert_goes_on(store: &Fake) {
    let found = restored(store);
    let mut scene = Scene { state: found.state.expect("a session"), ..Scene::default() };
    let (mut writer, events) = writer(store, found.generations);
    writer.work([Message::Snapshot(scene.state.clone())].into_iter());
    writer.work(scene.request(&[create("noise", Some("after"), 1)]).into_iter());
    assert!(events.is_empty());
    let again = restored(store);
    assert_eq!(written(&again.state.expect("a session")), written(&scene.state));
    assert!(again.is_whole && again.notes.is_empty(), "{:?}", again.notes);
}

#[test]
fn a_session_comes_back_as_it_was() {
    let (store, states) = told(story());
    assert_eq!(states.len(), story().len() + 1, "each request of the story changes the patch");
    let found = restored(&store);
    assert!(found.is_whole && found.notes.is_empty());
    let found = found.state.unwrap();
    assert_eq!(written(&found), states[states.len() - 1]);
    assert!(found.model.cables().iter().any(|cable| cable.is_feedback));
    for module in found.model.modules() {
        assert_eq!(module.params[..], module.initial[..], "{}: what was set last is what it begins with", module.id);
    }
    assert_goes_on(&store);
}

#[test]
fn a_tail_cut_at_any_byte_leaves_the_last_whole_record() {
    let (store, states) = told(story());
    let bytes = store.file("journal-1");
    let ends: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').map(|at| at + 1).collect();
    for cut in 0..=bytes.len() {
        let torn = store.copy();
        torn.put("journal-1", &bytes[..cut]);
        let found = restored(&torn);
        let whole = ends.iter().filter(|&&end| end <= cut).count();
        assert_eq!(written(&found.state.unwrap()), states[whole.saturating_sub(1)], "cut at {cut}");
        match &found.notes[..] {
            [] => assert!(ends.contains(&cut), "cut at {cut} and not told"),
            [Note::Cut { file, bytes: told }] => {
                assert_eq!((file.as_str(), *told as usize), ("journal-1", cut - ends[whole - 1]));
                assert_eq!(torn.file("journal-1"), bytes[..ends[whole - 1]]);
            }
            [Note::SetAside { to: Ok(to), .. }] => assert!(whole == 0 && torn.file(to) == bytes[..cut]),
            other => panic!("cut at {cut}: {other:?}"),
        }
        assert_eq!(found.is_whole, whole > 0);
        if cut % 97 == 0 {
            assert_goes_on(&torn);
        }
    }
}

#[test]
fn a_spoilt_byte_is_noticed_and_what_comes_after_it_does_not_count() {
    let (store, states) = told(story());
    let bytes = store.file("journal-1");
    for at in 0..bytes.len() {
        for flip in [1, 2, 0x20, 0x80, 0xff, bytes[at] ^ b'\n'] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            if flip == 0 {
                continue;
            }
            let spoilt = store.copy();
            spoilt.put("journal-1", &changed);
            let found = restored(&spoilt);
            let before = bytes[..at].iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(written(&found.state.unwrap()), states[before.saturating_sub(1)], "byte {at} ^ {flip}");
            match &found.notes[..] {
                [Note::Cut { .. }] => assert_eq!(at, bytes.len() - 1, "only a missing end looks torn"),
                [Note::SetAside { to: Ok(to), .. }] => assert!(!found.is_whole && spoilt.file(to) == changed),
                other => panic!("byte {at} ^ {flip}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_spoilt_snapshot_is_set_aside_and_the_one_before_leads_to_the_same_patch() {
    let (store, mut scene) = (Fake::default(), Scene::default());
    let (mut writer, _) = writer(&store, Generations::default());
    for request in story() {
        writer.work([Message::Snapshot(scene.state.clone())].into_iter());
        writer.work(scene.request(&request).into_iter());
    }
    let newest = story().len();
    let [old, new] = [newest - 1, newest].map(|generation| format!("snapshot-{generation}"));
    let [old_journal, new_journal] = [newest - 1, newest].map(|generation| format!("journal-{generation}"));
    assert_eq!(store.list(), [&old_journal, &new_journal, &old, &new].map(String::as_str), "two generations are kept");
    let bytes = store.file(&new);
    for at in 0..bytes.len() {
        let spoilt = store.copy();
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        spoilt.put(&new, &changed);
        let found = restored(&spoilt);
        assert_eq!(written(&found.state.unwrap()), written(&scene.state), "byte {at}");
        assert!(found.is_whole && spoilt.file("snapshot.corrupt-1") == changed);
        if at == 99 {
            // A second one finds the first name taken.
            assert_goes_on(&spoilt);
            spoilt.put("snapshot-99", b"nonsense");
            assert!(
                matches!(&restored(&spoilt).notes[..], [Note::SetAside { to: Ok(to), .. }] if to == "snapshot.corrupt-2")
            );
        }
    }
    // Without a word that the journals belong together nothing is guessed.
    let apart = store.copy();
    apart.put(&new, b"");
    let text = String::from_utf8(apart.file(&old_journal)).unwrap();
    let shorter: String = text.lines().take(1).map(|line| line.to_owned() + "\n").collect();
    apart.put(&old_journal, shorter.as_bytes());
    let found = restored(&apart);
    assert!(!found.is_whole && found.notes.len() == 2, "{:?}", found.notes);
    // With none left the session begins empty, and all of it lies beside.
    let lost = store.copy();
    lost.put(&new, b"");
    lost.put(&old, b"");
    let found = restored(&lost);
    assert_eq!((found.state.unwrap().count(), found.is_whole, found.notes.len()), ([0, 0], false, 4));
    assert_goes_on(&lost);
    assert_eq!(lost.list().iter().filter(|name| name.contains("corrupt")).count(), 4);
}

#[test]
fn records_that_are_missing_doubled_or_swapped_do_not_count() {
    let (store, states) = told(story());
    let text = String::from_utf8(store.file("journal-1")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut missing = lines.clone();
    missing.remove(4);
    let mut doubled = lines.clone();
    doubled.insert(4, lines[3]);
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    for (what, lines) in [("missing", missing), ("doubled", doubled), ("swapped", swapped)] {
        let changed = store.copy();
        changed.put("journal-1", (lines.join("\n") + "\n").as_bytes());
        let found = restored(&changed);
        assert_eq!(written(&found.state.unwrap()), states[3], "{what}");
        assert!(!found.is_whole);
    }
}

#[test]
fn a_later_version_is_refused_and_left_alone() {
    for file in ["snapshot-1", "journal-1"] {
        let (store, _) = told(story());
        let text = String::from_utf8(store.file(file)).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let mut later = Vec::new();
        line::push(&mut later, first[9..].replace("\"version\":1", "\"version\":2").as_bytes());
        later.extend(rest.as_bytes());
        store.put(file, &later);
        let names = store.list();
        let refused = crate::journal::restore::restore(
            &store,
            &names,
            crate::model::Catalogue(tine_modules::CATALOGUE),
            super::scene::OUT,
        );
        assert_eq!(refused.err().map(|later| (later.file, later.version)), Some((file.to_owned(), 2)));
        assert_eq!(store.list(), names);
    }
}

#[test]
fn playing_is_not_kept_unless_it_moves_a_param() {
    let mut scene = Scene::default();
    assert!(scene.request(&[create("vco", None, 1), create("adsr", None, 1), create("vca", None, 1)]).is_some());
    let note = |module: &str| Command::Note { id: id(module), pitch: Value::Number(0.0, Measure::Note), velocity: 0.5 };
    for gesture in [
        note("vco1"),
        Command::Gate { id: id("adsr1"), level: 1.0 },
        Command::Trigger { id: id("adsr1") },
        Command::Reset { id: id("vco1") },
        Command::Panic,
        set("vco1", "freq", f64::from(scene.state.model.module(&id("vco1")).unwrap().params[0])),
    ] {
        assert!(scene.request(std::slice::from_ref(&gesture)).is_none(), "{gesture:?}");
    }
    assert!(scene.request(&[note("vca1")]).is_some(), "its velocity is a param");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn anything_as_a_journal_changes_nothing(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (store, states) = told(vec![]);
        store.put("journal-1", &bytes);
        prop_assert_eq!(state(&store), &states[0][..]);
        store.put("snapshot-1", &bytes);
        restored(&store);
        prop_assert!(store.list().len() > 1);
    }

    #[test]
    fn any_text_with_a_right_checksum_changes_nothing(
        texts in prop::collection::vec("(\\{\"number\":1,\"change\":\\{\"(request|patch)\":)?[a-z0-9\":{},\\[\\]. ]{0,60}", 1..6)
    ) {
        let (store, states) = told(vec![]);
        let mut bytes = store.file("journal-1");
        for text in &texts {
            line::push(&mut bytes, text.as_bytes());
        }
        store.put("journal-1", &bytes);
        prop_assert_eq!(state(&store), &states[0][..]);
        let mut bytes = Vec::new();
        line::push(&mut bytes, texts[0].as_bytes());
        store.put("snapshot-1", &bytes);
        restored(&store);
    }

    #[test]
    fn any_session_comes_back(story in prop::collection::vec(request(), 1..40)) {
        let (store, states) = told(story);
        prop_assert_eq!(&state(&store), states.last().unwrap());
    }

    #[test]
    fn any_number_is_written_to_the_bit(number in any::<u64>(), gain in any::<u64>()) {
        let [number, gain] = [number, gain].map(f64::from_bits);
        prop_assume!(number.is_finite() && gain.is_finite());
        let commands = vec![set("a", "b", number), super::scene::connect(super::scene::port("a", ""), super::scene::port("b", ""), gain)];
        let read: Vec<Command> = serde_json::from_slice(&serde_json::to_vec(&commands).unwrap()).unwrap();
        prop_assert_eq!(format!("{read:?}"), format!("{commands:?}"));
        let single = number as f32;
        prop_assume!(single.is_finite());
        let read: f32 = serde_json::from_slice(&serde_json::to_vec(&single).unwrap()).unwrap();
        prop_assert_eq!(read.to_bits(), single.to_bits());
    }
}
