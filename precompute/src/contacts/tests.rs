use std::io::Write;

use super::*;
use crate::project::Project;
use crate::sql::Mentions;

/// Reads the one contact set of a project over `csv`, with `keys` added to it.
fn read_csv(csv: &str, keys: &str) -> Result<ContactRows, InputError> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        let mut file = std::fs::File::create(&path).expect("writable");
        file.write_all(text.as_bytes()).expect("writable");
        path
    };
    write("contacts.csv", csv);
    let project = format!(
        "[dataset]\nname = \"t\"\n[[contacts]]\nname = \"supporters\"\ntenant = \"demo\"\n\
         path = \"contacts.csv\"\nid = \"person_id\"\n{keys}\n"
    );
    let project = Project::read(&write("maille.toml", &project))?;
    let set = &project.contacts[0];
    let mut engine = Engine::new("maille.toml", Mentions::everything())?;
    let (rows, _) = read(&mut engine, set, &|id| id == "gone")?;
    Ok(rows)
}

const DEGREES: &str = "lon = \"lon\"\nlat = \"lat\"\ndimensions = { support = \"level\" }";

#[test]
fn every_row_is_a_contact_or_counted() {
    let csv = "person_id,lon,lat,level,kind\n\
               a,2.35,48.85,4,door\n\
               b,2.36,48.86,,door\n\
               a,2.35,48.85,4,door\n\
               c,,,1,door\n\
               d,0,0,1,door\n\
               e,2.3,89,1,door\n\
               ,2.3,48.8,1,door\n\
               gone,2.3,48.8,1,door\n\
               f,2.3,48.8,1,postcode\n\
               g,2.3,48.8,9,other\n";
    let keys = format!("{DEGREES}\nwhere = \"kind <> 'other'\"\nexact = \"kind <> 'postcode'\"");
    let rows = read_csv(csv, &keys).expect("valid");
    assert_eq!(rows.keys.len(), 2);
    let expected = [
        (DUPLICATE, 1),
        ("no_coordinates", 1),
        ("coordinates_zero", 1),
        ("outside_the_world", 1),
        (NO_ID, 1),
        (ERASED, 1),
        ("imprecise_place", 1),
        (FILTERED, 1),
    ];
    let expected = expected.map(|(reason, count)| (reason.to_owned(), count));
    assert_eq!(rows.left_out, BTreeMap::from(expected));
    assert_eq!(
        rows.keys.len() as u64 + rows.left_out.values().sum::<u64>(),
        10
    );
}

#[test]
fn classes_are_coded_in_byte_order_whatever_the_order_of_rows() {
    let lines = [
        "a,2.35,48.85,yes",
        "b,2.36,48.86,no",
        "c,2.37,48.87,",
        "d,2.38,48.88,yes",
    ];
    let csv = |lines: &[&str]| format!("person_id,lon,lat,level\n{}\n", lines.join("\n"));
    let rows = read_csv(&csv(&lines), DEGREES).expect("valid");
    assert_eq!(rows.dimensions[0].classes, ["no", "yes"]);
    assert!(rows.keys.is_sorted());
    let mut reversed = lines;
    reversed.reverse();
    let again = read_csv(&csv(&reversed), DEGREES).expect("valid");
    assert_eq!(
        (again.keys, again.dimensions[0].codes.clone()),
        (rows.keys, rows.dimensions[0].codes.clone())
    );
}

#[test]
fn a_row_with_a_place_stands_for_its_person() {
    let csv = "person_id,lon,lat,level\na,,,1\na,2.35,48.85,2\n";
    let rows = read_csv(csv, DEGREES).expect("valid");
    assert_eq!(rows.keys.len(), 1);
    assert_eq!(
        rows.dimensions[0].classes[usize::from(rows.dimensions[0].codes[0]) - 1],
        "2"
    );
}

#[test]
fn projected_coordinates_need_their_system() {
    let csv = "person_id,x,y\na,652000,6862000\n";
    let refused = read_csv(csv, "x = \"x\"\ny = \"y\"").expect_err("no crs");
    assert!(refused.message.contains("crs"), "{refused}");
    let rows = read_csv(csv, "x = \"x\"\ny = \"y\"\ncrs = \"EPSG:2154\"").expect("Lambert-93");
    // Paris, against cs2cs EPSG:2154 EPSG:4326.
    let [west, south, ..] = rows.bounds;
    assert!(
        (west - 2.346).abs() < 0.01 && (south - 48.858).abs() < 0.01,
        "{west} {south}"
    );
}

#[test]
fn too_many_classes_are_refused() {
    let rows: String = (0..65).map(|i| format!("p{i},2.3,48.8,c{i}\n")).collect();
    let refused = read_csv(&format!("person_id,lon,lat,level\n{rows}"), DEGREES);
    let refused = refused.expect_err("65 classes");
    assert!(refused.message.contains("65 classes"), "{refused}");
}

#[test]
fn columns_and_sql_give_the_same() {
    let mut csv = String::from("person_id,lon,lat,level,Kind,vote\n");
    for i in 0..2_000_i32 {
        let (id, kind) = (
            i % 1_700,
            ["door", "", " web ", "Été"][(i % 7 % 4).unsigned_abs() as usize],
        );
        let (lon, lat) = match i % 31 {
            0 => (String::new(), String::from("48.8")),
            1 => (String::from("0"), String::from("0")),
            2 => (String::from("-0.0"), String::from("0")),
            3 => (String::from("2.3"), String::from("91")),
            _ => (format!("2.{}", i % 97), format!("48.{}", i % 89)),
        };
        let vote = if i % 5 == 0 {
            "-0".into()
        } else {
            format!("{}", f64::from(i % 9) / 2.0)
        };
        let row = [
            &*id.to_string(),
            &lon,
            &lat,
            &(i % 6).to_string(),
            kind,
            &vote,
        ]
        .join(",");
        csv.push_str(&row);
        csv.push('\n');
    }
    csv.push_str(",2.3,48.8,1,door,1\n");
    let keys = |level: &str, id: &str, lon: &str| {
        format!(
            "lon = \"{lon}\"\nlat = \"lat\"\n\
             dimensions = {{ support = \"{level}\", kind = \"kind\", vote = \"vote\" }}\n{id}"
        )
    };
    let plain = read_csv(&csv, &keys("level", "", "lon")).expect("columns");
    assert_eq!(plain.left_out["duplicate_person"], 300);
    for (level, id, lon) in [
        ("level", "where = \"1 = 1\"", "lon"),
        ("case when 1 then level end", "", "lon"),
        ("level", "exact = \"not 0\"", "(lon)"),
    ] {
        let by_sqlite = read_csv(&csv, &keys(level, id, lon)).expect("SQL");
        let bytes = |rows: &ContactRows| {
            let mut bytes = Vec::new();
            tilecore::dataset::contacts::write(rows.keys.clone(), &rows.dimensions, &mut bytes)
                .expect("writable");
            (bytes, rows.left_out.clone(), rows.bounds.map(f64::to_bits))
        };
        assert_eq!(bytes(&by_sqlite), bytes(&plain));
        let names = |rows: &ContactRows| {
            let of = rows.dimensions.iter();
            of.map(|d| (d.name.clone(), d.classes.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&by_sqlite), names(&plain));
    }
}
