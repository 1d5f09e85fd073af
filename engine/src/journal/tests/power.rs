//! The disk fails, or the power goes, at every operation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::fake::{Fails, Fake};
use super::scene::{Scene, request, restored, story, writer, written};
use crate::command::Command;
use crate::journal::generation::Generations;
use crate::journal::writer::{Event, Message};

/// Plays a story on a disk, with a snapshot now and then; the disk `fails`. The patch after each record, and how many of these were
/// answered while the disk was well.
fn play(store: &Fake, story: &[Vec<Command>], fails: Fails) -> (Vec<String>, usize) {
    let mut scene = Scene::default();
    let (mut writer, events) = writer(store, Generations::default());
    let (mut states, answered) = (vec![written(&scene.state)], Arc::new(AtomicUsize::new(0)));
    store.fail(Some(fails));
    let mut kept = 0;
    let mut is_well = true;
    writer.work([Message::Snapshot(scene.state.clone())].into_iter());
    for (index, request) in story.iter().enumerate() {
        let mut messages: Vec<Message> = scene.request(request).into_iter().collect();
        if messages.is_empty() {
            continue;
        }
        states.push(written(&scene.state));
        let (answers, record) = (Arc::clone(&answered), states.len() - 1);
        messages.push(Message::Answer(Box::new(move || answers.store(record, Ordering::Relaxed))));
        if index % 3 == 2 {
            messages.push(Message::Snapshot(scene.state.clone()));
        }
        let fails_before = failed(store, fails);
        writer.work(messages.into_iter());
        assert_eq!(answered.load(Ordering::Relaxed), record, "every request is answered, whatever the disk does");
        is_well &= !fails_before && !failed(store, fails);
        if is_well {
            kept = record;
        }
    }
    let told: Vec<Event> = events.try_iter().collect();
    assert!(told.windows(2).all(|pair| pair[0] != pair[1]), "told once: {told:?}");
    (states, kept)
}

/// Whether an operation has failed so far.
fn failed(store: &Fake, fails: Fails) -> bool {
    match fails {
        Fails::At(at) | Fails::From(at) => store.operations() > at,
    }
}

/// What was answered before the power went is there; what is there was asked for.
fn assert_kept(store: &Fake, states: &[String], kept: usize, tear: usize, named: u32, what: &str) {
    let after = store.after_power_loss(tear, named);
    let found = restored(&after);
    match found.state {
        None => assert_eq!(kept, 0, "{what}"),
        Some(state) => {
            let state = written(&state);
            // The same patch may have been there twice: after an undo.
            let place = states.iter().rposition(|known| *known == state).unwrap_or_else(|| panic!("{what}: {state}"));
            assert!(place >= kept, "{what}: {place} of {kept}");
        }
    }
    assert!(found.is_whole, "{what}: {:?}", found.notes);
}

#[test]
fn whenever_the_power_goes_everything_answered_is_there() {
    let whole = Fake::default();
    play(&whole, &story(), Fails::At(usize::MAX));
    for at in 0..whole.operations() {
        let store = Fake::default();
        let (states, kept) = play(&store, &story(), Fails::From(at));
        for tear in [0, 1, 40, 150, 1000, usize::MAX] {
            for named in [0, 1, 2, 0b0101, 0b1010, u32::MAX] {
                assert_kept(
                    &store,
                    &states,
                    kept,
                    tear,
                    named,
                    &format!("operation {at}, {tear} bytes, names {named:b}"),
                );
            }
        }
    }
}

#[test]
fn an_answer_is_given_when_a_loss_of_power_can_take_nothing_back() {
    let (store, mut scene) = (Fake::default(), Scene::default());
    let (mut writer, _) = writer(&store, Generations::default());
    let mut messages = vec![Message::Snapshot(scene.state.clone())];
    let answered = Arc::new(AtomicUsize::new(0));
    let mut end = Scene::default();
    story().iter().for_each(|request| drop(end.request(request)));
    // All that waits is written together: with the first answer the last change is there too.
    let end = Arc::new(written(&end.state));
    for request in story() {
        messages.extend(scene.request(&request));
        let (store, end, answered) = (store.clone(), Arc::clone(&end), Arc::clone(&answered));
        messages.push(Message::Answer(Box::new(move || {
            let found = restored(&store.after_power_loss(0, 0)).state.expect("a session");
            assert_eq!(written(&found), *end);
            answered.fetch_add(1, Ordering::Relaxed);
        })));
    }
    writer.work(messages.into_iter());
    assert_eq!(answered.load(Ordering::Relaxed), story().len());
}

#[test]
fn after_an_error_of_the_disk_the_next_snapshot_has_everything() {
    let whole = Fake::default();
    play(&whole, &story(), Fails::At(usize::MAX));
    for at in 0..whole.operations() {
        let (store, mut scene) = (Fake::default(), Scene::default());
        let (mut writer, events) = writer(&store, Generations::default());
        store.fail(Some(Fails::At(at)));
        writer.work([Message::Snapshot(scene.state.clone())].into_iter());
        for (index, request) in story().iter().enumerate() {
            writer.work(scene.request(request).into_iter());
            if index % 3 == 2 {
                writer.work([Message::Snapshot(scene.state.clone())].into_iter());
            }
        }
        writer.work([Message::End(scene.state.clone())].into_iter());
        let told: Vec<Event> = events.try_iter().collect();
        match &told[..] {
            // Whether an old generation could be removed is nobody's concern.
            [] | [Event::Lost(_) | Event::Growing(_), Event::Back] => {}
            other => panic!("operation {at}: {other:?}"),
        }
        let found = restored(&store);
        assert_eq!(written(&found.state.unwrap()), written(&scene.state), "operation {at}");
        assert!(found.is_whole && found.notes.is_empty(), "operation {at}: {:?}", found.notes);
    }
}

#[test]
fn a_long_journal_asks_for_a_snapshot_once() {
    let (store, mut scene) = (Fake::default(), Scene::default());
    let (mut writer, _) = writer(&store, Generations::default());
    let shared = writer.shared();
    writer.work([Message::Snapshot(scene.state.clone())].into_iter());
    let wants = || shared.wants_snapshot.swap(false, Ordering::Relaxed);
    let mut records = 0;
    while !wants() {
        let name = format!("n{records}");
        let request = [super::scene::create("noise", Some(&name), 1), Command::Clear];
        writer.work(scene.request(&request).into_iter());
        records += 1;
    }
    assert!(records > 1000);
    writer.work(scene.request(&story()[0]).into_iter());
    assert!(!wants(), "it was asked already");
    writer.work([Message::Snapshot(scene.state.clone())].into_iter());
    assert_eq!(store.list(), ["journal-1", "journal-2", "snapshot-1", "snapshot-2"]);
    assert!(store.file("journal-2").len() < 100);
    assert_eq!(written(&restored(&store).state.unwrap()), written(&scene.state));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_happens_when_the_power_goes(
        story in prop::collection::vec(request(), 1..30), at in 0usize..80, tear in 0usize..3000, named in any::<u32>()
    ) {
        let store = Fake::default();
        let (states, kept) = play(&store, &story, Fails::From(at));
        assert_kept(&store, &states, kept, tear, named, "proptest");
    }
}
