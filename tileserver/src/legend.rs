//! What a colour stands for: the classes of a number or the categories of a text, at one level and
//! under one filter, as a legend lists them and as a style draws them.

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Value, json};
use tilecore::Bitmap;
use tilecore::classes::{Method, covering};
use tilecore::dataset::columns::{Column, Numbers, Texts};
use tilecore::dataset::schema::{Indicator, Localized};
use tilecore::stats::Distribution;

use crate::categories;
use crate::figure::figure;
use crate::http::HttpError;
use crate::layer::LevelRef;
use crate::palette::{Color, MISSING, Palette, PaletteKind};

/// Categories with a colour of their own; when there are more, the last place is for the others.
const CATEGORIES_MAX: usize = 8;

/// How an indicator is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub property: String,
    pub cut: Cut,
    pub palette: Option<&'static Palette>,
    pub flip: bool,
    /// Where a diverging palette turns; by default at zero where values lie on both sides of it,
    /// else at the median.
    pub middle: Option<f64>,
}

/// Where classes end.
#[derive(Debug, Clone, PartialEq)]
pub enum Cut {
    Computed {
        method: Method,
        k: usize,
    },
    /// Upper limits, ascending; values beyond the last are in the last class.
    Given(Vec<f64>),
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Legend {
    pub property: String,
    pub label: Localized,
    pub unit: Option<String>,
    pub level: String,
    /// `None` for categories and for limits that were given.
    pub method: Option<Method>,
    pub classes: Vec<Class>,
    /// Units without a value.
    pub missing: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    pub holds: Holds,
    pub color: Color,
    pub count: usize,
}

/// Which values a class holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Holds {
    /// Values in `(above, upto]`; the first class holds its lower end too.
    Numbers {
        above: f64,
        upto: f64,
    },
    Text(String),
    /// Texts that no other class holds.
    OtherTexts,
}

impl Legend {
    /// Of a column of a level, over the rows that pass. `None` when the level lacks the indicator.
    #[must_use]
    pub fn of(look: &Look, level: LevelRef<'_>, rows: Option<&Bitmap>) -> Option<Self> {
        let mut shown = level.layer.indicators();
        let indicator = shown.find(|i| i.name == look.property)?;
        let column = level.data.level.column(&look.property)?;
        let all;
        let rows = if let Some(rows) = rows {
            rows
        } else {
            all = Bitmap::full(level.data.level.rows());
            &all
        };
        let (classes, missing) = match column {
            Column::Number(numbers) => classes_of(look, numbers, rows),
            Column::Text(texts) => categories_of(look, level, texts, rows),
        };
        Some(Self::new(look, indicator, level, classes, missing))
    }

    fn new(
        look: &Look,
        indicator: &Indicator,
        level: LevelRef<'_>,
        classes: Vec<Class>,
        missing: usize,
    ) -> Self {
        let numbers = matches!(
            classes.first(),
            Some(Class {
                holds: Holds::Numbers { .. },
                ..
            })
        );
        Self {
            property: indicator.name.clone(),
            label: indicator.label.clone(),
            unit: indicator.unit.clone(),
            level: level.meta.name.clone(),
            method: match look.cut {
                Cut::Computed { method, .. } if numbers => Some(method),
                _ => None,
            },
            classes,
            missing,
        }
    }

    /// The number of the class that holds a value.
    #[must_use]
    pub fn class_of_number(&self, value: f64) -> Option<usize> {
        if value.is_nan() {
            return None;
        }
        let holds =
            |class: &Class| matches!(class.holds, Holds::Numbers { upto, .. } if value <= upto);
        let inside = self.classes.iter().position(holds);
        inside.or(self.classes.len().checked_sub(1))
    }

    /// The number of the class that holds a text.
    #[must_use]
    pub fn class_of_text(&self, text: &str) -> Option<usize> {
        let of =
            |wanted: &dyn Fn(&Holds) -> bool| self.classes.iter().position(|c| wanted(&c.holds));
        of(&|holds| matches!(holds, Holds::Text(own) if own == text))
            .or_else(|| of(&|holds| matches!(holds, Holds::OtherTexts)))
    }

    /// A `MapLibre` expression giving `outputs`, one for each class, or `missing`.
    #[must_use]
    pub fn expression(&self, outputs: &[Value], missing: &Value) -> Value {
        let value = json!(["get", self.property]);
        let has = json!(["has", self.property]);
        let mut pairs = Vec::new();
        let mut last = missing.clone();
        for (i, (class, output)) in self.classes.iter().zip(outputs).enumerate() {
            match &class.holds {
                // Values beyond the last limit belong to the last class.
                Holds::Numbers { .. } if i + 1 == self.classes.len() => last = output.clone(),
                Holds::Numbers { upto, .. } => {
                    let number = json!(["to-number", value]);
                    pairs.push(json!(["<=", number, figure(*upto)]));
                    pairs.push(output.clone());
                }
                Holds::Text(text) => {
                    pairs.push(json!(["==", ["to-string", value], text]));
                    pairs.push(output.clone());
                }
                Holds::OtherTexts => last = output.clone(),
            }
        }
        let inside = if pairs.is_empty() {
            last
        } else {
            let mut case = vec![json!("case")];
            case.extend(pairs);
            case.push(last);
            Value::Array(case)
        };
        json!(["case", has, inside, missing])
    }

