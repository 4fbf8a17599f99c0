//! The ledger of releases: what each cost, kept beside the versions for as long as the dataset is.
//!
//! `<dataset>/releases.jsonl`, a line a release or withdrawal, only ever appended to, and on disk
//! before anything is published: a run that is killed in between has spent its ε for nothing,
//! never the other way round.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{MICRO, Micro};
use crate::input_error::InputError;

/// The file, beside `CURRENT`.
pub const LEDGER: &str = "releases.jsonl";

/// What a set may cost within [`WINDOW`].
pub const BUDGET: Micro = MICRO;

/// Twelve months, in seconds.
pub const WINDOW: u64 = 365 * 24 * 3600;

/// See the module.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    entries: Vec<Entry>,
    /// Whether the last line was cut short.
    cut: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Seconds since 1970 in UTC.
    time: u64,
    contacts: String,
    release: String,
    event: Event,
    /// Millionths of ε.
    epsilon_micro: Micro,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    Release,
    Withdraw,
}

impl Ledger {
    /// Of a dataset's directory; empty where there is none yet.
    ///
    /// # Errors
    /// When it is there and cannot be understood: then nothing more may be spent.
    pub fn read(dataset: &Path) -> Result<Self, InputError> {
        let path = dataset.join(LEDGER);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.map_err(|e| InputError::new(path.display().to_string(), e.to_string()))?,
        };
        // A line without its end was never followed by a publication.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let mut entries = Vec::new();
        for (number, line) in (1..)
            .zip(whole.lines())
            .filter(|(_, line)| !line.is_empty())
        {
            match serde_json::from_str(line) {
                Ok(entry) => entries.push(entry),
                // What an append after a cut line left whole, it is: a fragment, then a newline.
                Err(error) if error.is_eof() => {}
                Err(error) => {
                    let fault = InputError::new(
                        path.display().to_string(),
                        format!("no entry of this program ({error}): restore the file"),
                    );
                    return Err(fault.at(crate::input_error::Place::Line(number)));
                }
            }
        }
        Ok(Self {
            cut: whole.len() < text.len(),
            path,
            entries,
        })
    }

    /// What a set has cost within the last twelve months. Times ahead of the clock count too.
    #[must_use]
    pub fn spent(&self, set: &str) -> Micro {
        let since = now().saturating_sub(WINDOW);
        let recent = self.entries.iter();
        let recent = recent.filter(|e| e.contacts == set && e.time >= since);
        recent.fold(0, |sum: Micro, e| sum.saturating_add(e.epsilon_micro))
    }

    /// Debits a release and returns its id.
    ///
    /// # Errors
    /// When the budget does not allow it, or the line is not on disk.
    pub fn debit(&mut self, set: &str, epsilon: Micro) -> Result<String, InputError> {
        let spent = self.spent(set);
        if spent.saturating_add(epsilon) > BUDGET {
            let shown = |micro: Micro| f64::from(micro) / f64::from(MICRO);
            let message = format!(
                "the releases of {set:?} cost ε {} within twelve months, {} more is over the budget of {}: \
                 wait, or ask for less with --epsilon",
                shown(spent),
                shown(epsilon),
                shown(BUDGET)
            );
            return Err(InputError::new(self.path.display().to_string(), message));
        }
        let releases = self.entries.iter().filter(|e| e.contacts == set);
        let number = 1 + releases.filter(|e| e.event == Event::Release).count();
        let id = format!("{set}-{number}");
        self.append(set, &id, Event::Release, epsilon)?;
        Ok(id)
    }

    /// Notes a withdrawal, which is free and always allowed.
    ///
    /// # Errors
    /// When the line is not on disk.
    pub fn withdraw(&mut self, set: &str, release: &str) -> Result<(), InputError> {
        self.append(set, release, Event::Withdraw, 0)
    }

    fn append(
        &mut self,
        set: &str,
        release: &str,
        event: Event,
        epsilon: Micro,
    ) -> Result<(), InputError> {
        let entry = Entry {
            time: now(),
            contacts: set.to_owned(),
            release: release.to_owned(),
            event,
            epsilon_micro: epsilon,
        };
        let write = || -> io::Result<()> {
            let line = serde_json::to_string(&entry)?;
            let start = if self.cut { "\n" } else { "" };
            let mut file = File::options().append(true).create(true).open(&self.path)?;
            file.write_all(format!("{start}{line}\n").as_bytes())?;
            file.sync_all()?;
            // The file's name is on disk too.
            let parent = self.path.parent().unwrap_or(Path::new("."));
            File::open(parent)?.sync_all()
        };
        write().map_err(|e| InputError::new(self.path.display().to_string(), e.to_string()))?;
        self.cut = false;
        self.entries.push(entry);
        Ok(())
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_holds_whatever_interrupts() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join(LEDGER);
        let mut ledger = Ledger::read(dir.path()).expect("none yet");
        assert_eq!(ledger.debit("a", MICRO / 2).expect("within"), "a-1");
        // A run killed while it wrote, and the next one.
        let mut text = fs::read_to_string(&path).expect("there");
        text.push_str("{\"time\": 1, \"con");
        fs::write(&path, &text).expect("writable");
        let mut ledger = Ledger::read(dir.path()).expect("cut short");
        assert_eq!(ledger.debit("a", MICRO / 2).expect("within"), "a-2");
        let mut ledger = Ledger::read(dir.path()).expect("whole again");
        assert_eq!(ledger.spent("a"), MICRO);
        assert!(ledger.debit("a", 1).is_err());
        ledger.withdraw("a", "a-2").expect("always");
        assert_eq!(Ledger::read(dir.path()).expect("there").spent("a"), MICRO);
        assert_eq!(ledger.debit("b", MICRO).expect("another set"), "b-1");
        fs::write(&path, "{}\n").expect("writable");
        assert!(Ledger::read(dir.path()).is_err());
    }
}
