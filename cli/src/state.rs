//! Where Tine keeps what outlives a run: lines typed, sessions.

use std::ffi::OsString;
use std::path::PathBuf;

/// Longest name of a session, in bytes.
const NAME_MAX: usize = 64;

/// `$XDG_STATE_HOME/tine`, or below `~/.local/state`. `None` where there is no home.
pub fn folder() -> Option<PathBuf> {
    folder_from(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"))
}

/// The folder of the session called `name`, which is one.
///
/// # Errors
/// If there is no home.
pub fn session(name: &str) -> Result<PathBuf, String> {
    let folder =
        folder().ok_or("--session needs a place to keep it: set XDG_STATE_HOME or HOME to a folder's full path")?;
    Ok(folder.join("sessions").join(name))
}

/// Whether a session may be called so: it is the name of a folder, and not a hidden one.
pub fn is_session(name: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=NAME_MAX).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(is_legal)
}

/// The XDG base directory specification: a relative path counts as none.
fn folder_from(state: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let state = state.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home.map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| home.map(|home| home.join(".local/state")))?;
    Some(state.join("tine"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_lies_where_the_desktop_keeps_it() {
        let from = |state: Option<&str>, home: Option<&str>| folder_from(state.map(Into::into), home.map(Into::into));
        assert_eq!(from(Some("/s"), Some("/h")), Some("/s/tine".into()));
        assert_eq!(from(Some("s"), Some("/h")), Some("/h/.local/state/tine".into()));
        assert_eq!(from(None, None), None);
    }

    #[test]
    fn a_session_is_called_as_a_folder_may_be() {
        for good in ["a", "Live_2", "set-1.b", &"x".repeat(NAME_MAX)] {
            assert!(is_session(good), "{good}");
        }
        for bad in ["", ".", "..", ".x", "a/b", "a b", "ä", "a\0", &"x".repeat(NAME_MAX + 1)] {
            assert!(!is_session(bad), "{bad:?}");
        }
    }
}
