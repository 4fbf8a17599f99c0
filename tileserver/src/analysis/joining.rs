//! `contacts`, `contacts-filter`, `contacts-denominator`, `contacts-rate`: how many contacts lie in
//! each unit, and how many per 1,000 of what it counts.
//!
//! ```text
//! contacts ─ filter ▸ ranks ─┬▸ contacts ─────────────┬▸ contacts_per_1000
//! unit of each contact ──────┘   denominator, as told ┘   (shrunk by empirical Bayes, if asked)
//! ```
//! At any level of the layer each contact counts for the unit it lies in. Who may not see a set is
//! answered as if there were none.

use std::sync::Arc;

use serde_json::{Value, json};
use tilecore::Bitmap;
use tilecore::dataset::columns::{Column, Numbers};
use tilecore::dataset::schema::{Combine, Component, Indicator, Kind, Recompute};
use tilecore::filter::{Filter, Queryable, Queryables, Table as _};
use tilecore::rates::empirical_bayes;
use tilecore::recompute::Formula;

use super::matching::weight_of;
use super::{Computed, Named, Results, among, kept};
use crate::contacts::Contacts;
use crate::criteria;
use crate::http::{HttpError, Query};
use crate::layer::{LayerRef, LevelRef};
use crate::memo::Fault;
use crate::pool::Pool;
use crate::question::Question;
use crate::snapshot::Snapshot;

/// Columns it adds; no indicator may be called so.
pub const COLUMNS: [&str; 2] = ["contacts", "contacts_per_1000"];

/// The parameters that mean something beside `contacts` only.
const MORE: [&str; 3] = ["contacts-filter", "contacts-denominator", "contacts-rate"];

/// A contact set as columns of a level.
#[derive(Debug, Clone)]
pub struct Joining {
    contacts: Arc<Contacts>,
    filter: Filter,
    /// An indicator; the layer's weight where there is none.
    denominator: Option<String>,
    rate: Rate,
}

/// How a rate follows from contacts and denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rate {
    Raw,
    /// Shrunk towards the rate of all units of the level, the more the smaller the denominator.
    EmpiricalBayes,
}

impl Rate {
    fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::EmpiricalBayes => "eb",
        }
    }
}

impl PartialEq for Joining {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Joining {
    /// `None` when no contacts are asked for.
    pub fn parse(
        query: &Query,
        snapshot: &Snapshot,
        layer: LayerRef<'_>,
    ) -> Result<Option<Self>, HttpError> {
        let Some(name) = query.get("contacts")? else {
            for parameter in MORE {
                if query.get(parameter)?.is_some() {
                    return Err(HttpError::parameter("contacts", "name the contact set"));
                }
            }
            return Ok(None);
        };
        let unknown = "no contacts of this name: see /catalog";
        let contacts = snapshot
            .contacts_of(&name)
            .ok_or_else(|| HttpError::parameter("contacts", unknown))?;
        let filter = criteria::filter_of(query, "contacts-filter", &contacts.queryables)?;
        let denominator = query.get("contacts-denominator")?;
        if let Some(name) = denominator.as_deref() {
            let queryables = layer.level_at(0).data.queryables();
            criteria::has_numbers("contacts-denominator", name, layer, queryables)?;
        }
        let rate = match query.get("contacts-rate")?.as_deref() {
            None | Some("raw") => Rate::Raw,
            Some("eb") => Rate::EmpiricalBayes,
            Some(_) => return Err(HttpError::parameter("contacts-rate", "give raw or eb")),
        };
        Ok(Some(Self {
            contacts: Arc::clone(contacts),
            filter,
            denominator: denominator.map(std::borrow::Cow::into_owned),
            rate,
        }))
    }

    /// The one text of all that add the same columns.
    #[must_use]
    pub fn canonical(&self) -> String {
        let Self {
            contacts,
            filter,
            denominator,
            rate,
        } = self;
        // Debug quotes its parts, so no two print alike.
        let set = &contacts.meta.name;
        format!(
            "contacts {:?}",
            (set, filter.canonical(), denominator, rate.name())
        )
    }

