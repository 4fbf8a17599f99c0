use proptest::prelude::*;

use super::*;

const NO_INTERVAL: Options = Options {
    resamples: 0,
    seed: 1,
};

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|i| format!("{prefix}{i}")).collect()
}

/// Units whose voters all follow the same shares, to the vote.
fn homogeneous(shares: &[[f64; 2]; 2], units: usize) -> Margins {
    let mut margins = Margins {
        from: names("a", 2),
        to: names("b", 2),
        x: vec![],
        y: vec![],
    };
    for unit in 0..units {
        #[expect(clippy::cast_precision_loss, reason = "a test's few units")]
        let first = 100.0 + 20.0 * unit as f64;
        let x = [first, 1000.0 - first];
        margins.x.extend(x);
        margins
            .y
            .extend([0, 1].map(|j| x[0] * shares[0][j] + x[1] * shares[1][j]));
    }
    margins
}

#[test]
fn equal_behaviour_is_found() {
    let truth = [[0.9, 0.1], [0.25, 0.75]];
    let found = estimate(&homogeneous(&truth, 30), NO_INTERVAL).expect("enough units");
    let report = found.report(1.0);
    for (i, row) in truth.iter().enumerate() {
        for (j, share) in row.iter().enumerate() {
            let estimated = report.shares[&format!("a{i}")][&format!("b{j}")];
            assert!((estimated - share).abs() < 1e-3, "{estimated} for {share}");
        }
    }
    assert!(found.heterogeneity < 1e-3);
    assert!(found.corners.is_empty());
}

#[test]
fn entries_and_exits_balance_the_registers() {
    let mut margins = homogeneous(&[[0.5, 0.5], [0.5, 0.5]], 10);
    margins.y[0] += 30.0;
    margins.y[3] -= 20.0;
    let found = estimate(&margins, NO_INTERVAL).expect("enough units");
    assert_eq!(found.from.last().map(String::as_str), Some(ENTRIES));
    assert_eq!(found.to.last().map(String::as_str), Some(EXITS));
    let entries: f64 = found.matrix[2].iter().sum();
    let exits: f64 = found.matrix.iter().map(|row| row[2]).sum();
    assert!((entries - 30.0).abs() < 1e-6 && (exits - 20.0).abs() < 1e-6);
}

#[test]
fn too_few_units_are_refused() {
    let refused = estimate(&homogeneous(&[[1.0, 0.0], [0.0, 1.0]], 5), NO_INTERVAL);
    assert_eq!(
        refused,
        Err(TransferError::TooFewUnits {
            units: 5,
            options: 2,
            needed: 6
        })
    );
}

#[test]
fn an_option_is_not_called_as_net_entries_or_exits_are() {
    let refused = |change: &dyn Fn(&mut Margins), said: &str| {
        let mut margins = homogeneous(&[[0.9, 0.1], [0.25, 0.75]], 30);
        change(&mut margins);
        let error = estimate(&margins, NO_INTERVAL).expect_err("taken");
        assert!(error.to_string().contains(said), "{error}");
    };
    refused(
        &|margins| margins.from[1] = ENTRIES.to_owned(),
        "the first ballot has a column \"entries\"",
    );
    refused(
        &|margins| margins.to[0] = EXITS.to_owned(),
        "the second ballot has a column \"exits\"",
    );
}

#[test]
fn counts_that_are_no_counts_are_refused() {
    for bad in [f64::NAN, -1.0, f64::INFINITY] {
        let mut margins = homogeneous(&[[1.0, 0.0], [0.0, 1.0]], 9);
        margins.x[3] = bad;
        let refused = estimate(&margins, NO_INTERVAL);
        assert!(matches!(refused, Err(TransferError::Count { unit: 1, .. })));
    }
}

