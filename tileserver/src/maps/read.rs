//! From a file of `maps/` to [`PublishedMap`]: keys, values, and the line of what is wrong.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tilecore::classes::Method;
use tilecore::dataset::schema::Localized;
use toml::Spanned;
use toml::value::{Datetime, Offset};

use super::{Placed, PublishedMap, View};
use crate::access::midnight;
use crate::analysis::classing::{CLASSES, CLASSES_MAX};
use crate::legend::{Cut, Look};
use crate::palette::{PALETTES, Palette};

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct MapError {
    pub file: String,
    pub line: usize,
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    title: Text,
    text: Option<Text>,
    language: Option<Spanned<String>>,
    layer: Spanned<String>,
    indicator: Spanned<String>,
    level: Option<Spanned<String>>,
    classes: Option<Spanned<ClassKeys>>,
    filter: Option<Spanned<String>>,
    view: Option<Spanned<ViewKeys>>,
    #[serde(default)]
    sources: Vec<String>,
    method: Option<Text>,
    embargo: Option<Spanned<Datetime>>,
    version: Option<Spanned<String>>,
    frame_ancestors: Option<Spanned<Vec<String>>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ClassKeys {
    method: Option<String>,
    k: Option<usize>,
    breaks: Option<Vec<f64>>,
    palette: Option<String>,
    #[serde(default)]
    flip: bool,
    middle: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewKeys {
    center: [f64; 2],
    zoom: f64,
}

/// A text, or one for each language.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    One(String),
    Each(Localized),
}

impl From<Text> for Localized {
    fn from(text: Text) -> Self {
        match text {
            Text::One(text) => [(String::new(), text)].into(),
            Text::Each(each) => each,
        }
    }
}

impl PublishedMap {
    /// `file` is what errors name.
    ///
    /// # Errors
    /// With the line of the first key that is unknown, missing or wrong.
    pub fn parse(id: &str, file: &str, text: &str) -> Result<Self, MapError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let fault = |at: usize, message: String| MapError {
            file: file.to_owned(),
            line: line_at(text, at),
            message,
        };
        let keys: Keys = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            fault(at, error.message().replace('\n', " "))
        })?;
        let placed = |spanned: Spanned<String>| Placed {
            line: line_at(text, spanned.span().start),
            value: spanned.into_inner(),
        };
        let classes_at = keys.classes.as_ref().map_or(0, |c| c.span().start);
        let classes = keys.classes.map(Spanned::into_inner).unwrap_or_default();
        let look = look(keys.indicator.get_ref().clone(), classes)
            .map_err(|message| fault(classes_at, message))?;
        let view = match keys.view {
            None => None,
            Some(view) => {
                let at = view.span().start;
                let ViewKeys { center, zoom } = view.into_inner();
                let [lon, lat] = center;
                if lon.abs() > 180.0 || lat.abs() > 85.0 || !(0.0..=24.0).contains(&zoom) {
                    let message = "give center as [longitude, latitude] and a zoom from 0 to 24";
                    return Err(fault(at, message.into()));
                }
                Some(View { center, zoom })
            }
        };
        let embargo = match keys.embargo {
            None => None,
            Some(moment) => {
                let at = moment.span().start;
                let end = instant(*moment.get_ref()).ok_or_else(|| {
                    let message =
                        "give a date, a time and its offset, as 2027-05-02T20:00:00+02:00";
                    fault(at, message.into())
                })?;
                Some(end)
            }
        };
        let frame_ancestors = match keys.frame_ancestors {
            None => Vec::new(),
            Some(hosts) => {
                let at = hosts.span().start;
                let hosts = hosts.into_inner();
                if let Some(bad) = hosts.iter().find(|host| !is_frame_source(host)) {
                    let message = format!("`{bad}` is no origin: give https://example.org");
                    return Err(fault(at, message));
                }
                hosts
            }
        };
        if let Some(language) = &keys.language
            && !["fr", "en"].contains(&language.get_ref().as_str())
        {
            return Err(fault(language.span().start, "give fr or en".into()));
        }
        Ok(Self {
            id: id.to_owned(),
            file: file.to_owned(),
            title: keys.title.into(),
            text: keys.text.map(Localized::from).unwrap_or_default(),
            language: keys.language.map(Spanned::into_inner),
            layer: placed(keys.layer),
            indicator: placed(keys.indicator),
            level: keys.level.map(placed),
            look,
            filter: keys.filter.map(placed),
            view,
            sources: keys.sources,
            method: keys.method.map(Localized::from).unwrap_or_default(),
            embargo,
            version: keys.version.map(placed),
            frame_ancestors,
        })
    }
}