    /// Whose reading is noted.
    #[must_use]
    pub fn read(&self) -> (&str, &Filter) {
        (&self.contacts.meta.name, &self.filter)
    }

    /// The properties of a level, the contacts' among them.
    #[must_use]
    pub fn queryables(level: LevelRef<'_>) -> Queryables {
        let mut queryables = level.data.queryables().clone();
        for name in COLUMNS {
            queryables.push(Queryable::new(name, Kind::Number));
        }
        queryables
    }

    /// The columns of a level, over all its units.
    pub async fn columns(
        &self,
        pool: &Pool,
        snapshot: &Arc<Snapshot>,
        level: LevelRef<'_>,
    ) -> Result<Arc<Computed>, HttpError> {
        let areas = snapshot.areas(pool, &self.contacts, level).await?;
        let passing = snapshot.passing_contacts(pool, &self.contacts, &self.filter);
        let passing = passing.await?;
        let joining = self.clone();
        let work = move |level: LevelRef<'_>| {
            let counts = areas.counts(passing.ranked(), level.data.level.rows());
            let permitted = level.data.permitted();
            let is_seen = |row: usize| permitted.is_none_or(|rows| rows.contains(row));
            let contacts = counts.into_iter().enumerate();
            let contacts = contacts.map(|(row, n)| is_seen(row).then(|| f64::from(n)));
            let base = joining.base(level)?;
            Ok(joining.computed(contacts.collect(), base.as_ref()))
        };
        kept(pool, snapshot, level, self.canonical(), work).await
    }

    /// What rates are per 1,000 of, at a level; none where the level has it not.
    pub fn base(&self, level: LevelRef<'_>) -> Result<Option<Column>, Fault> {
        match &self.denominator {
            Some(name) => Ok(level.data.column(name).cloned()),
            None => Ok(weight_of(level.layer, level)?.map(|(_, values)| column_of(values))),
        }
    }

