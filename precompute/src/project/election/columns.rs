//! The indicators of one election.

use tilecore::dataset::schema::Localized;

use super::super::read::Fault;
use super::super::{IndicatorBlock, IndicatorColumn, check};
use super::{literal, source};

/// A lead of at most so much of the valid votes is close.
const CLOSE: f64 = 0.05;

/// Name, SQL, unit, French and English labels.
type Row = (&'static str, &'static str, &'static str, [&'static str; 2]);

const COUNTS: &[Row] = &[
    (
        "registered",
        "sum(registered)",
        "count",
        ["Inscrits", "Registered"],
    ),
    ("voters", "sum(voters)", "count", ["Votants", "Voters"]),
    (
        "abstentions",
        "sum(registered) - sum(voters)",
        "count",
        ["Abstentions", "Abstentions"],
    ),
    (
        "blank_votes",
        "sum(blank)",
        "count",
        ["Votes blancs", "Blank votes"],
    ),
    (
        "null_votes",
        "sum(null_votes)",
        "count",
        ["Votes nuls", "Null votes"],
    ),
    (
        "valid_votes",
        "sum(valid)",
        "count",
        ["Exprimés", "Valid votes"],
    ),
    (
        "turnout",
        "sum(voters) / sum(registered)",
        "share",
        ["Participation", "Turnout"],
    ),
    (
        "abstention",
        "(sum(registered) - sum(voters)) / sum(registered)",
        "share",
        ["Abstention", "Abstention"],
    ),
    // Where blank votes were not counted apart, their voters do not count either.
    (
        "blank_share",
        "sum(blank) / sum(voters) filter (where blank is not null)",
        "share",
        ["Blancs, part des votants", "Blank votes, of voters"],
    ),
    (
        "blank_registered",
        "sum(blank) / sum(registered) filter (where blank is not null)",
        "share",
        ["Blancs, part des inscrits", "Blank votes, of registered"],
    ),
    (
        "null_share",
        "sum(null_votes) / sum(voters) filter (where null_votes is not null)",
        "share",
        ["Nuls, part des votants", "Null votes, of voters"],
    ),
    (
        "valid_registered",
        "sum(valid) / sum(registered)",
        "share",
        ["Exprimés, part des inscrits", "Valid votes, of registered"],
    ),
];

const CONTEST: &[Row] = &[
    ("winner", "winner(choice, votes)", "", ["En tête", "Winner"]),
    ("tie", "tie(choice, votes)", "", ["Égalité en tête", "Tie"]),
    (
        "margin_votes",
        "margin_votes(choice, votes)",
        "count",
        ["Avance en voix", "Lead in votes"],
    ),
    (
        "margin",
        "margin_votes(choice, votes) / sum(valid)",
        "share",
        ["Avance, part des exprimés", "Lead, of valid votes"],
    ),
    (
        "competitiveness",
        "1 - margin_votes(choice, votes) / sum(valid)",
        "share",
        ["Compétitivité", "Competitiveness"],
    ),
    // Voters who may name several candidates (panachage) have no shares that add up to one.
    (
        "enp",
        "case when sum(votes) <= sum(valid) then enp(choice, votes) end",
        "",
        [
            "Nombre effectif de candidats",
            "Effective number of candidates",
        ],
    ),
    (
        "flags",
        "nullif(trim(case when sum(registered) = 0 then 'inscrits_zero ' else '' end \
         || case when sum(voters) > sum(registered) then 'votants_gt_inscrits ' else '' end \
         || case when count(blank) < count(voters) then 'blancs_not_separated ' else '' end \
         || case when sum(votes) > sum(valid) then 'panachage_or_multi_vote ' else '' end \
         || case when sum(votes) < sum(valid) then 'votes_lt_exprimes ' else '' end), '')",
        "",
        ["Anomalies", "Anomalies"],
    ),
];

const IDENTITIES: &[&str] = &[
    "sum(registered) >= sum(voters)",
    "sum(voters) = sum(valid) + sum(blank) + sum(null_votes)",
    "sum(votes) = sum(valid)",
];

pub(super) fn expand(block: &mut IndicatorBlock, at: &check::At) -> Result<(), Fault> {
    let Some(ballot) = &block.ballot else {
        return at.fault("`preset = \"election\"` needs a `ballot` or several `elections`");
    };
    if block.swing.is_some() {
        return at.key("swing").fault("a swing needs `elections`");
    }
    let ballot_at = at.key("ballot");
    let alien = [
        ("name", ballot.name.is_some()),
        ("type", ballot.kind.is_some()),
        ("from", ballot.from.is_some()),
        ("key", ballot.key.is_some()),
    ];
    if let Some((key, _)) = alien.iter().find(|(_, given)| *given) {
        return ballot_at
            .key(key)
            .fault("belongs to `elections`; a single ballot has the block's");
    }
    let close = block.close.unwrap_or(CLOSE);
    if !(0.0..=1.0).contains(&close) {
        return at.key("close").fault("a share is a number from 0 to 1");
    }
    let source = source(block, ballot, "", false, &ballot_at)?;
    let prefix = block.prefix.clone().unwrap_or_default();
    let mut columns: Vec<IndicatorColumn> = COUNTS.iter().map(|row| fixed(&prefix, row)).collect();
    for (choice, value) in &source.choices {
        columns.extend(of_choice(&prefix, choice, value));
    }
    columns.extend(CONTEST.iter().map(|row| fixed(&prefix, row)));
    columns.push(column(
        &format!("{prefix}close"),
        format!("margin_votes(choice, votes) / sum(valid) <= {close}"),
        "",
        ["Serré".to_owned(), "Close".to_owned()],
    ));
    columns.append(&mut block.columns);
    block.columns = columns;
    block.from = format!("({})", source.sql);
    "code".clone_into(&mut block.key);
    block
        .weight
        .get_or_insert_with(|| "sum(registered)".to_owned());
    block
        .identities
        .extend(IDENTITIES.iter().map(|sql| (*sql).to_owned()));
    Ok(())
}

/// Votes, share of valid votes (the result) and of registered (strength, whatever the turnout).
fn of_choice(prefix: &str, choice: &str, value: &str) -> [IndicatorColumn; 3] {
    let votes = format!("sum(votes) filter (where choice = {})", literal(value));
    let label = |fr: &str, en: &str| [format!("{value}, {fr}"), format!("{value}, {en}")];
    [
        column(
            &format!("{prefix}votes_{choice}"),
            votes.clone(),
            "count",
            label("voix", "votes"),
        ),
        column(
            &format!("{prefix}share_{choice}"),
            format!("{votes} / sum(valid)"),
            "share",
            label("part des exprimés", "of valid votes"),
        ),
        column(
            &format!("{prefix}strength_{choice}"),
            format!("{votes} / sum(registered)"),
            "share",
            label("part des inscrits", "of registered"),
        ),
    ]
}

fn fixed(prefix: &str, (name, sql, unit, label): &Row) -> IndicatorColumn {
    column(
        &format!("{prefix}{name}"),
        (*sql).to_owned(),
        unit,
        label.map(ToOwned::to_owned),
    )
}

/// An indicator with its labels in French and English; no unit where it is empty.
pub(super) fn column(
    name: &str,
    sql: String,
    unit: &str,
    [fr, en]: [String; 2],
) -> IndicatorColumn {
    IndicatorColumn {
        name: name.to_owned(),
        sql,
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        label: Localized::from([("fr".to_owned(), fr), ("en".to_owned(), en)]),
        description: Localized::new(),
        estimate: false,
        intensive: false,
        base: None,
    }
}
