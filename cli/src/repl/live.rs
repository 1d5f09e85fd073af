//! What completion may look at. A session that does not answer at once is not waited for: typing goes on.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tine_engine::answer::{Answer, ModuleInfo};
use tine_engine::command::Query;
use tine_engine::handle::Handle;

use super::complete::Live;

/// How long Tab may take: below this it feels immediate.
const ANSWER_WAIT: Duration = Duration::from_millis(100);

/// Files offered at most.
const FILES_MAX: usize = 200;

/// A session in this process.
pub struct Here(pub Handle);

impl Live for Here {
    fn modules(&self) -> Vec<ModuleInfo> {
        let (sender, receiver) = sync_channel(1);
        // Nobody waits for an answer that comes too late.
        let reply = Box::new(move |answer| drop(sender.try_send(answer)));
        if self.0.submit_query(Query::List(None), reply).is_err() {
            return Vec::new();
        }
        match receiver.recv_timeout(ANSWER_WAIT) {
            Ok(Ok(Answer::Modules(modules))) => modules,
            _ => Vec::new(),
        }
    }

    fn files(&self, start: &str) -> Vec<String> {
        files(start)
    }
}

/// An engine elsewhere, whose modules and files are not asked for.
pub struct Elsewhere;

impl Live for Elsewhere {
    fn modules(&self) -> Vec<ModuleInfo> {
        Vec::new()
    }

    fn files(&self, _start: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Paths that start so, folders with a slash; names that need quotes are left out, hidden ones unless asked for.
fn files(start: &str) -> Vec<String> {
    let cut = start.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, name) = start.split_at(cut);
    let read = std::fs::read_dir(if folder.is_empty() { Path::new(".") } else { Path::new(folder) });
    let entries = read.into_iter().flatten().flatten();
    let fits = entries.filter_map(|entry| {
        let found = entry.file_name().into_string().ok()?;
        let is_plain = !found.contains(|letter: char| letter.is_whitespace() || ";>\"#".contains(letter));
        let is_meant = found.starts_with(name) && (name.starts_with('.') || !found.starts_with('.'));
        let slash = if entry.path().is_dir() { "/" } else { "" };
        (is_plain && is_meant).then(|| format!("{folder}{found}{slash}"))
    });
    let mut fits: Vec<String> = fits.take(FILES_MAX).collect();
    fits.sort();
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_offered_with_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.tine", "a.tine", "two words", ".hidden"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let start = format!("{}/", folder.path().display());
        assert_eq!(files(&start), ["a.tine", "b.tine", "sub/"].map(|name| format!("{start}{name}")));
        assert_eq!(files(&format!("{start}b")), [format!("{start}b.tine")]);
        assert!(files("/no/such/folder/").is_empty());
    }

    #[test]
    fn a_session_that_does_not_answer_does_not_stop_the_typing() {
        let (handle, _receiver) = Handle::new();
        assert!(Here(handle).modules().is_empty());
    }
}
