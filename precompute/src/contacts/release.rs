//! A release: contacts counted by public cell and closed classes, with noise, once.
//!
//! ```text
//! public addresses ─▸ cells ──────────┐
//! declared classes ─▸ combinations ───┴▸ counts ─▸ + noise ─▸ the only thing that leaves
//! ```
//! Neither cells nor combinations depend on the contacts, so what is counted tells nothing; a
//! person is counted in one cell and one combination of each cube, so that noise of ε a cube hides
//! whether anybody is there.

pub mod cells;
pub mod ledger;
mod noise;

use tilecore::dataset::release::{self, ReleaseCell, combination, combinations_of};
use tilecore::dataset::schema;

use super::ContactRows;
use crate::addresses;
use crate::input_error::InputError;
use crate::project;
use crate::publish::{PublishError, Stage};
use crate::sql::Engine;
use cells::Cells;
pub use noise::{MICRO, Micro};

/// Counts with noise, ready to be written.
#[derive(Debug)]
pub struct NoisyCounts {
    cells: Vec<ReleaseCell>,
    bounds: [f64; 4],
    cubes: Vec<Vec<schema::Dimension>>,
    /// By cube, combination and cell.
    counts: Vec<Vec<Vec<i32>>>,
}

/// Counts `rows` by the cells of the public addresses, and adds noise worth `epsilon` in all.
///
/// # Errors
/// When the addresses cannot be read or are too few, or there is no randomness.
pub fn count(
    engine: &mut Engine,
    set: &project::Contacts,
    plan: &project::ContactsRelease,
    rows: &ContactRows,
    epsilon: Micro,
) -> Result<NoisyCounts, InputError> {
    let fault = |message: String| InputError::new(format!("contacts {}", set.name), message);
    let context = format!("addresses of the release of {}", set.name);
    let read = addresses::read(engine, &plan.addresses, None, &set.name, &context)?;
    let places = read.addresses.iter().map(|address| address.place);
    let cells = Cells::of_addresses(places.map(tilecore::density::morton::key_of));
    if cells.cells().is_empty() {
        let message = format!("fewer than {} addresses", release::COUNT_MIN);
        return Err(fault(message));
    }
    let cubes = plan.cubes();
    let each = epsilon / u32::try_from(cubes.len()).unwrap_or(u32::MAX).max(1);
    let mut noise = noise::Noise::of(each).ok_or_else(|| {
        fault("`--epsilon` is too small for so many cubes: each gets its share".into())
    })?;
    let mut counts = Vec::new();
    for cube in &cubes {
        let mut exact = exact_counts(set, rows, &cells, cube).map_err(&fault)?;
        for count in exact.iter_mut().flatten() {
            let drawn = noise.draw().map_err(|e| fault(e.to_string()))?;
            *count = count.saturating_add(drawn);
        }
        counts.push(exact);
    }
    Ok(NoisyCounts {
        bounds: cells.bounds(),
        cells: cells.into_cells(),
        cubes,
        counts,
    })
}

/// By combination and cell. Contacts where nobody has an address are in none.
fn exact_counts(
    set: &project::Contacts,
    rows: &ContactRows,
    cells: &Cells,
    cube: &[schema::Dimension],
) -> Result<Vec<Vec<i32>>, String> {
    let mut counts = vec![vec![0_i32; cells.cells().len()]; combinations_of(cube)];
    // Per dimension of the cube: the codes of the contacts, and what each code is in the cube.
    let mut columns = Vec::new();
    for dimension in cube {
        let known = rows.dimensions.iter().find(|d| d.name == dimension.name);
        let known = known.ok_or_else(|| {
            format!(
                "the release crosses {:?}, which {:?} does not have",
                dimension.name, set.name
            )
        })?;
        let code = |class: &String| dimension.classes.iter().position(|c| c == class);
        let classes = known
            .classes
            .iter()
            .map(|class| code(class).map_or(0, |c| c + 1));
        let in_cube: Vec<usize> = std::iter::once(0).chain(classes).collect();
        columns.push((&known.codes, in_cube));
    }
    for (contact, key) in rows.keys.iter().enumerate() {
        let Some(cell) = cells.of_key(*key) else {
            continue;
        };
        let codes = columns.iter().map(|(codes, in_cube)| {
            let code = codes.get(contact).copied().unwrap_or(0);
            in_cube.get(usize::from(code)).copied().unwrap_or(0)
        });
        counts[combination(cube, codes)][cell] += 1;
    }
    Ok(counts)
}

impl NoisyCounts {
    /// Writes the release's file, and says what it holds.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write(
        self,
        set: &project::Contacts,
        id: String,
        epsilon: Micro,
        stage: &mut Stage,
    ) -> anyhow::Result<schema::Release> {
        let meta = schema::Release {
            arrow: path_of(&set.name),
            name: set.name.clone(),
            title: set.title.clone(),
            id,
            epsilon: f64::from(epsilon) / f64::from(MICRO),
            cells: self.cells.len() as u64,
            cubes: (self.cubes.into_iter())
                .map(|dimensions| schema::Cube { dimensions })
                .collect(),
            bounds: self.bounds,
        };
        stage.write(&meta.arrow, |out| -> anyhow::Result<()> {
            release::write(&self.cells, &self.counts, out).map_err(|error| {
                PublishError::Write {
                    path: meta.arrow.clone(),
                    source: std::io::Error::other(error),
                }
            })?;
            Ok(())
        })?;
        Ok(meta)
    }
}

/// Where a version holds the release of a set.
#[must_use]
pub fn path_of(set: &str) -> String {
    format!("releases/{set}.arrow")
}
