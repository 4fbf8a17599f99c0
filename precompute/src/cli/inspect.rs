//! `precompute inspect`: what a dataset holds; verifies every hash.

use std::fmt::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use tilecore::dataset::schema::{ColumnStats, Layer, text_in};

use crate::inspect::{self, Version};

/// Say what a dataset holds; verify every hash
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A dataset, or one of its versions
    #[arg(value_name = "DIR")]
    dataset: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let version = inspect::read(&args.dataset)?;
    let text = if args.json {
        serde_json::to_string_pretty(&version)? + "\n"
    } else {
        let mut text = String::new();
        describe(&version, &mut text)?;
        text
    };
    super::print(&text)?;
    for fault in &version.faults {
        eprintln!(
            "error: {}: {}",
            version.directory.join(&fault.file).display(),
            fault.message
        );
    }
    Ok(if version.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn describe(version: &Version, out: &mut String) -> fmt::Result {
    let manifest = &version.manifest;
    writeln!(
        out,
        "dataset {}, version {}",
        manifest.name, manifest.version
    )?;
    for (path, file) in &manifest.files {
        let state = if version.faults.iter().any(|fault| fault.file == *path) {
            "DAMAGED"
        } else {
            "verified"
        };
        writeln!(out, "  {path}: {} bytes, {state}", file.bytes)?;
    }
    for layer in &manifest.layers {
        describe_layer(layer, out)?;
    }
    Ok(())
}

fn describe_layer(layer: &Layer, out: &mut String) -> fmt::Result {
    writeln!(out, "layer {}", layer.name)?;
    for level in &layer.levels {
        let [first, last] = level.zooms;
        let [west, south, east, north] = level.bounds;
        writeln!(
            out,
            "  level {}: {} areas, zooms {first} to {last}, \
             {west:.4} {south:.4} to {east:.4} {north:.4}",
            level.name, level.rows
        )?;
    }
    for indicator in layer
        .indicators
        .iter()
        .filter(|indicator| !indicator.hidden)
    {
        let label = text_in(&indicator.label, "en").unwrap_or(&indicator.name);
        let unit = indicator.unit.as_deref().unwrap_or("-");
        writeln!(
            out,
            "  {} ({label}, {unit}): {}",
            indicator.name, indicator.sql
        )?;
        for level in &layer.levels {
            if let Some(stats) = level.columns.iter().find(|c| c.name == indicator.name) {
                writeln!(out, "    {}: {}", level.name, range(stats))?;
            }
        }
    }
    Ok(())
}

fn range(stats: &ColumnStats) -> String {
    let values = match (stats.min, stats.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        _ => format!("{} distinct", stats.distinct),
    };
    format!(
        "{values}, {} of {} missing",
        stats.missing,
        stats.count + stats.missing
    )
}
