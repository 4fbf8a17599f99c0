//! Colours of classes and categories: the ramps that the explorer offers, by the same names.
//!
//! Every ramp is monotonic in lightness (diverging ones on each side), so that it survives colour
//! blindness and a grey print. Steps are taken in `OKLab`, where equal distances look equal.

#![expect(
    clippy::unreadable_literal,
    reason = "colours are read in pairs of digits, coefficients are as published"
)]

use std::fmt;

/// sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

/// An area without a value.
pub const MISSING: Color = Color([0xc9, 0xc6, 0xbe]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaletteKind {
    Sequential,
    Diverging,
    Categorical,
}

/// A ramp by name.
#[derive(Debug, PartialEq, Eq)]
pub struct Palette {
    pub name: &'static str,
    pub kind: PaletteKind,
    stops: &'static [u32],
}

use PaletteKind::{Categorical, Diverging, Sequential};

pub const PALETTES: [Palette; 11] = [
    ramp(
        "blue",
        Sequential,
        &[0xe9f0f7, 0xb7d0e6, 0x75a8d3, 0x3a78b5, 0x1b4c86, 0x0b2850],
    ),
    ramp(
        "teal",
        Sequential,
        &[0xecf5ec, 0xbfe0cb, 0x7cc2b4, 0x3c98a4, 0x1e688a, 0x123c60],
    ),
    ramp(
        "amber",
        Sequential,
        &[0xfdf1d8, 0xf9d28c, 0xeda245, 0xcc6a1c, 0x8f3d0f, 0x531f08],
    ),
    ramp(
        "berry",
        Sequential,
        &[0xfbecea, 0xf4c3c2, 0xe486a3, 0xbd458b, 0x7e1d74, 0x41104a],
    ),
    ramp(
        "viridis",
        Sequential,
        &[0xfde725, 0x7ad151, 0x22a884, 0x2a788e, 0x414487, 0x440154],
    ),
    ramp(
        "grey",
        Sequential,
        &[0xf0f0ef, 0xcfcecc, 0xa3a19e, 0x73716e, 0x474543, 0x201f1e],
    ),
    ramp(
        "orange-blue",
        Diverging,
        &[
            0x8a4306, 0xd9852f, 0xf6d3a8, 0xe6e4df, 0xbfd8ec, 0x4f93c9, 0x0f4a85,
        ],
    ),
    ramp(
        "red-blue",
        Diverging,
        &[
            0x8c1327, 0xd2604f, 0xf5c3ad, 0xe6e4e1, 0xbcd6e7, 0x4b93c3, 0x124a83,
        ],
    ),
    ramp(
        "purple-green",
        Diverging,
        &[
            0x4a1a63, 0x8f63a8, 0xd3bcdc, 0xe5e3e3, 0xbfe0bd, 0x58a868, 0x0f5a2e,
        ],
    ),
    ramp(
        "brown-teal",
        Diverging,
        &[
            0x5e3a0a, 0xb5802f, 0xe9d3a2, 0xe5e4de, 0xb5ded7, 0x439d94, 0x0a5049,
        ],
    ),
    // After Okabe and Ito (2008), lightness evened out for areas.
    ramp(
        "categories",
        Categorical,
        &[
            0x3273b8, 0xe6a02e, 0x2b9b82, 0xc8619a, 0x7b66c4, 0x8fc1e8, 0xb4532a, 0x9a9a92,
        ],
    ),
];

const fn ramp(name: &'static str, kind: PaletteKind, stops: &'static [u32]) -> Palette {
    Palette { name, kind, stops }
}

/// None, first, second and both of two indicators high.
const CORNERS: [u32; 4] = [0xe6e4ea, 0x4fa3c7, 0xc95f9b, 0x3f3a75];

impl Palette {
    #[must_use]
    pub fn of_name(name: &str) -> Option<&'static Self> {
        PALETTES.iter().find(|palette| palette.name == name)
    }

    /// The first of a kind.
    #[must_use]
    pub fn usual(kind: PaletteKind) -> &'static Self {
        let first = PALETTES.iter().find(|palette| palette.kind == kind);
        first.expect("there is one of each kind")
    }

    /// `count` colours of a ramp, lightest first.
    #[must_use]
    pub fn sequential(&self, count: usize, flip: bool) -> Vec<Color> {
        let (from, to) = if flip { (0.94, 0.1) } else { (0.1, 0.94) };
        let place = |i: usize| {
            if count == 1 {
                f64::midpoint(from, to)
            } else {
                from + (to - from) * share(i, count - 1)
            }
        };
        (0..count).map(|i| at(self.stops, place(i))).collect()
    }

    /// Colours of classes on both sides of `middle`: the class that holds it is neutral, the
    /// others are as strong as their own middle is far away, on one scale for both sides.
    /// `limits` are the lowest value and the classes' upper limits.
    #[must_use]
    pub fn diverging(&self, limits: &[f64], middle: f64, flip: bool) -> Vec<Color> {
        let offset = |pair: &[f64]| {
            if pair[0] < middle && middle < pair[1] {
                0.0
            } else {
                f64::midpoint(pair[0], pair[1]) - middle
            }
        };
        let offsets: Vec<f64> = limits.windows(2).map(offset).collect();
        let reach = offsets.iter().fold(0.0_f64, |max, o| max.max(o.abs()));
        let scale = if reach > 0.0 { 0.5 / reach } else { 0.0 };
        let scale = if flip { -scale } else { scale };
        let color = |offset: &f64| at(self.stops, 0.5 + scale * offset);
        offsets.iter().map(color).collect()
    }

    /// A colour for each category; those beyond the palette share its last, a grey.
    #[must_use]
    pub fn category(&self, i: usize) -> Color {
        Color::of(self.stops[i.min(self.stops.len() - 1)])
    }
}

