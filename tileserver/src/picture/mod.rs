//! Pictures of published maps, for print, cards and readers without scripts: drawn from the same
//! generalised shapes as tiles, in the same colours.
//!
//! ```text
//! story ─▸ scene: areas, boxes, lines of text ─┬▸ svg
//!                                              └▸ png
//! ```

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels of a picture are few: single precision places them"
)]

pub mod png;
pub mod svg;
mod text;

use tilecore::Bitmap;
use tilecore::dataset::columns::Column;
use tilecore::filter::Filter;
use tilecore::geometry::{M_PER_ZOOM, Ring, WORLD_BITS};

use crate::app::App;
use crate::http::{HttpError, Query};
use crate::layer::LevelRef;
use crate::legend::Legend;
use crate::maps::story::Story;
use crate::palette::{Color, MISSING};

/// Edges that can be asked for, and the pixels of all, scaled.
const EDGE_MIN: u32 = 64;
const EDGE_MAX: u32 = 6_000;
const PIXELS_MAX: f64 = 24e6;

/// Width of the page that a map's own zoom is meant for.
const PAGE_WIDTH: f64 = 1000.0;

const GROUND: Color = Color([0xf5, 0xf4, 0xf0]);
const PAPER: Color = Color([0xff, 0xff, 0xff]);
const INK: Color = Color([0x1b, 0x1a, 0x18]);
const SOFT: Color = Color([0x57, 0x53, 0x4c]);

/// How large a picture is: CSS pixels, and device pixels in one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
    pub scale: f64,
}

impl Size {
    /// `width`, `height`, `scale`.
    pub fn parse(query: &Query) -> Result<Self, HttpError> {
        let edge = |name: &'static str| {
            let expected = format!("a whole number from {EDGE_MIN} to {EDGE_MAX}");
            match query.parse::<u32>(name, &expected)? {
                Some(n) if !(EDGE_MIN..=EDGE_MAX).contains(&n) => {
                    Err(HttpError::parameter(name, format!("give {expected}")))
                }
                edge => Ok(edge),
            }
        };
        let width = edge("width")?.unwrap_or(1200);
        let height = edge("height")?.unwrap_or((width * 3 / 4).max(EDGE_MIN));
        let scale = query.number("scale")?.unwrap_or(1.0);
        if !(0.5..=8.0).contains(&scale) {
            return Err(HttpError::parameter("scale", "give a number from 0.5 to 8"));
        }
        if f64::from(width) * f64::from(height) * scale * scale > PIXELS_MAX {
            let detail = "too many pixels: give less width, height or scale";
            return Err(HttpError::parameter("scale", detail));
        }
        Ok(Self {
            width,
            height,
            scale,
        })
    }
}

/// What is drawn, the lowest first.
#[derive(Debug)]
pub struct Scene {
    pub size: Size,
    pub title: String,
    /// The map alone, as pages show it in their own colours.
    pub bare: bool,
    pub marks: Vec<Mark>,
}

#[derive(Debug)]
pub enum Mark {
    /// Rings of one unit, in pixels; filled by the even-odd rule, with a border of the ground.
    Area {
        color: Color,
        rings: Vec<Vec<[f32; 2]>>,
    },
    Box {
        at: [f32; 4],
        color: Color,
    },
    /// Its base line starts at `at`.
    Text {
        at: [f32; 2],
        size: f32,
        bold: bool,
        color: Color,
        text: String,
    },
}

impl Story {
    /// The level that a picture shows.
    #[must_use]
    pub fn level_at_zoom(&self, size: Size) -> LevelRef<'_> {
        let layer = self.layer();
        let frame = [
            0.0,
            0.0,
            f64::from(size.width),
            f64::from(size.height) * 0.75,
        ];
        let zoom = Camera::of(self, layer.level_at(0), frame).zoom();
        let [first, last] = layer.zooms();
        layer
            .level_of_zoom(zoom.clamp(first, last))
            .unwrap_or_else(|| layer.level_at(0))
    }
}

