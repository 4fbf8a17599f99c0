use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use tilecore::dataset::columns::Column;

use crate::indicators::{self, JoinLevel};
use crate::project::Project;
use crate::sql::{Engine, Mentions};
use crate::units::Units;
use crate::value::Value;

const LAYER: &str = r#"
    [dataset]
    name = "test"
    [[layer]]
    name = "layer"
    [[layer.level]]
    name = "bureau"
    polygons = { path = "x.geojson" }
    key = "code"
    parent = "substr(key, 1, 5)"
    zooms = [8, 14]
    [[layer.level]]
    name = "commune"
    dissolve = "bureau"
    zooms = [0, 7]
    [[layer.indicators]]
    preset = "election"
    key = "id_brut_miom"
"#;

/// By column, then by key of either level.
type Figures = BTreeMap<String, BTreeMap<String, Json>>;

fn levels(bureaux: &[&str]) -> Vec<JoinLevel> {
    let level = |keys: Vec<String>, has_parent: bool| {
        let mut units = Units::default();
        let parent = |key: &String| has_parent.then(|| key.chars().take(5).collect());
        units.parents = keys.iter().map(parent).collect();
        units.names.clone_from(&keys);
        units.keys = keys;
        JoinLevel::new(units)
    };
    let mut communes: Vec<String> = bureaux.iter().map(|key| key[..5].to_owned()).collect();
    communes.dedup();
    let bureaux = bureaux.iter().map(|key| (*key).to_owned()).collect();
    vec![level(bureaux, true), level(communes, false)]
}

fn evaluate(block: &str, tables: &[(&str, &str)], bureaux: &[&str]) -> Figures {
    let project = Project::parse(&format!("{LAYER}{block}"), Path::new("test.toml"), &|_| {
        None
    })
    .expect("a project");
    let mut engine = Engine::new("test.toml", Mentions::everything()).expect("an engine");
    for (name, csv) in tables {
        let mut lines = csv.lines();
        let columns: Vec<String> = lines
            .next()
            .expect("a header")
            .split(';')
            .map(ToOwned::to_owned)
            .collect();
        let cell = |text: &str| match text.parse() {
            _ if text.is_empty() => Value::Null,
            Ok(number) => Value::Number(number),
            Err(_) => Value::Text(text.into()),
        };
        let rows: Vec<Vec<Value>> = lines
            .map(|line| line.split(';').map(cell).collect())
            .collect();
        engine
            .load_relation(name, &columns, rows.iter().map(Vec::as_slice))
            .expect("a relation");
    }
    let layer = &project.layers[0];
    let levels = levels(bureaux);
    let (_, found, _) =
        indicators::evaluate(&mut engine, layer, &levels, 0, &layer.indicators[0]).expect("SQL");
    let mut figures = Figures::new();
    for (level, columns) in levels.iter().zip(found.levels) {
        for (name, column) in columns {
            let value = |row: usize| match &column {
                Column::Number(numbers) => numbers.get(row).map_or(Json::Null, Into::into),
                Column::Text(texts) => texts.get(row).map_or(Json::Null, Into::into),
            };
            let keys = level.units.keys.iter().enumerate();
            figures
                .entry(name)
                .or_default()
                .extend(keys.map(|(row, key)| (key.clone(), value(row))));
        }
    }
    figures
}

fn oracle(file: &str) -> Option<String> {
    let path = crate::real_data::oracle(&format!("01_indicators/{file}"))?;
    Some(std::fs::read_to_string(path).expect("a readable file"))
}

