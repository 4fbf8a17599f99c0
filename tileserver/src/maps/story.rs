//! What a published map shows: its legends, its table, its style, in one language.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};
use tilecore::classes::Method;
use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::{Indicator, text_in};

use super::{MapError, PublishedMap, no_map};
use crate::app::App;
use crate::http::HttpError;
use crate::http::path::encoded;
use crate::layer::LayerRef;
use crate::legend::{Holds, Legend};
use crate::numbers::Format;
use crate::palette::{Color, MISSING};
use crate::routes::styles::{fills, legends};
use crate::scope::address;
use crate::snapshot::Snapshot;
use crate::style::{Source, Template};

/// Rows of a page's table; all of them are in the file that the page names.
const TABLE_MAX: usize = 200;

/// See the module.
#[derive(Debug)]
pub struct Story {
    pub map: Arc<PublishedMap>,
    pub snapshot: Arc<Snapshot>,
    pub lang: &'static str,
    pub layer: usize,
    /// By a level's first zoom, ascending.
    pub legends: Vec<(u8, Legend)>,
    pub table: Table,
}

/// The units of one level that pass, greatest value first.
#[derive(Debug)]
pub struct Table {
    pub level: String,
    /// Name and value; `None` where it is missing.
    pub rows: Vec<(String, Option<String>)>,
    /// With those that have no room.
    pub units: usize,
}

/// One line of a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendLine {
    pub color: Color,
    pub label: String,
    pub count: usize,
}

impl Story {
    pub async fn of(
        app: &App,
        map: Arc<PublishedMap>,
        lang: &'static str,
    ) -> Result<Self, HttpError> {
        let snapshot = app.maps.snapshot_of(&map, app.snapshot()?)?;
        let layer = map.layer_of(&snapshot).map_err(absent)?;
        let filter = |queryables: &_| map.filter_over(queryables).map_err(absent);
        let legends = legends(app, &snapshot, layer, &map.look, &filter).await?;
        let level = map.level_of(layer).map_err(absent)?;
        let passing = filter(level.data.queryables())?;
        let rows = snapshot.rows(&app.pool, level, &passing).await?;
        let (layer, level) = (layer.number, level.number);
        let (held, name) = (Arc::clone(&snapshot), map.indicator.value.clone());
        let tell = move || {
            let level = held.layer_at(layer).level_at(level);
            let rows = match rows {
                Some(rows) => rows.iter().collect::<Vec<_>>(),
                None => (0..level.data.level.rows()).collect(),
            };
            Table::of(level, &name, rows, lang)
        };
        let table = app.pool.run(tell).await?;
        Ok(Self {
            map,
            snapshot,
            lang,
            layer,
            legends,
            table,
        })
    }

