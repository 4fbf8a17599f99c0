//! The pages of a published map: whole without a script, alive with one.

use std::fmt::Write as _;

use super::story::Story;
use crate::app::App;
use crate::html::{escaped, json_in_script};
use crate::http::path::encoded;
use crate::routes::ui::EmbedAssets;
use crate::scope;

/// Which page a server gives out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `/map/{id}`: by itself, with the code that embeds it.
    Whole,
    /// `/embed/{id}`: in another page's frame.
    Embed,
}

/// Chosen by the page that embeds a map, to look like itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

/// Where a page lies, and where it finds what it shows.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// What comes before the paths of its scripts.
    pub root: &'static str,
    /// Whether the page is light or dark whatever its reader's browser prefers.
    pub theme: Option<Theme>,
    pub picture: String,
    /// Where the script asks for the page's data again, to see a new version.
    pub again: String,
    /// With `{z}/{x}/{y}`.
    pub tiles: String,
    /// The policy on scripts and hosts, where no server sends one along.
    pub policy: Option<String>,
    /// What cards link to, where that is known.
    pub card: Option<Card>,
    /// The code that embeds the map, where the page hands it out.
    pub snippet: Option<String>,
}

/// Addresses for other sites.
#[derive(Debug, Clone)]
pub struct Card {
    /// Of the page.
    pub url: String,
    /// Of a picture of [`CARD`]'s size.
    pub image: String,
    pub oembed: Option<String>,
}

impl Place {
    /// On a server, below its public address.
    #[must_use]
    pub fn served(story: &Story, app: &App, kind: Kind, theme: Option<Theme>) -> Self {
        let base = &app.public_url;
        let id = encoded(&story.map.id);
        let lang = story.lang;
        let version = &story.snapshot.manifest.version;
        let url = format!("{base}/map/{id}");
        let (width, height) = CARD;
        // Who has the link may look; to hand it on is not for the page. Without it the addresses of
        // cards and of embeds lead nowhere.
        let open = scope::caller().link.is_none();
        let picture = format!("/map/{id}.svg?v={version}&lang={lang}&bare=true");
        Self {
            root: "../",
            theme,
            picture: scope::address("..", &picture),
            again: scope::address("..", &format!("/map/{id}/data?lang={lang}")),
            tiles: story.tiles(app),
            policy: None,
            card: open.then(|| Card {
                image: format!("{url}.png?width={width}&height={height}&v={version}&lang={lang}"),
                oembed: Some(format!("{base}/oembed?url={}&format=json", encoded(&url))),
                url,
            }),
            snippet: (kind == Kind::Whole && open).then(|| snippet(story, app, HEIGHT)),
        }
    }
}

/// The widest frame that oEmbed is told of.
pub const WIDTH: u32 = 800;

/// Height of the frame until the page tells its own.
pub const HEIGHT: u32 = 560;

/// Edges of the picture that cards show.
pub const CARD: (u32, u32) = (1200, 630);

/// The page, with what its script was built into.
#[must_use]
pub fn page(story: &Story, place: &Place, built: EmbedAssets) -> String {
    let mut out = String::with_capacity(16 * 1024);
    let lang = story.lang;
    let title = escaped(story.title());
    let root = place.root;
    let theme = match place.theme {
        None => "",
        Some(Theme::Light) => " data-theme=\"light\"",
        Some(Theme::Dark) => " data-theme=\"dark\"",
    };
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"{lang}\"{theme}>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n"
    );
    if let Some(policy) = &place.policy {
        let _ = writeln!(
            out,
            "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">",
            escaped(policy)
        );
    }
    cards(story, place, &mut out);
    if let Some(style) = built.style {
        let _ = writeln!(out, "<link rel=\"stylesheet\" href=\"{root}{style}\">");
    }
    let _ = writeln!(out, "<style>{}</style>", include_str!("page.css"));
    if let (Some(script), Some(worker)) = (built.script, built.worker) {
        let _ = writeln!(
            out,
            "<script type=\"module\" src=\"{root}{script}\" data-worker=\"{root}{worker}\" data-again=\"{}\"></script>",
            escaped(&place.again)
        );
    }
    out.push_str("</head>\n<body>\n<main>\n");
    let _ = writeln!(out, "<h1>{title}</h1>");
    if !story.text().is_empty() {
        let _ = writeln!(out, "<p class=\"text\">{}</p>", escaped(story.text()));
    }
    // The picture is the map of those who cannot use one; the script takes its place.
    let _ = writeln!(
        out,
        "<div id=\"map\"><img src=\"{}\" alt=\"{}\"></div>",
        escaped(&place.picture),
        escaped(&picture_text(story))
    );
    legend(story, &mut out);
    table(story, &mut out);
    out.push_str("<footer>\n");
    for note in story.notes() {
        let _ = writeln!(out, "<p>{}</p>", escaped(&note));
    }
    if let Some(snippet) = &place.snippet {
        let word = if lang == "fr" {
            "Intégrer cette carte"
        } else {
            "Embed this map"
        };
        let _ = writeln!(
            out,
            "<details><summary>{word}</summary><textarea readonly rows=\"5\" aria-label=\"{word}\">{}</textarea></details>",
            escaped(snippet)
        );
    }
    out.push_str("</footer>\n</main>\n");
    let data = json_in_script(&story.data(&place.tiles));
    let _ = writeln!(
        out,
        "<script type=\"application/json\" id=\"data\">{data}</script>"
    );
    out.push_str("</body>\n</html>\n");
    out
}

