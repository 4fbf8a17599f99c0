//! What a query may do: read the relations it was given, for a bounded time. Nothing else.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, Result};

use super::aggregate::calls;
use super::token::{Kind, Token};

/// Virtual machine steps between two looks at the clock: well under a millisecond.
const STEPS: i32 = 20_000;

/// Functions that read anything but their arguments, or answer differently each time.
const DENIED: &[&str] = &[
    "changes",
    "current_date",
    "current_time",
    "current_timestamp",
    "edit",
    "fts3_tokenizer",
    "last_insert_rowid",
    "load_extension",
    "random",
    "randomblob",
    "readfile",
    "total_changes",
    "writefile",
];

/// Functions of dates, which read the clock when asked for `now` or for nothing.
const OF_DATES: &[&str] = &[
    "date",
    "datetime",
    "julianday",
    "strftime",
    "time",
    "unixepoch",
];

/// Tables that are functions of their arguments.
const TABLE_FUNCTIONS: &[&str] = &["json_each", "json_tree"];

/// Turns off what no project needs, and bounds the rest.
pub(super) fn harden(connection: &Connection) -> Result<()> {
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        // "name" is a column, never text: a misspelt column is an error.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, 16 << 20),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 4 << 20),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 500),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 200),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}

/// Lets statements read `relations` and call functions; denies everything else.
pub(super) fn confine(connection: &mut Connection, relations: HashSet<String>) -> Result<()> {
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        let is_allowed = match context.action {
            AuthAction::Select | AuthAction::Recursive => true,
            // Rows are counted without reading a column, also those of a `with` query.
            AuthAction::Read {
                table_name,
                column_name: "",
            } => !is_internal(table_name),
            AuthAction::Read { table_name, .. } => {
                relations.contains(table_name) || TABLE_FUNCTIONS.contains(&table_name)
            }
            AuthAction::Function { function_name } => {
                let name = function_name.to_ascii_lowercase();
                !DENIED.contains(&name.as_str()) && !name.starts_with("sqlite_")
            }
            _ => false,
        };
        if is_allowed {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }))
}

/// A table of SQLite itself.
fn is_internal(table: &str) -> bool {
    let table = table.to_ascii_lowercase();
    table == "dbstat" || table.starts_with("sqlite_") || table.starts_with("pragma_")
}

/// Lets statements do anything: for loading.
pub(super) fn release(connection: &mut Connection) -> Result<()> {
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
}

/// Whether the answer would depend on when it is asked.
pub(super) fn reads_clock(tokens: &[Token<'_>]) -> bool {
    calls(tokens)
        .iter()
        .filter(|call| OF_DATES.contains(&call.name.as_str()))
        .any(|call| {
            let arguments = &tokens[call.arguments.clone()];
            let is_now = |t: &Token<'_>| {
                t.kind == Kind::Text && t.text.trim_matches('\'').trim().eq_ignore_ascii_case("now")
            };
            let commas = arguments.iter().filter(|t| t.is_symbol(",")).count();
            let has_date = commas >= usize::from(call.name == "strftime");
            arguments.is_empty() || !has_date || arguments.iter().any(is_now)
        })
}

/// Stops the running statement when its time is over.
#[derive(Debug)]
pub(super) struct Watch {
    start: Instant,
    /// Milliseconds after `start`.
    deadline: Arc<AtomicU64>,
}

impl Watch {
    pub(super) fn install(connection: &mut Connection) -> Result<Self> {
        let start = Instant::now();
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let shared = Arc::clone(&deadline);
        connection.progress_handler(
            STEPS,
            Some(move || start.elapsed().as_millis() > u128::from(shared.load(Ordering::Relaxed))),
        )?;
        Ok(Self { start, deadline })
    }

    /// Gives what runs from now on this long.
    pub(super) fn allow(&self, budget: Duration) {
        let end = (self.start.elapsed() + budget).as_millis();
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        self.deadline.store(end, Ordering::Relaxed);
    }
}
