//! Coordinate reference systems: what files and users write, and the way from there to degrees.
//!
//! EPSG codes come from `crs-definitions`, the arithmetic from `proj4rs`. Neither has datum grids:
//! a datum is shifted by the three or seven parameters of its definition (`+towgs84`), good to a
//! few metres (OSGB36: 5 m), and one known by a grid only (NAD27, NZGD49 with its grid) is an
//! error, because ignoring the shift would move maps by 100 m unseen.

mod proj_string;
mod wkt;

use std::sync::LazyLock;

use geo_types::Coord;
use proj4rs::Proj;
use proj4rs::transform::{Transform, TransformClosure, transform};

use proj_string::ProjString;

/// A CRS whose coordinates can be brought to degrees on WGS 84.
#[derive(Debug, Clone)]
pub struct Crs {
    name: String,
    kind: Kind,
    /// Degrees of one unit of its angles.
    angle: f64,
    /// Where a pole is one point of the plane, which a ring may hold.
    poles: Vec<Coord<f64>>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Longitude and latitude on WGS 84, or so close that no map shows it.
    Degrees,
    /// EPSG:3857 metres.
    WebMercator,
    Other(Box<Proj>),
}

/// Geographic codes in grads, of which their proj strings do not tell.
const GRADS: [u32; 8] = [4807, 4810, 4811, 4816, 4819, 4821, 4901, 4902];

/// Longitude and latitude in radians.
static WGS84: LazyLock<Result<Proj, String>> = LazyLock::new(|| {
    Proj::from_proj_string("+proj=longlat +datum=WGS84 +no_defs").map_err(|e| e.to_string())
});

impl Crs {
    /// Longitude and latitude in degrees on WGS 84.
    #[must_use]
    pub fn degrees() -> Self {
        Self {
            name: "EPSG:4326".to_owned(),
            kind: Kind::Degrees,
            angle: 1.0,
            poles: Vec::new(),
        }
    }

