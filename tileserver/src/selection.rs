//! A list of rows as asked for: filtered, scored, chosen from, in order, cut to a page.

use std::sync::Arc;

use serde_json::Value;
use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::Indicator;
use tilecore::filter::Table as _;
use tilecore::score::{Cover, Noise};
use tilecore::{Bitmap, score};

use crate::analysis::{Analysis, Computed, Overlay, Results, Scoring, kept};
use crate::app::App;
use crate::choice::Choice;
use crate::criteria;
use crate::http::etag::Tag;
use crate::http::path::Segments;
use crate::http::{Freshness, HttpError, Query};
use crate::layer::LevelRef;
use crate::order::Order;
use crate::rows::{Field, Rows};
use crate::snapshot::Snapshot;

/// Rows of a page when the caller names no limit, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 10_000;

/// Rankings drawn again under other weights, for all units together.
const DRAWS_WORK: usize = 20_000_000;
const DRAWS_MIN: usize = 20;

/// See the module.
#[derive(Debug)]
pub struct Selection {
    /// Rows that are in the list, on this page or not.
    pub matched: usize,
    /// Rows before this page.
    pub offset: usize,
    pub rows: Rows,
    pub ranking: Option<Ranking>,
    pub choice: Choice,
    /// Of the choice's objective.
    pub cover: Option<Cover>,
    /// Of the choice's split, the number treated.
    pub treated: usize,
    /// What the columns of contacts are.
    pub contacts: Option<Value>,
    /// Of everything the list follows from.
    pub tag: Tag,
    pub freshness: Freshness,
}

/// How the rows of a list were ranked.
#[derive(Debug)]
pub struct Ranking {
    pub scoring: Scoring,
    /// Ranked among each other, on the list or not.
    pub ranked: usize,
    /// Rows that miss a criterion, by key; the missing ones are told by row.
    pub unranked: Vec<u32>,
    /// Each unit's share of draws in which it is among so many first.
    pub stability: Option<(usize, Noise)>,
}

/// How long a list is when the caller does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    Page,
    /// To the end: it is a file.
    Whole,
}

