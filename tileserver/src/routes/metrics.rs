//! `/metrics`: counters for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::http::{Answer, Asked, Freshness};
use crate::load::LoadError;
use crate::metrics::{head, line, sample};
use crate::snapshot::Snapshot;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub async fn metrics(State(app): State<Arc<App>>, asked: Asked) -> Response {
    let mut out = String::with_capacity(16 * 1024);
    app.metrics.render(&mut out);
    render_dataset(&app, &mut out);
    Answer::new(CONTENT_TYPE, out.into_bytes(), Freshness::Never).respond(&asked)
}

fn render_dataset(app: &App, out: &mut String) {
    let scopes = app.served.scopes();
    let ready = u8::from(scopes.is_some());
    sample(out, "ready", "gauge", "", ready);
    if let Some(scopes) = scopes {
        let all = scopes.all();
        let sum = |of: fn(&Snapshot) -> usize| all.iter().map(|s| of(s)).sum::<usize>();
        let caches = [
            (
                "template",
                sum(|s| s.templates.bytes()),
                sum(|s| s.templates.entries()),
            ),
            (
                "bitmap",
                sum(|s| s.bitmaps.bytes()),
                sum(|s| s.bitmaps.entries()),
            ),
            (
                "computed",
                sum(|s| s.computed.bytes()),
                sum(|s| s.computed.entries()),
            ),
            (
                "contacts",
                sum(|s| s.passing_contacts.bytes()),
                sum(|s| s.passing_contacts.entries()),
            ),
            // One for all scopes.
            (
                "areas",
                all.first().map_or(0, |s| s.areas.bytes()),
                all.first().map_or(0, |s| s.areas.entries()),
            ),
        ];
        head(out, "cache_bytes", "gauge");
        for (cache, bytes, _) in caches {
            line(out, "cache_bytes", &format!("{{cache=\"{cache}\"}}"), bytes);
        }
        head(out, "cache_entries", "gauge");
        for (cache, _, entries) in caches {
            line(
                out,
                "cache_entries",
                &format!("{{cache=\"{cache}\"}}"),
                entries,
            );
        }
    }
    head(out, "dataset_refused", "gauge");
    let refusal = app.served.refusal();
    for cause in LoadError::CAUSES {
        let refused = refusal.as_ref().is_some_and(|r| r.cause == cause);
        let label = format!("{{cause=\"{cause}\"}}");
        line(out, "dataset_refused", &label, u8::from(refused));
    }
}
