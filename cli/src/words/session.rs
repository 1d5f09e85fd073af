//! What is said of a session on disk when it is opened.

use std::path::PathBuf;

use tine_engine::journal::Found;

use super::count;

/// The lines for the session called `name`; `files` are those of the command line.
pub fn lines(name: &str, found: &Found, files: &[PathBuf]) -> Vec<String> {
    let mut lines: Vec<String> = found.notes.iter().map(|note| format!("session {name}: {note}")).collect();
    if let Some(why) = &found.unusable {
        lines.push(format!("session {name} cannot be opened: {why}"));
        return lines;
    }
    let Some([modules, cables]) = found.patch else {
        lines.push(format!("session {name}: new"));
        return lines;
    };
    let as_of = if found.is_whole { "as of the last command" } else { "as far as it can be read" };
    lines.push(format!("session {name}: {}, {} ({as_of})", count(modules, "module"), count(cables, "cable")));
    if !files.is_empty() {
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        lines.push(format!("session {name} is resumed: {} not applied (\"load\" does it)", files.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use tine_engine::journal::Note;

    #[test]
    fn a_session_says_what_it_holds_and_what_was_done() {
        let files = ["a.tine".into(), "b.tine".into()];
        let new = Found { patch: None, is_whole: true, notes: vec![], unusable: None };
        assert_eq!(lines("x", &new, &files), ["session x: new"]);
        let notes = vec![Note::Cut { file: "journal-3".to_owned(), bytes: 31 }];
        let resumed = Found { patch: Some([12, 1]), notes, ..new.clone() };
        assert_eq!(
            lines("x", &resumed, &files),
            [
                "session x: journal-3: 31 bytes at its end were not whole and were cut",
                "session x: 12 modules, 1 cable (as of the last command)",
                "session x is resumed: a.tine, b.tine not applied (\"load\" does it)",
            ]
        );
        let lossy = Found { patch: Some([0, 0]), is_whole: false, ..new.clone() };
        assert_eq!(lines("x", &lossy, &[]), ["session x: 0 modules, 0 cables (as far as it can be read)"]);
        let unusable = Found { unusable: Some("/f: Not a directory".to_owned()), ..new };
        assert_eq!(lines("x", &unusable, &files), ["session x cannot be opened: /f: Not a directory"]);
    }
}
