//! A list of rows as asked for: filtered, in order, cut to a page.

use std::sync::Arc;

use tilecore::dataset::schema::Indicator;

use crate::app::App;
use crate::criteria;
use crate::http::etag::Tag;
use crate::http::path::Segments;
use crate::http::{Freshness, HttpError, Query};
use crate::order::Order;
use crate::rows::Rows;
use crate::snapshot::LevelRef;

/// Rows of a page when the caller names no limit, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 10_000;

/// See the module.
#[derive(Debug)]
pub struct Selection {
    /// Rows that pass, on this page or not.
    pub matched: usize,
    /// Rows before this page.
    pub offset: usize,
    pub rows: Rows,
    /// Of everything the list follows from.
    pub tag: Tag,
    pub freshness: Freshness,
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
        let filter = criteria::filter_and_bbox(query, level.data.queryables())?;
        let columns = columns(query, level)?;
        let order = Order::parse(query, level)?;
        let whole = "a whole number";
        let offset = query.parse::<usize>("offset", whole)?.unwrap_or(0);
        let limit = query.parse::<usize>("limit", whole)?;
        let limit = match length {
            Length::Page => limit.unwrap_or(PAGE).min(PAGE_MAX),
            Length::Whole => limit.unwrap_or(usize::MAX),
        };
        let version = &snapshot.manifest.version;
        let freshness = Freshness::of(query, version)?;
        let address = (path.after_root(), level.number, filter.canonical());
        let form = (query.get("geometry")?, query.get("dialect")?);
        let tag = format!("{version} {address:?} {form:?} {columns:?} {order:?} {offset} {limit}");
        let tag = Tag::of(tag.as_bytes());

        let passing = snapshot.rows(&app.pool, level, &filter).await?;
        let (layer, level) = (layer.number, level.number);
        let snapshot = Arc::clone(&snapshot);
        let select = move || {
            let at = snapshot.layer_at(layer).level_at(level);
            let mut rows: Vec<u32> = match passing {
                Some(passing) => passing.iter().filter_map(|r| r.try_into().ok()).collect(),
                None => (0..).take(at.data.level.rows()).collect(),
            };
            order.sort(at, &mut rows);
            let matched = rows.len();
            let rows = rows.into_iter().skip(offset).take(limit).collect();
            Self {
                matched,
                offset,
                rows: Rows {
                    snapshot,
                    layer,
                    level,
                    rows,
                    columns,
                },
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

/// Column numbers of `properties`, or of all indicators.
fn columns(query: &Query, level: LevelRef<'_>) -> Result<Vec<usize>, HttpError> {
    let number = |i: &Indicator| level.data.level.column_number(&i.name);
    let asked = criteria::properties(query, &[level.layer], level.layer)?;
    Ok(match asked {
        Some(asked) => asked.into_iter().filter_map(number).collect(),
        None => level.layer.indicators().filter_map(number).collect(),
    })
}
