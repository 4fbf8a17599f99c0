//! Text is found however its accents are written: composed as in most files, or decomposed as on a Mac.

use e2e::{Server, Squares, encoded};

const COMPOSED: &str = "Gen\u{e8}ve";
const DECOMPOSED: &str = "Gene\u{300}ve";

#[test]
fn keys_are_found_in_either_form() {
    // Polygons and table are decomposed, byte for byte alike.
    let squares = [(DECOMPOSED, [10, 10], "7"), ("Bern", [11, 10], "8")];
    let squares = squares.map(|(key, place, value)| (key.to_owned(), place, value.to_owned()));
    let land = Squares::new("n", "sum", "zooms = [5, 14]", squares);
    let server = Server::start(&land.dataset());
    for form in [COMPOSED, DECOMPOSED] {
        let card = server.get(&format!("/land/items/{}", encoded(form)));
        assert_eq!(card.status, 200, "{form:?}");
        assert_eq!(card.json()["properties"]["key"], COMPOSED);
        assert_eq!(card.json()["properties"]["n"], 7);
        let json = format!(r#"{{"op":"=","args":[{{"property":"key"}},"{form}"]}}"#);
        for filter in [
            format!("filter={}", encoded(&format!("key = '{form}'"))),
            format!(
                "filter={}",
                encoded(&format!("key LIKE '%{}%'", &form[3..]))
            ),
            format!("filter-lang=cql2-json&filter={}", encoded(&json)),
        ] {
            let found = server.get(&format!("/land/items?{filter}"));
            assert_eq!(found.json()["numberMatched"], 1, "{filter}");
        }
    }
}