#[track_caller]
fn same(found: &Json, expected: &Json, what: &str) {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => {
            assert!(
                (found - expected).abs() <= 1e-12,
                "{what}: {found}, not {expected}"
            );
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

const BUREAUX: [&str; 9] = [
    "99001_0001",
    "99001_0002",
    "99001_0003",
    "99002_0001",
    "99003_0001",
    "99004_0001",
    "99005_0001",
    "99006_0001",
    "99007_0001",
];

const FIGURES: [(&str, &str); 9] = [
    ("turnout", "participation"),
    ("abstention", "abstention"),
    ("abstentions", "abstentions"),
    ("blank_share", "blancs_votants"),
    ("null_share", "nuls_votants"),
    ("valid_registered", "exprimes_inscrits"),
    ("winner", "winner"),
    ("margin_votes", "margin_votes"),
    ("margin", "margin_exprimes"),
];

const CHOICES: [(&str, &str); 6] = [
    ("g", "G"),
    ("c", "C"),
    ("d", "D"),
    ("ed", "ED"),
    ("a", "a"),
    ("b", "b"),
];

#[test]
fn one_election_agrees_with_exact_fractions() {
    let files = ["E1_general.csv", "E1_candidats.csv", "expected.json"].map(oracle);
    let [Some(general), Some(candidates), Some(expected)] = files else {
        return;
    };
    let block = r#"
        from = "t"
        ballot = { choices = { g = "G", c = "C", d = "D", ed = "ED", a = "a", b = "b" }, candidates = { from = "c", choice = "nuance", votes = "voix" } }
    "#;
    let found = evaluate(block, &[("t", &general), ("c", &candidates)], &BUREAUX);
    let expected: Json = serde_json::from_str(&expected).expect("JSON");
    let mut cases: Vec<(&str, &Json)> = BUREAUX
        .iter()
        .map(|key| (*key, &expected["t1"][key]))
        .collect();
    cases.push(("99001", &expected["aggregate_commune_99001"]));
    for (key, expected) in cases {
        for (name, reference) in FIGURES {
            same(
                &found[name][key],
                &expected[reference],
                &format!("{key} {name}"),
            );
        }
        let is_tie = i32::from(expected["tie"] == true);
        same(&found["tie"][key], &is_tie.into(), &format!("{key} tie"));
        same(&found["enp"][key], &expected["enp"], &format!("{key} enp"));
        for (kind, reference) in [
            ("share", "shares_exprimes"),
            ("strength", "shares_inscrits"),
        ] {
            for (choice, share) in expected[reference].as_object().expect("shares") {
                // `C` and `c` are two candidates; only one of them has a column.
                if let Some((name, _)) = CHOICES.iter().find(|(_, value)| value == choice) {
                    let column = format!("{kind}_{name}");
                    same(&found[&column][key], share, &format!("{key} {column}"));
                }
            }
        }
        let flags: Vec<&str> = expected["flags"]
            .as_array()
            .expect("flags")
            .iter()
            .filter_map(Json::as_str)
            .collect();
        let flags = if flags.is_empty() {
            Json::Null
        } else {
            flags.join(" ").into()
        };
        assert_eq!(found["flags"][key], flags, "{key}");
    }
    // A candidate who did not stand has no votes, not zero.
    assert_eq!(found["votes_c"]["99002_0001"], Json::Null);
    assert_eq!(found["close"]["99001_0002"], 1.0);
    assert_eq!(found["close"]["99001_0001"], 0.0);
    same(
        &found["competitiveness"]["99001_0001"],
        &(1.0 - 120.0 / 580.0).into(),
        "competitiveness",
    );
}

#[test]
fn elections_agree_with_exact_fractions() {
    let names = ["Em", "E0", "E1"];
    let mut texts = Vec::new();
    for name in names {
        for part in ["general", "candidats"] {
            let Some(text) = oracle(&format!("{name}_{part}.csv")) else {
                return;
            };
            texts.push((format!("{}_{part}", name.to_lowercase()), text));
        }
    }
    let Some(expected) = oracle("expected.json") else {
        return;
    };
    let expected: Json = serde_json::from_str(&expected).expect("JSON");
    let tables: Vec<(&str, &str)> = texts
        .iter()
        .map(|(n, t)| (n.as_str(), t.as_str()))
        .collect();
    let election = |name: &str| {
        let low = name.to_lowercase();
        format!(
            "{{ name = \"{name}\", from = \"{low}_general\", choices = {{ g = \"G\", c = \"C\", \
             d = \"D\", ed = \"ED\" }}, candidates = {{ from = \"{low}_candidats\", \
             choice = \"nuance\", votes = \"voix\" }} }}"
        )
    };
    let of = |names: &[&str]| {
        let elections: Vec<String> = names.iter().map(|name| election(name)).collect();
        let block = format!(
            "swing = [\"g\", \"c\"]\nelections = [{}]",
            elections.join(", ")
        );
        evaluate(&block, &tables, &BUREAUX)
    };
    let two = of(&["E0", "E1"]);
    for (key, expected) in expected["change_E0_to_E1"].as_object().expect("changes") {
        for (name, reference) in [
            ("volatility", "pedersen"),
            ("volatility_registered", "pedersen_inscrits_with_abstention"),
            ("swing", "butler_swing_C_to_G"),
            ("swing_two", "steed_swing_C_to_G"),
            ("turnout_change", "delta_participation"),
        ] {
            same(
                &two[name][key],
                &expected[reference],
                &format!("{key} {name}"),
            );
        }
    }
    assert!(!two.contains_key("trend_g"), "two elections are no trend");
    assert_eq!(two["absent"]["99002_0001"], "E0");
    assert_eq!(two["turnout_change"]["99002_0001"], Json::Null);
    let three = of(&names);
    for (key, expected) in expected["series"].as_object().expect("series") {
        let column = |name: &str| three[name][key].clone();
        same(&column("trend_g"), &expected["trend_per_election"], key);
        same(&column("base_g"), &expected["socle_votes"], key);
        same(&column("reserve_g"), &expected["reserve_votes"], key);
        let shares: Vec<f64> = expected["share_inscrits"]
            .as_array()
            .expect("shares")
            .iter()
            .filter_map(Json::as_f64)
            .collect();
        let mut slopes = [
            shares[1] - shares[0],
            shares[2] - shares[1],
            (shares[2] - shares[0]) / 2.0,
        ];
        slopes.sort_by(f64::total_cmp);
        same(&column("theil_sen_g"), &slopes[1].into(), key);
    }
}

#[test]
fn a_wide_table_is_as_good_as_a_long_one() {
    let wide = "id_brut_miom;inscrits;votants;exprimes;va;vb\n\
                99001_0001;100;80;70;40;30\n99001_0002;50;20;20;5;15\n99002_0001;10;5;5;5;";
    let block = r#"
        from = "w"
        prefix = "p_"
        close = 0.2
        ballot = { counts = { blank = "null", null = "null" }, votes = { anne = "va", bob = "vb" } }
        columns = { stations = { sql = "count(registered)" } }
    "#;
    let found = evaluate(
        block,
        &[("w", wide)],
        &["99001_0001", "99001_0002", "99002_0001"],
    );
    assert_eq!(found["p_winner"]["99001_0002"], "bob");
    // 45 against 45.
    assert_eq!(found["p_winner"]["99001"], Json::Null);
    assert_eq!(found["p_tie"]["99001"], 1.0);
    assert_eq!(found["p_enp"]["99001"], 2.0);
    assert_eq!(found["p_votes_bob"]["99002"], Json::Null);
    assert_eq!(found["p_blank_share"]["99001"], Json::Null);
    assert_eq!(found["p_close"]["99001_0001"], 1.0);
    assert_eq!(found["stations"]["99001"], 2.0);
}

#[test]
fn blanks_of_stations_that_count_them_are_not_shared_by_others() {
    let t = "id_brut_miom;inscrits;votants;blancs;nuls;exprimes\n\
             99001_0001;100;80;8;2;70\n99001_0002;100;80;;5;75";
    let block = r#"
        from = "t"
        ballot = { votes = { all = "exprimes" } }
    "#;
    let found = evaluate(block, &[("t", t)], &["99001_0001", "99001_0002"]);
    assert_eq!(found["blank_share"]["99001"], 0.1);
    assert_eq!(found["blank_share"]["99001_0002"], Json::Null);
    assert_eq!(found["null_share"]["99001"], 7.0 / 160.0);
    assert_eq!(found["turnout"]["99001"], 0.8);
}

#[test]
fn what_does_not_fit_is_refused_with_its_key() {
    for (block, part) in [
        ("from = \"t\"", "needs a `ballot`"),
        ("from = \"t\"\nballot = {}", "either `candidates`"),
        (
            "ballot = { votes = { a = \"a\" } }",
            "`from` is missing or empty",
        ),
        (
            "from = \"t\"\nballot = { votes = { \"A B\" = \"a\" } }",
            "no name",
        ),
        (
            "from = \"t\"\nballot = { name = \"x\", votes = { a = \"a\" } }",
            "belongs to `elections`",
        ),
        (
            "from = \"t\"\nclose = 2\nballot = { votes = { a = \"a\" } }",
            "from 0 to 1",
        ),
        (
            "from = \"t\"\nswing = [\"a\", \"b\"]\nballot = { votes = { a = \"a\" } }",
            "needs `elections`",
        ),
        (
            "from = \"t\"\nelections = [{ name = \"x\", votes = { a = \"a\" } }]",
            "two elections",
        ),
        (
            "from = \"t\"\nswing = [\"a\", \"z\"]\nelections = [{ name = \"x\", votes = { a = \"a\" } }, { name = \"y\", votes = { a = \"a\" } }]",
            "no choice of every election",
        ),
    ] {
        let project = Project::parse(&format!("{LAYER}{block}"), Path::new("t.toml"), &|_| None);
        let message = project.expect_err(block).to_string();
        assert!(message.contains(part), "{block}: {message}");
    }
    let plain = LAYER.replace("preset = \"election\"", "prefix = \"x\"\nfrom = \"t\"");
    let project = Project::parse(&plain, Path::new("t.toml"), &|_| None);
    assert!(
        project
            .expect_err("no preset")
            .to_string()
            .contains("needs `preset")
    );
}