    /// The columns of a level over the units of a finer one that a question leaves.
    pub async fn columns_of_matching(
        &self,
        pool: &Pool,
        snapshot: &Arc<Snapshot>,
        level: LevelRef<'_>,
        question: &Question,
    ) -> Result<Arc<Computed>, HttpError> {
        let fine = question.level;
        let filtered = level.layer.level_at(fine);
        let counted = Results(vec![self.columns(pool, snapshot, filtered).await?]);
        let matching = snapshot.spoken(pool, level.layer, question).await?;
        let joining = self.clone();
        let work = move |level: LevelRef<'_>| {
            let filtered = level.layer.level_at(fine);
            let matching = among(filtered, matching.as_deref());
            joining.recomputed(level, filtered, &counted, &matching)
        };
        let asked = format!("{:?}", (question.canonical(), self.canonical()));
        kept(pool, snapshot, level, asked, work).await
    }

    fn recomputed(
        &self,
        level: LevelRef<'_>,
        filtered: LevelRef<'_>,
        counted: &Results,
        matching: &Bitmap,
    ) -> Result<Computed, Fault> {
        let broken = |error: &dyn std::fmt::Display| Fault::Broken(error.to_string());
        let ancestors = filtered.ancestors(level.number);
        let sum = Formula::parse(&sum_of(COLUMNS[0])).map_err(|e| broken(&e))?;
        let contacts = ancestors
            .recompute(&sum, &counted.over(filtered), matching)
            .map_err(|e| broken(&e))?;
        let base = match &self.denominator {
            Some(name) => {
                let mut indicators = level.layer.meta.indicators.iter();
                let indicator = indicators.find(|i| i.name == *name);
                indicator
                    .filter(|i| filtered.data.level.column(&i.name).is_some())
                    .and_then(|i| i.recompute.clone())
            }
            None => weight_of(level.layer, filtered)?.map(|(weight, _)| weight.clone()),
        };
        let base = match base {
            None => None,
            Some(recompute) => {
                let formula = Formula::parse(&recompute).map_err(|e| broken(&e))?;
                let base = ancestors.recompute(&formula, filtered.data, matching);
                Some(Column::Number(base.map_err(|e| broken(&e))?))
            }
        };
        Ok(self.computed(contacts, base.as_ref()))
    }

    /// Rates are missing without a denominator, or where it is not above 0.
    fn computed(&self, contacts: Numbers, base: Option<&Column>) -> Computed {
        let base = match base {
            Some(Column::Number(base)) => base.values().to_vec(),
            _ => vec![f64::NAN; contacts.values().len()],
        };
        let rates: Numbers = match self.rate {
            Rate::Raw => {
                let pairs = contacts.values().iter().zip(&base);
                pairs
                    .map(|(n, of)| (*of > 0.0 && !n.is_nan()).then(|| 1000.0 * n / of))
                    .collect()
            }
            Rate::EmpiricalBayes => empirical_bayes(contacts.values(), &base)
                .into_iter()
                .map(|rate| rate.map(|rate| 1000.0 * rate))
                .collect(),
        };
        Computed {
            columns: vec![
                Named::new(COLUMNS[0], Column::Number(contacts)),
                Named::new(COLUMNS[1], Column::Number(rates)),
            ],
            scores: None,
        }
    }

    /// What the columns are, and how many contacts they tell of at a level.
    pub async fn describe(
        &self,
        pool: &Pool,
        snapshot: &Arc<Snapshot>,
        level: LevelRef<'_>,
    ) -> Result<Value, HttpError> {
        let columns = self.columns(pool, snapshot, level).await?;
        let passing = snapshot.passing_contacts(pool, &self.contacts, &self.filter);
        let matched = f64::from(passing.await?.ranked().total());
        let inside: f64 = match columns.columns.first() {
            Some(Named {
                column: Column::Number(numbers),
                ..
            }) => numbers.values().iter().filter(|n| !n.is_nan()).sum(),
            _ => 0.0,
        };
        let meta = &self.contacts.meta;
        Ok(json!({
            "set": meta.name,
            "contacts": meta.contacts,
            "left_out": meta.left_out,
            "filter": self.filter.canonical(),
            "matched": crate::figure::figure(matched),
            "level": level.meta.name,
            "in_areas": crate::figure::figure(inside),
            "outside_areas": crate::figure::figure(matched - inside),
            "denominator": self.describe_denominator(level)?,
            "rate": self.rate.name(),
            "estimate": self.rate == Rate::EmpiricalBayes,
            "method": match self.rate {
                Rate::Raw => "contacts per 1,000 of the denominator",
                Rate::EmpiricalBayes => "estimate: contacts per 1,000 of the denominator, shrunk towards the rate of all areas of the level (empirical Bayes, Marshall 1991)",
            },
        }))
    }

    /// Null where the level has none: then there are no rates.
    fn describe_denominator(&self, level: LevelRef<'_>) -> Result<Value, HttpError> {
        let tell = |indicator: &Indicator| {
            json!({
                "property": indicator.name,
                "label": indicator.label,
                "unit": indicator.unit,
                "weight": self.denominator.is_none(),
            })
        };
        let mut shown = level.layer.indicators();
        if let Some(name) = &self.denominator {
            let here = level.data.level.column(name).is_some();
            let indicator = shown.find(|i| i.name == *name).filter(|_| here);
            return Ok(indicator.map_or(Value::Null, tell));
        }
        let weight = weight_of(level.layer, level).map_err(|_| HttpError::Internal)?;
        let Some((weight, _)) = weight else {
            return Ok(Value::Null);
        };
        // The layer's weight is often one of its indicators too.
        let same = |i: &&Indicator| i.recompute.as_ref() == Some(weight);
        let nameless = || json!({ "property": null, "label": { "en": "weight of the layer" }, "weight": true });
        Ok(shown.find(same).map_or_else(nameless, tell))
    }
}

fn sum_of(column: &str) -> Recompute {
    Recompute {
        formula: format!("\"{column}\""),
        components: vec![Component {
            column: column.to_owned(),
            combine: Combine::Sum,
        }],
    }
}

fn column_of(values: Vec<f64>) -> Column {
    let known = |value: f64| (!value.is_nan()).then_some(value);
    Column::Number(values.into_iter().map(known).collect())
}
