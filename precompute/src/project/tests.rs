use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::input_error::InputError;

/// The example of the reference, whole.
const WHOLE: &str = r#"
[dataset]
name = "paris-2022"
title = { fr = "Paris, présidentielle 2022", en = "Paris, 2022 presidential election" }
attribution = "Ville de Paris (ODbL) · Ministère de l’Intérieur (Licence Ouverte 2.0)"

[[table]]
name = "t1"
path = "${DATA}/presid-2022-t1_bureaux_territoires.parquet"

[[table]]
name = "income"
path = "FILO2021_DEC_COM.csv.gz"
format = "csv"
delimiter = ";"
decimal = ","
encoding = "utf-8"
missing = ["s", "ns", "nd", "so"]
text = ["CODGEO"]

[[layer]]
name = "paris"
default_properties = ["turnout"]

  [[layer.level]]
  name = "bureau"
  polygons = { path = "paris-secteurs-2017.geojson", where = "arrondissement > 0", crs = 4326 }
  key    = "'75056_' || lpad(cast(arrondissement as varchar), 2, '0')"
  label  = "id_bv"
  parent = "substr(key, 1, 8)"
  zooms  = [11, 14]

  [[layer.level]]
  name = "arrondissement"
  dissolve = "bureau"
  zooms = [0, 10]

  [[layer.indicators]]
  from = "t1"
  key  = "code"
  level = "bureau"
  weight = "sum(inscrits)"
  rules = ["pad", "overseas", "plm", "merged-communes"]
  aliases = { "a b" = "c" }
  identities = ["sum(inscrits) >= sum(votants)"]
  source = "Ministère de l’Intérieur"
  vintage = 2022-04-10
  licence = "LO-2.0"
    [layer.indicators.columns]
    turnout    = { sql = "sum(votants) / sum(inscrits)", unit = "share", label = { fr = "Participation", en = "Turnout" } }
    registered = { sql = "sum(inscrits)", unit = "count", label = "Registered", estimate = true }

  [[layer.transfers]]
  name = "t1-t2"
  first = { from = "t1", key = "code", columns = { voted = "sum(votants)", abstained = "sum(abstentions)" } }
  second = { from = "t1", key = "code", columns = { a = "sum(votants)", b = "sum(abstentions)" } }

[[contacts]]
name = "supporters"
tenant = "demo"
path = "contacts.csv"
id = "person_id"
lon = "lon"
lat = "lat"
dimensions = { support = "support_level", age = "age_band" }
"#;

fn parse(text: &str) -> Result<Project, InputError> {
    let variable = |name: &str| (name == "DATA").then(|| "/data".to_owned());
    Project::parse(text, Path::new("dir/maille.toml"), &variable)
}

#[test]
fn the_whole_reference_is_read() {
    let project = parse(WHOLE).unwrap();
    assert_eq!(project.path, Path::new("dir/maille.toml"));
    assert_eq!(
        project.dataset.title["en"],
        "Paris, 2022 presidential election"
    );
    let [t1, income] = &project.tables[..] else {
        panic!()
    };
    assert_eq!(
        t1.path,
        Path::new("/data/presid-2022-t1_bureaux_territoires.parquet")
    );
    assert_eq!(income.path, Path::new("dir/FILO2021_DEC_COM.csv.gz"));
    assert_eq!(income.encoding, Some(Encoding::Utf8));
    let layer = &project.layers[0];
    let polygons = layer.levels[0].polygons.as_ref().unwrap();
    assert_eq!(polygons.filter.as_deref(), Some("arrondissement > 0"));
    assert_eq!(polygons.source.crs.as_deref(), Some("EPSG:4326"));
    assert_eq!(
        polygons.source.path,
        Path::new("dir/paris-secteurs-2017.geojson")
    );
    assert_eq!(layer.levels[1].key, "key");
    let block = &layer.indicators[0];
    assert_eq!(block.vintage.as_deref(), Some("2022-04-10"));
    let names: Vec<&str> = block.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["turnout", "registered"], "the order of the file");
    assert_eq!(block.columns[1].label[""], "Registered");
    assert!(block.columns[1].estimate);
    assert_eq!(layer.transfers[0].level, "bureau");
    assert_eq!(layer.transfers[0].first.columns[0].0, "voted");
    assert_eq!(project.contacts[0].dimensions[1].1, "age_band");
    assert_eq!(project.sql().count(), 23);
    assert_eq!(project.sums().collect::<Vec<_>>(), ["inscrits"]);
}

/// Replaces `from` in the reference and expects an error at its line that says `expected`.
fn refuses(from: &str, to: &str, expected: &str) {
    assert!(WHOLE.contains(from), "{from}");
    let text = WHOLE.replacen(from, to, 1);
    let error = parse(&text).expect_err(to).to_string();
    let at = text.find(to).unwrap();
    let line = text[..at].matches('\n').count() + 1;
    let place = format!("dir/maille.toml, line {line}: ");
    assert!(error.starts_with(&place), "{error:?} is not at line {line}");
    assert!(
        error.contains(expected),
        "{error:?} does not say {expected:?}"
    );
}

