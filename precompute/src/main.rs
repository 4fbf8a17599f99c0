//! The command `precompute`: see `precompute::cli`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Threads free what others have made, row by row: a tenth less of a build's own time than with the
/// system's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    precompute::cli::run()
}
