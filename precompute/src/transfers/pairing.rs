//! Two tables of counts, paired by the units they share.

use std::collections::BTreeMap;

use super::{Margins, TransferError};

/// The least share of votes that has to be in units of both ballots.
const COVERAGE_MIN: f64 = 0.95;

/// Counts of one ballot by unit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ballot {
    pub options: Vec<String>,
    /// One count an option; a missing one makes the unit useless.
    pub units: BTreeMap<String, Vec<Option<f64>>>,
}

/// What both ballots have.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// Ascending.
    pub keys: Vec<String>,
    pub margins: Margins,
    /// Share of votes in `keys`, of the ballot that has less of them there.
    pub coverage: f64,
}

/// Pairs two ballots by key.
///
/// # Errors
/// When too small a share of votes is in units of both.
pub fn pair(first: &Ballot, second: &Ballot) -> Result<Paired, TransferError> {
    let mut paired = Paired {
        keys: Vec::new(),
        margins: Margins {
            from: first.options.clone(),
            to: second.options.clone(),
            x: Vec::new(),
            y: Vec::new(),
        },
        coverage: 0.0,
    };
    for (key, counts) in &first.units {
        let whole = |counts: &[Option<f64>]| counts.iter().copied().collect::<Option<Vec<f64>>>();
        let other = second.units.get(key).and_then(|counts| whole(counts));
        if let (Some(x), Some(y)) = (whole(counts), other) {
            paired.keys.push(key.clone());
            paired.margins.x.extend(x);
            paired.margins.y.extend(y);
        }
    }
    let coverage_of = |ballot: &Ballot, kept: &[f64]| {
        let votes: f64 = ballot.units.values().flatten().flatten().sum();
        if votes > 0.0 {
            kept.iter().sum::<f64>() / votes
        } else {
            0.0
        }
    };
    let first = coverage_of(first, &paired.margins.x);
    let second = coverage_of(second, &paired.margins.y);
    paired.coverage = first.min(second);
    if paired.coverage < COVERAGE_MIN {
        return Err(TransferError::Coverage {
            percent: 100.0 * paired.coverage,
            lost: lost(first, second),
        });
    }
    Ok(paired)
}

fn lost(first: f64, second: f64) -> &'static str {
    if first <= second { "first" } else { "second" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballot(units: &[(&str, [Option<f64>; 2])]) -> Ballot {
        Ballot {
            options: vec!["a".to_owned(), "b".to_owned()],
            units: units
                .iter()
                .map(|(key, counts)| ((*key).to_owned(), counts.to_vec()))
                .collect(),
        }
    }

    #[test]
    fn units_of_both_ballots_are_kept_and_the_rest_is_measured() {
        let whole = |votes| [Some(votes), Some(0.0)];
        let first = ballot(&[("1", whole(970.0)), ("2", whole(20.0)), ("3", whole(10.0))]);
        let second = ballot(&[
            ("1", whole(1.0)),
            ("2", [Some(0.0), None]),
            ("4", whole(0.0)),
        ]);
        let paired = pair(&first, &second).expect("97 %");
        assert_eq!(paired.keys, ["1"]);
        assert_eq!(
            (&*paired.margins.x, &*paired.margins.y),
            (&[970.0, 0.0][..], &[1.0, 0.0][..])
        );
        assert!((paired.coverage - 0.97).abs() < 1e-12);
    }

    #[test]
    fn less_than_95_per_cent_is_refused() {
        let first = ballot(&[
            ("1", [Some(94.0), Some(0.0)]),
            ("2", [Some(6.0), Some(0.0)]),
        ]);
        let second = ballot(&[("1", [Some(94.0), Some(0.0)])]);
        let refused = |a, b| pair(a, b).expect_err("94 %").to_string();
        assert!(refused(&first, &second).contains("94.0 % of the votes of the first"));
        assert!(refused(&second, &first).contains("94.0 % of the votes of the second"));
        let nothing = ballot(&[]);
        assert!(refused(&nothing, &nothing).contains("0.0 %"));
    }
}