#[test]
fn mistakes_are_named_with_their_line() {
    refuses(
        "name = \"paris\"",
        "name = \"catalog\"",
        "a path of the server",
    );
    refuses("label  =", "lable  =", "unknown field `lable`");
    refuses("delimiter = \";\"", "delimiter = \";;\"", "expected");
    refuses(
        "delimiter = \";\"",
        "delimiter = \"a\"",
        "cannot part fields",
    );
    refuses("decimal = \",\"", "decimal = \"x\"", "`decimal` is");
    refuses("encoding = \"utf-8\"", "encoding = \"utf-16\"", "utf-16");
    refuses("${DATA}", "${NOWHERE}", "variable NOWHERE is not defined");
    refuses(
        "name = \"paris-2022\"",
        "name = \"Paris\"",
        "\"Paris\" is no name",
    );
    refuses(
        "name = \"income\"",
        "name = \"t1\" ",
        "two tables are called \"t1\"",
    );
    refuses(
        "name = \"income\"",
        "name = \"in-come\"",
        "is no name for a table",
    );
    refuses(
        "zooms = [0, 10]",
        "zooms = [0, 11]",
        "\"arrondissement\" ends at 10",
    );
    refuses(
        "zooms = [0, 10]",
        "zooms = [0, 9]",
        "\"arrondissement\" ends at 10",
    );
    refuses("zooms  = [11, 14]", "zooms  = [11, 19]", "at most 18");
    refuses(
        "zooms = [0, 10]",
        "zooms = [15, 16]",
        "from the finest to the coarsest",
    );
    refuses(
        "zooms  = [11, 14]",
        "zooms  = [14, 11]",
        "lower to a higher",
    );
    refuses(
        "dissolve = \"bureau\"",
        "dissolve = \"iris\"",
        "here \"bureau\"",
    );
    refuses(
        "level = \"bureau\"",
        "level = \"iris\"",
        "no level \"iris\"",
    );
    refuses("\"plm\"", "\"fuzzy\"", "no rule \"fuzzy\"");
    refuses("registered =", "score =", "taken by tiles");
    refuses("registered =", "Registered =", "is no name");
    refuses(
        "\"sum(inscrits)\", unit",
        "\"\", unit",
        "`sql` is missing or empty",
    );
    refuses(
        "weight = \"sum(inscrits)\"",
        "weight = \"sum(inscrits\"",
        "not closed",
    );
    refuses("[\"turnout\"]", "[\"turnuot\"]", "no indicator");
    refuses(
        "lat = \"lat\"",
        "latitude = \"lat\"",
        "unknown field `latitude`",
    );
    refuses(
        "dissolve = \"bureau\"",
        "key = \"a\"\n  dissolve = \"bureau\"",
        "remove it",
    );
}

#[test]
fn what_is_missing_is_named() {
    let error = |text: &str| parse(text).unwrap_err().to_string();
    assert!(error("").contains("missing field `dataset`"));
    assert!(error("[dataset]\nname = 'a'").contains("nothing to build"));
    let no_level = "[dataset]\nname = 'a'\n[[layer]]\nname = 'b'";
    assert_eq!(
        error(no_level),
        "dir/maille.toml, line 3: the layer has no level: add a [[layer.level]]"
    );
    let no_parent = WHOLE.replace("  parent = \"substr(key, 1, 8)\"\n", "");
    assert!(error(&no_parent).contains("\"bureau\" has no `parent`"));
}

#[test]
fn the_demo_is_a_project() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/maille.toml");
    let project = Project::read(&demo).unwrap();
    assert_eq!(project.layers[0].levels.len(), 2);
}

#[test]
fn the_only_level_needs_no_zooms() {
    let text = "[dataset]\nname='a'\n[[layer]]\nname='b'\n[[layer.level]]\nname='c'\n\
                polygons={path='p'}\nkey='k'";
    assert_eq!(parse(text).unwrap().layers[0].levels[0].zooms, [0, 14]);
}

proptest! {
    #[test]
    fn damaged_files_never_panic(at in 0..WHOLE.len(), junk in "\\PC{0,4}", cut in 0..80_usize) {
        let start = (0..=at).rev().find(|i| WHOLE.is_char_boundary(*i)).unwrap_or(0);
        let end = (start + cut..WHOLE.len()).find(|i| WHOLE.is_char_boundary(*i));
        let text = format!("{}{junk}{}", &WHOLE[..start], &WHOLE[end.unwrap_or(WHOLE.len())..]);
        let _ = parse(&text);
    }
}
