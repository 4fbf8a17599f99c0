//! The command line: one verb a user's job, one file a verb.
//!
//! Results go to standard output, progress and errors to standard error. Exit codes: 0 done, 1 the
//! input is at fault, 2 wrong usage (clap's own), 3 the match is below `--min-match`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::{self, Report};

mod build;
mod check;
mod export;
mod forget;
mod inspect;
mod release;
mod transfers;
mod turfs;

/// The match is too low; the report says where.
const EXIT_MATCH: u8 = 3;

#[derive(Debug, Parser)]
#[command(name = "precompute", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Build(build::Args),
    Check(check::Args),
    Inspect(inspect::Args),
    Release(release::Args),
    Forget(forget::Args),
    Transfers(transfers::Args),
    Export(export::Args),
    Turfs(turfs::Args),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Build(args) => build::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Release(args) => release::run(&args),
        Verb::Forget(args) => forget::run(&args),
        Verb::Transfers(args) => transfers::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Turfs(args) => turfs::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Flags that every verb over a project file has.
#[derive(Debug, clap::Args)]
struct Common {
    /// Threads to use; as many as the machine has by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print the report as JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Common {
    fn start_threads(&self) -> anyhow::Result<()> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads.into())
                .build_global()?;
        }
        Ok(())
    }
}

/// A share of the match, 0 to 1.
fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1, as 0.98".to_owned()),
    }
}

fn print_report(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        return print(&report.to_json());
    }
    let mut text = String::new();
    report::print(report, &mut text)?;
    print(&text)
}

/// Writes a result to standard output; a reader that has gone away is no error.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
