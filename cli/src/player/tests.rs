//! Lines on a session that is a small fake: it keeps ids and kinds, and refuses what is not there.

use std::fs;
use std::sync::{Mutex, mpsc};

use tine_engine::answer::Patch;
use tine_engine::command::Value;
use tine_engine::error::PatchError;
use tine_engine::handle::Message;
use tine_engine::interpreter::Interpreter;

use super::*;
use crate::interpreter::Language;

/// A session with `vca`s only. `At` and `After` are answered after a while.
fn fake() -> (Handle, Arc<Mutex<Vec<Request>>>) {
    let (handle, receiver) = Handle::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    std::thread::spawn(move || {
        let kind = tine_modules::kind("vca").unwrap().1.spec;
        let mut modules: Vec<ModuleInfo> = Vec::new();
        for message in receiver.iter() {
            match message {
                Message::Request(request, reply) => {
                    log.lock().unwrap().push(request.clone());
                    if request.when != When::Now {
                        std::thread::sleep(EARLY_REFUSAL * 3);
                    }
                    let mut next = modules.clone();
                    let outcomes = request.commands.iter().enumerate().map(|(index, command)| {
                        step(&mut next, command, kind).map_err(|error| Refusal::Rejected { index, error })
                    });
                    let outcomes = outcomes.collect::<Result<Vec<_>, _>>();
                    if outcomes.is_ok() {
                        modules = next;
                    }
                    reply(outcomes.map(|outcomes| Applied { outcomes, late_s: 0.0, frame: 0 }));
                }
                Message::Query(query, reply) => reply(answer(&modules, query)),
                Message::Control(_, reply) => reply(Ok(())),
                Message::Subscribe(..) => {}
            }
        }
    });
    (handle, seen)
}

fn no_module(modules: &[ModuleInfo], id: &Name) -> PatchError {
    let similar = modules.iter().map(|module| module.id.to_string()).collect();
    PatchError::NoModule { id: id.to_string(), similar }
}

fn step(
    modules: &mut Vec<ModuleInfo>,
    command: &Command,
    kind: &'static tine_protocol::spec::KindSpec,
) -> Result<Outcome, PatchError> {
    match command {
        Command::Create { id, channels, .. } => {
            let id = id.clone().unwrap_or_else(|| Name::new("vca1").unwrap());
            let channels = *channels;
            let params = vec![1.0];
            modules.push(ModuleInfo {
                id: id.clone(),
                kind,
                channels,
                worker: Some(3),
                bypassed: false,
                params,
                files: Vec::new(),
            });
            Ok(Outcome::Created { id, kind: kind.name, worker: 3, took_ms: 0.8 })
        }
        Command::Set { module, value, .. } => {
            let found = modules.iter_mut().find(|known| known.id == *module);
            let Some(found) = found else { return Err(no_module(modules, module)) };
            let Value::Number(number, _) = value else { panic!() };
            found.params[0] = *number as f32;
            Ok(Outcome::Set { module: module.clone(), param: "gain", value: *number as f32 })
        }
        Command::Connect { .. } => Ok(Outcome::Connected { changed: 1, feedback: vec![] }),
        Command::Clear => {
            modules.clear();
            Ok(Outcome::Done)
        }
        _ => Ok(Outcome::Done),
    }
}

fn answer(modules: &[ModuleInfo], query: Query) -> Result<Answer, Refusal> {
    let find = |id: &Name| {
        let error = Refusal::Rejected { index: 0, error: no_module(modules, id) };
        modules.iter().find(|module| module.id == *id).ok_or(error)
    };
    match query {
        Query::Patch => Ok(Answer::Patch(Patch { modules: modules.to_vec(), cables: vec![] })),
        Query::Info(id) => Ok(Answer::Info(find(&id)?.clone(), vec![], vec![])),
        Query::Get(id, _) => Ok(Answer::Params(vec![("gain", find(&id)?.params[0].into())])),
        _ => Ok(Answer::Modules(modules.to_vec())),
    }
}

fn player(handle: &Handle, files: Files) -> Player {
    Player { handle: handle.clone(), origin: Origin(1), files, style: Style::PLAIN, later: None }
}

fn say(player: &Player, line: &str) -> String {
    player.line(line, Mode::Script).unwrap_or_else(|error| panic!("{line}: {}", error.message)).text
}