    /// The colour of each unit.
    #[must_use]
    pub fn color_expression(&self) -> Value {
        let colors: Vec<Value> = self
            .classes
            .iter()
            .map(|class| json!(class.color.to_string()))
            .collect();
        self.expression(&colors, &json!(MISSING.to_string()))
    }

    /// As `metadata` of styles and the data of maps tell it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let class = |class: &Class| {
            let mut told = match &class.holds {
                Holds::Numbers { above, upto } => {
                    json!({ "above": figure(*above), "upto": figure(*upto) })
                }
                Holds::Text(text) => json!({ "value": text }),
                Holds::OtherTexts => json!({ "other": true }),
            };
            told["color"] = json!(class.color.to_string());
            told["count"] = json!(class.count);
            told
        };
        json!({
            "property": self.property,
            "label": self.label,
            "unit": self.unit,
            "level": self.level,
            "method": self.method.map(Method::name),
            "classes": self.classes.iter().map(class).collect::<Vec<_>>(),
            "missing": { "color": MISSING.to_string(), "count": self.missing },
        })
    }
}

/// The palette of a name.
pub fn palette(name: &str) -> Result<&'static Palette, HttpError> {
    Palette::of_name(name).ok_or_else(|| {
        let names: Vec<&str> = crate::palette::PALETTES.iter().map(|p| p.name).collect();
        HttpError::parameter("palette", format!("give one of {}", names.join(", ")))
    })
}

fn classes_of(look: &Look, numbers: &Numbers, rows: &Bitmap) -> (Vec<Class>, usize) {
    let distribution = Distribution::of(numbers.values(), rows);
    let (Some(min), Some(max)) = (distribution.min(), distribution.max()) else {
        return (Vec::new(), distribution.missing());
    };
    let upper = match &look.cut {
        Cut::Computed { method, k } => distribution.breaks(*method, *k).upper().to_vec(),
        Cut::Given(upper) => covering(upper, Some(max)),
    };
    let spans_zero = min < 0.0 && max > 0.0;
    let usual = || {
        Palette::usual(if spans_zero {
            PaletteKind::Diverging
        } else {
            PaletteKind::Sequential
        })
    };
    let chosen = look.palette.filter(|p| p.kind != PaletteKind::Categorical);
    let palette = chosen.unwrap_or_else(usual);
    let mut limits = vec![min];
    limits.extend(&upper);
    let colors = if palette.kind == PaletteKind::Diverging {
        let turn = if spans_zero {
            Some(0.0)
        } else {
            distribution.median()
        };
        palette.diverging(&limits, look.middle.or(turn).unwrap_or(0.0), look.flip)
    } else {
        palette.sequential(upper.len(), look.flip)
    };
    let sorted = distribution.sorted();
    let mut below = 0;
    let mut classes = Vec::with_capacity(upper.len());
    for (i, (&upto, color)) in upper.iter().zip(colors).enumerate() {
        let until = if i + 1 == upper.len() {
            sorted.len()
        } else {
            sorted.partition_point(|value| *value <= upto)
        };
        classes.push(Class {
            holds: Holds::Numbers {
                above: limits[i],
                upto,
            },
            color,
            count: until - below,
        });
        below = until;
    }
    (classes, distribution.missing())
}

/// In the order of [`categories::order`], so that neither a filter nor another level changes the
/// colours; counted among the rows that pass.
fn categories_of(
    look: &Look,
    level: LevelRef<'_>,
    texts: &Texts,
    rows: &Bitmap,
) -> (Vec<Class>, usize) {
    let order = categories::order(level.layer, &look.property);
    let own = if order.len() > CATEGORIES_MAX {
        CATEGORIES_MAX - 1
    } else {
        order.len()
    };
    let here: FxHashSet<&str> = categories::counts_of_seen(texts, level)
        .into_iter()
        .map(|(text, _)| text)
        .collect();
    let (passing, missing) = categories::counts(texts, rows);
    let passing: FxHashMap<&str, usize> = passing.into_iter().collect();
    let count = |text: &str| passing.get(text).copied().unwrap_or(0);
    let chosen = look.palette.filter(|p| p.kind == PaletteKind::Categorical);
    let palette = chosen.unwrap_or_else(|| Palette::usual(PaletteKind::Categorical));
    let color = |i: usize| palette.category(if look.flip { own - 1 - i } else { i });
    let (named, others) = order.split_at(own);
    let named = named.iter().enumerate();
    let mut classes: Vec<Class> = named
        .filter(|(_, text)| here.contains(*text))
        .map(|(i, text)| Class {
            holds: Holds::Text((*text).to_owned()),
            color: color(i),
            count: count(text),
        })
        .collect();
    if others.iter().any(|text| here.contains(text)) {
        classes.push(Class {
            holds: Holds::OtherTexts,
            color: palette.category(usize::MAX),
            count: others.iter().map(|text| count(text)).sum(),
        });
    }
    (classes, missing)
}
