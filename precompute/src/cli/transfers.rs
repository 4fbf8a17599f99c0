//! `precompute transfers`: vote transfers between two tables of counts.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use tilecore::dataset::transfers::TransferMatrix;

use crate::input_error::InputError;
use crate::project::Table;
use crate::sql::{Engine, Mentions};
use crate::transfers::pairing::{Ballot, pair};
use crate::transfers::{Options, estimate};
use crate::units::text_of;
use crate::value::Value;

/// Estimate where the votes of a first ballot went in a second
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Counts of the first ballot: a row a unit, a column an option, abstention included
    #[arg(value_name = "T1.csv")]
    first: PathBuf,
    /// Counts of the second ballot
    #[arg(value_name = "T2.csv")]
    second: PathBuf,
    /// The column of both tables that names the unit
    #[arg(long, value_name = "COLUMN")]
    key: String,
    /// Resamples of units for the 5–95 % interval; 0 for none
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    resamples: u16,
    #[command(flatten)]
    common: super::Common,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.common.start_threads()?;
    let first = read(&args.first, &args.key)?;
    let second = read(&args.second, &args.key)?;
    let files = format!("{}, {}", args.first.display(), args.second.display());
    let paired = pair(&first, &second).context(files.clone())?;
    let options = Options {
        resamples: args.resamples.into(),
        ..Options::default()
    };
    let found = estimate(&paired.margins, options).context(files)?;
    let matrix = found.report(paired.coverage);
    if args.common.json {
        super::print(&(serde_json::to_string_pretty(&matrix)? + "\n"))?;
    } else {
        let mut text = String::new();
        table(&matrix, &mut text)?;
        super::print(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every column of numbers is an option; those of text are left out, and named.
fn read(path: &Path, key: &str) -> Result<Ballot, InputError> {
    let file = path.display().to_string();
    let mut engine = Engine::new(file.clone(), Mentions::everything())?;
    let table = Table {
        name: "ballot".to_owned(),
        path: path.to_owned(),
        text: vec![key.to_owned()],
        ..Table::default()
    };
    let read = engine.load_table(&table)?;
    let is_key = |name: &str| name.eq_ignore_ascii_case(key);
    let (numbers, texts): (Vec<_>, Vec<_>) = read
        .columns
        .iter()
        .filter(|column| !is_key(&column.name))
        .partition(|column| column.kind == "number");
    for column in texts {
        eprintln!(
            "note: {file}: column {:?} is text and no option",
            column.name
        );
    }
    if numbers.is_empty() {
        return Err(InputError::new(file, "no column of counts beside the key"));
    }
    let options: Vec<String> = numbers.iter().map(|column| column.name.clone()).collect();
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let counts: Vec<String> = options.iter().map(|name| quoted(name)).collect();
    let sql = format!(
        "select cast({} as text), {} from ballot",
        quoted(key),
        counts.join(", ")
    );
    let mut ballot = Ballot {
        options,
        ..Ballot::default()
    };
    engine.for_each(&sql, "--key", |row| {
        let Some(key) = text_of(&row[0]) else {
            return Ok(());
        };
        let mut counts = Vec::with_capacity(row.len() - 1);
        for (option, value) in numbers.iter().zip(&row[1..]) {
            counts.push(match value {
                Value::Number(count) if *count < 0.0 => {
                    let column = &option.name;
                    let message = format!(
                        "unit {key:?} has {count} in column {column:?}: counts are not negative"
                    );
                    return Err(InputError::new(&*file, message));
                }
                Value::Number(count) => Some(*count),
                _ => None,
            });
        }
        match ballot.units.insert(key.clone(), counts) {
            None => Ok(()),
            Some(_) => Err(InputError::new(
                &*file,
                format!("unit {key:?} has two rows: add them up, or choose another --key"),
            )),
        }
    })?;
    Ok(ballot)
}

/// A row an option of the first ballot: its votes, then the share that went to each option.
fn table(found: &TransferMatrix, text: &mut String) -> std::fmt::Result {
    let width = found.from.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or_default();
    write!(text, "{:width$} {:>12}", "", "votes")?;
    for to in &found.to {
        write!(text, "  {to:>18}")?;
    }
    text.push('\n');
    for from in &found.from {
        let total: f64 = found.matrix[from].values().sum();
        write!(text, "{from:width$} {total:12.0}")?;
        for to in &found.to {
            let share = 100.0 * found.shares[from][to];
            let interval = match &found.interval_5_95 {
                Some(cells) if total > 0.0 => {
                    let [low, high] = cells[from][to].map(|votes| 100.0 * votes / total);
                    format!(" [{low:.0}–{high:.0}]")
                }
                _ => String::new(),
            };
            let cell = format!("{share:.1} %{interval}");
            write!(text, "  {cell:>18}")?;
        }
        text.push('\n');
    }
    writeln!(
        text,
        "\nEstimated from {} units holding {:.1} % of the votes ({}); heterogeneity {:.1} %.\n\
         Of groups, not of persons: on elections whose transfers are known, 6.5 % of all votes are \
         in the wrong cell, and an interval tells of the units, not of the method.",
        found.units,
        100.0 * found.coverage,
        found.method,
        100.0 * found.heterogeneity
    )?;
    for [from, to] in &found.corners {
        writeln!(
            text,
            "{from} → {to} is at the edge of what is possible: a limit of the method."
        )?;
    }
    Ok(())
}
