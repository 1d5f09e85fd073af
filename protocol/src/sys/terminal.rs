//! The terminal's mode, kept so that it can be put back however a REPL ends.

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};

/// Whether standard input is a terminal, and that terminal is still there.
pub fn is_there() -> bool {
    tcgetattr(std::io::stdin()).is_ok()
}

/// The mode of standard input as it was.
pub struct Mode(Option<Termios>);

impl Mode {
    /// Notes the present mode, if standard input is a terminal.
    pub fn keep() -> Mode {
        Mode(tcgetattr(std::io::stdin()).ok())
    }

    /// Puts it back.
    pub fn restore(&self) {
        if let Some(mode) = &self.0 {
            // A terminal that is gone needs no mode.
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, mode);
        }
    }
}