#[test]
fn answers_are_short_and_say_what_happened() {
    let (handle, seen) = fake();
    let player = player(&handle, Files::Anywhere);
    assert_eq!(say(&player, "create vca --id 1; connect 1 > out"), "vca 1 on worker 3 (0.8 ms)\n1 cable");
    assert_eq!(seen.lock().unwrap().len(), 1, "a line is one request");
    assert_eq!(say(&player, "set 1.gain 0.5"), "1.gain = 0.5 (-6.02 db)");
    assert_eq!(say(&player, "get 1.gain"), "1.gain = 0.5 (-6.02 db)");
    assert_eq!(say(&player, "trig 1"), "");
    assert_eq!(say(&player, "# nothing"), "");
    assert_eq!(player.line("quit; list", Mode::Script).unwrap().then, Then::Quit);
    assert_eq!(player.line("history 3", Mode::Script).unwrap().then, Then::History(3));
}

#[test]
fn wrong_input_changes_nothing_and_says_what_would_be_right() {
    let (handle, seen) = fake();
    let player = player(&handle, Files::Anywhere);
    let refused = |line: &str| player.line(line, Mode::Script).unwrap_err();
    say(&player, "create vca --id vca1");
    assert_eq!(refused("set vfa1.gain 1").message, "no module \"vfa1\"; did you mean \"vca1\"? nothing changed");
    assert_eq!(refused("set vfa1.gain 1").code, "not_found");
    let before = seen.lock().unwrap().len();
    assert!(refused("create vca --id 2; craete vca").message.ends_with("did you mean \"create\"? nothing changed"));
    assert!(refused("run gone").message.ends_with("; nothing changed"));
    assert_eq!(seen.lock().unwrap().len(), before, "a line that does not parse sends nothing");
    let partly = refused("create vca --id 2; list; set no.gain 1").message;
    assert!(partly.ends_with("what stood before it is in effect"), "{partly}");
}

#[test]
fn a_script_is_one_request_and_a_refusal_names_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, seen) = fake();
    let player = player(&handle, Files::Within(folder.path().to_owned()));
    fs::write(folder.path().join("good"), "create vca --id 1\n\ncreate vca --id 2\nconnect 1 > 2\n").unwrap();
    fs::write(folder.path().join("bad"), "create vca --id 3\n# x\nset 33.gain 1\n").unwrap();
    assert_eq!(say(&player, "run good"), "good: 2 modules, 1 cable");
    assert_eq!(seen.lock().unwrap().len(), 1);
    let error = player.line("run bad", Mode::Script).unwrap_err();
    assert_eq!(error.message, "bad:3: no module \"33\"; did you mean \"1\"? nothing changed");
    assert_eq!(say(&player, "list").lines().count(), 3, "nothing of it was kept");
}

#[test]
fn what_is_saved_is_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, _) = fake();
    let path = folder.path().join("a b.tine");
    let files = folder.path();
    let eval = |line: &str| Language.eval(line, files, &handle, Origin(2));
    eval("create vca --id 1; create vca*4 --id 2").unwrap();
    assert_eq!(eval("save \"a b.tine\"").unwrap(), "saved a b.tine: 2 modules, 0 cables");
    eval("create vca --id 3").unwrap();
    Language.load(&path, &handle, Origin(2)).unwrap();
    let Ok(Answer::Modules(modules)) = handle.query(Query::List(None)) else { panic!() };
    assert_eq!(modules.iter().map(|module| module.channels).collect::<Vec<_>>(), [1, 4]);
    assert!(Language.save(&folder.path().join("gone/x"), &handle).is_err());
    assert_eq!(eval("save ../x").unwrap_err().code, "io");
    assert_eq!(eval("load /etc/passwd").unwrap_err().code, "io");
}

#[test]
fn a_late_refusal_is_told_although_nobody_waits_for_it() {
    let (handle, _) = fake();
    let (sender, told) = mpsc::channel();
    let later: Later = Arc::new(move |text| sender.send(text).unwrap());
    let player = Player { later: Some(later), ..player(&handle, Files::Anywhere) };
    assert_eq!(say(&player, "set 1.gain 1 --at +2s"), "in 2 s");
    let text = told.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(text, "no module \"1\"; \"list\" shows what there is; nothing changed");
}

#[test]
fn an_ended_engine_is_said_so() {
    let (handle, receiver) = Handle::new();
    drop(receiver);
    let error = player(&handle, Files::Anywhere).line("list", Mode::Script).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("busy", "the engine has ended; nothing changed"));
}
