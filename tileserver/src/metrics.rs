//! Counters, told in the Prometheus text format. Labels come from closed sets only: route
//! patterns, status codes, cache names, causes.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::StatusCode;
use rustc_hash::FxHashMap;

/// Upper bounds of the latency histogram, in microseconds.
const BUCKETS_US: [u64; 12] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000, 10_000_000,
];

const STATUS_FIRST: u16 = 200;
const STATUS_COUNT: usize = 400;

/// Everything counted by one server.
#[derive(Debug, Default)]
pub struct Metrics {
    routes: RwLock<FxHashMap<Box<str>, Arc<Route>>>,
    pub connections_open: AtomicI64,
    pub connections_accepted: AtomicU64,
    /// Closed because the client was silent, or too slow to read.
    pub connections_timed_out: AtomicU64,
    pub accept_failures: AtomicU64,
    pub templates: Arc<Lookups>,
    pub bitmaps: Arc<Lookups>,
    pub computed: Arc<Lookups>,
    /// Requests refused with 503 because the pool was full.
    pub shed: AtomicU64,
    pub datasets_loaded: AtomicU64,
    pub datasets_refused: AtomicU64,
}

/// How one cache fares.
#[derive(Debug, Default)]
pub struct Lookups {
    pub hits: AtomicU64,
    pub misses: AtomicU64,
    /// Values computed: fewer than the misses when equal requests share one computation.
    pub computed: AtomicU64,
}

#[derive(Debug)]
struct Route {
    statuses: Box<[AtomicU64]>,
    buckets: [AtomicU64; BUCKETS_US.len()],
    micros: AtomicU64,
    bytes: AtomicU64,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            statuses: (0..STATUS_COUNT).map(|_| AtomicU64::new(0)).collect(),
            buckets: Default::default(),
            micros: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    /// Counts one answered request; `route` is a pattern of the router.
    pub fn note_request(&self, route: &str, status: StatusCode, spent: Duration, bytes: u64) {
        let route = self.route(route);
        let micros = u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
        let status = usize::from(status.as_u16().saturating_sub(STATUS_FIRST));
        if let Some(count) = route.statuses.get(status) {
            count.fetch_add(1, Relaxed);
        }
        let bucket = BUCKETS_US.partition_point(|&bound| bound < micros);
        if let Some(count) = route.buckets.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        route.micros.fetch_add(micros, Relaxed);
        route.bytes.fetch_add(bytes, Relaxed);
    }

    fn route(&self, pattern: &str) -> Arc<Route> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(pattern) {
            return Arc::clone(route);
        }
        drop(routes);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(pattern.into()).or_default())
    }

    /// All of it but what the dataset and the caches know themselves.
    pub fn render(&self, out: &mut String) {
        self.render_routes(out);
        let counters = [
            ("connections_accepted_total", &self.connections_accepted),
            ("connections_timed_out_total", &self.connections_timed_out),
            ("accept_failures_total", &self.accept_failures),
            ("requests_shed_total", &self.shed),
            ("datasets_loaded_total", &self.datasets_loaded),
            ("datasets_refused_total", &self.datasets_refused),
        ];
        for (name, value) in counters {
            sample(out, name, "counter", "", value.load(Relaxed));
        }
        sample(
            out,
            "connections_open",
            "gauge",
            "",
            self.connections_open.load(Relaxed),
        );
        for (kind, of) in [
            ("hit", (|l| &l.hits) as fn(&Lookups) -> &AtomicU64),
            ("miss", |l| &l.misses),
            ("computed", |l| &l.computed),
        ] {
            let name = format!("cache_{kind}_total");
            head(out, &name, "counter");
            for (cache, lookups) in [
                ("template", &self.templates),
                ("bitmap", &self.bitmaps),
                ("computed", &self.computed),
            ] {
                let label = format!("{{cache=\"{cache}\"}}");
                line(out, &name, &label, of(lookups).load(Relaxed));
            }
        }
        process(out);
    }

    fn render_routes(&self, out: &mut String) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let mut routes: Vec<_> = routes.iter().collect();
        routes.sort_by(|a, b| a.0.cmp(b.0));
        head(out, "requests_total", "counter");
        for (pattern, route) in &routes {
            for (code, count) in (STATUS_FIRST..).zip(&route.statuses) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let labels = format!("{{route=\"{pattern}\",status=\"{code}\"}}");
                    line(out, "requests_total", &labels, count);
                }
            }
        }
        head(out, "response_bytes_total", "counter");
        for (pattern, route) in &routes {
            let labels = format!("{{route=\"{pattern}\"}}");
            line(
                out,
                "response_bytes_total",
                &labels,
                route.bytes.load(Relaxed),
            );
        }
        head(out, "request_seconds", "histogram");
        for (pattern, route) in &routes {
            let mut sum = 0;
            for (bound, count) in BUCKETS_US.iter().zip(&route.buckets) {
                sum += count.load(Relaxed);
                let labels = format!("{{route=\"{pattern}\",le=\"{}\"}}", seconds(*bound));
                line(out, "request_seconds_bucket", &labels, sum);
            }
            let total: u64 = route.statuses.iter().map(|c| c.load(Relaxed)).sum();
            let labels = format!("{{route=\"{pattern}\",le=\"+Inf\"}}");
            line(out, "request_seconds_bucket", &labels, total);
            let labels = format!("{{route=\"{pattern}\"}}");
            let spent = seconds(route.micros.load(Relaxed));
            line(out, "request_seconds_sum", &labels, spent);
            line(out, "request_seconds_count", &labels, total);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// One metric with its type line; `labels` is empty or `{name="value"}`.
pub fn sample(out: &mut String, name: &str, kind: &str, labels: &str, value: impl Display + Copy) {
    head(out, name, kind);
    line(out, name, labels, value);
}

/// The type line of a metric.
pub fn head(out: &mut String, name: &str, kind: &str) {
    let _ = writeln!(out, "# TYPE maille_{name} {kind}");
}

/// One sample of a metric.
pub fn line(out: &mut String, name: &str, labels: &str, value: impl Display + Copy) {
    let _ = writeln!(out, "maille_{name}{labels} {value}");
}

/// What Linux says of this process, under the names Prometheus clients use; elsewhere nothing.
fn process(out: &mut String) {
    if let Some(open) = std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count) {
        let _ = writeln!(
            out,
            "# TYPE process_open_fds gauge\nprocess_open_fds {open}"
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?;
        kilobytes.parse::<u64>().ok()
    });
    if let Some(kilobytes) = resident {
        let bytes = kilobytes * 1024;
        let _ = writeln!(
            out,
            "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {bytes}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_is_cumulative_and_labels_are_patterns() {
        let metrics = Metrics::default();
        for micros in [10, 60, 60, 20_000_000] {
            let spent = Duration::from_micros(micros);
            metrics.note_request("/{layer}", StatusCode::OK, spent, 7);
        }
        let mut out = String::new();
        metrics.render(&mut out);
        for expected in [
            "maille_requests_total{route=\"/{layer}\",status=\"200\"} 4\n",
            "maille_request_seconds_bucket{route=\"/{layer}\",le=\"0.00005\"} 1\n",
            "maille_request_seconds_bucket{route=\"/{layer}\",le=\"0.0001\"} 3\n",
            "maille_request_seconds_bucket{route=\"/{layer}\",le=\"10\"} 3\n",
            "maille_request_seconds_bucket{route=\"/{layer}\",le=\"+Inf\"} 4\n",
            "maille_response_bytes_total{route=\"/{layer}\"} 28\n",
        ] {
            assert!(out.contains(expected), "{expected}in\n{out}");
        }
    }
}
