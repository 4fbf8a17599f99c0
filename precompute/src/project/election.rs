//! `preset = "election"`: the indicators of one election, or of what changed over several, as
//! ordinary columns of SQL over counts.
//!
//! ```text
//! stations (registered, voters, …) ─┐ union all
//! votes by choice, long or wide ────┴▸ one relation ─▸ sum(…) / sum(…) at every level
//! ```
//! Every figure is an aggregate over counts, so that a coarser level follows from the same rows.

mod columns;
mod series;

use serde::Deserialize;

use super::read::{self, Fault};
use super::{IndicatorBlock, check};

/// `preset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    Election,
}

/// `ballot` of a block, and each of its `elections`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ballot {
    /// In `elections`: what readers call it, as `2022`.
    pub name: Option<String>,
    /// In `elections`: its type, as `presidential`; a trend is of one type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// In `elections`: the relation of the stations' counts; the block's by default.
    pub from: Option<String>,
    /// In `elections`: SQL for the level's key; the block's by default.
    pub key: Option<String>,
    /// SQL over a row of `from`.
    #[serde(default)]
    pub counts: Counts,
    /// Votes by choice, one row a choice.
    pub candidates: Option<Candidates>,
    /// Votes by choice, one column a choice: choice ▸ SQL over a row of `from`.
    #[serde(default, deserialize_with = "read::ordered")]
    pub votes: Vec<(String, String)>,
    /// Of `candidates`, those with indicators of their own: name ▸ value of `choice`.
    #[serde(default, deserialize_with = "read::ordered")]
    pub choices: Vec<(String, String)>,
}

/// `counts = { registered, voters, blank, null, valid }`: SQL; by default the names of the French
/// Ministry's tables. `"null"` is a count that nobody made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counts {
    pub registered: String,
    pub voters: String,
    pub blank: String,
    pub null: String,
    pub valid: String,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            registered: "inscrits".to_owned(),
            voters: "votants".to_owned(),
            blank: "blancs".to_owned(),
            null: "nuls".to_owned(),
            valid: "exprimes".to_owned(),
        }
    }
}

impl Counts {
    fn all(&self) -> [&str; 5] {
        [
            &self.registered,
            &self.voters,
            &self.blank,
            &self.null,
            &self.valid,
        ]
    }
}

/// `candidates = { from, key, choice, votes }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidates {
    /// A table's name, or a subquery in parentheses.
    pub from: String,
    /// SQL: the level's key for a row of `from`; the ballot's by default.
    pub key: Option<String>,
    /// SQL: whom the row's votes are for.
    pub choice: String,
    /// SQL: the votes.
    pub votes: String,
}

/// Writes the block's `from`, `key`, `weight`, identities and columns; its own columns stay,
/// behind those of the preset.
pub(super) fn expand(block: &mut IndicatorBlock, at: &check::At) -> Result<(), Fault> {
    if block.preset.is_none() {
        let given = [
            ("ballot", block.ballot.is_some()),
            ("elections", !block.elections.is_empty()),
            ("swing", block.swing.is_some()),
            ("prefix", block.prefix.is_some()),
            ("close", block.close.is_some()),
        ];
        return match given.iter().find(|(_, given)| *given) {
            Some((key, _)) => at
                .key(key)
                .fault(format!("`{key}` needs `preset = \"election\"`")),
            None => Ok(()),
        };
    }
    if block.elections.is_empty() {
        columns::expand(block, at)
    } else {
        series::expand(block, at)
    }
}

/// A ballot's relation and its choices.
struct Source {
    /// `select … union all select …`: code, registered, voters, blank, `null_votes`, valid,
    /// choice, votes; `extra` is appended to each.
    sql: String,
    /// Name in columns ▸ value of `choice`.
    choices: Vec<(String, String)>,
}

/// A ballot as it is read: where its stations are, and what its rows hold beside its columns.
struct Reading<'a> {
    from: &'a str,
    key: &'a str,
    extra: &'a str,
    /// Leaves out votes for choices without a name.
    only_listed: bool,
}

/// What a row of votes has in place of a station's counts.
const NO_COUNTS: &str = "null, null, null, null, null";

