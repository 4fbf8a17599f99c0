//! What a proj string says about its datum, before `proj4rs` reads it.

/// `+proj=… +lat_0=… +datum=…`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProjString<'a>(pub(super) &'a str);

impl<'a> ProjString<'a> {
    fn value(&self, key: &str) -> Option<&'a str> {
        self.0
            .split_whitespace()
            .filter_map(|word| word.trim_start_matches('+').split_once('='))
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Absent or this number.
    fn is_number(&self, key: &str, wanted: f64) -> bool {
        self.value(key)
            .is_none_or(|value| value.parse() == Ok(wanted))
    }

    /// Of the old `+init=epsg:2154`.
    pub(super) fn epsg_code(&self) -> Option<u32> {
        let (authority, code) = self.value("init")?.split_once(':')?;
        code.parse()
            .ok()
            .filter(|_| authority.eq_ignore_ascii_case("epsg"))
    }

    /// The string with its shift to WGS 84 spelled out.
    ///
    /// # Errors
    /// When the shift is in a grid, or nowhere.
    pub(super) fn with_shift(&self) -> Result<String, String> {
        let needs_grid = self.value("nadgrids").is_some_and(|grids| grids != "@null")
            || self
                .value("datum")
                .is_some_and(|datum| datum.eq_ignore_ascii_case("NAD27"));
        if needs_grid {
            return Err(
                "its datum needs a shift grid, which is not read here: reproject the file \
                 first (ogr2ogr -t_srs EPSG:4326), or write a proj string with +towgs84"
                    .to_owned(),
            );
        }
        if self.has_shift() {
            return Ok(self.0.to_owned());
        }
        if !self.has_modern_ellipsoid() {
            return Err(
                "how its datum lies to WGS 84 is not known: write a proj string with \
                 +towgs84, zeros if it is the same"
                    .to_owned(),
            );
        }
        let shift = if self.has("ellps") {
            "+towgs84=0,0,0"
        } else {
            "+datum=WGS84"
        };
        Ok(format!("{} {shift}", self.0))
    }

    fn has_shift(&self) -> bool {
        self.has("towgs84") || self.has("nadgrids") || self.has("datum")
    }

    /// That of WGS 84 or a datum that lies like it; also when none is named.
    fn has_modern_ellipsoid(&self) -> bool {
        match self.value("ellps") {
            Some(ellipsoid) => ["GRS80", "WGS84"].contains(&ellipsoid),
            None => !self.has("a") && !self.has("R"),
        }
    }

    /// Longitude and latitude in degrees from Greenwich, on WGS 84 to within a metre.
    pub(super) fn is_wgs84_degrees(&self) -> bool {
        let is_longlat = self
            .value("proj")
            .is_some_and(|name| ["longlat", "latlong", "lonlat", "latlon"].contains(&name));
        let is_zero = |number: &str| number.trim().parse() == Ok(0.0);
        let is_unshifted = self
            .value("towgs84")
            .is_none_or(|shift| shift.split(',').all(is_zero))
            && self
                .value("datum")
                .is_none_or(|datum| ["WGS84", "NAD83"].contains(&datum));
        let is_plain = !["pm", "axis", "geoc", "to_meter", "units"]
            .iter()
            .any(|key| self.has(key));
        is_longlat && is_unshifted && is_plain && self.has_modern_ellipsoid()
    }

    /// EPSG:3857: Mercator on a sphere, with latitudes taken as they are.
    pub(super) fn is_web_mercator(&self) -> bool {
        self.value("proj") == Some("merc")
            && self.value("nadgrids") == Some("@null")
            && ["a", "b"]
                .iter()
                .all(|key| self.has(key) && self.is_number(key, 6_378_137.0))
            && ["k", "to_meter"].iter().all(|key| self.is_number(key, 1.0))
            && ["lat_ts", "lon_0", "x_0", "y_0"]
                .iter()
                .all(|key| self.is_number(key, 0.0))
            && self.value("units").is_none_or(|unit| unit == "m")
    }
}