/// Draws a map, on the pool; `encode` makes a file of the scene.
pub async fn draw<T: Send + 'static>(
    app: &App,
    story: Story,
    size: Size,
    bare: bool,
    encode: impl FnOnce(&Scene) -> T + Send + 'static,
) -> Result<T, HttpError> {
    let level = story.level_at_zoom(size);
    let filter = story.map.filter_over(level.data.queryables());
    // A filter that the level does not understand was told when the map was read.
    let filter = filter.unwrap_or_else(|_| Filter::everything());
    let rows = story.snapshot.rows(&app.pool, level, &filter).await?;
    let level = level.number;
    let work =
        move || scene(&story, level, rows.as_deref(), size, bare).map(|scene| encode(&scene));
    app.pool.run(work).await?
}

/// The scene of a level, over the rows that pass; `bare` is the map alone.
///
/// # Errors
/// When title, legend and sources leave no room for the map.
pub fn scene(
    story: &Story,
    level: usize,
    rows: Option<&Bitmap>,
    size: Size,
    bare: bool,
) -> Result<Scene, HttpError> {
    let level = story.layer().level_at(level);
    let legends = story.legends.iter().map(|(_, legend)| legend);
    let legend = legends.into_iter().find(|l| l.level == level.meta.name);
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let page = Page::of(story, legend, size, bare);
    let least = page.head + page.foot + f64::from(EDGE_MIN);
    if !bare && height < least {
        let detail = format!(
            "give at least {} at this width for title, legend, sources and the map, or bare=true for the map alone",
            least.ceil()
        );
        return Err(HttpError::parameter("height", detail));
    }
    let frame = [0.0, page.head, width, height - page.foot];
    let camera = Camera::of(story, level, frame);
    let mut marks = vec![Mark::Box {
        at: [0.0, 0.0, size.width as f32, size.height as f32],
        color: GROUND,
    }];
    areas(level, legend, rows, &camera, frame, &mut marks);
    // What lies beyond the frame is covered by the paper of the page.
    for (top, bottom) in [(0.0, frame[1]), (frame[3], height)] {
        if top < bottom {
            marks.push(Mark::Box {
                at: [0.0, top, width, bottom].map(|x| x as f32),
                color: PAPER,
            });
        }
    }
    marks.extend(page.marks);
    Ok(Scene {
        size,
        title: story.title().to_owned(),
        bare,
        marks,
    })
}

/// From the world grid to pixels.
struct Camera {
    center: [f64; 2],
    /// Pixels a cell.
    scale: f64,
    middle: [f64; 2],
}

impl Camera {
    fn of(story: &Story, level: LevelRef<'_>, [left, top, right, bottom]: [f64; 4]) -> Self {
        let middle = [f64::midpoint(left, right), f64::midpoint(top, bottom)];
        if let Some(view) = story.map.view {
            let [lon, lat] = view.center;
            let at = tilecore::mercator::grid_from_degrees(lon, lat);
            let tile = 512.0 * view.zoom.exp2() / f64::from(WORLD_BITS).exp2();
            return Self {
                center: [at.x.into(), at.y.into()],
                scale: tile * (right - left) / PAGE_WIDTH,
                middle,
            };
        }
        let [west, north, east, south] = level.data.level.extent().map(f64::from);
        let room = 0.94;
        let across = room * (right - left) / (east - west).max(1.0);
        let down = room * (bottom - top) / (south - north).max(1.0);
        Self {
            center: [f64::midpoint(west, east), f64::midpoint(north, south)],
            scale: across.min(down),
            middle,
        }
    }

    /// That of a map whose tiles are as large.
    fn zoom(&self) -> u8 {
        let tile = self.scale * f64::from(WORLD_BITS).exp2() / 512.0;
        tile.log2().floor().clamp(0.0, 24.0) as u8
    }

    fn pixel(&self, x: i32, y: i32) -> [f64; 2] {
        [
            (f64::from(x) - self.center[0]) * self.scale + self.middle[0],
            (f64::from(y) - self.center[1]) * self.scale + self.middle[1],
        ]
    }
}

