//! `tileserver keys`: `add` makes a key, stores its hash and prints the key once; `sign` prints a
//! link that opens a path until it expires.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::access::{KeysFile, NewKey, Role, add_key, sign_link};

#[derive(Debug, Parser)]
#[command(
    name = "tileserver keys",
    about = "API keys and signed links of the tile server"
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    Sign(Sign),
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

/// Print a link that opens a path, and those below it, to whoever has it
#[derive(Debug, clap::Args)]
struct Sign {
    /// The keys file, whose secret signs
    #[arg(long, env = "MAILLE_KEYS", value_name = "FILE")]
    keys: PathBuf,
    /// The key on whose behalf: the link shows what it sees, contacts apart, and dies with it
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// What it opens, as /embed/margin: this path and all below it
    #[arg(long, value_name = "PATH")]
    path: String,
    /// For how long, then to the end of the hour
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
}

/// Runs the verb that `args` name; the first of them is `keys`.
pub fn run(args: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    match Cli::parse_from(args).verb {
        Verb::Add(add) => add.run(),
        Verb::Sign(sign) => sign.run(),
    }
}

impl Add {
    fn run(self) -> anyhow::Result<()> {
        let named = || self.keys.display().to_string();
        let text = match fs::read_to_string(&self.keys) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.with_context(named)?,
        };
        let new = NewKey {
            name: self.name.clone(),
            tenant: self.tenant.clone(),
            role: self.role,
        };
        let (text, key) = add_key(&text, new).with_context(named)?;
        replace(&self.keys, &text).with_context(named)?;
        writeln!(io::stdout(), "{key}")?;
        Ok(())
    }
}

impl Sign {
    fn run(self) -> anyhow::Result<()> {
        let named = || self.keys.display().to_string();
        let text = fs::read_to_string(&self.keys).with_context(named)?;
        let keys = KeysFile::parse(&text).with_context(named)?;
        let lifetime = Duration::from_hours(24 * u64::from(self.days));
        let sig = sign_link(&keys, &self.name, &self.path, lifetime, SystemTime::now());
        let sig = sig.with_context(named)?;
        writeln!(io::stdout(), "{}?sig={sig}", self.path)?;
        Ok(())
    }
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
