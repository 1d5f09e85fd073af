//! Paths from the network: inside one folder, or refused. Reads the file system: on the slow thread only.

use std::path::{Component, Path, PathBuf};

use crate::interpreter::Failure;

/// `path` under `folder`; no absolute path, no `..`, and no link that leads outside.
///
/// # Errors
/// With code `io`, if it leads outside, or the folder it is in does not exist.
pub(super) fn inside(folder: &Path, path: &str) -> Result<PathBuf, Failure> {
    let is_plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || path.contains('\0') || !is_plain {
        return Err(failure(path, "paths are relative to the session's folder and have no .."));
    }
    let folder = folder.canonicalize().map_err(|error| failure(path, &error.to_string()))?;
    let asked = folder.join(path);
    // A file that is there, links followed; otherwise the place where it will be made. A link to nowhere is an error.
    let real = if asked.symlink_metadata().is_ok() {
        asked.canonicalize()
    } else {
        let (parent, name) = (asked.parent().unwrap_or(&folder), asked.file_name().unwrap_or_default());
        parent.canonicalize().map(|parent| parent.join(name))
    };
    let real = real.map_err(|error| failure(path, &error.to_string()))?;
    if real.starts_with(&folder) && real != folder {
        Ok(real)
    } else {
        Err(failure(path, "a link there leads out of the session's folder"))
    }
}

fn failure(path: &str, reason: &str) -> Failure {
    Failure { code: "io", message: format!("{path:?}: {reason}") }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn paths_stay_inside_the_folder() {
        let root = std::env::temp_dir().join(format!("tine-osc-files-{}", std::process::id()));
        let folder = root.join("session");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(root.join("secret"), "").unwrap();
        fs::write(folder.join("here"), "").unwrap();
        symlink(root.join("secret"), folder.join("link")).unwrap();
        symlink(&root, folder.join("up")).unwrap();
        symlink(root.join("nowhere"), folder.join("dangling")).unwrap();
        symlink(folder.join("here"), folder.join("alias")).unwrap();
        let real = folder.canonicalize().unwrap();

        assert_eq!(inside(&folder, "here"), Ok(real.join("here")));
        assert_eq!(inside(&folder, "new.tine"), Ok(real.join("new.tine")));
        assert_eq!(inside(&folder, "sub/new.tine"), Ok(real.join("sub/new.tine")));
        assert_eq!(inside(&folder, "alias"), Ok(real.join("here")));
        for bad in
            ["", ".", "..", "/etc/passwd", "../secret", "sub/../../secret", "link", "up/secret", "up/new", "dangling"]
        {
            assert_eq!(inside(&folder, bad).unwrap_err().code, "io", "{bad}");
        }
        assert_eq!(inside(&folder, "no/such").unwrap_err().code, "io");
        assert_eq!(inside(&folder, "nul\0").unwrap_err().code, "io");
        fs::remove_dir_all(root).unwrap();
    }
}
