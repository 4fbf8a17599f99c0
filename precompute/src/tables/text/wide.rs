//! The Ministry of the Interior's wide files: a row is a polling station, with one block of
//! columns a candidate.
//!
//! ```text
//! header: general… │ N°Panneau Nom Voix …                      one block, or each block numbered
//! row:    general… │ 1 ARTHAUD 3 …│ 2 ROUSSEL 5 …│ …           as many blocks as candidates
//! ```
//! `<name>` gets a row a station with the general columns; `<name>_candidats` a row a station and
//! candidate with the block's columns and the station's codes and names. The station's counts are
//! not repeated there: a sum over candidates would count its electors once each.
//!
//! Column names are the header's without accents, articles and block numbers (`Libellé de la
//! commune` is `libelle_commune`, `% Voix/Exp` is `pct_voix_exp`), the same for every year:
//! `inscrits`, `abstentions`, `votants`, `blancs`, `nuls`, `exprimes`; `numero_panneau`, `nuance`,
//! `sexe`, `nom`, `prenom`, `voix`. The codes are padded: `code_departement`, `code_commune`
//! (INSEE's, overseas too), `code_bureau`, `code` (`01001_0001`) and `code_ministere` (the same in
//! the Ministry's own spelling, `ZA101_0001`).

use crate::join::rules::overseas;

/// Words that headers of different years add or leave out.
const ARTICLES: &[&str] = &["de", "des", "du", "la", "le", "les", "l", "d"];

/// Names that the headers of different years give one thing.
const SYNONYMS: &[(&str, &str)] = &[
    ("code_b_vote", "code_bureau"),
    ("code_bv", "code_bureau"),
    ("code_bureau_vote", "code_bureau"),
    ("n_panneau", "numero_panneau"),
    ("n_pan", "numero_panneau"),
    ("n_liste", "numero_liste"),
    ("code_nuance", "nuance"),
    ("nuance_candidat", "nuance"),
    ("nuance_liste", "nuance"),
    ("nom_candidat", "nom"),
    ("prenom_candidat", "prenom"),
    ("sexe_candidat", "sexe"),
];

/// Where a candidate's block may start.
const STARTS: &[&str] = &["numero_panneau", "numero_liste", "nuance", "sexe", "nom"];

/// Columns that are numbers, beside percentages.
const COUNTS: &[&str] = &[
    "inscrits",
    "abstentions",
    "votants",
    "blancs",
    "nuls",
    "exprimes",
    "blancs_nuls",
    "numero_panneau",
    "numero_liste",
    "voix",
    "sieges",
];

/// The codes a station is found by, made from what the file writes.
pub(super) const CODES: [&str; 5] = [
    "code",
    "code_ministere",
    "code_departement",
    "code_commune",
    "code_bureau",
];

/// The columns of a wide file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WideHeader {
    /// By field.
    pub(super) general: Vec<String>,
    /// By field of a block.
    pub(super) block: Vec<String>,
}

impl WideHeader {
    /// Reads the header's names.
    pub(super) fn parse<'a>(header: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let names: Vec<(String, bool)> = header.map(canonical).collect();
        let is_start =
            |(name, is_numbered): &(String, bool)| *is_numbered || STARTS.contains(&name.as_str());
        let Some(start) = names.iter().position(is_start) else {
            return Err(
                "no column of candidates such as N°Panneau: it is not a wide file of the \
                        Ministry; say `format = \"csv\"`"
                    .into(),
            );
        };
        let (general, blocks) = names.split_at(start);
        let first = &blocks[0].0;
        let again = blocks.iter().skip(1).position(|(name, _)| name == first);
        let width = again.map_or(blocks.len(), |at| at + 1);
        let name = |(name, _): &(String, bool)| name.clone();
        let general: Vec<String> = general.iter().map(name).collect();
        let block: Vec<String> = blocks[..width].iter().map(name).collect();
        for (i, (found, _)) in blocks.iter().enumerate() {
            if *found != block[i % width] {
                return Err(format!(
                    "header, field {}: {found:?} where candidate {} should have {:?}",
                    start + i + 1,
                    i / width + 1,
                    block[i % width]
                ));
            }
        }
        for (i, known) in general.iter().enumerate() {
            if general[..i].contains(known) {
                return Err(format!("two columns of the header are {known:?}"));
            }
        }
        for needed in ["code_departement", "inscrits"] {
            if !general.iter().any(|name| name == needed) {
                return Err(format!("the header has no column {needed:?}"));
            }
        }
        Ok(Self { general, block })
    }

    /// The field of a general column.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.general.iter().position(|general| general == name)
    }

    /// Columns of the relation of stations.
    pub(super) fn station_columns(&self) -> Vec<String> {
        let codes = self.codes().map(str::to_owned);
        codes.chain(self.other_columns(|_| true)).collect()
    }

    /// Columns of the relation of candidates.
    pub(super) fn candidate_columns(&self) -> Vec<String> {
        let codes = self.codes().map(str::to_owned);
        let names = self.other_columns(|name| !is_number(name));
        codes
            .chain(names)
            .chain(self.block.iter().cloned())
            .collect()
    }

    fn codes(&self) -> impl Iterator<Item = &'static str> {
        let has =
            |code: &str| matches!(code, "code" | "code_ministere") || self.field(code).is_some();
        CODES.into_iter().filter(move |code| has(code))
    }

    fn other_columns(&self, keep: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
        let is_kept = move |name: &&String| !CODES.contains(&name.as_str()) && keep(name);
        self.general.iter().filter(is_kept).cloned()
    }
}

