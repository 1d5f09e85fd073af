//! Shows what happens in the session above the line being typed, from a thread of its own.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError};
use tine_engine::answer::{Answer, Notice};
use tine_engine::command::Query;
use tine_engine::handle::Handle;
use tine_engine::name::Name;

use super::Printer;
use crate::player::Later;
use crate::words::events::Events;

/// How often lines are looked for that no notice brings.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A printer that several may use.
pub type Shared = Arc<Mutex<Printer>>;

/// Prints a line above the one being typed. A printer that fails means that the terminal is gone; the REPL sees that.
pub fn print(printer: &Shared, line: &str) {
    if let Ok(mut printer) = printer.lock() {
        let _ = printer.print(format!("{line}\n"));
    }
}

/// Where late refusals go: above the line being typed.
pub fn later(printer: Shared) -> Later {
    // The reply comes on the session's thread, which must not wait for a terminal.
    Arc::new(move |text| {
        let printer = printer.clone();
        thread::spawn(move || print(&printer, &format!("error: {text}")));
    })
}

/// Starts the thread. It ends with the session.
///
/// # Errors
/// If the system gives no thread.
pub fn start(notices: Receiver<Notice>, handle: Handle, printer: Shared) -> std::io::Result<()> {
    let kind_of = move |id: &Name| match handle.query(Query::Info(id.clone())) {
        Ok(Answer::Info(module, ..)) => Some(module.kind.name),
        _ => None,
    };
    let work = move || {
        let mut events = Events::default();
        loop {
            let notice = notices.recv_timeout(LOOK_EVERY);
            let now = Instant::now();
            let lines = match notice {
                Ok(notice) => events.take(notice, now, &kind_of),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            for line in lines.into_iter().chain(events.overdue(now, &kind_of)) {
                print(&printer, &line);
            }
        }
    };
    thread::Builder::new().name("tine-notices".to_owned()).spawn(work).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam::channel::{Sender, unbounded};
    use rustyline::ExternalPrinter;

    struct Page(Sender<String>);

    impl ExternalPrinter for Page {
        fn print(&mut self, line: String) -> rustyline::Result<()> {
            self.0.send(line).unwrap();
            Ok(())
        }
    }

    #[test]
    fn a_loss_is_printed_once_its_worker_is_back() {
        let (page, printed) = unbounded();
        let (notices, receiver) = unbounded();
        // A session that has ended: kinds are unknown, ids are shown alone.
        let (handle, _) = Handle::new();
        start(receiver, handle, Arc::new(Mutex::new(Box::new(Page(page))))).unwrap();
        notices.send(Notice::WorkerLost(3, "killed".into(), vec![Name::new("vco1").unwrap()])).unwrap();
        notices.send(Notice::WorkerRestored(3, 0.6)).unwrap();
        drop(notices);
        assert_eq!(printed.iter().collect::<Vec<_>>(), ["worker 3 lost: vco1 back in 0.6 ms\n"]);
    }
}