fn look(property: String, keys: ClassKeys) -> Result<Look, String> {
    let cut = match keys.breaks {
        Some(upper) => {
            let sound = upper.iter().all(|limit| limit.is_finite());
            if !sound || upper.len() > CLASSES_MAX || !upper.is_sorted_by(|a, b| a < b) {
                return Err(format!(
                    "breaks: give at most {CLASSES_MAX} ascending limits"
                ));
            }
            if keys.method.is_some() || keys.k.is_some() {
                return Err("give breaks, or method and k".into());
            }
            Cut::Given(upper)
        }
        None => {
            let k = keys.k.unwrap_or(CLASSES);
            if !(1..=CLASSES_MAX).contains(&k) {
                return Err(format!("k: give a whole number from 1 to {CLASSES_MAX}"));
            }
            let method = keys.method.as_deref().map(str::parse::<Method>).transpose();
            let method = method.map_err(|error| error.to_string())?;
            Cut::Computed {
                method: method.unwrap_or(Method::Quantile),
                k,
            }
        }
    };
    let palette = match &keys.palette {
        None => None,
        Some(name) => Some(Palette::of_name(name).ok_or_else(|| {
            let names: Vec<&str> = PALETTES.iter().map(|p| p.name).collect();
            format!("palette: give one of {}", names.join(", "))
        })?),
    };
    Ok(Look {
        property,
        cut,
        palette,
        flip: keys.flip,
        middle: keys.middle,
    })
}

/// A moment that says its offset.
fn instant(moment: Datetime) -> Option<SystemTime> {
    let (date, time, offset) = (moment.date?, moment.time?, moment.offset?);
    let midnight = midnight(Datetime {
        date: Some(date),
        time: None,
        offset: None,
    })?;
    let (hour, minute) = (u64::from(time.hour), u64::from(time.minute));
    let second = u64::from(time.second.unwrap_or(0));
    let local = midnight.checked_add(Duration::from_secs((hour * 60 + minute) * 60 + second))?;
    let east = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes) * 60,
    };
    let shift = Duration::from_secs(east.unsigned_abs());
    if east >= 0 {
        local.checked_sub(shift)
    } else {
        local.checked_add(shift)
    }
}

/// What may stand in `frame-ancestors` without ending it.
fn is_frame_source(host: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/*[]".contains(&b);
    !host.is_empty() && host.len() <= 200 && host.bytes().all(plain)
}

fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const LEAST: &str = "title = \"T\"\nlayer = \"town\"\nindicator = \"turnout\"\n";

    fn parse(more: &str) -> Result<PublishedMap, MapError> {
        PublishedMap::parse("m", "maps/m.toml", &format!("{LEAST}{more}"))
    }

    #[test]
    fn the_least_and_the_most() {
        assert_eq!(parse("").unwrap().layer.line, 2);
        let map = parse(
            "language = \"fr\"\nfilter = \"turnout > 0\"\nsources = [\"a\"]\nversion = \"x\"\n\
             embargo = 2027-05-02T20:00:00+02:00\nframe_ancestors = [\"https://*.example.org\"]\n\
             [classes]\nmethod = \"jenks\"\nk = 4\npalette = \"teal\"\n\
             [view]\ncenter = [2.3, 48.8]\nzoom = 10\n",
        )
        .unwrap();
        assert_eq!(map.filter.map(|f| f.line), Some(5));
        let embargo = map.embargo.and_then(|e| e.duration_since(UNIX_EPOCH).ok());
        assert_eq!(embargo.map(|e| e.as_secs()), Some(1_809_280_800));
    }

    #[test]
    fn faults_name_their_line() {
        for (more, line, word) in [
            ("colour = 1", 4, "colour"),
            ("language = \"de\"", 4, "fr"),
            ("embargo = 2027-05-02", 4, "offset"),
            ("embargo = 2027-05-02T20:00:00", 4, "offset"),
            ("\n[classes]\nk = 0", 5, "k:"),
            ("\n[classes]\nmethod = \"magic\"", 5, "magic"),
            ("\n[classes]\npalette = \"magic\"", 5, "viridis"),
            ("\n[classes]\nbreaks = [2, 1]", 5, "ascending"),
            ("\n[view]\ncenter = [2, 99]\nzoom = 1", 5, "latitude"),
            ("frame_ancestors = [\"x; script-src *\"]", 4, "origin"),
        ] {
            let error = parse(more).expect_err(more);
            assert_eq!(error.line, line, "{more}: {error}");
            assert!(error.message.contains(word), "{error}");
        }
        let error = PublishedMap::parse("m", "m.toml", "title = \"T\"").unwrap_err();
        assert!(error.to_string().starts_with("m.toml:1: "), "{error}");
    }
}
