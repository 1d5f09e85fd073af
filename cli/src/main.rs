//! The `tine` command: everything is in the library, where tests reach it.

fn main() -> std::process::ExitCode {
    tine_cli::main()
}