#[test]
fn an_interval_holds_its_estimate_and_repeats() {
    let mut margins = homogeneous(&[[0.8, 0.2], [0.3, 0.7]], 40);
    for (unit, votes) in margins.y.chunks_mut(2).enumerate() {
        let shift = if unit % 2 == 0 { 15.0 } else { -15.0 };
        votes[0] += shift;
        votes[1] -= shift;
    }
    let options = Options {
        resamples: 50,
        seed: 7,
    };
    let found = estimate(&margins, options).expect("enough units");
    let interval = found.interval.as_ref().expect("asked for");
    for (row, cells) in found.matrix.iter().zip(interval) {
        for (votes, [low, high]) in row.iter().zip(cells) {
            assert!(
                low <= votes && votes <= high && low < high,
                "{low} {votes} {high}"
            );
        }
    }
    assert_eq!(estimate(&margins, options).as_ref(), Ok(&found));
}

proptest! {
    #[test]
    fn tables_meet_both_margins(
        cells in prop::collection::vec(prop::collection::vec(0_u32..60, 12), 9..20),
    ) {
        // A table of 3 × 4 votes a unit, many zeros among them.
        let mut margins =
            Margins { from: names("a", 3), to: names("b", 4), x: vec![], y: vec![] };
        for unit in &cells {
            let votes = |i: usize| f64::from(unit[i].saturating_sub(20));
            margins.x.extend((0..3).map(|i| (0..4).map(|j| votes(i * 4 + j)).sum::<f64>()));
            margins.y.extend((0..4).map(|j| (0..3).map(|i| votes(i * 4 + j)).sum::<f64>()));
        }
        prop_assume!(margins.x.iter().sum::<f64>() > 0.0);
        let found = estimate(&margins, NO_INTERVAL).expect("nine units for three options");
        for (unit, table) in found.tables.iter().enumerate() {
            for (i, row) in table.chunks(4).enumerate() {
                let x = margins.x[unit * 3 + i];
                prop_assert!((row.iter().sum::<f64>() - x).abs() < 1e-6 * (1.0 + x));
            }
            for j in 0..4 {
                let y = margins.y[unit * 4 + j];
                let sum: f64 = (0..3).map(|i| table[i * 4 + j]).sum();
                prop_assert!((sum - y).abs() < 1e-6 * (1.0 + y));
            }
        }
        for (row, cells) in found.matrix.iter().zip(&found.bounds) {
            for (votes, [low, high]) in row.iter().zip(cells) {
                prop_assert!(*votes >= low - 1e-6 && *votes <= high + 1e-6);
            }
        }
    }
}

/// Ten New Zealand districts of 2017, whose cross-votes the Electoral Commission published.
#[test]
fn published_cross_votes_are_estimated() {
    let Some(folder) = crate::real_data::oracle("05_transfers") else {
        return;
    };
    let read = |name| std::fs::read_to_string(folder.join(name)).expect("a readable file");
    let (units, truth) = (
        read("nz2017_units.csv"),
        read("nz2017_truth_crossvotes.csv"),
    );
    let numbers = |line: &str, skip: usize| -> Vec<f64> {
        line.split(',')
            .skip(skip)
            .map(|cell| cell.trim().parse().expect("a count"))
            .collect()
    };
    let mut errors = Vec::new();
    for district in (2..=20).step_by(2) {
        let prefix = format!("{district},");
        let of_district = |line: &&str| line.starts_with(&prefix);
        let mut margins = Margins {
            from: names("p", 5),
            to: names("c", 5),
            x: vec![],
            y: vec![],
        };
        for line in units.lines().filter(of_district) {
            let counts = numbers(line, 2);
            margins.x.extend(&counts[..5]);
            margins.y.extend(&counts[5..]);
        }
        let found = estimate(&margins, NO_INTERVAL).expect("57 units and more");
        let rows: Vec<Vec<f64>> = truth
            .lines()
            .filter(of_district)
            .map(|line| numbers(line, 2))
            .collect();
        let votes: f64 = rows.iter().flatten().sum();
        let wrong: f64 = rows
            .iter()
            .flatten()
            .zip(found.matrix.iter().flatten())
            .map(|(truth, found)| (truth - found).abs())
            .sum();
        errors.push(50.0 * wrong / votes);
    }
    assert_eq!(errors.len(), 10);
    let mean = errors.iter().sum::<f64>() / 10.0;
    let worst = errors.iter().copied().fold(0.0, f64::max);
    eprintln!("error index: mean {mean:.2} %, worst {worst:.2} %");
    assert!(mean <= 7.0 && worst <= 10.5, "mean {mean}, worst {worst}");
}
