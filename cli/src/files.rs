//! Where files may lie. A person at the terminal may name any; what comes over the network stays inside one folder.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use tine_engine::interpreter::Failure;

/// Longest script, in bytes: a patch of a thousand modules is a hundredth of it.
pub const SCRIPT_MAX: u64 = 16 << 20;

/// Which files a line may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// Any that the person's rights allow; `~/` is the home folder.
    Anywhere,
    /// Only below this folder: no absolute path, no `..`, no link that leads out.
    Within(PathBuf),
}

impl Files {
    /// The path that `text` means here.
    ///
    /// # Errors
    /// If it lies outside the folder, or its own folder is not there.
    pub fn resolve(&self, text: &str) -> Result<PathBuf, Failure> {
        match self {
            Files::Anywhere => Ok(match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
                (Some(rest), Some(home)) => Path::new(&home).join(rest),
                _ => PathBuf::from(text),
            }),
            Files::Within(folder) => within(folder, text),
        }
    }
}

impl Files {
    /// The sound file that `path` means, absolute; a relative one is looked for beside `script` first.
    ///
    /// # Errors
    /// As [`Files::resolve`], or if it is not there.
    pub fn sound(&self, path: &Path, script: Option<&Path>) -> Result<PathBuf, Failure> {
        let text = path.to_string_lossy();
        let beside = script.and_then(Path::parent).map(|folder| folder.join(path)).filter(|path| path.is_file());
        let found = match (beside, self) {
            (Some(beside), Files::Anywhere) => beside,
            // Below the folder too: the script is, and links are followed before the comparison.
            (Some(beside), Files::Within(folder)) => {
                let system = |error: io::Error| io_failure(format!("{text}: {error}"));
                let beside = beside.canonicalize().map_err(system)?;
                let folder = folder.canonicalize().map_err(system)?;
                if !beside.starts_with(&folder) {
                    return Err(io_failure(format!("{text:?} is not a file below the session's folder")));
                }
                beside
            }
            (None, files) => files.resolve(&text)?,
        };
        found.canonicalize().map_err(|error| io_failure(format!("{text}: {error}")))
    }
}

fn within(folder: &Path, text: &str) -> Result<PathBuf, Failure> {
    let outside = || io_failure(format!("{text:?} is not a file below the session's folder"));
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let path = Path::new(text);
    let Some(name) = path.file_name().filter(|_| path.components().all(is_plain)) else { return Err(outside()) };
    let system = |path: &Path, error: &io::Error| io_failure(format!("{}: {error}", path.display()));
    let folder = folder.canonicalize().map_err(|error| system(folder, &error))?;
    let parent = folder.join(path.parent().unwrap_or(Path::new("")));
    // Canonical, so that links on the way are followed before the comparison.
    let parent = parent.canonicalize().map_err(|error| system(&parent, &error))?;
    if !parent.starts_with(&folder) {
        return Err(outside());
    }
    let full = parent.join(name);
    match full.symlink_metadata() {
        // A link that leads nowhere is refused too: writing to it would make the file it names.
        Ok(found) if found.is_symlink() => match full.canonicalize() {
            Ok(target) if target.starts_with(&folder) => Ok(target),
            _ => Err(outside()),
        },
        _ => Ok(full),
    }
}

/// Reads a script.
///
/// # Errors
/// If it cannot be read, is no text or is longer than [`SCRIPT_MAX`].
pub fn read(path: &Path) -> Result<String, Failure> {
    let failed = |reason: String| io_failure(format!("{}: {reason}", path.display()));
    let file = fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(SCRIPT_MAX + 1).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > SCRIPT_MAX {
        return Err(failed(format!("longer than {SCRIPT_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| failed("not a text file".to_owned()))
}

/// Writes a file whole or not at all: into a temporary one beside it, on disk, then renamed.
///
/// # Errors
/// If any step fails; what was there before stays.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| io_failure(format!("{}: {error}", path.display()));
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => return Err(failed(io::Error::other("is a folder"))),
        // The new file would take its place.
        Ok(about) if !about.is_file() => return Err(failed(io::Error::other("is a device, a pipe or a socket"))),
        _ => {}
    }
    // A link stays, and leads to the new file.
    let target = fs::canonicalize(path);
    let path = target.as_deref().unwrap_or(path);
    let Some(name) = path.file_name() else {
        return Err(failed(io::Error::other("no file name")));
    };
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let temporary = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = (|| {
        // A leftover of a process that died with our number is in the way of nobody.
        let _ = fs::remove_file(&temporary);
        let mut file = fs::File::options().write(true).create_new(true).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The name is on disk only once the folder is.
        fs::File::open(folder)?.sync_all()
    })();
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        failed(error)
    })
}

fn io_failure(message: String) -> Failure {
    Failure { code: "io", message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_is_written_through_a_link_and_nothing_else_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(&at("patch"), "old").unwrap();
        symlink(at("patch"), at("link")).unwrap();
        write(&at("link"), "new").unwrap();
        assert_eq!(fs::read_to_string(at("patch")).unwrap(), "new");
        assert!(at("link").is_symlink());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let refused = write(&at("socket"), "new").unwrap_err();
        assert!(refused.message.ends_with("is a device, a pipe or a socket"), "{}", refused.message);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "no temporary file is left");
    }

    #[test]
    fn a_sound_is_found_beside_its_script_and_never_outside() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("session");
        fs::create_dir_all(folder.join("sub")).unwrap();
        for name in ["kick.wav", "sub/kick.wav", "../secret.wav"] {
            fs::write(folder.join(name), name).unwrap();
        }
        symlink(root.path().join("secret.wav"), folder.join("sub/link.wav")).unwrap();
        let script = folder.join("sub/patch.tine");
        let inside = Files::Within(folder.clone());
        let real = folder.canonicalize().unwrap();
        let sound = |files: &Files, name: &str, script| files.sound(Path::new(name), script);
        assert_eq!(sound(&inside, "kick.wav", None).unwrap(), real.join("kick.wav"));
        for files in [&inside, &Files::Anywhere] {
            assert_eq!(sound(files, "kick.wav", Some(script.as_path())).unwrap(), real.join("sub/kick.wav"));
        }
        for bad in ["../../secret.wav", "link.wav", "gone.wav", "/etc/passwd"] {
            assert_eq!(sound(&inside, bad, Some(script.as_path())).unwrap_err().code, "io", "{bad}");
        }
        assert!(sound(&Files::Anywhere, "link.wav", Some(script.as_path())).is_ok(), "a person may follow links");
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(inside.path().join("sub")).unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        symlink(outside.path(), inside.path().join("door")).unwrap();
        symlink(outside.path().join("secret"), inside.path().join("window")).unwrap();
        symlink(outside.path().join("new"), inside.path().join("dangling")).unwrap();
        symlink(inside.path().join("sub"), inside.path().join("fine")).unwrap();
        let files = Files::Within(inside.path().to_owned());
        for bad in ["/etc/passwd", "../x", "sub/../../x", "door/secret", "window", "dangling", "", ".", "..", "gone/x"]
        {
            assert_eq!(files.resolve(bad).unwrap_err().code, "io", "{bad}");
        }
        let root = inside.path().canonicalize().unwrap();
        for (good, path) in [("a.tine", "a.tine"), ("sub/a", "sub/a"), ("./a", "a"), ("fine/a", "sub/a")] {
            assert_eq!(files.resolve(good).unwrap(), root.join(path), "{good}");
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tine");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(read(&path).unwrap(), "two");
        assert!(write(&folder.path().join("gone/a"), "x").is_err());
        assert!(write(folder.path(), "x").unwrap_err().message.contains("is a folder"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
