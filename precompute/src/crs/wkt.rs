//! WKT of a CRS (OGC 01-009, Esri's `.prj`, ISO 19162) as a proj string.
//!
//! ```text
//! PROJCS["name", GEOGCS["name", DATUM[…], PRIMEM[…], UNIT[…]], PROJECTION["…"], PARAMETER["…", n]…, UNIT[…]]
//! ```
//! The EPSG code is taken when it is there and known; else the projection, its parameters and the
//! datum are translated by name.

mod projection;

use std::fmt::Write;

use super::Crs;
use projection::Parameters;

const LENGTH_MAX: usize = 1 << 16;
const DEPTH_MAX: usize = 32;

/// Datums that lie elsewhere than WGS 84, by the EPSG code of their geographic CRS.
const DATUMS: [(&str, u32); 29] = [
    ("amersfoort", 4289),
    ("belge1972", 4313),
    ("ch1903", 4149),
    ("ch1903+", 4150),
    ("datum73", 4274),
    ("deutscheshauptdreiecksnetz", 4314),
    ("european1950", 4230),
    ("europeandatum1950", 4230),
    ("ggrs1987", 4121),
    ("greekgeodeticreferencesystem1987", 4121),
    ("hermannskogel", 4312),
    ("ireland1965", 4299),
    ("korean1985", 4162),
    ("koreandatum1985", 4162),
    ("lisbon", 4207),
    ("mgi", 4312),
    ("militargeographischeinstitut", 4312),
    ("montemario", 4265),
    ("newzealand1949", 4272),
    ("northamerican1927", 4267),
    ("northamericandatum1927", 4267),
    ("nouvelletriangulationfrancaise", 4275),
    ("ntf", 4275),
    ("osgb1936", 4277),
    ("pulkovo1942", 4284),
    ("reseaunationalbelge1972", 4313),
    ("rt1990", 4124),
    ("tm65", 4299),
    ("tokyo", 4301),
];

/// One `KEYWORD[…]`.
#[derive(Debug)]
struct Node {
    keyword: String,
    children: Vec<Node>,
    /// Texts and numbers in their order, as written.
    values: Vec<String>,
}

/// Reads WKT.
pub(super) fn crs(text: &str) -> Result<Crs, String> {
    if text.len() > LENGTH_MAX {
        return Err("its WKT is longer than any: write an EPSG code as crs".to_owned());
    }
    let mut rest = text.trim();
    let root = node(&mut rest, 0).ok_or("its WKT is damaged: write an EPSG code as crs")?;
    let crs = crs_of(&root)?;
    let name = root.text(0).unwrap_or_default();
    Ok(Crs {
        name: if crs.name.starts_with("EPSG:") {
            crs.name
        } else {
            name.to_owned()
        },
        ..crs
    })
}

/// Parses `KEYWORD[value, …]` and moves behind it.
fn node(rest: &mut &str, depth: usize) -> Option<Node> {
    let open = rest.find(['[', '('])?;
    let mut node = Node {
        keyword: rest[..open].trim().to_ascii_uppercase(),
        children: Vec::new(),
        values: Vec::new(),
    };
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if depth > DEPTH_MAX || node.keyword.is_empty() || !node.keyword.bytes().all(is_word) {
        return None;
    }
    *rest = &rest[open + 1..];
    loop {
        *rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let next = rest.chars().next()?;
        match next {
            ']' | ')' => {
                *rest = &rest[1..];
                return Some(node);
            }
            '"' => {
                let end = rest[1..].find('"')? + 1;
                node.values.push(rest[1..end].to_owned());
                *rest = &rest[end + 1..];
            }
            _ => {
                let end = rest.find(['[', '(', ']', ')', ','])?;
                if rest[end..].starts_with(['[', '(']) {
                    node.children.push(self::node(rest, depth + 1)?);
                } else {
                    node.values.push(rest[..end].trim().to_owned());
                    *rest = &rest[end..];
                }
            }
        }
    }
}

impl Node {
    fn child(&self, keywords: &[&str]) -> Option<&Self> {
        self.children
            .iter()
            .find(|child| keywords.contains(&&*child.keyword))
    }

    fn text(&self, at: usize) -> Option<&str> {
        self.values.get(at).map(String::as_str)
    }

