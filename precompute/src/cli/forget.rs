//! `precompute forget`: publishes a version without some persons, and keeps them out of later ones.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use tilecore::nfc::composed;

use super::Common;
use crate::amend::amend;
use crate::contacts::{self, FORGOTTEN, Forgotten};
use crate::input_error::InputError;
use crate::project::Project;
use crate::publish::Store;
use crate::sql::{Engine, Mentions};

/// Publish a version without some contacts, and keep them out of later builds
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The project file: the set is read again from its source
    #[arg(value_name = "PROJECT.toml")]
    project: PathBuf,
    /// The dataset's directory
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The contact set
    #[arg(long, value_name = "SET")]
    contacts: String,
    /// A text file with one id a line
    #[arg(long, value_name = "FILE")]
    ids: PathBuf,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.common.start_threads()?;
    let project = Project::read(&args.project)?;
    let set = project.contact_set(&args.contacts)?;
    let text = std::fs::read_to_string(&args.ids)
        .with_context(|| format!("{}: cannot be read as text", args.ids.display()))?;
    // Composed, as those of tables, and by their lines.
    let ids: BTreeMap<String, usize> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|line| composed(line.trim()).into_owned())
        .zip(1..)
        .filter(|(id, _)| !id.is_empty())
        .collect();
    if ids.is_empty() {
        let file = args.ids.display().to_string();
        return Err(InputError::new(file, "no ids: write one a line").into());
    }
    let store = Store::open(&args.out)?;
    let mut forgotten = Forgotten::read(&args.out)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).context("the operating system gives no random bytes")?;
    forgotten.add(&set.name, key, ids.keys().map(String::as_str));
    // First of all: whatever happens to this run, no build brings them back.
    store.write_private(FORGOTTEN, forgotten.to_json().as_bytes())?;

    let mut engine = Engine::new(
        args.project.display().to_string(),
        Mentions::of(project.sql()),
    )?;
    let unknown = RefCell::new(ids.clone());
    let left_out = forgotten.of(&set.name, project.set_names());
    let (read, report) = contacts::import(&mut engine, set, &|id| {
        unknown.borrow_mut().remove(id);
        left_out.has(id)
    })?;
    left_out.check()?;
    let mut unknown: Vec<usize> = unknown.into_inner().into_values().collect();
    unknown.sort_unstable();
    let path = format!("contacts/{}.arrow", set.name);
    let told = report.clone();
    let version = amend(
        &store,
        &args.out,
        |file| file == path,
        |draft| {
            let meta = read.write(&mut draft.stage)?;
            let sets = &mut draft.manifest.contacts;
            match sets.iter_mut().find(|known| known.name == meta.name) {
                Some(known) => *known = meta,
                None => sets.push(meta),
            }
            let sets = draft.report["contacts"].as_array().cloned();
            let mut sets = sets.unwrap_or_default();
            sets.retain(|known| known["name"] != told.name.as_str());
            sets.push(serde_json::to_value(&told)?);
            draft.report["contacts"] = sets.into();
            Ok(())
        },
    )?;
    // The versions before still hold them.
    store.keep_only(&version)?;
    if args.common.json {
        let answer = serde_json::json!({
            "version": version, "contacts": report, "unknown_lines": unknown
        });
        super::print(&format!("{answer:#}\n"))?;
    } else {
        let left = report.left_out.get("forgotten").copied().unwrap_or(0);
        super::print(&format!(
            "{} ids, of which {} are in the file of {}\n{}{left} rows of it are left out, with those \
             forgotten before; {} contacts remain\nversion {version}; the versions before it are \
             removed\n",
            ids.len(),
            ids.len() - unknown.len(),
            set.name,
            without_row(&args.ids, &unknown),
            report.contacts
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What lines of `file` hold an id that no row has, if any does.
fn without_row(file: &Path, lines: &[usize]) -> String {
    const SHOWN: usize = 10;
    if lines.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = lines.iter().take(SHOWN).map(usize::to_string).collect();
    let more = if lines.len() > SHOWN { ", …" } else { "" };
    format!(
        "{}: no row has the id of line {}{more}; later builds leave it out all the same\n",
        file.display(),
        shown.join(", ")
    )
}
