//! The command line. Every flag is also a `MAILLE_*` variable.

use std::path::PathBuf;
use std::time::Duration;

/// Serves the maps of a dataset directory as vector tiles.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "tileserver",
    version,
    about,
    after_help = "`tileserver keys add --help` tells how to make a key, `tileserver page --help` how to \
                  write a published map as files."
)]
pub struct Config {
    /// Directory that `precompute build --out` wrote
    #[arg(long, env = "MAILLE_DATASET", value_name = "DIR")]
    pub dataset: PathBuf,

    /// Address and port to listen on
    #[arg(
        long,
        env = "MAILLE_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: String,

    /// URL under which clients reach this server; by default derived from the listening address
    #[arg(long, env = "MAILLE_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,

    /// Directory of published maps, one `.toml` each; by default `maps` in the dataset or beside it
    #[arg(long, env = "MAILLE_MAPS", value_name = "DIR")]
    pub maps: Option<PathBuf>,
    /// File of API keys and policies, as `tileserver keys add` makes it; reads of contacts are
    /// noted beside it, in FILE.audit.jsonl. Without it nobody sees contacts
    #[arg(long, env = "MAILLE_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,

    /// Memory for tiles and filters kept between requests, in MiB
    #[arg(
        long,
        env = "MAILLE_CACHE_MB",
        value_name = "MB",
        default_value_t = 256
    )]
    pub cache_mb: u32,

    /// Connections open at once; more wait in the kernel's queue
    #[arg(
        long,
        env = "MAILLE_MAX_CONNECTIONS",
        value_name = "N",
        default_value_t = 4096
    )]
    pub max_connections: u32,

    /// Seconds a client may take to send a request, to ask again, or to take in part of an answer
    #[arg(long, env = "MAILLE_CLIENT_TIMEOUT", value_name = "SECONDS", default_value = "8", value_parser = seconds)]
    pub client_timeout: Duration,

    /// Seconds that requests under way have to finish after SIGTERM
    #[arg(long, env = "MAILLE_DRAIN_TIMEOUT", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub drain_timeout: Duration,

    /// What to log: a level, or `target=level` pairs; `debug` adds a line for each request
    #[arg(
        long,
        env = "MAILLE_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub log: String,

    /// Log JSON lines
    #[arg(long, env = "MAILLE_LOG_JSON")]
    pub log_json: bool,
}

impl Config {
    /// The cache budget in bytes.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        self.cache_mb as usize * 1024 * 1024
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give seconds between 0.1 and 3600".into()),
    }
}

/// An absolute http(s) URL without a query, its trailing slash removed.
pub(crate) fn public_url(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or("start with http:// or https://")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b);
    if host.is_empty() || host.starts_with('/') || !host.bytes().all(plain) {
        return Err("give a host and, at most, a path: https://maps.example.org/tiles".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls() {
        assert_eq!(public_url("https://a.org/t/").unwrap(), "https://a.org/t");
        assert_eq!(public_url("http://[::1]:80").unwrap(), "http://[::1]:80");
        for bad in ["a.org", "ftp://a", "https://", "https:///x", "https://a?b"] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }
}