    fn number(&self, at: usize) -> Option<f64> {
        self.text(at)?.parse().ok().filter(|n: &f64| n.is_finite())
    }

    /// The factor of the unit that is a direct child, if there is one.
    fn unit(&self, keywords: &[&str]) -> Option<f64> {
        self.child(keywords)?
            .number(1)
            .filter(|factor| *factor > 0.0)
    }
}

fn crs_of(node: &Node) -> Result<Crs, String> {
    let inner = |keywords: &[&str]| {
        node.child(keywords)
            .ok_or_else(|| format!("its {} names no horizontal CRS", node.keyword))
    };
    match &*node.keyword {
        "COMPD_CS" | "COMPOUNDCRS" => {
            return crs_of(inner(&[
                "PROJCS",
                "PROJCRS",
                "PROJECTEDCRS",
                "GEOGCS",
                "GEOGCRS",
            ])?);
        }
        "BOUNDCRS" => return crs_of(inner(&["SOURCECRS"])?),
        "SOURCECRS" => return crs_of(node.children.first().ok_or("its SOURCECRS is empty")?),
        _ => {}
    }
    let identifier = node.child(&["AUTHORITY", "ID"]).filter(|id| {
        id.text(0)
            .is_some_and(|authority| ["EPSG", "ESRI"].contains(&authority))
    });
    if let Some(code) = identifier.and_then(|id| id.text(1)?.parse().ok())
        && let Ok(crs) = Crs::from_epsg(code)
    {
        return Ok(crs);
    }
    if let Some(extension) = node.child(&["EXTENSION"])
        && extension.text(0) == Some("PROJ4")
        && let Some(text) = extension.text(1)
    {
        return Crs::from_proj_string(text);
    }
    match &*node.keyword {
        "GEOGCS" | "GEOGCRS" | "GEODCRS" | "GEOGRAPHICCRS" | "GEODETICCRS" => {
            let (datum, angle) = geographic(node)?;
            if (angle / DEGREE - 1.0).abs() > 1e-6 {
                return Err("its angles are not in degrees: reproject the file first".to_owned());
            }
            Crs::from_proj_string(&format!("+proj=longlat {datum} +no_defs"))
        }
        "PROJCS" | "PROJCRS" | "PROJECTEDCRS" => projected(node),
        other => Err(format!(
            "{other} is not a CRS of maps: write an EPSG code as crs"
        )),
    }
}

const DEGREE: f64 = 0.017_453_292_519_943_3;
const ANGLES: [&str; 2] = ["ANGLEUNIT", "UNIT"];
const LENGTHS: [&str; 2] = ["LENGTHUNIT", "UNIT"];

/// The datum part of a proj string, and the radians of one angular unit.
fn geographic(node: &Node) -> Result<(String, f64), String> {
    let datum = node
        .child(&["DATUM", "ENSEMBLE", "GEODETICDATUM", "TRF"])
        .ok_or("its WKT has no datum: write an EPSG code as crs")?;
    let angle = node
        .unit(&ANGLES)
        .or_else(|| node.child(&["CS"])?.unit(&ANGLES))
        .or_else(|| node.child(&["AXIS"])?.unit(&ANGLES))
        .unwrap_or(DEGREE);
    let mut text = ellipsoid_and_shift(datum)?;
    if let Some(meridian) = node.child(&["PRIMEM", "PRIMEMERIDIAN"]) {
        let lon = meridian.number(1).unwrap_or(0.0);
        // Paris in grads and in degrees: the unit is the CRS's unless it has its own.
        let factor = meridian.unit(&ANGLES).unwrap_or(angle);
        let grads_as_degrees = (lon - 2.337_229).abs() < 1e-3;
        let degrees = if grads_as_degrees {
            lon
        } else {
            lon * factor / DEGREE
        };
        if degrees != 0.0 {
            let _ = write!(text, " +pm={degrees}");
        }
    }
    Ok((text, angle))
}

