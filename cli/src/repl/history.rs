//! Where the lines typed are kept between runs.

use std::path::PathBuf;

use crate::state;

/// Lines kept.
pub const LINES_MAX: usize = 5000;

/// The file, in Tine's state folder, which is made. `None` where there is no home.
pub fn path() -> Option<PathBuf> {
    let folder = state::folder()?;
    // Where the folder cannot be made, history ends with the run.
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