    #[must_use]
    pub fn layer(&self) -> LayerRef<'_> {
        self.snapshot.layer_at(self.layer)
    }

    #[must_use]
    pub fn title(&self) -> &str {
        self.map.title(self.lang)
    }

    #[must_use]
    pub fn text(&self) -> &str {
        text_in(&self.map.text, self.lang).unwrap_or_default()
    }

    /// What the indicator is called; an estimate says that it is one.
    #[must_use]
    pub fn label(&self) -> Cow<'_, str> {
        let indicator = self.indicator();
        let label = indicator.and_then(|i| text_in(&i.label, self.lang));
        let label = label.unwrap_or(&self.map.indicator.value);
        let word = if self.lang == "fr" {
            "estimation"
        } else {
            "estimate"
        };
        if indicator.is_some_and(|i| i.estimate) && !label.to_lowercase().contains(word) {
            Cow::Owned(format!("{label} ({word})"))
        } else {
            Cow::Borrowed(label)
        }
    }

    fn indicator(&self) -> Option<&Indicator> {
        let name = &self.map.indicator.value;
        self.layer().indicators().find(|i| i.name == *name)
    }

    /// Sources and date, then how classes are cut, then who made the data.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let french = self.lang == "fr";
        let indicator = self.indicator();
        let mut notes = Vec::new();
        let mut sources = self.map.sources.clone();
        if sources.is_empty() {
            sources.extend(indicator.and_then(|i| i.source.clone()));
        }
        let vintage = indicator.and_then(|i| i.vintage.as_deref());
        let mut line = sources.join(" · ");
        if let Some(vintage) = vintage {
            line = format!("{line} ({vintage})");
        }
        if !line.trim().is_empty() {
            let word = if french { "Source\u{a0}: " } else { "Source: " };
            notes.push(format!("{word}{}", line.trim()));
        }
        let method = text_in(&self.map.method, self.lang).map(str::to_owned);
        let method = method.or_else(|| {
            let method = method_in_words(self.legends.first()?.1.method?, french);
            Some(if french {
                format!("Classes\u{a0}: {method}, parmi les zones montrées")
            } else {
                format!("Classes: {method}, over the areas shown")
            })
        });
        notes.extend(method);
        // How it was estimated, and from how many units.
        let estimate = indicator.filter(|i| i.estimate);
        notes.extend(
            estimate
                .and_then(|i| text_in(&i.description, self.lang))
                .map(str::to_owned),
        );
        let attribution = &self.snapshot.manifest.attribution;
        if !attribution.is_empty() && !notes.iter().any(|note| note.contains(attribution)) {
            notes.push(attribution.clone());
        }
        notes
    }

    /// The legend shown at a zoom.
    #[must_use]
    pub fn legend_at(&self, zoom: f64) -> Option<&Legend> {
        let shown = |(first, _): &&(u8, Legend)| f64::from(*first) <= zoom;
        let last = self.legends.iter().rfind(shown).or(self.legends.first());
        last.map(|(_, legend)| legend)
    }

    /// A legend's lines as readers see them.
    #[must_use]
    pub fn lines(&self, legend: &Legend) -> Vec<LegendLine> {
        let french = self.lang == "fr";
        let format = format_of(legend, self.lang);
        let mut lines: Vec<LegendLine> = legend
            .classes
            .iter()
            .map(|class| LegendLine {
                color: class.color,
                count: class.count,
                label: match &class.holds {
                    Holds::Numbers { above, upto } => between(&format, *above, *upto),
                    Holds::Text(text) => text.clone(),
                    Holds::OtherTexts if french => "Autres".into(),
                    Holds::OtherTexts => "Others".into(),
                },
            })
            .collect();
        if legend.missing > 0 {
            let label = if french { "Pas de donnée" } else { "No data" };
            lines.push(LegendLine {
                color: MISSING,
                label: label.into(),
                count: legend.missing,
            });
        }
        lines
    }

    /// The map's own tiles on a server.
    #[must_use]
    pub fn tiles(&self, app: &App) -> String {
        let version = &self.snapshot.manifest.version;
        let id = encoded(&self.map.id);
        let path = format!("/map/{id}/tiles/{{z}}/{{x}}/{{y}}?v={version}");
        address(&app.public_url, &path)
    }

    /// Where its units are named, on a server.
    #[must_use]
    pub fn names(&self, app: &App) -> String {
        let id = encoded(&self.map.id);
        let version = &self.snapshot.manifest.version;
        let path = format!("/map/{id}/names/{{z}}/{{x}}/{{y}}?v={version}");
        address(&app.public_url, &path)
    }

    /// The style of the map over its tiles; its page names units by itself.
    #[must_use]
    pub fn style(&self, tiles: &str, names: Option<String>) -> Value {
        let mut source = Source::of_layer(self.layer(), &self.snapshot, tiles.to_owned());
        source.names = names;
        let mut style = source.areas(Template::Choropleth, self.title(), fills(&self.legends));
        if let Some(view) = self.map.view {
            style["center"] = json!(view.center);
            style["zoom"] = json!(view.zoom);
        }
        style
    }

    /// What the page's script needs, and asks for again to see a new version.
    #[must_use]
    pub fn data(&self, tiles: &str) -> Value {
        let legend = |(first, legend): &(u8, Legend)| {
            let format = format_of(legend, self.lang);
            let lines: Vec<Value> = self
                .lines(legend)
                .iter()
                .map(|line| {
                    json!({ "color": line.color.to_string(), "label": line.label, "count": line.count })
                })
                .collect();
            json!({
                "zoom": first,
                "level": self.level_title(&legend.level),
                "lines": lines,
                "percent": format.percent,
                "digits": format.digits,
                "suffix": format.suffix,
            })
        };
        let layer = self.layer();
        json!({
            "id": self.map.id,
            "version": self.snapshot.manifest.version,
            "language": self.lang,
            "indicator": self.map.indicator.value,
            "label": self.label(),
            "bounds": layer.bounds(),
            "zooms": layer.zooms(),
            "fit": self.map.view.is_none(),
            "legends": self.legends.iter().map(legend).collect::<Vec<_>>(),
            "table": self.table.rows,
            "style": self.style(tiles, None),
        })
    }

    /// What the units of a level are called.
    #[must_use]
    pub fn level_title<'a>(&'a self, name: &'a str) -> &'a str {
        let layer = self.layer();
        let level = layer.meta.levels.iter().find(|level| level.name == name);
        level
            .and_then(|level| text_in(&level.title, self.lang))
            .unwrap_or(name)
    }
}

