//! Where the lines typed are kept between runs.

use std::ffi::OsString;
use std::path::PathBuf;

/// Lines kept.
pub const LINES_MAX: usize = 5000;

/// `$XDG_STATE_HOME/tine/history`, or below `~/.local/state`; its folder is made. `None` where there is no home.
pub fn path() -> Option<PathBuf> {
    let path = path_from(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"))?;
    // Where the folder cannot be made, history ends with the run.
    std::fs::create_dir_all(path.parent()?).ok()?;
    Some(path)
}

/// The XDG base directory specification: a relative path counts as none.
fn path_from(state: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let state = state.map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home.map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| home.map(|home| home.join(".local/state")))?;
    Some(state.join("tine").join("history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_lies_where_the_desktop_keeps_state() {
        let from = |state: Option<&str>, home: Option<&str>| path_from(state.map(Into::into), home.map(Into::into));
        assert_eq!(from(Some("/s"), Some("/h")), Some("/s/tine/history".into()));
        assert_eq!(from(Some("s"), Some("/h")), Some("/h/.local/state/tine/history".into()));
        assert_eq!(from(None, None), None);
    }
}
