use super::*;

/// Forty areas; what is expected of them is by statsmodels and scikit-learn.
fn areas() -> (Segment, Vec<f64>, Vec<f64>) {
    let rows = || (0_u32..40).map(f64::from);
    let electors: Vec<f64> = rows().map(|i| 200.0 + 37.0 * (i % 7.0) + 5.0 * i).collect();
    let first: Vec<f64> = rows().map(|i| 0.2 + 0.01 * ((i * 7.0) % 23.0)).collect();
    let second: Vec<f64> = rows().map(|i| 10.0 + ((i * 13.0) % 17.0) * 1.5).collect();
    let contacts: Vec<f64> = rows()
        .zip(electors.iter().zip(first.iter().zip(&second)))
        .map(|(i, (e, (x1, x2)))| {
            let rate = 0.05 + 0.25 * (x1 - 0.2) + 0.004 * (x2 - 10.0) * ((i % 3.0) / 2.0);
            (e * rate).round()
        })
        .collect();
    (Segment::new(&contacts, &electors), first, second)
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-9 * expected.abs().max(1.0),
        "{found}, not {expected}"
    );
}

#[test]
fn means_differ_as_in_numpy() {
    let (segment, first, second) = areas();
    assert_eq!(
        (segment.contacts(), segment.electors(), segment.areas()),
        (1622.0, 16_155.0, 40)
    );
    let one = number(&segment, &first).expect("contacts");
    close(one.index.expect("above 0"), 104.434_221_459_380_31);
    close(one.difference.expect("spread"), 0.207_446_075_332_757_33);
    assert!(one.is_noteworthy);
    let two = number(&segment, &second).expect("contacts");
    close(two.index.expect("above 0"), 106.169_412_401_791_3);
    close(two.difference.expect("spread"), 0.181_111_274_202_236_52);
    assert!(!two.is_noteworthy);
    for profile in [one, two] {
        let sum = |of: fn(&Lift) -> f64| profile.lift.iter().map(of).sum::<f64>();
        assert_eq!(
            (sum(|l| l.contacts), sum(|l| l.electors)),
            (1622.0, 16_155.0)
        );
        assert!((5..=10).contains(&profile.lift.len()), "{:?}", profile.lift);
        assert!(
            profile
                .lift
                .windows(2)
                .all(|pair| pair[0].upper < pair[1].upper)
        );
        let weighed = profile
            .lift
            .iter()
            .map(|l| l.lift * l.electors)
            .sum::<f64>();
        close(weighed, 16_155.0);
    }
    let quotients = segment.quotients();
    close(quotients[0], 0.497_996_300_863_131_96);
    close(quotients[1], 1.070_074_696_069_539_5);
}

#[test]
fn what_is_missing_counts_nothing() {
    let (nan, contacts) = (f64::NAN, [30.0, 10.0, f64::NAN, 5.0, 40.0]);
    let segment = Segment::new(&contacts, &[100.0, 100.0, 50.0, 0.0, 200.0]);
    assert_eq!(
        (segment.areas(), segment.contacts(), segment.electors()),
        (3, 80.0, 400.0)
    );
    let found = number(&segment, &[1.0, 3.0, 9.0, 9.0, nan]).expect("contacts");
    assert_eq!((found.contacts, found.electors), (40.0, 200.0));
    close(found.mean_contacts, 1.5);
    close(found.mean_electors, 2.0);
    assert_eq!(found.index, Some(75.0));
    assert_eq!(number(&segment, &[nan; 5]), None);
    // No spread, nothing above 0: no figure rather than a wild one.
    let same = number(&segment, &[0.0; 5]).expect("contacts");
    assert_eq!(
        (same.index, same.difference, same.lift.len()),
        (None, None, 1)
    );
    assert!(segment.quotients()[2].is_nan() && segment.quotients()[3].is_nan());
}