impl Table {
    fn of(
        level: crate::layer::LevelRef<'_>,
        indicator: &str,
        mut rows: Vec<usize>,
        lang: &str,
    ) -> Self {
        let data = &level.data.level;
        let units = rows.len();
        let described = level.layer.indicators().find(|i| i.name == indicator);
        let unit = described.and_then(|i| i.unit.as_deref());
        let told = match level.data.level.column(indicator) {
            Some(Column::Number(numbers)) => {
                let key = |row: &usize| numbers.get(*row).map_or(f64::NEG_INFINITY, |v| v);
                rows.sort_by(|a, b| key(b).total_cmp(&key(a)).then(a.cmp(b)));
                let mut sorted: Vec<f64> = rows.iter().filter_map(|&r| numbers.get(r)).collect();
                sorted.reverse();
                let ends: Vec<f64> = sorted
                    .first()
                    .into_iter()
                    .chain(sorted.last())
                    .copied()
                    .collect();
                let format = Format::new(unit, &ends, lang);
                rows.truncate(TABLE_MAX);
                let value = |row: usize| numbers.get(row).map(|value| format.value(value));
                rows.iter()
                    .map(|&row| (data.name(row).to_owned(), value(row)))
                    .collect()
            }
            Some(Column::Text(texts)) => {
                rows.sort_by(|&a, &b| data.name(a).cmp(data.name(b)));
                rows.truncate(TABLE_MAX);
                let value = |row: usize| texts.get(row).map(str::to_owned);
                rows.iter()
                    .map(|&row| (data.name(row).to_owned(), value(row)))
                    .collect()
            }
            None => Vec::new(),
        };
        Self {
            level: level.meta.name.clone(),
            rows: told,
            units,
        }
    }
}

/// How classes are cut, as the explorer says it.
fn method_in_words(method: Method, french: bool) -> &'static str {
    let [en, fr] = match method {
        Method::Quantile => ["equal counts", "effectifs égaux"],
        Method::Jenks => ["natural breaks (Jenks)", "seuils naturels (Jenks)"],
        Method::Equal => ["equal steps", "pas égaux"],
        Method::StdDev => ["standard deviations", "écarts-types"],
        Method::HeadTail => ["heads and tails", "têtes et queues"],
        Method::Pretty => ["round numbers", "nombres ronds"],
    };
    if french { fr } else { en }
}

fn format_of(legend: &Legend, lang: &str) -> Format {
    let mut limits = Vec::new();
    for class in &legend.classes {
        if let Holds::Numbers { above, upto } = class.holds {
            if limits.is_empty() {
                limits.push(above);
            }
            limits.push(upto);
        }
    }
    Format::new(legend.unit.as_deref(), &limits, lang)
}

/// A class's values. Where limits were given, those that pass may all lie above the first class: it
/// has no lower end then.
fn between(format: &Format, above: f64, upto: f64) -> String {
    if above > upto {
        return format!("≤ {}", format.value(upto));
    }
    format!("{} – {}", format.plain(above), format.value(upto))
}

fn absent(_: MapError) -> HttpError {
    no_map()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_class_ends_before_it_starts() {
        let format = Format::new(Some("share"), &[0.25, 0.256, 0.5], "en");
        assert_eq!(between(&format, 0.256, 0.25), "≤ 25.0\u{202f}%");
        assert_eq!(between(&format, 0.25, 0.5), "25.0 – 50.0\u{202f}%");
    }
}
