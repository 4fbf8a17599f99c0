//! `tileserver keys add`: makes a key, stores its hash, prints the key once.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::access::{NewKey, Role, add_key};

#[derive(Debug, Parser)]
#[command(name = "tileserver keys", about = "API keys of the tile server")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
}

/// Add a key to a keys file and print it: it is stored nowhere
#[derive(Debug, clap::Args)]
struct Add {
    /// The keys file; made when it is not there
    #[arg(long, env = "MAILLE_KEYS", value_name = "FILE")]
    keys: PathBuf,
    /// Whose key it is: lower-case letters, digits, `_` and `-`
    #[arg(long, value_name = "NAME")]
    tenant: String,
    /// `inside` sees the tenant's contacts, `outside` what everybody sees
    #[arg(long, value_parser = role)]
    role: Role,
    /// What it is for, unique in the file
    #[arg(long, value_name = "TEXT")]
    name: String,
}

/// Runs the verb that `args` name; the first of them is `keys`.
pub fn run(args: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    let Verb::Add(add) = Cli::parse_from(args).verb;
    let named = || add.keys.display().to_string();
    let text = match fs::read_to_string(&add.keys) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.with_context(named)?,
    };
    let new = NewKey {
        name: add.name.clone(),
        tenant: add.tenant.clone(),
        role: add.role,
    };
    let (text, key) = add_key(&text, new).with_context(named)?;
    replace(&add.keys, &text).with_context(named)?;
    writeln!(io::stdout(), "{key}")?;
    Ok(())
}

/// So that a server reads the old file or the new one; only its owner may.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)
}

fn role(text: &str) -> Result<Role, String> {
    match text {
        "inside" => Ok(Role::Inside),
        "outside" => Ok(Role::Outside),
        _ => Err("give inside or outside".into()),
    }
}