#[test]
fn classes_of_few_contacts_are_hidden() {
    let contacts = [100.0, 60.0, 10.0, 30.0, 4.0];
    let segment = Segment::new(&contacts, &[100.0; 5]);
    let (shown, hidden) = classes(&segment, |row| Some(row % 5), 5);
    let names: Vec<usize> = shown.iter().map(|class| class.class).collect();
    assert_eq!((names, hidden), (vec![0, 1, 3], 2));
    close(shown[0].index, 100.0 * (100.0 / 204.0) / 0.2);
    // One alone would be what the others leave.
    let (shown, hidden) = classes(&segment, |row| (row < 4).then_some(row), 4);
    assert_eq!((shown.len(), hidden), (2, 2));
    let (shown, hidden) = classes(&segment, |row| Some(usize::from(row > 1)), 2);
    assert_eq!((shown.len(), hidden), (2, 0));
    assert_eq!(classes(&segment, |_| None, 3), (vec![], 0));
}

#[test]
fn logistic_weights_are_statsmodels() {
    let (segment, first, second) = areas();
    let table = Standardised::new(&segment, &[&first, &second]);
    let found = fit(&segment, &table).expect("two indicators that differ");
    close(found.intercept, -2.221_517_341_413_674_6);
    close(found.weights[0], 0.187_400_097_675_099_38);
    close(found.weights[1], 0.146_600_991_947_048_23);
    close(found.errors[0], 0.027_683_736_799_427_57);
    close(found.errors[1], 0.027_706_599_864_600_865);
    assert_eq!(found.beyond, 0);
    // One that repeats another, and one that does not vary.
    let twice: Vec<f64> = first.iter().map(|x| 2.0 * x + 1.0).collect();
    assert_eq!(
        fit(&segment, &Standardised::new(&segment, &[&first, &twice])),
        None
    );
    assert_eq!(
        fit(&segment, &Standardised::new(&segment, &[&[1.0; 40]])),
        None
    );
    // One that tells all from none: no weight is great enough.
    let all = Segment::new(&[50.0, 0.0, 50.0, 0.0], &[50.0; 4]);
    assert_eq!(
        fit(&all, &Standardised::new(&all, &[&[1.0, 0.0, 1.0, 0.0]])),
        None
    );
}

#[test]
fn lookalikes_are_scikit_learn_s() {
    let (segment, first, second) = areas();
    let table = Standardised::new(&segment, &[&first, &second]);
    let seeds = [2, 5, 11, 13, 14, 16, 19, 22, 26, 29, 32, 35];
    let found = lookalikes(&table, &seeds).expect("seeds enough");
    let rows: Vec<usize> = found.ranked.iter().map(|(row, _)| *row).collect();
    assert_eq!(rows[..6], [9, 39, 6, 18, 15, 31]);
    assert!(
        rows.iter().all(|row| !seeds.contains(row)),
        "seeds are not ranked"
    );
    assert_eq!((rows.len(), found.seeds), (28, 12));
    close(found.ranked[0].1, 0.572_305_792_698_356_6);
    close(found.ranked[1].1, 0.627_118_316_841_501_4);
    close(found.auc, 2.0 / 3.0);
    assert_eq!(lookalikes(&table, &seeds[..9]), None, "too few");
    let everything: Vec<usize> = (0..40).collect();
    assert_eq!(lookalikes(&table, &everything), None);
}

#[test]
fn a_column_without_spread_is_nothing_and_missing_areas_are_left_out() {
    let segment = Segment::new(&[1.0; 4], &[10.0, 30.0, 10.0, 10.0]);
    let table = Standardised::new(&segment, &[&[0.1; 4], &[1.0, 2.0, f64::NAN, 4.0]]);
    assert_eq!(table.rows, [0, 1, 3]);
    assert!(table.values.iter().all(|values| values[0] == 0.0));
    let mean = table.values[0][1] * 10.0 + table.values[1][1] * 30.0 + table.values[2][1] * 10.0;
    assert!(mean.abs() < 1e-12);
}