impl Selection {
    /// The rows that `/{layer}/items…` asks for.
    pub async fn parse(
        app: &App,
        path: &Segments,
        query: &Query,
        length: Length,
    ) -> Result<Self, HttpError> {
        let snapshot = app.snapshot()?;
        let layer = snapshot.layer(&path.name(0)?)?;
        let level = criteria::level(query, layer)?;
        let within = criteria::bbox(query, level.data.queryables())?;
        let choice = Choice::parse(query, level)?;
        let indicators = indicators(query, level)?;
        let sorted_by = query.list("sortby")?.unwrap_or_default();
        let sorted_by = sorted_by
            .iter()
            .map(|name| name.trim_start_matches(['-', '+']));
        let shown = indicators.iter().map(|i| i.name.as_str()).chain(sorted_by);
        let goal = choice.objective.iter().map(|goal| goal.property.as_str());
        let analysis = Analysis::parse(query, &snapshot, level, shown.chain(goal))?;
        let order = Order::parse(query, level, &analysis.names(), &choice)?;
        let whole = "a whole number";
        let offset = query.parse::<usize>("offset", whole)?.unwrap_or(0);
        let limit = query.parse::<usize>("limit", whole)?;
        let limit = match length {
            Length::Page => limit.unwrap_or(PAGE).min(PAGE_MAX),
            Length::Whole => limit.unwrap_or(usize::MAX),
        };
        let version = &snapshot.manifest.version;
        let freshness = Freshness::of(query, version)?;
        let address = (path.after_root(), level.number, within.canonical());
        let form = (query.get("geometry")?, query.get("dialect")?);
        let names: Vec<&str> = indicators.iter().map(|i| i.name.as_str()).collect();
        let what = (analysis.canonical(), names, &order, &choice);
        let tag = format!("{version} {address:?} {form:?} {what:?} {offset} {limit}");
        let tag = Tag::of(tag.as_bytes());

        analysis.note(app, &snapshot, path.after_root())?;
        let passing = snapshot.passing(&app.pool, level, &analysis.question);
        let passing = passing.await?;
        let inside = snapshot.rows(&app.pool, level, &within).await?;
        let mut results = analysis.compute(app, &snapshot, level).await?;
        let mut stability = None;
        if analysis.scoring.is_some() && length == Length::Page {
            let first = choice.top.map_or(limit, |top| top as usize);
            let drawn = Drawn::new(&results, first, choice.noise);
            let asked = format!("{} {drawn:?}", analysis.canonical());
            stability = Some((first, drawn.noise));
            results.0.push(
                drawn
                    .compute(app, &snapshot, level, asked, &results)
                    .await?,
            );
        }
        let fields = fields(level, &analysis, &indicators, &results);
        let contacts = analysis.describe_contacts(app, &snapshot, level).await?;
        let list = List {
            passing,
            inside,
            order,
            choice,
            scoring: analysis.scoring,
            stability,
            length,
        };
        let (layer, level) = (layer.number, level.number);
        let snapshot = Arc::clone(&snapshot);
        let select = move || {
            let at = snapshot.layer_at(layer).level_at(level);
            let mut made = list.make(&results.over(at), &results);
            let matched = made.rows.len();
            let rows = made.rows.into_iter().skip(offset).take(limit).collect();
            let mut fields = fields;
            fields.extend(
                made.groups
                    .take()
                    .map(|groups| Field::computed("group", groups)),
            );
            Self {
                matched,
                offset,
                rows: Rows {
                    snapshot,
                    layer,
                    level,
                    rows,
                    fields,
                    results,
                    criteria: criteria_of(list.scoring.as_ref()),
                },
                ranking: list.scoring.map(|scoring| Ranking {
                    scoring,
                    ranked: made.ranked,
                    unranked: made.unranked,
                    stability: list.stability,
                }),
                choice: list.choice,
                cover: made.cover,
                treated: made.treated,
                contacts,
                tag,
                freshness,
            }
        };
        app.pool.run(select).await
    }

    /// The number of the first row after this page, if there is one.
    #[must_use]
    pub fn next_offset(&self) -> Option<usize> {
        let returned = self.rows.rows.len();
        let next = self.offset.saturating_add(returned);
        (returned > 0 && next < self.matched).then_some(next)
    }
}

/// A list as it is made.
struct List {
    passing: Option<Arc<Bitmap>>,
    inside: Option<Arc<Bitmap>>,
    order: Order,
    choice: Choice,
    scoring: Option<Scoring>,
    stability: Option<(usize, Noise)>,
    length: Length,
}

/// A list made.
#[derive(Default)]
struct Made {
    rows: Vec<u32>,
    ranked: usize,
    unranked: Vec<u32>,
    cover: Option<Cover>,
    groups: Option<Column>,
    treated: usize,
}

impl List {
    fn make(&self, table: &Overlay<'_>, results: &Results) -> Made {
        let mut made = Made {
            rows: self.rows(table.rows()),
            ..Made::default()
        };
        if let Some(scores) = results.scores() {
            made.ranked = scores.ranked();
            let is_ranked = |row: &u32| scores.rank(*row as usize).is_some();
            // A file has no other place for them.
            let apart = self.length == Length::Page || self.choice.top.is_some();
            if apart {
                let rows = std::mem::take(&mut made.rows);
                (made.rows, made.unranked) = rows.into_iter().partition(is_ranked);
                let data = &table.level.data.level;
                made.unranked.sort_by_key(|&row| data.key(row as usize));
            }
            if let Some(top) = self.choice.top {
                let rank = |row: u32| scores.rank(row as usize);
                made.rows
                    .retain(|&row| rank(row).is_some_and(|rank| rank <= top));
            }
        }
        if let Some(objective) = &self.choice.objective {
            let cover = objective.choose(table, &made.rows);
            let rows = cover.rows.iter().filter_map(|&row| row.try_into().ok());
            made.rows = rows.collect();
            made.cover = Some(cover);
        }
        self.order.sort(table, &mut made.rows);
        if let Some(split) = &self.choice.split {
            let (groups, treated) = split.groups(table, &made.rows);
            made.groups = Some(Column::Text(groups));
            made.treated = treated;
        }
        made
    }

