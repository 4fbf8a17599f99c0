//! What changed over several elections, oldest first: the last is now.

use std::collections::BTreeSet;

use super::super::read::Fault;
use super::super::{IndicatorBlock, IndicatorColumn, check};
use super::columns::column;
use super::{literal, source};

/// Elections of one type from which a trend is told.
const TREND_MIN: usize = 3;

/// Elections a block may compare.
const ELECTIONS_MAX: usize = 20;

struct Election {
    name: String,
    kind: String,
    choices: Vec<(String, String)>,
}

/// The elections, and how to speak of their sums in SQL.
struct Series(Vec<Election>);

pub(super) fn expand(block: &mut IndicatorBlock, at: &check::At) -> Result<(), Fault> {
    if block.ballot.is_some() {
        return at
            .key("ballot")
            .fault("`ballot` and `elections` exclude each other: keep one");
    }
    if block.close.is_some() {
        return at.key("close").fault("`close` is of a single `ballot`");
    }
    let (series, relations) = read(block, at)?;
    let prefix = block.prefix.clone().unwrap_or_default();
    let mut columns = series.changes(&prefix);
    if let Some(pair) = &block.swing {
        let swing_at = at.key("swing");
        for side in pair {
            if !series.common().any(|choice| choice == side) {
                return swing_at.fault(format!("{side:?} is no choice of every election"));
            }
        }
        columns.extend(series.swings(&prefix, pair));
    }
    let common: Vec<String> = series.common().map(ToOwned::to_owned).collect();
    for choice in &common {
        columns.extend(series.strongholds(&prefix, choice));
        columns.extend(series.trends(&prefix, choice));
    }
    columns.push(series.absences(&prefix));
    columns.append(&mut block.columns);
    block.columns = columns;
    block.from = format!("({})", relations.join(" union all "));
    "code".clone_into(&mut block.key);
    block
        .weight
        .get_or_insert_with(|| series.sum("registered", series.now()));
    Ok(())
}

fn read(block: &IndicatorBlock, at: &check::At) -> Result<(Series, Vec<String>), Fault> {
    let at = at.key("elections");
    if !(2..=ELECTIONS_MAX).contains(&block.elections.len()) {
        return at.fault(format!(
            "a change is between two elections and at most {ELECTIONS_MAX}, oldest first"
        ));
    }
    let mut names = BTreeSet::new();
    let mut relations = Vec::new();
    let mut elections = Vec::new();
    for (i, ballot) in block.elections.iter().enumerate() {
        let at = at.index(i);
        let Some(name) = ballot
            .name
            .clone()
            .filter(|name| names.insert(name.clone()))
        else {
            return at.fault("each election has a `name` of its own");
        };
        let extra = format!(", {i} as election");
        let source = source(block, ballot, &extra, true, &at)?;
        if source.choices.is_empty() {
            return at.fault("an election to compare lists its `choices`");
        }
        relations.push(source.sql);
        elections.push(Election {
            name,
            kind: ballot.kind.clone().unwrap_or_default(),
            choices: source.choices,
        });
    }
    Ok((Series(elections), relations))
}

impl Series {
    fn now(&self) -> usize {
        self.0.len() - 1
    }

