//! Cards: where an area stands.

use serde_json::Value;

use super::{built, number};

#[test]
fn a_card_tells_where_an_area_stands() {
    let (town, server) = built();
    let districts = town.counts();
    let key = "13";
    let card = server.get(&format!("/town/items/{key}")).json();
    assert_eq!(card["level"], "district");
    assert_eq!(card["parent"]["key"], "1");
    let told = |name: &str| -> Value {
        let indicators = card["indicators"].as_array().cloned().unwrap_or_default();
        let found = indicators.into_iter().find(|i| i["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    let turnout = |d: &[f64; 5]| d[1] / d[0];
    let own = turnout(&districts[key]);
    let rate = |prefix: &str| {
        let those = || districts.iter().filter(|(k, _)| k.starts_with(prefix));
        those().map(|d| d.1[1]).sum::<f64>() / those().map(|d| d.1[0]).sum::<f64>()
    };
    let indicator = told("turnout");
    let above = districts.values().filter(|d| turnout(d) > own).count();
    assert_eq!(number(&indicator["value"]), Some(own));
    assert_eq!(indicator["rank"], above + 1);
    assert_eq!(indicator["of"], 10);
    let percentile = number(&indicator["percentile"]).expect("a percentile");
    let below = f64::from(u32::try_from(9 - above).expect("few"));
    assert!((percentile - 100.0 * below / 9.0).abs() < 1e-9);
    // Rates of the parent and of all, from counts.
    assert_eq!(number(&indicator["parent"]), Some(rate("1")));
    assert_eq!(number(&indicator["layer"]), Some(rate("")));
    for (name, text) in [
        ("source", "nobody"),
        ("vintage", "2020"),
        ("licence", "CC0-1.0"),
        ("formula", "sum(voters) / sum(registered)"),
        ("unit", "share"),
    ] {
        assert_eq!(indicator[name], text, "{name}");
    }
    assert_eq!(indicator["estimate"], false);
    assert!(told("winner")["layer"].is_null(), "texts do not add up");
    assert_eq!(card["series"], serde_json::json!([]));
}