    /// Those that pass and lie inside.
    fn rows(&self, of: usize) -> Vec<u32> {
        let numbers = |rows: &Bitmap| rows.iter().filter_map(|r| r.try_into().ok()).collect();
        match (&self.passing, &self.inside) {
            (None, None) => (0..).take(of).collect(),
            (Some(rows), None) | (None, Some(rows)) => numbers(rows),
            (Some(passing), Some(inside)) => {
                let mut both = Bitmap::clone(passing);
                both.intersect(inside);
                numbers(&both)
            }
        }
    }
}

/// How firmly units are among the first.
#[derive(Debug)]
struct Drawn {
    first: usize,
    noise: Noise,
}

impl Drawn {
    fn new(results: &Results, first: usize, noise: Noise) -> Self {
        let ranked = results.scores().map_or(0, score::Scores::ranked);
        let most = usize::try_from(noise.draws).unwrap_or(usize::MAX);
        let draws = (DRAWS_WORK / ranked.max(1)).clamp(DRAWS_MIN, most.max(DRAWS_MIN));
        Self {
            first,
            noise: Noise {
                draws: u32::try_from(draws).unwrap_or(noise.draws),
                ..noise
            },
        }
    }

    async fn compute(
        &self,
        app: &App,
        snapshot: &Arc<Snapshot>,
        level: LevelRef<'_>,
        asked: String,
        results: &Results,
    ) -> Result<Arc<Computed>, HttpError> {
        let (first, noise, results) = (self.first, self.noise, results.clone());
        let work = move |level: LevelRef<'_>| {
            let rows: Vec<usize> = (0..level.data.level.rows()).collect();
            let shares = results
                .scores()
                .map(|scores| score::stability(scores, first, noise, &rows));
            let shares = shares.unwrap_or_default().into_iter().collect();
            Ok(Computed::of("stability", shares))
        };
        kept(&app.pool, snapshot, level, asked, work).await
    }
}

/// `properties`, or all indicators, that the level has.
fn indicators<'a>(query: &Query, level: LevelRef<'a>) -> Result<Vec<&'a Indicator>, HttpError> {
    let asked = criteria::properties(query, &[level.layer], level.layer)?;
    let mut shown = asked.unwrap_or_else(|| level.layer.indicators().collect());
    shown.retain(|i| level.data.level.column_number(&i.name).is_some());
    Ok(shown)
}

/// The indicators, then what is computed beside them.
#[must_use]
pub fn fields(
    level: LevelRef<'_>,
    analysis: &Analysis,
    indicators: &[&Indicator],
    results: &Results,
) -> Vec<Field> {
    let indicator = |i: &&Indicator| {
        let computed = analysis
            .matching
            .as_ref()
            .and_then(|_| results.column(&i.name));
        match computed {
            Some(column) => Some(Field::computed(&i.name, column.clone())),
            None => Field::stored(level, &i.name),
        }
    };
    let beside = results.columns().filter(|named| !level.shows(&named.name));
    let beside = beside.map(|named| Field::computed(&named.name, named.column.clone()));
    indicators
        .iter()
        .filter_map(indicator)
        .chain(beside)
        .collect()
}

/// The names of a score's criteria, in the order of contributions.
#[must_use]
pub fn criteria_of(scoring: Option<&Scoring>) -> Vec<String> {
    let names = scoring.map(|scoring| scoring.columns().map(str::to_owned).collect());
    names.unwrap_or_default()
}
