//! The subcommands that need an engine: each starts one, or looks at the machine, and ends with an exit code.
//!
//! Errors are sentences for standard error.

/// What sound goes to, as text or JSON.
///
/// # Errors
/// If the system cannot be asked.
pub fn devices(_json: bool) -> Result<String, String> {
    Err("devices: not wired yet".to_owned())
}