    #[expect(
        clippy::unused_self,
        reason = "the index is one of this series' elections"
    )]
    fn sum(&self, count: &str, election: usize) -> String {
        format!("sum({count}) filter (where election = {election})")
    }

    /// Votes for a choice; `None` where it did not stand.
    fn votes(&self, choice: &str, election: usize) -> Option<String> {
        let value = self.0[election]
            .choices
            .iter()
            .find(|(name, _)| name == choice)
            .map(|(_, value)| value)?;
        Some(format!(
            "sum(votes) filter (where election = {election} and choice = {})",
            literal(value)
        ))
    }

    /// Choices of every election, in the order of the last.
    fn common(&self) -> impl Iterator<Item = &str> {
        let last = &self.0[self.now()].choices;
        let everywhere = |name: &str| (0..self.0.len()).all(|i| self.votes(name, i).is_some());
        last.iter()
            .map(|(name, _)| name.as_str())
            .filter(move |name| everywhere(name))
    }

    /// Choices of the last two elections, each once.
    fn of_last_two(&self) -> Vec<&str> {
        let last_two = self.0[self.now() - 1..].iter();
        let names = last_two.flat_map(|election| &election.choices);
        let names: BTreeSet<&str> = names.map(|(name, _)| name.as_str()).collect();
        names.into_iter().collect()
    }

    /// From the election before to the last: turnout, and volatility (Pedersen 1979) on valid
    /// votes, and on the registered with all who chose nobody as an option.
    fn changes(&self, prefix: &str) -> Vec<IndicatorColumn> {
        let (before, now) = (self.now() - 1, self.now());
        let share = |choice: Option<&str>, of: &str, election: usize| {
            let whole = self.sum(of, election);
            let part = match choice {
                Some(choice) => match self.votes(choice, election) {
                    Some(votes) => format!("coalesce({votes}, 0)"),
                    None => "0".to_owned(),
                },
                None => format!("({whole} - {})", self.sum("valid", election)),
            };
            format!("{part} / {whole}")
        };
        let volatility = |options: &[Option<&str>], of: &str| {
            let moves: Vec<String> = options
                .iter()
                .map(|option| {
                    let (now, before) = (share(*option, of, now), share(*option, of, before));
                    format!("abs({now} - {before})")
                })
                .collect();
            format!("({}) / 2", moves.join(" + "))
        };
        let choices = self.of_last_two();
        let mut options: Vec<Option<&str>> = choices.into_iter().map(Some).collect();
        let on_valid = volatility(&options, "valid");
        options.push(None);
        let on_registered = volatility(&options, "registered");
        let turnout = |i| format!("{} / {}", self.sum("voters", i), self.sum("registered", i));
        let span = format!("{} – {}", self.0[before].name, self.0[now].name);
        let label = |fr: &str, en: &str| [format!("{fr}, {span}"), format!("{en}, {span}")];
        vec![
            column(
                &format!("{prefix}turnout_change"),
                format!("{} - {}", turnout(now), turnout(before)),
                "share",
                label("Évolution de la participation", "Change of turnout"),
            ),
            column(
                &format!("{prefix}volatility"),
                on_valid,
                "share",
                label("Volatilité", "Volatility"),
            ),
            column(
                &format!("{prefix}volatility_registered"),
                on_registered,
                "share",
                label(
                    "Volatilité, abstention comprise",
                    "Volatility, abstention included",
                ),
            ),
        ]
    }

    /// From the second of the pair to the first: Butler's on valid votes, Steed's on the two.
    fn swings(&self, prefix: &str, [a, b]: &[String; 2]) -> Vec<IndicatorColumn> {
        let (before, now) = (self.now() - 1, self.now());
        let votes = |choice: &str, i| self.votes(choice, i).unwrap_or_default();
        let change = |choice: &str| {
            let share = |i| format!("{} / {}", votes(choice, i), self.sum("valid", i));
            format!("({} - {})", share(now), share(before))
        };
        let of_two = |i| format!("{} / ({} + {})", votes(a, i), votes(a, i), votes(b, i));
        let label = |fr: &str, en: &str| {
            let who = [&self.0[before].name, &self.0[now].name];
            let [before, now] = who;
            [
                format!("{fr} de {b} vers {a}, {before} – {now}"),
                format!("{en} from {b} to {a}, {before} – {now}"),
            ]
        };
        vec![
            column(
                &format!("{prefix}swing"),
                format!("({} - {}) / 2", change(a), change(b)),
                "share",
                label("Basculement (Butler)", "Swing (Butler)"),
            ),
            column(
                &format!("{prefix}swing_two"),
                format!("{} - {}", of_two(now), of_two(before)),
                "share",
                label("Basculement (Steed)", "Swing (Steed)"),
            ),
        ]
    }

    /// What a choice got at its weakest and strongest, on the electors of now, and what it lacks.
    fn strongholds(&self, prefix: &str, choice: &str) -> Vec<IndicatorColumn> {
        let votes = |i| self.votes(choice, i).unwrap_or_default();
        let strengths: Vec<String> = (0..self.0.len())
            .map(|i| format!("{} / {}", votes(i), self.sum("registered", i)))
            .collect();
        let strengths = strengths.join(", ");
        let electors = self.sum("registered", self.now());
        let base = format!("min({strengths}) * {electors}");
        let potential = format!("max({strengths}) * {electors}");
        let reserve = format!("max(0, {potential} - {})", votes(self.now()));
        let names: Vec<&str> = self.0.iter().map(|e| e.name.as_str()).collect();
        let names = names.join(", ");
        let labels = [
            ("base", base, "socle", "base"),
            ("potential", potential, "potentiel", "potential"),
            ("reserve", reserve, "réserve", "reserve"),
        ];
        labels
            .into_iter()
            .map(|(name, sql, fr, en)| {
                let label = [
                    format!("{choice}, {fr} de voix ({names})"),
                    format!("{choice}, {en} of votes ({names})"),
                ];
                column(&format!("{prefix}{name}_{choice}"), sql, "count", label)
            })
            .collect()
    }

    /// Slopes of the share of the registered, per election, over those of the last one's type.
    fn trends(&self, prefix: &str, choice: &str) -> Vec<IndicatorColumn> {
        let kind = &self.0[self.now()].kind;
        let alike: Vec<usize> = (0..self.0.len())
            .filter(|i| self.0[*i].kind == *kind)
            .collect();
        if alike.len() < TREND_MIN {
            return Vec::new();
        }
        let strengths: Vec<String> = alike
            .iter()
            .map(|&i| {
                let votes = self.votes(choice, i).unwrap_or_default();
                format!("{votes} / {}", self.sum("registered", i))
            })
            .collect();
        let terms: Vec<String> = strengths
            .iter()
            .zip(slope_weights(strengths.len()))
            .map(|(strength, weight)| {
                let sign = if weight < 0.0 { "-" } else { "+" };
                format!("{sign} {} * ({strength})", weight.abs())
            })
            .collect();
        let label = |how: &str| {
            [
                format!("{choice}, tendance par élection ({how})"),
                format!("{choice}, trend per election ({how})"),
            ]
        };
        vec![
            column(
                &format!("{prefix}trend_{choice}"),
                format!("0 {}", terms.join(" ")),
                "share",
                label("OLS"),
            ),
            column(
                &format!("{prefix}theil_sen_{choice}"),
                format!("theil_sen({})", strengths.join(", ")),
                "share",
                label("Theil–Sen"),
            ),
        ]
    }

    /// The elections that a unit has no figures of: why its changes are missing.
    fn absences(&self, prefix: &str) -> IndicatorColumn {
        let parts: Vec<String> = self
            .0
            .iter()
            .enumerate()
            .map(|(i, election)| {
                let registered = self.sum("registered", i);
                let name = literal(&format!("{} ", election.name));
                format!("case when {registered} is null then {name} else '' end")
            })
            .collect();
        column(
            &format!("{prefix}absent"),
            format!("nullif(trim({}), '')", parts.join(" || ")),
            "",
            [
                "Absent des élections".to_owned(),
                "Absent from elections".to_owned(),
            ],
        )
    }
}

/// The slope of ordinary least squares over 0, 1, … n − 1 is the sum of these times the values.
#[expect(clippy::cast_precision_loss, reason = "a few elections")]
fn slope_weights(n: usize) -> impl Iterator<Item = f64> {
    let mean = (n as f64 - 1.0) / 2.0;
    let squares: f64 = (0..n).map(|i| (i as f64 - mean).powi(2)).sum();
    (0..n).map(move |i| (i as f64 - mean) / squares)
}