    /// Reads an EPSG code in any of its spellings, a proj string or WKT.
    ///
    /// # Errors
    /// What is not understood, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_start_matches('\u{feff}');
        let upper = text.to_ascii_uppercase();
        if text.starts_with('+') {
            return Self::from_proj_string(text);
        }
        if ["CRS84", "WGS84", "WGS 84"]
            .iter()
            .any(|name| upper.ends_with(name))
            && text.len() < 80
        {
            return Ok(Self::degrees());
        }
        if upper.contains(['[', '(']) {
            return wkt::crs(text);
        }
        let is_epsg = upper.contains("EPSG") || upper.bytes().all(|b| b.is_ascii_digit());
        let code = upper
            .rsplit([':', '/', '#', '='])
            .next()
            .unwrap_or_default();
        match code.parse() {
            Ok(code) if is_epsg => Self::from_epsg(code),
            Ok(code @ (102_100 | 102_113 | 900_913)) => Self::from_epsg(code),
            _ => Err(format!(
                "{:?} is no CRS: write an EPSG code such as \"EPSG:2154\", a proj string or WKT",
                text.chars().take(60).collect::<String>()
            )),
        }
    }

    /// The CRS of an EPSG code.
    ///
    /// # Errors
    /// When the code is unknown or needs a datum grid.
    pub fn from_epsg(code: u32) -> Result<Self, String> {
        let name = format!("EPSG:{code}");
        match code {
            4326 | 4979 => return Ok(Self::degrees()),
            3857 | 3785 | 102_100 | 102_113 | 900_913 => {
                return Ok(Self {
                    name: "EPSG:3857".to_owned(),
                    kind: Kind::WebMercator,
                    angle: 1.0,
                    poles: Vec::new(),
                });
            }
            _ => {}
        }
        let def = u16::try_from(code)
            .ok()
            .and_then(crs_definitions::from_code);
        let def = def.ok_or_else(|| {
            format!("{name} is not known here: write its proj string or WKT as crs")
        })?;
        match Self::from_proj_string(def.proj4) {
            Ok(crs) => Ok(Self {
                name,
                angle: if GRADS.contains(&code) { 0.9 } else { 1.0 },
                ..crs
            }),
            Err(message) => Err(format!("{name}: {message}")),
        }
    }

    /// The CRS of a proj string.
    ///
    /// # Errors
    /// When `proj4rs` does not know it, or how its datum lies to WGS 84 is not said.
    pub fn from_proj_string(text: &str) -> Result<Self, String> {
        let words = ProjString(text);
        if let Some(code) = words.epsg_code() {
            return Self::from_epsg(code);
        }
        let definition = words.with_shift()?;
        if words.is_web_mercator() {
            return Self::from_epsg(3857);
        }
        let kind = if words.is_wgs84_degrees() {
            Kind::Degrees
        } else {
            let proj = Proj::from_proj_string(&definition)
                .map_err(|e| format!("{text:?} is not a projection known here ({e})"))?;
            if proj.is_geocent() || !proj.has_inverse() {
                return Err(format!("{text:?} has no way back to degrees"));
            }
            Kind::Other(Box::new(proj))
        };
        Ok(Self {
            name: text.to_owned(),
            poles: poles(&kind),
            kind,
            angle: 1.0,
        })
    }

    /// As it is called in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether coordinates are longitude and latitude on WGS 84 already.
    #[must_use]
    pub fn is_degrees(&self) -> bool {
        matches!(self.kind, Kind::Degrees)
    }

    /// Whether coordinates are EPSG:3857 metres already.
    #[must_use]
    pub fn is_web_mercator(&self) -> bool {
        matches!(self.kind, Kind::WebMercator)
    }

    /// Whether coordinates are lengths, not angles.
    #[must_use]
    pub fn is_projected(&self) -> bool {
        match &self.kind {
            Kind::Degrees => false,
            Kind::WebMercator => true,
            Kind::Other(proj) => !proj.is_latlong(),
        }
    }

    /// Where the poles are, of those that are one point each.
    #[must_use]
    pub fn poles(&self) -> &[Coord<f64>] {
        &self.poles
    }

    /// Turns coordinates into longitude and latitude in degrees; false when one has none.
    #[must_use]
    pub fn to_degrees(&self, coords: &mut [Coord<f64>]) -> bool {
        match &self.kind {
            Kind::Degrees => true,
            Kind::WebMercator => {
                for c in coords {
                    (c.x, c.y) = tilecore::mercator::degrees_from_metres(c.x, c.y);
                }
                true
            }
            Kind::Other(proj) => {
                let Ok(wgs84) = &*WGS84 else { return false };
                if proj.is_latlong() {
                    for c in coords.iter_mut() {
                        *c = Coord {
                            x: (c.x * self.angle).to_radians(),
                            y: (c.y * self.angle).to_radians(),
                        };
                    }
                }
                if transform(proj, wgs84, &mut Coords(coords)).is_err() {
                    return false;
                }
                for c in coords.iter_mut() {
                    *c = Coord {
                        x: c.x.to_degrees(),
                        y: c.y.to_degrees(),
                    };
                }
                coords.iter().all(|c| c.x.is_finite() && c.y.is_finite())
            }
        }
    }
}

/// The poles that are a point and not a line: on a cylinder, each longitude has its own.
fn poles(kind: &Kind) -> Vec<Coord<f64>> {
    let (Kind::Other(proj), Ok(wgs84)) = (kind, &*WGS84) else {
        return Vec::new();
    };
    if proj.is_latlong() {
        return Vec::new();
    }
    let pole = |lat: f64| {
        let mut at = [0.0, 120.0, -120.0].map(|lon: f64| Coord {
            x: lon.to_radians(),
            y: lat.to_radians(),
        });
        transform(wgs84, proj, &mut Coords(&mut at)).ok()?;
        let [first, ..] = at;
        let is_first = |c: &Coord<f64>| (c.x - first.x).hypot(c.y - first.y) < 1.0;
        at.iter().all(is_first).then_some(first)
    };
    [90.0, -90.0].into_iter().filter_map(pole).collect()
}

/// Coordinates as `proj4rs` wants them.
struct Coords<'a>(&'a mut [Coord<f64>]);

impl Transform for Coords<'_> {
    fn transform_coordinates<F: TransformClosure>(
        &mut self,
        f: &mut F,
    ) -> proj4rs::errors::Result<()> {
        for c in self.0.iter_mut() {
            (c.x, c.y, _) = f(c.x, c.y, 0.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
