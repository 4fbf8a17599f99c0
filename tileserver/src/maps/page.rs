//! The pages of a published map: whole without a script, alive with one.

use std::fmt::Write as _;

use super::story::Story;
use crate::app::App;
use crate::html::{escaped, json_in_script};
use crate::http::path::encoded;
use crate::routes::ui::EmbedAssets;

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `/map/{id}`: by itself, with the code that embeds it.
    Whole,
    /// `/embed/{id}`: in another page's frame.
    Embed,
}

/// Height of the frame until the page tells its own.
pub const HEIGHT: u32 = 560;

/// Edges of the picture that cards show.
pub const CARD: (u32, u32) = (1200, 630);

/// The page, with what its script was built into.
#[must_use]
pub fn page(story: &Story, app: &App, kind: Kind, built: EmbedAssets) -> String {
    let mut out = String::with_capacity(16 * 1024);
    let lang = story.lang;
    let title = escaped(story.title());
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n"
    );
    cards(story, app, &mut out);
    if let Some(style) = built.style {
        let _ = writeln!(out, "<link rel=\"stylesheet\" href=\"../{style}\">");
    }
    let _ = writeln!(out, "<style>{}</style>", include_str!("page.css"));
    if let (Some(script), Some(worker)) = (built.script, built.worker) {
        let _ = writeln!(
            out,
            "<script type=\"module\" src=\"../{script}\" data-worker=\"../{worker}\"></script>"
        );
    }
    out.push_str("</head>\n<body>\n<main>\n");
    let _ = writeln!(out, "<h1>{title}</h1>");
    if !story.text().is_empty() {
        let _ = writeln!(out, "<p class=\"text\">{}</p>", escaped(story.text()));
    }
    let id = encoded(&story.map.id);
    let version = &story.snapshot.manifest.version;
    // The picture is the map of those who cannot use one; the script takes its place.
    let _ = writeln!(
        out,
        "<div id=\"map\"><img src=\"../map/{id}.svg?v={version}&amp;lang={lang}&amp;bare=true\" alt=\"{}\"></div>",
        escaped(&picture_text(story))
    );
    legend(story, &mut out);
    table(story, &mut out);
    out.push_str("<footer>\n");
    for note in story.notes() {
        let _ = writeln!(out, "<p>{}</p>", escaped(&note));
    }
    if kind == Kind::Whole {
        let word = if lang == "fr" {
            "Intégrer cette carte"
        } else {
            "Embed this map"
        };
        let snippet = escaped(&snippet(story, app));
        let _ = writeln!(
            out,
            "<details><summary>{word}</summary><textarea readonly rows=\"5\" aria-label=\"{word}\">{snippet}</textarea></details>"
        );
    }
    out.push_str("</footer>\n</main>\n");
    let data = json_in_script(&story.data(app));
    let _ = writeln!(
        out,
        "<script type=\"application/json\" id=\"data\">{data}</script>"
    );
    out.push_str("</body>\n</html>\n");
    out
}

/// The frame and the script that gives it the height it asks for.
#[must_use]
pub fn snippet(story: &Story, app: &App) -> String {
    let base = escaped(&app.public_url);
    let id = encoded(&story.map.id);
    let title = escaped(story.title());
    format!(
        "<iframe title=\"{title}\" src=\"{base}/embed/{id}\" loading=\"lazy\" \
         style=\"width:0;min-width:100%!important;border:none\" height=\"{HEIGHT}\"></iframe>\
         <script src=\"{base}/embed.js\" async></script>"
    )
}

/// Open Graph, Twitter, oEmbed.
fn cards(story: &Story, app: &App, out: &mut String) {
    let base = &app.public_url;
    let id = encoded(&story.map.id);
    let url = format!("{base}/map/{id}");
    let (width, height) = CARD;
    let version = &story.snapshot.manifest.version;
    let lang = story.lang;
    let image = format!("{url}.png?width={width}&height={height}&v={version}&lang={lang}");
    let text = if story.text().is_empty() {
        story.label()
    } else {
        story.text()
    };
    let locale = if lang == "fr" { "fr_FR" } else { "en_GB" };
    let (width, height) = (width.to_string(), height.to_string());
    let alt = picture_text(story);
    let oembed = format!("{base}/oembed?url={}&format=json", encoded(&url));
    for (attribute, name, content) in [
        ("name", "description", text),
        ("property", "og:type", "website"),
        ("property", "og:title", story.title()),
        ("property", "og:description", text),
        ("property", "og:url", &url),
        ("property", "og:locale", locale),
        ("property", "og:image", &image),
        ("property", "og:image:type", "image/png"),
        ("property", "og:image:width", &width),
        ("property", "og:image:height", &height),
        ("property", "og:image:alt", &alt),
        ("name", "twitter:card", "summary_large_image"),
        ("name", "twitter:title", story.title()),
        ("name", "twitter:description", text),
        ("name", "twitter:image", &image),
        ("name", "twitter:image:alt", &alt),
    ] {
        let _ = writeln!(
            out,
            "<meta {attribute}=\"{name}\" content=\"{}\">",
            escaped(content)
        );
    }
    out.push_str("<link rel=\"icon\" type=\"image/svg+xml\" href=\"../favicon.svg\">\n");
    let _ = writeln!(out, "<link rel=\"canonical\" href=\"{}\">", escaped(&url));
    let _ = writeln!(
        out,
        "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"{}\" title=\"{}\">",
        escaped(&oembed),
        escaped(story.title())
    );
}

/// The picture in words.
fn picture_text(story: &Story) -> String {
    let level = story.level_title(&story.table.level);
    if story.lang == "fr" {
        format!(
            "Carte\u{a0}: {} — {} ({})",
            story.title(),
            story.label(),
            level
        )
    } else {
        format!("Map: {} — {} ({})", story.title(), story.label(), level)
    }
}

fn legend(story: &Story, out: &mut String) {
    let zoom = story.map.view.map_or(f64::INFINITY, |view| view.zoom);
    let _ = writeln!(
        out,
        "<section id=\"legend\" aria-label=\"{0}\"><h2>{0}</h2><ul>",
        escaped(story.label())
    );
    if let Some(legend) = story.legend_at(zoom) {
        for line in story.lines(legend) {
            let _ = writeln!(
                out,
                "<li><span class=\"swatch\" style=\"background:{}\"></span>{} <span class=\"count\">{}</span></li>",
                line.color,
                escaped(&line.label),
                line.count
            );
        }
    }
    out.push_str("</ul></section>\n");
}

fn table(story: &Story, out: &mut String) {
    let french = story.lang == "fr";
    let (word, name, missing) = if french {
        ("Tableau", "Nom", "pas de donnée")
    } else {
        ("Table", "Name", "no data")
    };
    let level = escaped(story.level_title(&story.table.level));
    let label = escaped(story.label());
    let _ = writeln!(
        out,
        "<details id=\"table\"><summary>{word}</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{word}\">\
         <table><caption>{level}</caption><thead><tr><th scope=\"col\">{name}</th><th scope=\"col\">{label}</th></tr></thead><tbody>"
    );
    for (unit, value) in &story.table.rows {
        let value = value.as_deref().unwrap_or(missing);
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            escaped(unit),
            escaped(value)
        );
    }
    out.push_str("</tbody></table></div>");
    let left = story.table.units - story.table.rows.len();
    if left > 0 {
        let _ = if french {
            write!(out, "<p>… et {left} autres</p>")
        } else {
            write!(out, "<p>… and {left} more</p>")
        };
    }
    out.push_str("</details>\n");
}
