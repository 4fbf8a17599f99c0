//! `precompute export`: a layer's tiles in one file, for a web server without this program.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::export::{self, Policy, Wanted};

/// Write a layer's tiles, under a fixed filter and with fixed properties, into one file
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A dataset, or one of its versions
    #[arg(value_name = "DIR")]
    dataset: PathBuf,
    /// The file to write, as `PMTiles`
    #[arg(long, value_name = "FILE")]
    pmtiles: PathBuf,
    /// The layer; needed when there are several
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Indicators in the tiles, between commas; by default the layer's
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    properties: Option<Vec<String>>,
    /// CQL2 text that units must pass
    #[arg(long, value_name = "CQL2")]
    filter: Option<String>,
    /// The server's keys file: what its `[public]` hides stays out
    #[arg(long, env = "MAILLE_KEYS", value_name = "FILE")]
    keys: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let policy = args.keys.as_deref().map(Policy::read).transpose()?;
    let wanted = Wanted {
        layer: args.layer.clone(),
        properties: args.properties.clone(),
        filter: args.filter.clone(),
        policy: policy.unwrap_or_default(),
    };
    let written = export::pmtiles(&args.dataset, &wanted, &args.pmtiles)?;
    super::print(&format!(
        "{}: {} tiles, {} bytes\n",
        args.pmtiles.display(),
        written.tiles,
        written.bytes
    ))?;
    Ok(ExitCode::SUCCESS)
}