/// The rows of a ballot.
fn source(
    block: &IndicatorBlock,
    ballot: &Ballot,
    extra: &str,
    only_listed: bool,
    at: &check::At,
) -> Result<Source, Fault> {
    let reading = Reading {
        from: ballot.from.as_deref().unwrap_or(&block.from),
        key: ballot.key.as_deref().unwrap_or(&block.key),
        extra,
        only_listed,
    };
    check::required_sql(reading.from, &at.key("from"))?;
    check::required_sql(reading.key, &at.key("key"))?;
    let mut selects = vec![stations(&reading, &ballot.counts, &at.key("counts"))?];
    let choices = match (&ballot.candidates, ballot.votes.as_slice()) {
        (Some(candidates), []) => {
            let at = at.key("candidates");
            selects.push(long_votes(&reading, candidates, &ballot.choices, &at)?);
            ballot.choices.clone()
        }
        (None, [_, ..]) => {
            if !ballot.choices.is_empty() {
                return at
                    .key("choices")
                    .fault("`votes` names its choices: remove `choices`");
            }
            for (choice, votes) in &ballot.votes {
                check::required_sql(votes, &at.key("votes").key(choice))?;
                selects.push(wide_votes(&reading, choice, votes));
            }
            let names = ballot.votes.iter().map(|(name, _)| name);
            names.map(|name| (name.clone(), name.clone())).collect()
        }
        _ => {
            return at.fault(
                "a ballot has either `candidates` (a row a choice) or `votes` (a column a choice)",
            );
        }
    };
    for (choice, _) in &choices {
        check::name(choice, &at.key("choices").key(choice))?;
    }
    Ok(Source {
        sql: selects.join(" union all "),
        choices,
    })
}

/// A row a station, without votes.
fn stations(reading: &Reading<'_>, counts: &Counts, at: &check::At) -> Result<String, Fault> {
    let names = ["registered", "voters", "blank", "null_votes", "valid"];
    let mut columns = Vec::new();
    for (count, name) in counts.all().into_iter().zip(names) {
        check::required_sql(count, at)?;
        columns.push(format!("{} as {name}", number(count)));
    }
    let Reading {
        from, key, extra, ..
    } = reading;
    let columns = columns.join(", ");
    Ok(format!(
        "select cast(({key}) as text) as code, {columns}, null as choice, null as votes{extra} \
         from {from}"
    ))
}

/// A row a choice, from a relation of that shape.
fn long_votes(
    reading: &Reading<'_>,
    candidates: &Candidates,
    choices: &[(String, String)],
    at: &check::At,
) -> Result<String, Fault> {
    let Candidates {
        from,
        key,
        choice,
        votes,
    } = candidates;
    let key = key.as_deref().unwrap_or(reading.key);
    for (name, sql) in [
        ("from", &**from),
        ("key", key),
        ("choice", choice),
        ("votes", votes),
    ] {
        check::required_sql(sql, &at.key(name))?;
    }
    let listed: Vec<String> = choices.iter().map(|(_, value)| literal(value)).collect();
    let condition = if reading.only_listed {
        format!(" where choice in ({})", listed.join(", "))
    } else {
        String::new()
    };
    Ok(format!(
        "select * from (select cast(({key}) as text), {NO_COUNTS}, cast(({choice}) as text) as \
         choice, {} as votes{} from {from}){condition}",
        number(votes),
        reading.extra
    ))
}

/// A row a choice, from the choice's column.
fn wide_votes(reading: &Reading<'_>, choice: &str, votes: &str) -> String {
    let Reading {
        from, key, extra, ..
    } = reading;
    format!(
        "select cast(({key}) as text), {NO_COUNTS}, {}, {} as votes{extra} from {from}",
        literal(choice),
        number(votes)
    )
}

/// A column of numbers is an operand, so that text in it is refused as it is in a sum.
fn number(sql: &str) -> String {
    let is_column = |c: char| c.is_alphanumeric() || c == '_';
    if sql.eq_ignore_ascii_case("null") || !sql.chars().all(is_column) {
        format!("({sql})")
    } else {
        format!("1 * {sql}")
    }
}

/// SQL text.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests;
