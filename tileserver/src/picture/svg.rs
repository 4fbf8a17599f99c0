//! A scene as SVG: text stays text, nothing in it runs.

use std::fmt::Write as _;

use super::{GROUND, Mark, Scene};
use crate::html::escaped;
use crate::palette::Color;

/// The ground of dark pages; a picture that is kept or printed stays light.
const GROUND_DARK: Color = Color([0x16, 0x18, 0x1c]);

#[must_use]
pub fn encode(scene: &Scene) -> String {
    let (width, height, scale) = (scene.size.width, scene.size.height, scene.size.scale);
    let mut out = String::with_capacity(64 * 1024);
    let title = escaped(&clean(&scene.title));
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>",
        f64::from(width) * scale,
        f64::from(height) * scale
    );
    if scene.bare {
        let _ = writeln!(
            out,
            "<style>@media (prefers-color-scheme:dark){{rect{{fill:{GROUND_DARK}}}path{{stroke:{GROUND_DARK}}}}}</style>"
        );
    }
    for mark in &scene.marks {
        match mark {
            Mark::Area { color, rings } => {
                let _ = write!(
                    out,
                    "<path fill=\"{color}\" fill-rule=\"evenodd\" stroke=\"{GROUND}\" stroke-width=\"0.5\" d=\""
                );
                for ring in rings {
                    for (i, [x, y]) in ring.iter().enumerate() {
                        let _ = write!(out, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
                    }
                    out.push('Z');
                }
                out.push_str("\"/>\n");
            }
            Mark::Box {
                at: [left, top, right, bottom],
                color,
            } => {
                let _ = writeln!(
                    out,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{color}\"/>",
                    right - left,
                    bottom - top
                );
            }
            Mark::Text {
                at: [x, y],
                size,
                bold,
                color,
                text,
            } => {
                let weight = if *bold { "bold" } else { "normal" };
                let _ = writeln!(
                    out,
                    "<text x=\"{x:.1}\" y=\"{y:.1}\" font-family=\"Roboto, Helvetica, Arial, sans-serif\" font-size=\"{size:.1}\" font-weight=\"{weight}\" fill=\"{color}\">{}</text>",
                    escaped(&clean(text))
                );
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Without what XML 1.0 cannot hold.
fn clean(text: &str) -> String {
    let sound = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().filter(sound).collect()
}
