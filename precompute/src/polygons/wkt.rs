//! Well-known text of polygons (OGC 06-103r4, with the SRID prefix of `PostGIS`) as rings.

use super::collect::RawGeometry;

/// The deepest nesting of collections.
const DEPTH_MAX: u32 = 32;

/// The EPSG code of a `SRID=…;` prefix, and the rest.
pub(super) fn split_srid(text: &str) -> (Option<&str>, &str) {
    let text = text.trim();
    match text.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("SRID=") => match text[5..].split_once(';') {
            Some((code, rest)) => (Some(code.trim()), rest),
            None => (None, text),
        },
        _ => (None, text),
    }
}

/// Reads a geometry's polygons, or the reason why it has none.
///
/// # Errors
/// The message when the text is no WKT.
pub(super) fn read(text: &str) -> Result<Result<RawGeometry, &'static str>, String> {
    let (_, text) = split_srid(text);
    if text.trim().is_empty() {
        return Ok(Err("no_geometry"));
    }
    let mut cursor = Cursor {
        rest: text,
        raw: RawGeometry::default(),
        has_curves: false,
    };
    let read = cursor.geometry(0).and_then(|()| match cursor.peek() {
        None => Ok(()),
        Some(_) => Err("something follows its end".to_owned()),
    });
    read.map_err(|message| {
        let at = text.len() - cursor.rest.len();
        format!("its WKT is wrong at character {}: {message}", at + 1)
    })?;
    let raw = cursor.raw;
    Ok(if cursor.has_curves {
        Err("curved_geometry")
    } else if !raw.rings.polygons.is_empty() {
        Ok(raw)
    } else if raw.has_others {
        Err("not_a_polygon")
    } else {
        Err("empty_geometry")
    })
}

struct Cursor<'a> {
    rest: &'a str,
    raw: RawGeometry,
    has_curves: bool,
}