fn ellipsoid_and_shift(datum: &Node) -> Result<String, String> {
    let name = datum.text(0).unwrap_or_default();
    let ellipsoid = datum.child(&["SPHEROID", "ELLIPSOID"]);
    let (a, rf) = ellipsoid
        .and_then(|e| Some((e.number(1)?, e.number(2)?)))
        .filter(|(a, rf)| *a > 1e6 && *a < 1e7 && (*rf == 0.0 || *rf > 100.0))
        .ok_or("its WKT has no ellipsoid: write an EPSG code as crs")?;
    if rf == 0.0 {
        // Latitudes on a sphere are taken for those on WGS 84, as everybody does.
        return Ok(format!("{} +nadgrids=@null", axes(a, rf)));
    }
    if let Some(shift) = datum.child(&["TOWGS84"]) {
        let shift: Option<Vec<String>> = (0..shift.values.len())
            .map(|i| shift.number(i).map(|n| n.to_string()))
            .collect();
        let shift = shift
            .filter(|s| s.len() == 3 || s.len() == 7)
            .ok_or("its TOWGS84 is damaged")?;
        return Ok(format!("{} +towgs84={}", axes(a, rf), shift.join(",")));
    }
    let plain: String = name
        .trim_start_matches("D_")
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '+')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if let Some((_, code)) = DATUMS.iter().find(|(known, _)| *known == plain) {
        let def = u16::try_from(*code)
            .ok()
            .and_then(crs_definitions::from_code);
        let words = def.map_or("", |def| def.proj4).split_whitespace();
        let of_datum = |word: &&str| {
            ["+ellps", "+a=", "+b=", "+towgs84", "+datum"]
                .iter()
                .any(|key| word.starts_with(key))
        };
        return Ok(words.filter(of_datum).collect::<Vec<_>>().join(" "));
    }
    let is_modern = (a - 6_378_137.0).abs() < 1e-3 && (rf - 298.257_22).abs() < 1e-4;
    if is_modern {
        return Ok(format!("{} +towgs84=0,0,0", axes(a, rf)));
    }
    Err(format!(
        "how its datum {name:?} lies to WGS 84 is not known: write an EPSG code or a proj string \
         with +towgs84 as crs"
    ))
}

fn axes(a: f64, rf: f64) -> String {
    let modern = (a - 6_378_137.0).abs() < 1e-3;
    if modern && (rf - 298.257_222_101).abs() < 1e-7 {
        return "+ellps=GRS80".to_owned();
    }
    if modern && (rf - 298.257_223_563).abs() < 1e-7 {
        return "+ellps=WGS84".to_owned();
    }
    let b = if rf == 0.0 { a } else { a * (1.0 - 1.0 / rf) };
    format!("+a={a} +b={b}")
}

fn projected(node: &Node) -> Result<Crs, String> {
    let base = node
        .child(&["GEOGCS", "BASEGEOGCRS", "BASEGEODCRS"])
        .ok_or("its WKT has no geographic CRS: write an EPSG code as crs")?;
    let (datum, angle) = geographic(base)?;
    let length = node
        .unit(&LENGTHS)
        .or_else(|| node.child(&["CS"])?.unit(&LENGTHS))
        .or_else(|| node.child(&["AXIS"])?.unit(&LENGTHS))
        .unwrap_or(1.0);
    let conversion = node
        .child(&["CONVERSION", "DERIVINGCONVERSION"])
        .unwrap_or(node);
    let method = conversion
        .child(&["PROJECTION", "METHOD"])
        .and_then(|method| method.text(0))
        .ok_or("its WKT has no projection: write an EPSG code as crs")?;
    let parameters = Parameters {
        nodes: &conversion.children,
        angle,
        length,
    };
    let is_web_mercator = node
        .text(0)
        .map(plain)
        .is_some_and(|name| name.contains("pseudo_mercator") || name.contains("web_mercator"));
    let is_web_method = [
        "mercator_auxiliary_sphere",
        "popular_visualisation_pseudo_mercator",
    ]
    .contains(&&*plain(method));
    if is_web_mercator || is_web_method {
        return Crs::from_epsg(3857);
    }
    let projection = parameters.projection(&plain(method)).ok_or_else(|| {
        format!(
            "projection {method:?} is not read from WKT: write an EPSG code or a proj string as crs"
        )
    })?;
    let unit = if (length - 1.0).abs() < 1e-12 {
        String::new()
    } else {
        format!(" +to_meter={length}")
    };
    Crs::from_proj_string(&format!("{projection} {datum}{unit} +no_defs"))
}

/// `Lambert Conic Conformal (2SP)` and `Lambert_Conic_Conformal_2SP` alike.
fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|w| !w.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("_")
}
