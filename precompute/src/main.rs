//! The command `precompute`: see `precompute::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    precompute::cli::run()
}
