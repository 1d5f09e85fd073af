//! The subcommands that need an engine. The keeper starts this binary again as engine and as zygote; their roles are here too.

use std::ffi::OsString;
use std::io::{IsTerminal, stdin, stdout};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crossbeam::channel::{Receiver, bounded};
use tine_engine::command::{Control, Origin};
use tine_engine::device::{self, Wish};
use tine_engine::engine::{self, Engine};
use tine_engine::keeper::{self, Role, Terminal};
use tine_engine::osc::{OscConfig, OscServer, OscStats};
use tine_engine::placement::Policy;
use tine_modules::CATALOGUE;
use tine_protocol::sys::process::{self, Signal, Signals};
use tine_protocol::sys::terminal;
use tine_worker::inherit::Inherited;
use tine_worker::zygote;

use crate::config::{Backend, Config, LogLevel, Mode, Placement};
use crate::files::Files;
use crate::interpreter::Language;
use crate::player::{Later, Player};
use crate::repl::live::Here;
use crate::repl::{self, watch};
use crate::words::{self, Style};
use crate::{args, state};

/// What a subcommand ends with: nothing, or a sentence for standard error and exit code 1.
pub type Ended = Result<(), String>;

/// Who types at the REPL, and who applies the files of the command line.
const KEYBOARD: Origin = Origin(0);

/// Keeps an engine that runs as `mode` with `files`, until it ends; leaves with its exit code.
///
/// # Errors
/// If a segment or a process cannot be made.
pub fn keep(config: Config, mode: Mode, files: &[PathBuf]) -> Ended {
    log(config.log);
    config.refuse_later()?;
    let is_repl = mode == Mode::Play && stdin().is_terminal();
    let (flags, files) = (config.flags(), files.to_vec());
    let arguments = move |inherit: &str, role: Role, terminal: Terminal| {
        // Whoever comes back comes over OSC.
        let mode = if terminal == Terminal::Gone { Mode::Serve } else { mode };
        let name = match role {
            Role::Engine => "engine",
            Role::Zygote => "zygote",
        };
        let mut arguments: Vec<OsString> = vec![name.into(), format!("--inherit={inherit}").into()];
        arguments.push(format!("--mode={}", args::word(mode)).into());
        arguments.extend(flags.iter().map(OsString::from));
        arguments.push("--".into());
        arguments.extend(files.iter().map(OsString::from));
        arguments
    };
    let plan = keeper::Plan {
        lanes: config.max_workers,
        rate_hz: config.rate_hz,
        frames: config.block_frames,
        arguments: Box::new(arguments),
        terminal: if is_repl { Terminal::Repl } else { Terminal::None },
        is_restarted: mode != Mode::Render,
    };
    match keeper::keep(&plan).map_err(|error| format!("cannot start: {error}"))? {
        0 => Ok(()),
        status => std::process::exit(status),
    }
}

/// The zygote's process, with the keeper's descriptors.
///
/// # Errors
/// If a descriptor is not what it should be.
pub fn zygote(inherited: &[i32]) -> Ended {
    process::unblock(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]);
    let inherited = Inherited::take(inherited).map_err(|error| error.to_string())?;
    zygote::run(inherited).map_err(|error| format!("zygote: {error}"))
}

/// The engine's process, with the keeper's descriptors.
///
/// # Errors
/// If the engine cannot start, or a file or piped line is wrong.
pub fn engine(config: &Config, inherited: &[i32], mode: Mode, files: &[PathBuf]) -> Ended {
    // Before the first thread: all of them inherit that these signals are read, not delivered.
    let signals =
        Signals::take(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]).map_err(|error| error.to_string())?;
    process::unblock(&[Signal::SIGCHLD]);
    process::set_name("tine-engine");
    log(config.log);
    end_on_panic();
    let inherited = Inherited::take(inherited).map_err(|error| error.to_string())?;
    let mut engine =
        Engine::start(inherited, engine_config(config, mode)?, CATALOGUE).map_err(|error| error.to_string())?;
    let is_repl = mode == Mode::Play && stdin().is_terminal();
    obey(signals, &engine, is_repl)?;

    let player = Player {
        handle: engine.handle.clone(),
        origin: KEYBOARD,
        files: Files::Anywhere,
        style: Style::of(&stdout()),
        later: None,
    };
    // After the death of an engine its patch is there already, with whatever became of the files since.
    let files = if tell_session(&engine, config, files) || engine.before.is_some() { &[] } else { files };
    let outcome =
        apply(&player, files).and_then(|()| engine.play().map_err(|error| error.to_string())).and_then(|note| {
            if let Some(note) = note {
                eprintln!("{note}");
            }
            use_engine(&engine, config, mode, player)
        });
    let recorded = engine.stop();
    outcome?;
    match recorded.map(|recorded| (recorded.error, recorded.lost)) {
        Some((Some(error), _)) => Err(error.to_string()),
        Some((None, lost)) if lost > 0 => {
            Err(format!("the disk was too slow: {lost} frames of the recording are silence"))
        }
        _ => Ok(()),
    }
}

