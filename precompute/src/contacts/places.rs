//! Where a contact is: two coordinates to a place on the world grid, or the reason for none.

use geo_types::Coord;
use tilecore::geometry::GridPoint;
use tilecore::mercator::{LATITUDE_MAX, grid_from_degrees};

use crate::crs::Crs;
use crate::input_error::InputError;
use crate::project::Contacts;
use crate::value::Cell;

/// How a set says where its contacts are.
#[derive(Debug)]
pub(crate) struct Places {
    /// SQL of the two coordinates, eastwards first.
    columns: [String; 2],
    crs: Crs,
}

/// Why a contact has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NoPlace {
    Missing,
    NoNumber,
    /// Exactly 0, 0: what a failed geocoder writes.
    NullIsland,
    OutsideWorld,
    /// The middle of a postcode or town: many such points would be a false hot spot.
    Imprecise,
}

impl NoPlace {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "no_coordinates",
            Self::NoNumber => "invalid_coordinates",
            Self::NullIsland => "coordinates_zero",
            Self::OutsideWorld => "outside_the_world",
            Self::Imprecise => "imprecise_place",
        }
    }
}

impl Places {
    /// Those of a contact set.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn of(set: &Contacts) -> Result<Self, InputError> {
        let context = format!("contacts {}", set.name);
        let columns = [&set.lon, &set.lat, &set.x, &set.y];
        Self::new(&context, columns, set.crs.as_deref())
    }

    /// From `lon`, `lat`, `x` and `y`.
    ///
    /// # Errors
    /// When the coordinates' columns or reference system are not said, or not known.
    pub(crate) fn new(
        context: &str,
        columns: [&Option<String>; 4],
        crs: Option<&str>,
    ) -> Result<Self, InputError> {
        let fault = |message: &str| InputError::new(context, message);
        let (columns, crs) = match columns {
            [Some(lon), Some(lat), None, None] => ([lon, lat], Crs::degrees()),
            [None, None, Some(x), Some(y)] => {
                let crs = crs.ok_or_else(|| fault("`x` and `y` need `crs`"))?;
                let crs = Crs::parse(crs).map_err(|e| fault(&format!("`crs`: {e}")))?;
                ([x, y], crs)
            }
            _ => return Err(fault("give `lon` and `lat`, or `x`, `y` and `crs`")),
        };
        Ok(Self {
            columns: columns.map(Clone::clone),
            crs,
        })
    }

    pub(crate) fn columns(&self) -> [&str; 2] {
        self.columns.each_ref().map(String::as_str)
    }

    pub(crate) fn on_grid(&self, first: Cell<'_>, second: Cell<'_>) -> Result<GridPoint, NoPlace> {
        let (x, y) = (number(first)?, number(second)?);
        if x == 0.0 && y == 0.0 {
            return Err(NoPlace::NullIsland);
        }
        let mut place = [Coord { x, y }];
        if !self.crs.is_degrees() && !self.crs.to_degrees(&mut place) {
            return Err(NoPlace::OutsideWorld);
        }
        let [Coord { x: lon, y: lat }] = place;
        if lon.abs() <= 180.0 && lat.abs() <= LATITUDE_MAX {
            Ok(grid_from_degrees(lon, lat))
        } else {
            Err(NoPlace::OutsideWorld)
        }
    }
}

fn number(cell: Cell<'_>) -> Result<f64, NoPlace> {
    match cell {
        Cell::Null => Err(NoPlace::Missing),
        Cell::Number(n) => Ok(n),
        Cell::Text(text) if text.trim().is_empty() => Err(NoPlace::Missing),
        Cell::Text(text) => match text.trim().parse::<f64>() {
            Ok(n) if n.is_finite() => Ok(n),
            _ => Err(NoPlace::NoNumber),
        },
    }
}