fn areas(
    level: LevelRef<'_>,
    legend: Option<&Legend>,
    rows: Option<&Bitmap>,
    camera: &Camera,
    [left, top, right, bottom]: [f64; 4],
    marks: &mut Vec<Mark>,
) {
    let data = &level.data.level;
    // One zoom finer than a tile's: a picture is looked at closely.
    let finest = (u16::from(camera.zoom()) + 1) * M_PER_ZOOM;
    let column = legend.and_then(|legend| data.column(&legend.property));
    let all;
    let rows = if let Some(rows) = rows {
        rows
    } else {
        all = Bitmap::full(data.rows());
        &all
    };
    for row in rows.iter() {
        let [x0, y0, x1, y1] = data.bounds_of(row);
        let ([west, north], [east, south]) = (camera.pixel(x0, y0), camera.pixel(x1, y1));
        if east < left || west > right || south < top || north > bottom {
            continue;
        }
        let Ok(shape) = data.geometry(row) else {
            continue;
        };
        let class = legend
            .zip(column)
            .and_then(|(legend, column)| match column {
                Column::Number(numbers) => legend.class_of_number(numbers.get(row)?),
                Column::Text(texts) => legend.class_of_text(texts.get(row)?),
            });
        let color = class.and_then(|class| Some(legend?.classes.get(class)?.color));
        let rings: Vec<Vec<[f32; 2]>> = shape
            .iter()
            .flat_map(tilecore::geometry::Polygon::rings)
            .filter_map(|ring| kept(ring, finest, camera))
            .collect();
        if !rings.is_empty() {
            marks.push(Mark::Area {
                color: color.unwrap_or(MISSING),
                rings,
            });
        }
    }
}

/// A ring's vertices at a zoom, in pixels; `None` when too few are left.
fn kept(ring: &Ring, finest: u16, camera: &Camera) -> Option<Vec<[f32; 2]>> {
    let vertices = ring.iter().filter(|vertex| vertex.m <= finest);
    let points: Vec<[f32; 2]> = vertices
        .map(|vertex| camera.pixel(vertex.x, vertex.y).map(|x| x as f32))
        .collect();
    (points.len() > 2).then_some(points)
}

/// What stands above and below the map.
struct Page {
    head: f64,
    foot: f64,
    marks: Vec<Mark>,
}

impl Page {
    fn of(story: &Story, legend: Option<&Legend>, size: Size, bare: bool) -> Self {
        let (mut head, mut foot) = (Vec::new(), Vec::new());
        if bare {
            return Self {
                head: 0.0,
                foot: 0.0,
                marks: head,
            };
        }
        let width = size.width as f32;
        let unit = (width / 60.0)
            .min(size.height as f32 / 30.0)
            .clamp(9.0, 40.0);
        let margin = unit;
        let room = width - 2.0 * margin;
        let mut y = margin * 0.6;
        for line in text::wrapped(story.title(), unit * 1.5, true, room, 2) {
            y += unit * 1.75;
            head.push(line_at([margin, y], unit * 1.5, true, INK, line));
        }
        for line in text::wrapped(&story.label(), unit, false, room, 2) {
            y += unit * 1.4;
            head.push(line_at([margin, y], unit, false, SOFT, line));
        }
        let top = y + unit * 0.8;

        let mut y = unit * 0.9;
        let mut x = margin;
        for line in legend.map(|legend| story.lines(legend)).unwrap_or_default() {
            let long = text::width(&line.label, unit * 0.9, false) + unit * 2.6;
            if x > margin && x + long > width - margin {
                x = margin;
                y += unit * 1.5;
            }
            foot.push(Mark::Box {
                at: [x, y, x + unit * 1.2, y + unit * 0.85],
                color: line.color,
            });
            foot.push(line_at(
                [x + unit * 1.5, y + unit * 0.8],
                unit * 0.9,
                false,
                INK,
                line.label,
            ));
            x += long;
        }
        y += unit * 1.8;
        for note in story.notes() {
            for line in text::wrapped(&note, unit * 0.72, false, room, 2) {
                y += unit * 0.95;
                foot.push(line_at([margin, y], unit * 0.72, false, SOFT, line));
            }
        }
        let below = y + unit * 0.7;
        let lift = size.height as f32 - below;
        for mark in &mut foot {
            match mark {
                Mark::Box { at, .. } => {
                    at[1] += lift;
                    at[3] += lift;
                }
                Mark::Text { at, .. } => at[1] += lift,
                Mark::Area { .. } => {}
            }
        }
        head.append(&mut foot);
        Self {
            head: top.into(),
            foot: below.into(),
            marks: head,
        }
    }
}

fn line_at(at: [f32; 2], size: f32, bold: bool, color: Color, text: String) -> Mark {
    Mark::Text {
        at,
        size,
        bold,
        color,
        text,
    }
}