/// A thread that panics would leave an engine that lacks one: rather another engine in its place.
fn end_on_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
}

fn engine_config(config: &Config, mode: Mode) -> Result<engine::Config, String> {
    let wish = Wish {
        backend: match config.backend {
            Backend::Auto => device::Backend::Auto,
            Backend::Alsa => device::Backend::Alsa,
            Backend::Jack => device::Backend::Jack,
            Backend::Null => device::Backend::Null,
        },
        device: config.device.clone(),
        rate_hz: config.rate_hz,
        period: config.period_frames,
        is_heard: config.is_heard,
    };
    Ok(engine::Config {
        workers: config.workers.into(),
        spares: config.spares.into(),
        lead: config.lead_blocks,
        policy: match config.placement {
            Placement::Isolate => Policy::Isolate,
            Placement::Pack => Policy::Pack,
        },
        wish: (mode != Mode::Render).then_some(wish),
        record: config.record.clone(),
        seconds: config.seconds,
        session: config.session.as_deref().map(state::session).transpose()?,
    })
}

/// Says what was found of the session on disk. True if it is resumed, so that the files are not applied.
fn tell_session(engine: &Engine, config: &Config, files: &[PathBuf]) -> bool {
    let (Some(name), Some(found)) = (&config.session, engine.found()) else { return false };
    for line in words::session::lines(name, found, files) {
        eprintln!("{line}");
    }
    found.patch.is_some()
}

/// Applies the files of the command line, before the first frame.
fn apply(player: &Player, files: &[PathBuf]) -> Ended {
    for file in files {
        player.run(file).map_err(|error| error.message)?;
    }
    Ok(())
}