/// Whether a column holds numbers; the others are text.
pub(super) fn is_number(column: &str) -> bool {
    COUNTS.contains(&column) || column.starts_with("pct_")
}

/// The name of a header's field without its block number, and whether it has one.
fn canonical(header: &str) -> (String, bool) {
    let mut plain = String::new();
    for c in crate::sql::unaccent(header).to_lowercase().chars() {
        match c {
            '%' => plain.push_str("pct "),
            c if c.is_ascii_alphanumeric() => plain.push(c),
            _ => plain.push(' '),
        }
    }
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    let is_number = |word: &&str| word.bytes().all(|b| b.is_ascii_digit());
    let is_numbered = words.len() > 1 && words.last().is_some_and(is_number);
    if is_numbered {
        words.pop();
    }
    words.retain(|word| !ARTICLES.contains(word));
    let name = words.join("_");
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == name);
    (
        synonym.map_or(name, |(_, name)| (*name).to_owned()),
        is_numbered,
    )
}

/// The codes of a station.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Codes {
    pub(super) code: String,
    pub(super) ministry: String,
    pub(super) department: String,
    pub(super) commune: String,
    pub(super) bureau: String,
}

impl Codes {
    /// From what the file writes; a commune or bureau it does not speak of is `None`.
    ///
    /// Where no code follows, the parts are kept as they are, with a stable word for why.
    pub(super) fn new(
        department: &str,
        commune: Option<&str>,
        bureau: Option<&str>,
    ) -> (Self, Option<&'static str>) {
        let department = padded(department.trim(), 2);
        let bureau = bureau.map(|bureau| padded(bureau.trim(), 4));
        let Some(commune) = commune.map(str::trim) else {
            let code = overseas(&department).unwrap_or_else(|| department.clone());
            let codes = Self {
                code: code.clone(),
                ministry: department,
                department: code,
                ..Self::default()
            };
            return (codes, None);
        };
        let (insee, ministry) = match commune_codes(&department, commune) {
            Ok(codes) => codes,
            Err(reason) => {
                let parts = Self {
                    department,
                    commune: commune.to_owned(),
                    bureau: bureau.unwrap_or_default(),
                    ..Self::default()
                };
                return (parts, Some(reason));
            }
        };
        let join = |commune: &str| match &bureau {
            Some(bureau) => format!("{commune}_{bureau}"),
            None => commune.to_owned(),
        };
        let codes = Self {
            code: join(&insee),
            ministry: join(&ministry),
            department: overseas(&department).unwrap_or_else(|| department_of(&insee)),
            commune: insee,
            bureau: bureau.unwrap_or_default(),
        };
        (codes, None)
    }
}

/// The commune's INSEE code, and the Ministry's.
fn commune_codes(department: &str, commune: &str) -> Result<(String, String), &'static str> {
    if department.is_empty() || commune.is_empty() {
        return Err("missing_code");
    }
    if commune.len() > 3 {
        // Already whole: `29011`, `1001`, `ZA101`, `974411`.
        let commune = padded(commune, 5);
        return Ok((
            overseas(&commune).unwrap_or_else(|| commune.clone()),
            commune,
        ));
    }
    let in_department = padded(commune, 3);
    let ministry = format!("{department}{in_department}");
    let bytes = in_department.as_bytes();
    let insee = match department {
        // The third digit may be the département's or the commune's.
        "97" | "98" if commune.len() < 3 || bytes[0] == b'0' => {
            return Err("ambiguous_overseas_code");
        }
        _ if department.len() == 3 && department.starts_with('9') => overseas(&ministry)
            .or_else(|| Some(format!("{department}{}", in_department.get(1..)?)))
            .ok_or("not_a_code")?,
        _ => overseas(&ministry).unwrap_or_else(|| ministry.clone()),
    };
    Ok((insee, ministry))
}