/// Scheme and host of an absolute address; nothing of a relative one.
#[must_use]
pub fn origin(url: &str) -> String {
    if url.contains("://") {
        url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    } else {
        String::new()
    }
}

/// Only our own scripts, whatever a name in the data says. Tiles come from `origin`, which need not
/// be the page's.
#[must_use]
pub fn policy(origin: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self' {origin}; \
         base-uri 'none'; form-action 'none'"
    )
}

/// The frame and the script that gives it the height it asks for.
#[must_use]
pub fn snippet(story: &Story, app: &App, height: u32) -> String {
    let base = escaped(&app.public_url);
    let id = encoded(&story.map.id);
    let title = escaped(story.title());
    // The map's own language needs no word.
    let own = story.map.language.as_deref().unwrap_or("en");
    let lang = if story.lang == own {
        String::new()
    } else {
        format!("?lang={}", story.lang)
    };
    format!(
        "<iframe title=\"{title}\" src=\"{base}/embed/{id}{lang}\" loading=\"lazy\" \
         style=\"width:0;min-width:100%!important;border:none\" height=\"{height}\"></iframe>\
         <script src=\"{base}/embed.js\" async></script>"
    )
}

/// Open Graph, Twitter, oEmbed.
fn cards(story: &Story, place: &Place, out: &mut String) {
    let label = story.label();
    let text = if story.text().is_empty() {
        &*label
    } else {
        story.text()
    };
    let locale = if story.lang == "fr" { "fr_FR" } else { "en_GB" };
    let mut tags = vec![
        ("name", "description", text),
        ("property", "og:type", "website"),
        ("property", "og:title", story.title()),
        ("property", "og:description", text),
        ("property", "og:locale", locale),
        ("name", "twitter:card", "summary_large_image"),
        ("name", "twitter:title", story.title()),
        ("name", "twitter:description", text),
    ];
    let (width, height) = (CARD.0.to_string(), CARD.1.to_string());
    let alt = picture_text(story);
    if let Some(Card { url, image, .. }) = &place.card {
        tags.extend([
            ("property", "og:url", url.as_str()),
            ("property", "og:image", image),
            ("property", "og:image:type", "image/png"),
            ("property", "og:image:width", &width),
            ("property", "og:image:height", &height),
            ("property", "og:image:alt", &alt),
            ("name", "twitter:image", image),
            ("name", "twitter:image:alt", &alt),
        ]);
    }
    for (attribute, name, content) in tags {
        let _ = writeln!(
            out,
            "<meta {attribute}=\"{name}\" content=\"{}\">",
            escaped(content)
        );
    }
    let _ = writeln!(
        out,
        "<link rel=\"icon\" type=\"image/svg+xml\" href=\"{}favicon.svg\">",
        place.root
    );
    let Some(card) = &place.card else {
        return;
    };
    let _ = writeln!(
        out,
        "<link rel=\"canonical\" href=\"{}\">",
        escaped(&card.url)
    );
    if let Some(oembed) = &card.oembed {
        let _ = writeln!(
            out,
            "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"{}\" title=\"{}\">",
            escaped(oembed),
            escaped(story.title())
        );
    }
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
        escaped(&story.label())
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
    let label = escaped(&story.label());
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
