//! What a list of units is for: the first of a ranking, enough of them to reach a goal, half of
//! them to learn from.

use tilecore::dataset::columns::{Column, Texts};
use tilecore::dataset::schema::{COLUMN_PARENT, Kind};
use tilecore::filter::Table as _;
use tilecore::score::{Cover, Noise, cover, split};

use crate::analysis::Overlay;
use crate::http::{HttpError, Query};
use crate::layer::LevelRef;

/// Values of the column `group`.
pub const TREATED: &str = "treated";
pub const CONTROL: &str = "control";

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Units of this rank or better.
    pub top: Option<u32>,
    pub objective: Option<Objective>,
    pub split: Option<Split>,
    /// How uncertain weights are.
    pub noise: Noise,
}

/// The fewest units whose reserves add up to a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    pub property: String,
    pub gap: f64,
}

/// Treated and control units, alike in every stratum.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Treated, of all.
    pub share: f64,
    /// The text that units of one stratum share.
    pub by: Option<String>,
    pub seed: u64,
}

impl Choice {
    pub fn parse(query: &Query, level: LevelRef<'_>) -> Result<Self, HttpError> {
        let seed = query.parse::<u64>("seed", "a whole number")?.unwrap_or(0);
        let top = query.parse::<u32>("top", "a whole number from 1")?;
        if top == Some(0) {
            return Err(HttpError::parameter("top", "give a whole number from 1"));
        }
        if top.is_some() && query.get("score")?.is_none() {
            return Err(HttpError::parameter("top", "give the score that ranks"));
        }
        let usual = Noise::default();
        let spread = share(query, "noise")?.unwrap_or(usual.spread);
        Ok(Self {
            top,
            objective: Objective::parse(query, level)?,
            split: Split::parse(query, level, seed)?,
            noise: Noise {
                spread,
                seed,
                ..usual
            },
        })
    }
}

impl Objective {
    /// `objective=reserve:5000`.
    fn parse(query: &Query, level: LevelRef<'_>) -> Result<Option<Self>, HttpError> {
        let Some(text) = query.get("objective")? else {
            return Ok(None);
        };
        let refuse = |detail: String| HttpError::parameter("objective", detail);
        let (property, gap) = text.rsplit_once(':').ok_or_else(|| {
            refuse("give the property of reserves and the gap: reserve:5000".into())
        })?;
        let is_number = |i: &&tilecore::dataset::schema::Indicator| {
            i.name == property && i.kind == Kind::Number
        };
        let is_there = level.data.level.column(property).is_some();
        if level.layer.indicators().find(is_number).is_none() || !is_there {
            let level = &level.meta.name;
            return Err(refuse(format!(
                "no indicator `{property}` with numbers at level `{level}`"
            )));
        }
        let gap = gap.trim().parse().ok();
        let gap = gap.filter(|gap: &f64| gap.is_finite() && *gap > 0.0);
        Ok(Some(Self {
            property: property.to_owned(),
            gap: gap.ok_or_else(|| refuse("give a gap above 0 after the colon".into()))?,
        }))
    }

    /// Of `rows`.
    #[must_use]
    pub fn choose(&self, table: &Overlay<'_>, rows: &[u32]) -> Cover {
        let reserves = match table.column(&self.property) {
            Some(Column::Number(numbers)) => numbers.values(),
            _ => &[],
        };
        cover(rows.iter().map(|&row| row as usize), reserves, self.gap)
    }
}

impl Split {
    /// `split=0.5&split-by=parent&seed=7`.
    fn parse(query: &Query, level: LevelRef<'_>, seed: u64) -> Result<Option<Self>, HttpError> {
        let by = query.get("split-by")?;
        let Some(share) = share(query, "split")? else {
            return match by {
                None => Ok(None),
                Some(_) => Err(HttpError::parameter(
                    "split",
                    "give the share that is treated",
                )),
            };
        };
        if let Some(name) = by.as_deref()
            && name != COLUMN_PARENT
            && !(level.shows(name)
                && matches!(level.data.level.column(name), Some(Column::Text(_))))
        {
            let detail = "give parent or an indicator with texts at this level";
            return Err(HttpError::parameter("split-by", detail));
        }
        Ok(Some(Self {
            share,
            by: by.map(std::borrow::Cow::into_owned),
            seed,
        }))
    }

    /// By row of the level `treated` or `control`; missing for rows not in `rows`. And how many
    /// are treated.
    #[must_use]
    pub fn groups(&self, table: &Overlay<'_>, rows: &[u32]) -> (Texts, usize) {
        let data = &table.level.data.level;
        let column = self.by.as_deref().and_then(|name| table.column(name));
        let stratum = |row: usize| match column {
            Some(Column::Text(texts)) => texts.get(row).unwrap_or_default(),
            _ => "",
        };
        let units: Vec<(&str, &str)> = rows
            .iter()
            .map(|&row| (stratum(row as usize), data.key(row as usize)))
            .collect();
        let treated = split(&units, self.share, self.seed);
        let mut groups = vec![None; data.rows()];
        for (&row, treated) in rows.iter().zip(&treated) {
            groups[row as usize] = Some(if *treated { TREATED } else { CONTROL });
        }
        let count = treated.iter().filter(|treated| **treated).count();
        (groups.into_iter().collect(), count)
    }
}

/// A number of 0..=1.
fn share(query: &Query, name: &'static str) -> Result<Option<f64>, HttpError> {
    match query.number(name)? {
        Some(share) if !(0.0..=1.0).contains(&share) => {
            Err(HttpError::parameter(name, "give a share from 0 to 1"))
        }
        share => Ok(share),
    }
}
