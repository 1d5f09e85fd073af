//! An ALSA configuration of one's own, in a folder that ends with its owner. No card is needed.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// What `default` is. All of these are there by their own names as well.
#[derive(Clone, Copy)]
pub enum Default {
    /// A card that is not there.
    Missing,
    /// `nothing`: takes all at once, unpaced.
    Nothing,
    /// `tojack`: a JACK server's outputs.
    Jack,
}

/// The configuration.
pub struct Alsa {
    folder: TempDir,
}

impl Alsa {
    /// Writes it.
    ///
    /// # Panics
    /// If there is no temporary folder.
    pub fn new(default: Default) -> Alsa {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let alsa = Alsa { folder };
        let slave = match default {
            Default::Missing => "type hw card 31".to_owned(),
            Default::Nothing => "type plug slave.pcm nothing".to_owned(),
            Default::Jack => "type plug slave.pcm tojack".to_owned(),
        };
        let file = alsa.file();
        let text = format!(
            r#"</usr/share/alsa/alsa.conf>
pcm.nothing {{ type null hint {{ show on description "Takes all" }} }}
pcm.tojack {{ type jack hint {{ show on description "To JACK" }}
    playback_ports {{ 0 system:playback_1 1 system:playback_2 }}
    capture_ports {{ 0 system:capture_1 1 system:capture_2 }} }}
pcm.tofile {{ type linear hint {{ show on description "To a file" }}
    slave {{ format S16_LE pcm {{ type file file "{}" format raw slave.pcm {{ type null }} }} }} }}
pcm.!default {{ {slave} }}
"#,
            file.display()
        );
        std::fs::write(alsa.folder.path().join("asound.conf"), text).expect("write asound.conf");
        alsa
    }

    /// Where `tofile`, an unpaced device that takes whole numbers only, writes raw 16-bit samples.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("sound.raw")
    }

    /// Makes this the ALSA configuration of `command`.
    pub fn give_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("ALSA_CONFIG_PATH", self.folder.path().join("asound.conf"))
    }
}
