//! The journal as the session has it: with its thread, on a real disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use tine_modules::CATALOGUE;

use super::scene::{OUT, Scene, story, written};
use crate::error::Refusal;
use crate::journal::{OpenError, Opened, open};
use crate::model::Catalogue;

fn opened(folder: &Path) -> Result<Opened, OpenError> {
    open(folder, None, Catalogue(CATALOGUE), OUT, &Arc::default())
}

/// Plays the story and waits for each answer; the patch it led to.
fn play(journal: &crate::journal::Journal, scene: &mut Scene) {
    for request in story() {
        let before = scene.state.clone();
        scene.request(&request);
        let now = (&scene.state.model, scene.state.next_slot);
        journal.accept((&before.model, before.next_slot), request, now);
        let (sender, answer) = channel();
        journal.answer(Box::new(move |outcome: Result<u32, Refusal>| drop(sender.send(outcome))), 7);
        assert_eq!(answer.recv().unwrap(), Ok(7));
    }
}

#[test]
fn what_was_answered_is_there_though_nobody_ended_it_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions/live");
    let Opened { state, journal, found } = opened(&path).unwrap();
    assert_eq!((found.patch, found.notes.len(), found.unusable), (None, 0, None));
    let mut scene = Scene { state, ..Scene::default() };
    journal.begin(&scene.state);
    play(&journal, &mut scene);
    // The engine is gone; the lock would be too. Here its thread is still there until it has heard of it.
    assert!(matches!(opened(&path), Err(OpenError::InUse(folder)) if folder == path));
    drop(journal);
    let again = loop {
        match opened(&path) {
            Err(OpenError::InUse(_)) => std::thread::yield_now(),
            other => break other.unwrap(),
        }
    };
    assert_eq!(written(&again.state), written(&scene.state));
    assert_eq!(again.found.patch, Some(scene.state.count()));
}

#[test]
fn an_end_leaves_one_snapshot_of_everything_and_one_that_was_never_begun_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { state, mut journal, .. } = opened(folder.path()).unwrap();
    journal.end(&state);
    let Opened { state, mut journal, found } = opened(folder.path()).unwrap();
    assert_eq!(found.patch, None, "nothing was begun");
    let mut scene = Scene { state, ..Scene::default() };
    journal.begin(&scene.state);
    play(&journal, &mut scene);
    let records = journal.figures().iter().find(|stat| stat.name == "journal_records").map(|stat| stat.value);
    assert_eq!(records, Some(story().len() as f64));
    journal.end(&scene.state);
    let text = std::fs::read_to_string(folder.path().join("journal-2")).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert_eq!(written(&opened(folder.path()).unwrap().state), written(&scene.state));
}

#[test]
fn an_engine_that_has_the_patch_goes_on_with_it_whatever_the_files_say() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { state, mut journal, .. } = opened(folder.path()).unwrap();
    journal.begin(&state);
    journal.end(&state);
    let mut scene = Scene { state, ..Scene::default() };
    scene.request(&story()[0]);
    let known = Some(scene.state.clone());
    let Opened { state, mut journal, .. } =
        open(folder.path(), known, Catalogue(CATALOGUE), OUT, &Arc::default()).unwrap();
    journal.begin(&state);
    journal.end(&state);
    let again = opened(folder.path()).unwrap();
    assert_eq!(written(&again.state), written(&scene.state));
    assert!(again.found.is_whole && again.found.notes.is_empty());
}

#[test]
fn more_unanswered_requests_than_there_may_be_are_refused_as_busy() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { state, mut journal, .. } = opened(folder.path()).unwrap();
    let now = || (&state.model, state.next_slot);
    let mut accepted = 0;
    while journal.has_room() {
        journal.accept(now(), Vec::new(), now());
        accepted += 1;
    }
    assert_eq!(accepted, 4096);
    let (sender, answer) = channel();
    journal.answer_after_all(Box::new(move |outcome| drop(sender.send(outcome))));
    assert_eq!(answer.recv().unwrap(), Err(Refusal::Busy));
    let (sender, answers) = channel();
    for _ in 0..accepted {
        let sender = sender.clone();
        journal.answer(Box::new(move |outcome: Result<(), Refusal>| drop(sender.send(outcome))), ());
    }
    assert!(answers.iter().take(accepted).all(|outcome| outcome.is_ok()));
    journal.end(&state);
}
