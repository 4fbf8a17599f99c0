//! A scene as PNG.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use tiny_skia::{
    Color as Ink, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};
use ttf_parser::OutlineBuilder;

use super::{GROUND, Mark, Scene, text};
use crate::palette::Color;

/// `None` when there is no memory for it.
#[must_use]
pub fn encode(scene: &Scene) -> Option<Vec<u8>> {
    let scale = scene.size.scale;
    let edge = |pixels: u32| (f64::from(pixels) * scale).round().max(1.0) as u32;
    let mut pixmap = Pixmap::new(edge(scene.size.width), edge(scene.size.height))?;
    pixmap.fill(Ink::WHITE);
    let scaled = Transform::from_scale(scale as f32, scale as f32);
    let stroke = Stroke {
        width: 0.5,
        ..Stroke::default()
    };
    for mark in &scene.marks {
        match mark {
            Mark::Area { color, rings } => {
                if let Some(path) = area(rings) {
                    pixmap.fill_path(&path, &paint(*color), FillRule::EvenOdd, scaled, None);
                    pixmap.stroke_path(&path, &paint(GROUND), &stroke, scaled, None);
                }
            }
            Mark::Box {
                at: [left, top, right, bottom],
                color,
            } => {
                if let Some(rect) = Rect::from_ltrb(*left, *top, *right, *bottom) {
                    pixmap.fill_rect(rect, &paint(*color), scaled, None);
                }
            }
            Mark::Text {
                at,
                size,
                bold,
                color,
                text,
            } => {
                if let Some(path) = letters(text, *at, *size, *bold) {
                    pixmap.fill_path(&path, &paint(*color), FillRule::Winding, scaled, None);
                }
            }
        }
    }
    Some(file(&pixmap))
}

fn paint(Color([r, g, b]): Color) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, 255);
    paint
}

fn area(rings: &[Vec<[f32; 2]>]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for ring in rings {
        for (i, &[x, y]) in ring.iter().enumerate() {
            if i == 0 {
                path.move_to(x, y);
            } else {
                path.line_to(x, y);
            }
        }
        path.close();
    }
    path.finish()
}

/// The outlines of a text.
fn letters(text: &str, at: [f32; 2], size: f32, bold: bool) -> Option<Path> {
    let face = text::face(bold)?;
    let mut pen = Pen {
        path: PathBuilder::new(),
        scale: size / f32::from(face.units_per_em()),
        at,
    };
    let (glyphs, _) = text::glyphs(face, text);
    for (glyph, advance) in glyphs {
        pen.at[0] = at[0] + advance * pen.scale;
        face.outline_glyph(glyph, &mut pen);
    }
    pen.path.finish()
}

/// Draws outlines of font units, y upwards, as pixels, y downwards.
struct Pen {
    path: PathBuilder,
    scale: f32,
    at: [f32; 2],
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.at[0] + x * self.scale, self.at[1] - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) =
            (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// RGB of eight bits, each row the difference from the one above (PNG, third edition).
fn file(pixmap: &Pixmap) -> Vec<u8> {
    let (width, height) = (pixmap.width(), pixmap.height());
    let row = width as usize * 3;
    let mut above = vec![0_u8; row];
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let mut line = Vec::with_capacity(row + 1);
    for pixels in pixmap.data().chunks_exact(width as usize * 4) {
        let plain: Vec<u8> = pixels
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect();
        line.clear();
        line.push(2); // filter: up
        line.extend(
            plain
                .iter()
                .zip(&above)
                .map(|(now, up)| now.wrapping_sub(*up)),
        );
        // Writing into memory does not fail.
        let _ = packed.write_all(&line);
        above = plain;
    }
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::with_capacity(13);
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    chunk(*b"IHDR", &header, &mut out);
    chunk(*b"IDAT", &packed.finish().unwrap_or_default(), &mut out);
    chunk(*b"IEND", &[], &mut out);
    out
}

fn chunk(name: [u8; 4], data: &[u8], out: &mut Vec<u8>) {
    out.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let start = out.len();
    out.extend(name);
    out.extend_from_slice(data);
    let sum = crc32fast::hash(&out[start..]);
    out.extend(sum.to_be_bytes());
}