/// `97101` is in `971`, `01001` in `01`.
fn department_of(insee: &str) -> String {
    let length = if insee.starts_with("97") || insee.starts_with("98") {
        3
    } else {
        2
    };
    insee.chars().take(length).collect()
}

/// Digits with leading zeros; anything else as it is.
fn padded(code: &str, length: usize) -> String {
    if !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit()) {
        format!("{code:0>length$}")
    } else {
        code.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_year_have_one_name() {
        for (header, expected) in [
            ("Code du b.vote", "code_bureau"),
            ("Code BV", "code_bureau"),
            ("Libellé de la commune", "libelle_commune"),
            ("Libellé commune", "libelle_commune"),
            ("N°Panneau", "numero_panneau"),
            ("N°Panneau_2", "numero_panneau"),
            ("Numéro de panneau 12", "numero_panneau"),
            ("% Voix/exprimés 3", "pct_voix_exprimes"),
            ("% Abs/Ins", "pct_abs_ins"),
            ("Prénom candidat 1", "prenom"),
            ("Exprimés", "exprimes"),
        ] {
            assert_eq!(canonical(header).0, expected, "{header}");
        }
    }

    #[test]
    fn blocks_are_found_with_and_without_numbers() {
        let parse = |text: &str| WideHeader::parse(text.split(';'));
        let one = parse("Code du département;Inscrits;N°Panneau;Nom;Voix").unwrap();
        assert_eq!(one.block, ["numero_panneau", "nom", "voix"]);
        for repeated in [
            "Code département;Inscrits;Numéro de panneau 1;Nom 1;Voix 1;Numéro de panneau 2;Nom 2;Voix 2",
            "Code département;Inscrits;N°Panneau;Nom;Voix;N°Panneau;Nom;Voix",
            "Code département;Inscrits;N°Panneau_1;Nom_1;Voix_1",
        ] {
            assert_eq!(parse(repeated).unwrap(), one, "{repeated}");
        }
        for broken in [
            "a;b",
            "Code département;Inscrits;Nom 1;Voix 1;Nom 2;Sexe 2",
            "Code département;Nom;Voix",
            "Code département;Inscrits;Inscrits;Nom;Voix",
        ] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }

    fn check(parts: (&str, &str, &str), code: &str, ministry: &str) {
        let (codes, _) = Codes::new(parts.0, Some(parts.1), Some(parts.2));
        assert_eq!(
            (codes.code.as_str(), codes.ministry.as_str()),
            (code, ministry)
        );
    }

    #[test]
    fn codes_are_padded_and_overseas_translated() {
        check(("01", "001", "0001"), "01001_0001", "01001_0001");
        check(("1", "1", "1"), "01001_0001", "01001_0001");
        check(("2A", "004", "136A"), "2A004_136A", "2A004_136A");
        check(("29", "29011", "1"), "29011_0001", "29011_0001");
        check(("1", "1001", "12"), "01001_0012", "01001_0012");
        check(("ZA", "101", "0001"), "97101_0001", "ZA101_0001");
        check(("ZX", "801", "0001"), "97801_0001", "ZX801_0001");
        check(("ZW", "001", "0001"), "98601_0001", "ZW001_0001");
        check(("ZZ", "001", "0001"), "ZZ001_0001", "ZZ001_0001");
        check(("971", "101", "1"), "97101_0001", "971101_0001");
        check(("971", "1", "1"), "97101_0001", "971001_0001");
        check(("974", "974411", "1"), "97411_0001", "974411_0001");
        check(("97", "101", "1"), "97101_0001", "97101_0001");
        let (overseas, _) = Codes::new("ZA", Some("101"), None);
        assert_eq!((&*overseas.code, &*overseas.department), ("97101", "971"));
        assert_eq!(Codes::new("97", Some("97101"), None).0.department, "971");
        assert_eq!(Codes::new("1", None, None).0.code, "01");
        let (parts, reason) = Codes::new("97", Some("1"), Some("1A"));
        assert_eq!(
            (reason, &*parts.bureau),
            (Some("ambiguous_overseas_code"), "1A")
        );
        assert_eq!(Codes::new("", Some("1"), None).1, Some("missing_code"));
    }
}
