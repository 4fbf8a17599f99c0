//! `precompute release`: publishes noisy counts of contacts for the public, or withdraws them.

use std::path::PathBuf;
use std::process::ExitCode;

use super::Common;
use crate::amend::amend;
use crate::contacts::release::ledger::Ledger;
use crate::contacts::release::{self, MICRO, Micro};
use crate::contacts::{self, Forgotten};
use crate::input_error::InputError;
use crate::project::Project;
use crate::publish::Store;
use crate::sql::{Engine, Mentions};

/// Publish a noisy cube of contacts for the public tier
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The project file, whose `[contacts.release]` says what is counted
    #[arg(value_name = "PROJECT.toml")]
    project: PathBuf,
    /// The dataset's directory
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The contact set
    #[arg(long, value_name = "SET")]
    contacts: String,
    /// Privacy budget of this release; all of twelve months may cost 1
    #[arg(long, value_name = "E", default_value = "0.5", value_parser = parse_epsilon)]
    epsilon: Micro,
    /// Take the release back instead: free, and always allowed
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.common.start_threads()?;
    let project = Project::read(&args.project)?;
    let store = Store::open(&args.out)?;
    let mut ledger = Ledger::read(&args.out)?;
    let path = release::path_of(&args.contacts);
    if args.withdraw {
        let version = amend(
            &store,
            &args.out,
            |file| file == path,
            |draft| {
                let releases = &mut draft.manifest.releases;
                let known = releases
                    .iter()
                    .position(|known| known.name == args.contacts);
                let known = known.ok_or_else(|| {
                    let file = args.out.display().to_string();
                    InputError::new(file, format!("{:?} has no release", args.contacts))
                })?;
                let gone = releases.remove(known);
                Ok(ledger.withdraw(&gone.name, &gone.id)?)
            },
        )?;
        // The versions before still hold it.
        store.keep_only(&version)?;
        return told(args, &version, "withdrawn");
    }
    let set = project.contact_set(&args.contacts)?;
    let plan = set.release.as_ref().ok_or_else(|| {
        let message = "it has no [contacts.release]: say there what the public may know";
        InputError::new(format!("contacts {}", set.name), message)
    })?;
    let mut engine = Engine::new(
        args.project.display().to_string(),
        Mentions::of(project.sql()),
    )?;
    let forgotten = Forgotten::read(&args.out)?;
    let left_out = forgotten.of(&set.name, project.set_names());
    let (read, _) = contacts::import(&mut engine, set, &|id| left_out.has(id))?;
    left_out.check()?;
    let counts = release::count(&mut engine, set, plan, read.rows(), args.epsilon)?;
    drop(read);
    let version = amend(
        &store,
        &args.out,
        |file| file == path,
        |draft| {
            // On disk before the counts are: see the ledger.
            let id = ledger.debit(&set.name, args.epsilon)?;
            let meta = counts.write(set, id, args.epsilon, &mut draft.stage)?;
            let releases = &mut draft.manifest.releases;
            releases.retain(|known| known.name != meta.name);
            releases.push(meta);
            releases.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(())
        },
    )?;
    told(args, &version, "released")
}

fn told(args: &Args, version: &str, done: &str) -> anyhow::Result<ExitCode> {
    let text = if args.common.json {
        let answer =
            serde_json::json!({ "version": version, "contacts": args.contacts, "done": done });
        format!("{answer:#}\n")
    } else {
        format!("{} {done}\nversion {version}\n", args.contacts)
    };
    super::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// In millionths, above 0 and at most 1.
fn parse_epsilon(text: &str) -> Result<Micro, String> {
    let epsilon: f64 = text.parse().map_err(|_| "give a number, as 0.5")?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a million"
    )]
    let micro = (epsilon.clamp(0.0, 2.0) * f64::from(MICRO)).round() as Micro;
    if (1..=MICRO).contains(&micro) {
        Ok(micro)
    } else {
        Err("give a number above 0, at most 1".to_owned())
    }
}