impl<'a> Cursor<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    /// Takes the next character if it is `wanted`.
    fn has(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        is_next
    }

    fn take(&mut self, wanted: char) -> Result<(), String> {
        if self.has(wanted) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(found) => format!("expected {wanted:?}, found {found:?}"),
            None => "it is cut off".to_owned(),
        })
    }

    fn word(&mut self) -> &'a str {
        self.peek();
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic());
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn is_empty(&mut self) -> bool {
        let before = self.rest;
        let is_empty = self.word().eq_ignore_ascii_case("EMPTY");
        if !is_empty {
            self.rest = before;
        }
        is_empty
    }

    /// `item, item, …` in parentheses, or EMPTY.
    fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.is_empty() {
            return Ok(());
        }
        self.take('(')?;
        loop {
            item(self)?;
            if !self.has(',') {
                return self.take(')');
            }
        }
    }

    fn geometry(&mut self, depth: u32) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err("collections are nested too deeply".to_owned());
        }
        let tag = self.word().to_ascii_uppercase();
        let before = self.rest;
        if !["Z", "M", "ZM"]
            .iter()
            .any(|dimension| self.word().eq_ignore_ascii_case(dimension))
        {
            self.rest = before;
        }
        // The dimension may also stick to the tag.
        let stems = [&*tag, tag.trim_end_matches(['Z', 'M'])];
        let is = |names: &[&str]| stems.iter().any(|stem| names.contains(stem));
        if is(&["POLYGON", "TRIANGLE"]) {
            self.polygon()
        } else if is(&["MULTIPOLYGON", "POLYHEDRALSURFACE", "TIN"]) {
            self.list(Self::polygon)
        } else if is(&["GEOMETRYCOLLECTION"]) {
            self.list(|cursor| cursor.geometry(depth + 1))
        } else if is(&["POINT", "MULTIPOINT", "LINESTRING", "MULTILINESTRING"]) {
            self.raw.has_others = true;
            self.pass()
        } else if is(&[
            "CURVEPOLYGON",
            "MULTISURFACE",
            "CIRCULARSTRING",
            "COMPOUNDCURVE",
            "MULTICURVE",
        ]) {
            self.has_curves = true;
            self.pass()
        } else if tag.is_empty() {
            Err("expected a geometry's name, such as POLYGON".to_owned())
        } else {
            Err(format!("{tag:?} is no geometry"))
        }
    }

    /// Passes over what is in parentheses.
    fn pass(&mut self) -> Result<(), String> {
        if self.is_empty() {
            return Ok(());
        }
        self.take('(')?;
        let mut depth = 1_u32;
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = &self.rest[at + 1..];
                return Ok(());
            }
        }
        Err("it is cut off".to_owned())
    }

    fn polygon(&mut self) -> Result<(), String> {
        let before = self.raw.rings.ring_count();
        self.list(|cursor| {
            cursor.list(Self::position)?;
            cursor.raw.rings.end_ring();
            Ok(())
        })?;
        if self.raw.rings.ring_count() > before {
            self.raw.rings.end_polygon();
        }
        Ok(())
    }

    fn position(&mut self) -> Result<(), String> {
        let (x, y) = (self.number()?, self.number()?);
        while !matches!(self.peek(), Some(',' | ')') | None) {
            self.number()?;
            self.raw.is_flattened = true;
        }
        self.raw.rings.push(x, y);
        Ok(())
    }

    fn number(&mut self) -> Result<f64, String> {
        self.peek();
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || [',', '(', ')'].contains(&c));
        let (text, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let number = text.parse().map_err(|_| {
            let shown: String = text.chars().take(30).collect();
            format!("expected a number, found {shown:?}")
        })?;
        self.rest = rest;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rings::tests::rings;
    use super::*;

    fn check(text: &str, expected: &str) {
        let raw = read(text).unwrap().unwrap();
        assert_eq!(raw.rings, rings(expected), "{text}");
    }

    #[test]
    fn polygons_of_every_spelling() {
        let triangle = "0 0,2 0,2 2,0 0";
        check("POLYGON ((0 0, 2 0, 2 2, 0 0))", triangle);
        check(" polygon((0 0,2 0,2 2,0 0)) ", triangle);
        check("SRID=4326;POLYGON((0 0,2 0,2 2,0 0))", triangle);
        check("POLYGON Z ((0 0 5,2 0 5,2 2 5,0 0 5))", triangle);
        check("POLYGONZM((0 0 5 1,2 0 5 1,2 2 5 1,0 0 5 1))", triangle);
        check("POLYGON ((0 0,2.0e0 0,2 2.,0 -0))", triangle);
        check("MULTIPOLYGON (((0 0,2 0,2 2,0 0)),EMPTY)", triangle);
        check(
            "GEOMETRYCOLLECTION (POINT (1 2), POLYGON ((0 0,2 0,2 2,0 0)))",
            triangle,
        );
        check(
            "MULTIPOLYGON (((0 0,9 0,9 9,0 0),(5 2,6 2,6 3,5 2)),((20 0,21 0,21 1,20 0)))",
            "0 0,9 0,9 9,0 0|5 2,6 2,6 3,5 2&20 0,21 0,21 1,20 0",
        );
        assert!(
            read("POLYGON Z ((0 0 5,2 0 5,2 2 5,0 0 5))")
                .unwrap()
                .unwrap()
                .is_flattened
        );
        for (text, reason) in [
            ("", "no_geometry"),
            ("POLYGON EMPTY", "empty_geometry"),
            ("MULTIPOLYGON Z EMPTY", "empty_geometry"),
            ("POINT (1 2)", "not_a_polygon"),
            ("MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))", "not_a_polygon"),
            (
                "CURVEPOLYGON (CIRCULARSTRING (0 0, 4 0, 4 4, 0 4, 0 0))",
                "curved_geometry",
            ),
        ] {
            assert_eq!(read(text).unwrap().unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn damaged() {
        for (text, expected) in [
            ("POLYGON", "cut off"),
            ("POLYGON ((0 0, 2 0", "cut off"),
            ("POLYGON ((0 0, 2))", "expected a number"),
            (
                "POLYGON ((0 0, a b))",
                "character 16: expected a number, found \"a\"",
            ),
            ("POLYGON (0 0, 1 1)", "expected '('"),
            ("POLYGON ((0 0)) x", "follows its end"),
            ("SQUARE ((0 0))", "no geometry"),
            ("((0 0))", "expected a geometry's name"),
            ("POINT (1 2", "cut off"),
        ] {
            let message = read(text).map(|_| ()).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
        assert!(read(&"GEOMETRYCOLLECTION(".repeat(100_000)).is_err());
        assert!(read(&"POLYGON(".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[A-Z (),.0-9eZM;=é-]{0,100}") {
            let _ = read(&text);
            let _ = read(&format!("POLYGON(({text}"));
        }
    }
}
