//! `precompute build`: joins, publishes a version and prints the report.

use std::path::PathBuf;
use std::process::ExitCode;

use super::Common;
use crate::contacts::Forgotten;
use crate::pipeline;
use crate::publish::Store;

/// Build and publish a version; print the report
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The project file
    #[arg(value_name = "PROJECT.toml")]
    project: PathBuf,
    /// The dataset's directory, which keeps this version and the one before
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Publish nothing when a smaller share of what concerns a layer finds its unit
    #[arg(long, value_name = "SHARE", default_value = "0.98", value_parser = super::parse_share)]
    min_match: f64,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.common.start_threads()?;
    let store = Store::open(&args.out)?;
    let dataset = pipeline::run(&args.project, &Forgotten::read(&args.out)?)?;
    let lowest = dataset
        .report
        .lowest_match()
        .map(|(from, share)| (from.to_owned(), share));
    if let Some((from, share)) = lowest
        && share < args.min_match
    {
        store.write_report(&dataset.report.to_json())?;
        super::print_report(&dataset.report, args.common.json)?;
        eprintln!(
            "error: {share:.4} of {from} finds its unit, below --min-match {}: the report names \
             every orphan; add rules, aliases or `explain`, or lower --min-match. Nothing was \
             published",
            args.min_match
        );
        return Ok(ExitCode::from(super::EXIT_MATCH));
    }
    let report = dataset.publish(&store)?;
    super::print_report(&report, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}
