//! `precompute check`: reads, joins and reports; writes nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use super::Common;
use crate::contacts::Forgotten;

/// Read, join and report; write nothing
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The project file
    #[arg(value_name = "PROJECT.toml")]
    project: PathBuf,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.common.start_threads()?;
    let dataset = crate::pipeline::run(&args.project, &Forgotten::default())?;
    super::print_report(&dataset.report, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}
