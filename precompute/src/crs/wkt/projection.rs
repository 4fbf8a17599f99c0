//! The projection of WKT and its parameters, by the names of OGC, Esri and EPSG, as a proj string.

use super::{ANGLES, DEGREE, LENGTHS, Node, plain};

/// The parameters of a projection.
pub(super) struct Parameters<'a> {
    pub(super) nodes: &'a [Node],
    /// Radians of the angular unit where a parameter has none of its own.
    pub(super) angle: f64,
    /// Metres of the unit of length, likewise.
    pub(super) length: f64,
}

/// Where the projection is centred and true, in degrees.
struct Centre {
    lat_0: Option<f64>,
    lon_0: f64,
    lat_1: Option<f64>,
    lat_2: Option<f64>,
    k: f64,
}

impl Parameters<'_> {
    fn get(&self, names: &[&str]) -> Option<&Node> {
        self.nodes.iter().find(|node| {
            let is_named = |name: &str| names.contains(&&*plain(name));
            node.keyword == "PARAMETER" && node.text(0).is_some_and(is_named)
        })
    }

    /// In degrees.
    fn angle(&self, names: &[&str]) -> Option<f64> {
        let node = self.get(names)?;
        let factor = node.unit(&ANGLES).unwrap_or(self.angle);
        let angle = node.number(1)?;
        let is_degrees = (factor / DEGREE - 1.0).abs() < 1e-9;
        Some(if is_degrees {
            angle
        } else {
            angle * factor / DEGREE
        })
    }

    /// In metres; zero when it is not there.
    fn metres(&self, names: &[&str]) -> f64 {
        self.get(names)
            .and_then(|node| Some(node.number(1)? * node.unit(&LENGTHS).unwrap_or(self.length)))
            .unwrap_or(0.0)
    }

    fn centre(&self) -> Centre {
        let k = self.get(&[
            "scale_factor",
            "scale_factor_at_natural_origin",
            "scale_factor_on_initial_line",
            "scale_factor_at_projection_centre",
        ]);
        let lon_0 = self.angle(&[
            "central_meridian",
            "longitude_of_center",
            "longitude_of_origin",
            "longitude_of_natural_origin",
            "longitude_of_false_origin",
            "longitude_of_projection_centre",
        ]);
        Centre {
            lat_0: self.angle(&[
                "latitude_of_origin",
                "latitude_of_center",
                "latitude_of_natural_origin",
                "latitude_of_false_origin",
                "latitude_of_projection_centre",
                "central_parallel",
            ]),
            lon_0: lon_0.unwrap_or(0.0),
            lat_1: self.angle(&["standard_parallel_1", "latitude_of_1st_standard_parallel"]),
            lat_2: self.angle(&["standard_parallel_2", "latitude_of_2nd_standard_parallel"]),
            k: k.and_then(|node| node.number(1)).unwrap_or(1.0),
        }
    }

    /// The projection's part of a proj string, in metres; none when the method is not known.
    pub(super) fn projection(&self, method: &str) -> Option<String> {
        let x_0 = self.metres(&[
            "false_easting",
            "easting_at_false_origin",
            "easting_at_projection_centre",
        ]);
        let y_0 = self.metres(&[
            "false_northing",
            "northing_at_false_origin",
            "northing_at_projection_centre",
        ]);
        let body = self.method(method, &self.centre())?;
        Some(format!("{body} +x_0={x_0} +y_0={y_0}"))
    }

    fn method(&self, method: &str, centre: &Centre) -> Option<String> {
        let Centre {
            lon_0: lon,
            k,
            lat_1,
            lat_2,
            lat_0,
        } = *centre;
        let lat = lat_0.unwrap_or(0.0);
        Some(match method {
            "transverse_mercator" | "gauss_kruger" | "transverse_mercator_complex" => {
                format!("+proj=tmerc +lat_0={lat} +lon_0={lon} +k={k}")
            }
            "lambert_conformal_conic"
            | "lambert_conformal_conic_1sp"
            | "lambert_conformal_conic_2sp"
            | "lambert_conic_conformal_1sp"
            | "lambert_conic_conformal_2sp" => {
                let first = lat_1.or(lat_0)?;
                let second = lat_2
                    .map(|lat| format!(" +lat_2={lat}"))
                    .unwrap_or_default();
                format!("+proj=lcc +lat_1={first}{second} +lat_0={lat} +lon_0={lon} +k_0={k}")
            }
            "mercator" | "mercator_1sp" | "mercator_2sp" | "mercator_variant_a"
            | "mercator_variant_b" => match lat_1.or(lat_0.filter(|lat| *lat != 0.0)) {
                Some(lat_ts) => format!("+proj=merc +lat_ts={lat_ts} +lon_0={lon}"),
                None => format!("+proj=merc +lon_0={lon} +k={k}"),
            },
            "albers" | "albers_conic_equal_area" | "albers_equal_area" => {
                let (first, second) = (lat_1?, lat_2?);
                format!("+proj=aea +lat_1={first} +lat_2={second} +lat_0={lat} +lon_0={lon}")
            }
            "lambert_azimuthal_equal_area" => format!("+proj=laea +lat_0={lat} +lon_0={lon}"),
            "oblique_stereographic" | "double_stereographic" => {
                format!("+proj=sterea +lat_0={lat} +lon_0={lon} +k={k}")
            }
            "cassini" | "cassini_soldner" => format!("+proj=cass +lat_0={lat} +lon_0={lon}"),
            "hotine_oblique_mercator"
            | "hotine_oblique_mercator_azimuth_natural_origin"
            | "hotine_oblique_mercator_variant_a"
            | "hotine_oblique_mercator_azimuth_center"
            | "hotine_oblique_mercator_variant_b"
            | "swiss_oblique_cylindrical" => self.oblique(method, lat, lon, k),
            _ => return None,
        })
    }

    fn oblique(&self, method: &str, lat: f64, lon: f64, k: f64) -> String {
        let alpha = self
            .angle(&["azimuth", "azimuth_of_initial_line"])
            .unwrap_or(90.0);
        let gamma = self
            .angle(&["rectified_grid_angle", "angle_from_rectified_to_skew_grid"])
            .unwrap_or(alpha);
        if (alpha - 90.0).abs() < 1e-9 {
            return format!("+proj=somerc +lat_0={lat} +lon_0={lon} +k_0={k}");
        }
        let is_centred = method.ends_with("azimuth_center") || method.ends_with("variant_b");
        let origin = if is_centred { "" } else { " +no_uoff" };
        format!("+proj=omerc +lat_0={lat} +lonc={lon} +alpha={alpha} +gamma={gamma} +k={k}{origin}")
    }
}