/// Colours of `columns` × `rows` classes, row by row: along a row the first indicator rises.
#[must_use]
pub fn bivariate(columns: usize, rows: usize) -> Vec<Color> {
    let [none, first, second, both] = CORNERS.map(|c| to_oklab(Color::of(c)));
    let along = |i, count: usize| {
        if count == 1 { 0.5 } else { share(i, count - 1) }
    };
    let cell = |cell: usize| {
        let t = along(cell % columns, columns);
        let (low, high) = (mix(none, first, t), mix(second, both, t));
        from_oklab(mix(low, high, along(cell / columns, rows)))
    };
    (0..columns * rows).map(cell).collect()
}

impl Color {
    fn of(hex: u32) -> Self {
        let [_, r, g, b] = hex.to_be_bytes();
        Self([r, g, b])
    }

    /// Whether white text stands out more on it than dark text does (WCAG 2, luminance).
    #[must_use]
    pub fn needs_light_text(self) -> bool {
        let [r, g, b] = self.0.map(to_linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b < 0.2
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of classes are small")]
fn share(i: usize, of: usize) -> f64 {
    i as f64 / of as f64
}

/// The colour at `t` in 0..1 along evenly spaced stops.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place between 0 and the number of stops"
)]
fn at(stops: &[u32], t: f64) -> Color {
    let place = t.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let i = (place as usize).min(stops.len() - 2);
    let [a, b] = [stops[i], stops[i + 1]].map(|c| to_oklab(Color::of(c)));
    from_oklab(mix(a, b, place - i as f64))
}

fn mix(a: [f64; 3], b: [f64; 3], t: f64) -> [f64; 3] {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * t)
}

// Björn Ottosson, "A perceptual color space for image processing" (2020).
fn to_oklab(color: Color) -> [f64; 3] {
    let [r, g, b] = color.0.map(to_linear);
    let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
    let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
    let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
    [
        0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
    ]
}

fn from_oklab([lightness, a, b]: [f64; 3]) -> Color {
    let l = (lightness + 0.3963377774 * a + 0.2158037573 * b).powi(3);
    let m = (lightness - 0.1055613458 * a - 0.0638541728 * b).powi(3);
    let s = (lightness - 0.0894841775 * a - 1.291485548 * b).powi(3);
    let linear = [
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
    ];
    Color(linear.map(to_gamma))
}

fn to_linear(byte: u8) -> f64 {
    let x = f64::from(byte) / 255.0;
    if x <= 0.04045 {
        x / 12.92
    } else {
        ((x + 0.055) / 1.055).powf(2.4)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte"
)]
fn to_gamma(x: f64) -> u8 {
    let x = if x <= 0.003_130_8 {
        12.92 * x
    } else {
        1.055 * x.powf(1.0 / 2.4) - 0.055
    };
    (x.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_darken_and_stops_are_hit() {
        let lightness = |color: &Color| to_oklab(*color)[0];
        for palette in PALETTES.iter().filter(|p| p.kind == Sequential) {
            let colors = palette.sequential(9, false);
            assert!(
                colors.is_sorted_by(|a, b| lightness(a) > lightness(b)),
                "{}",
                palette.name
            );
            let mut flipped = palette.sequential(9, true);
            flipped.reverse();
            assert_eq!(colors, flipped);
            assert_eq!(at(palette.stops, 1.0).to_string().len(), 7);
            assert_eq!(at(palette.stops, 0.2), Color::of(palette.stops[1]));
        }
    }

    #[test]
    fn the_class_of_the_middle_is_neutral() {
        let palette = Palette::usual(Diverging);
        let colors = palette.diverging(&[-10.0, -2.0, 2.0, 4.0], 0.0, false);
        assert_eq!(colors[1], Color::of(palette.stops[3]));
        assert_eq!(colors[0], Color::of(palette.stops[0]));
        assert_eq!(
            palette.diverging(&[1.0, 1.0], 1.0, false),
            [Color::of(palette.stops[3])]
        );
    }

    #[test]
    fn the_square_has_its_corners() {
        let colors = bivariate(3, 3);
        let corners = [colors[0], colors[2], colors[6], colors[8]];
        assert_eq!(corners, CORNERS.map(Color::of));
    }
}