/// Ends the engine when the system asks for it.
fn obey(signals: Signals, engine: &Engine, is_repl: bool) -> Ended {
    let handle = engine.handle.clone();
    let work = move || {
        use std::os::fd::AsFd;
        loop {
            process::wait_any([signals.as_fd()], None);
            while let Some(signal) = signals.next() {
                match signal {
                    // At the REPL Ctrl-C clears the line, which the terminal's own mode sees to.
                    Signal::SIGINT if is_repl => {}
                    // Its terminal is gone. What is still said is said to nobody; the REPL sees for itself.
                    Signal::SIGHUP if is_repl => drop(process::leave_terminal()),
                    _ => drop(handle.control(Control::Quit)),
                }
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(work).map(drop).map_err(|error| error.to_string())
}

/// Plays, serves or renders until the end.
fn use_engine(engine: &Engine, config: &Config, mode: Mode, player: Player) -> Ended {
    let osc = if mode == Mode::Render { None } else { listen(engine, config, mode)? };
    match mode {
        Mode::Render => {
            let (done, ended) = bounded::<()>(1);
            let progress = show_progress(engine, config, ended)?;
            engine.wait();
            drop(done);
            let _ = progress.join();
            Ok(())
        }
        Mode::Serve => {
            engine.wait();
            Ok(())
        }
        Mode::Play if stdin().is_terminal() => {
            let outcome = converse(engine, player);
            if terminal::is_there() || osc.is_none() {
                return outcome;
            }
            // The terminal vanished, not the player's wish to hear: `tine connect` comes back to it.
            engine.wait();
            Ok(())
        }
        Mode::Play => {
            let outcome = repl::piped(stdin().lock(), &mut stdout(), &player);
            if outcome.is_ok() && config.seconds.is_some() {
                engine.wait();
            }
            outcome
        }
    }
}

fn listen(engine: &Engine, config: &Config, mode: Mode) -> Result<Option<OscServer>, String> {
    let Some(address) = config.osc else { return Ok(None) };
    // Where the engine before listened, if one died: those who talked to it go on.
    let address = engine.before.as_ref().and_then(|before| before.osc).unwrap_or(address);
    let files = std::env::current_dir().map_err(|error| format!("the present folder: {error}"))?;
    let osc = OscConfig { addr: address, files, stats: Arc::new(OscStats::default()) };
    engine.add_stats({
        let stats = Arc::clone(&osc.stats);
        Box::new(move || stats.figures())
    });
    let specs = CATALOGUE.iter().map(|kind| kind.spec).collect();
    match tine_engine::osc::serve(osc, engine.handle.clone(), Arc::new(Language), specs) {
        Ok(server) => {
            engine.handle.control(Control::Listening(server.local_addr())).map_err(|error| error.to_string())?;
            if address.port() == 0 || mode == Mode::Serve {
                eprintln!("osc on {}", server.local_addr());
            }
            Ok(Some(server))
        }
        // A second instance can be played all the same; one that only serves cannot do what it is for.
        Err(error) if mode == Mode::Play && error.kind() == std::io::ErrorKind::AddrInUse => {
            eprintln!(
                "no osc: {address} is in use by another program (another tine?); --osc {}:0 takes a free port",
                Ipv4Addr::LOCALHOST
            );
            Ok(None)
        }
        Err(error) => Err(format!("--osc {address}: {error}")),
    }
}

/// The REPL, on a thread of its own: the engine may end while somebody types.
fn converse(engine: &Engine, player: Player) -> Ended {
    let mode = terminal::Mode::keep();
    let (left, leaving) = bounded::<Ended>(1);
    let handle = engine.handle.clone();
    let notices = handle.subscribe(KEYBOARD).map_err(|error| error.to_string())?;
    let work = move || {
        // The printer exists only once the editor does; refusals of requests for later find it then.
        let refusals: Arc<OnceLock<Later>> = Arc::default();
        let found = Arc::clone(&refusals);
        let later: Later = Arc::new(move |text| found.get().into_iter().for_each(|tell| tell(text.clone())));
        let player = Player { later: Some(later), ..player };
        let live = Box::new(Here(handle.clone()));
        let outcome = repl::interact(&player, live, |printer| {
            let printer: watch::Shared = Arc::new(Mutex::new(printer));
            refusals.get_or_init(|| watch::later(Arc::clone(&printer)));
            if let Err(error) = watch::start(notices, handle, printer) {
                eprintln!("events will not be shown: {error}");
            }
        });
        // The engine may have ended meanwhile; then nobody waits for us.
        let _ = left.send(outcome);
    };
    std::thread::Builder::new().name("repl".into()).spawn(work).map_err(|error| error.to_string())?;
    let ended = engine.ended();
    let outcome = crossbeam::select! {
        recv(leaving) -> outcome => outcome.unwrap_or(Ok(())),
        recv(ended) -> _ => Ok(()),
    };
    mode.restore();
    outcome
}

/// Says how far a render is, once a second, if it takes longer than that.
fn show_progress(engine: &Engine, config: &Config, ended: Receiver<()>) -> Result<std::thread::JoinHandle<()>, String> {
    let total = config.seconds.unwrap_or(0.0);
    let blocks = engine.progress();
    let rate = f64::from(config.rate_hz) / f64::from(config.block_frames);
    let is_terminal = std::io::stderr().is_terminal();
    let work = move || {
        while ended.recv_timeout(Duration::from_secs(1)) == Err(crossbeam::channel::RecvTimeoutError::Timeout) {
            let done = blocks() as f64 / rate;
            let end = if is_terminal { '\r' } else { '\n' };
            eprint!("{:3.0} % ({done:.1} of {total} s){end}", (100.0 * done / total).min(100.0));
        }
        if is_terminal {
            eprint!("\x1b[K");
        }
    };
    std::thread::Builder::new().name("progress".into()).spawn(work).map_err(|error| error.to_string())
}

/// What sound goes to, as text or JSON.
///
/// # Errors
/// If the list cannot be written as JSON.
pub fn devices(is_json: bool) -> Result<String, String> {
    let devices = device::list();
    if is_json {
        serde_json::to_string_pretty(&devices).map_err(|error| error.to_string())
    } else {
        Ok(crate::words::devices::table(&devices))
    }
}

fn log(level: LogLevel) {
    let level = args::word(level);
    let filter = tracing_subscriber::EnvFilter::new(level);
    let output = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .without_time()
        .with_target(false);
    // The keeper's own log is up already where a role is started again.
    let _ = output.try_init();
}
