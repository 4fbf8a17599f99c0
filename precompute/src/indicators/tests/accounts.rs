//! Accounts that must balance: those of an election, and those a project states.

use super::*;

/// Identities of an election relation: code, inscrits, votants, exprimes, blancs, nuls, voix.
fn election_identities(rows: &[(&str, [f64; 6])], block: &str) -> Vec<(String, u64, u64, u64)> {
    let text = format!("{LAYER}{block}").replace("from = \"t\"", "from = \"e\"");
    let project = Project::parse(&text, Path::new("test.toml"), &|_| None).unwrap();
    let mut engine = Engine::new("test.toml", Mentions::everything()).unwrap();
    let columns: Vec<String> = [
        "code",
        "Inscrits",
        "votants",
        "Exprimés",
        "blancs",
        "nuls",
        "voix",
    ]
    .map(ToOwned::to_owned)
    .into();
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|(code, figures)| {
            let figure = |v: &f64| number(Some(*v).filter(|v| *v >= 0.0));
            std::iter::once(self::text(Some(code)))
                .chain(figures.iter().map(figure))
                .collect()
        })
        .collect();
    engine
        .load_relation("e", &columns, rows.iter().map(Vec::as_slice))
        .unwrap();
    let block = &project.layers[0].indicators[0];
    identities::check(&engine, block, "test")
        .unwrap()
        .into_iter()
        .map(|r| (r.identity, r.holds, r.fails, r.skipped))
        .collect()
}

#[test]
fn conventional_identities() {
    let found = election_identities(
        &[
            ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 30.0]),
            ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 40.0]),
            ("b", [50.0, 60.0, 60.0, -1.0, 0.0, 60.0]),
            ("c", [10.0, 8.0, 8.0, 1.0, 0.0, 7.0]),
        ],
        r#"columns = { a = { sql = "max(Inscrits)" } }"#,
    );
    assert_eq!(
        found,
        [
            ("inscrits >= votants".to_owned(), 2, 1, 0),
            ("votants = exprimes + blancs + nuls".to_owned(), 1, 1, 1),
            ("sum(voix) = exprimes".to_owned(), 2, 1, 0),
        ]
    );
}

#[test]
fn summing_what_a_join_repeats_is_caught() {
    let rows = [
        ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 30.0]),
        ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 40.0]),
    ];
    let found = election_identities(&rows, r#"columns = { e = { sql = "sum(\"Exprimés\")" } }"#);
    let voix = found
        .iter()
        .find(|(identity, ..)| identity.contains("voix"))
        .unwrap();
    assert_eq!((voix.1, voix.2), (0, 1));
}

#[test]
fn stated_identities_are_over_rows_or_over_sums() {
    let rows = [
        ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 1.0]),
        ("a", [50.0, 80.0, 70.0, 6.0, 4.0, 1.0]),
        ("b", [50.0, 40.0, -1.0, 6.0, 4.0, 1.0]),
    ];
    let found = election_identities(
        &rows,
        r#"identities = ["votants <= Inscrits", "sum(votants) <= sum(Inscrits)", "exprimés > 0"]
           columns = { a = { sql = "max(votants)" } }"#,
    );
    let stated = &found[found.len() - 3..];
    assert_eq!((stated[0].1, stated[0].2, stated[0].3), (1, 1, 0));
    assert_eq!((stated[1].1, stated[1].2, stated[1].3), (1, 1, 0));
}
