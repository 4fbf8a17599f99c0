//! A running `tileserver`, and its log.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::binary;
use super::wire::{Connection, Reply};

/// A server on a port of its own. Ends with the test, which fails if the log holds a warning
/// that it did not announce by [`Server::expect_in_log`].
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    log_reader: Option<JoinHandle<()>>,
    expected: Vec<String>,
}

impl Server {
    pub fn start(dataset: &Path) -> Self {
        Self::start_with(dataset, &[])
    }

    /// With more arguments.
    pub fn start_with(dataset: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(binary("tileserver"));
        command.args(["--listen", "127.0.0.1:0", "--log-json"]);
        command.arg("--dataset").arg(dataset).args(arguments);
        Self::spawn(command)
    }

    /// From a command that runs the server in the end.
    pub fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("MAILLE_LOG");
        let mut child = command.spawn().expect("the server starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let lines = Arc::clone(&log);
        let log_reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                lines.lock().expect("no panic under the lock").push(line);
            }
        });
        let mut url = String::new();
        let stdout = child.stdout.take().expect("piped");
        let _ = BufReader::new(stdout).read_line(&mut url);
        let address = url.trim().trim_start_matches("http://").parse();
        let address = address.unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("no address but {url:?}; log: {:?}", log.lock());
        });
        Self {
            child,
            address,
            log,
            log_reader: Some(log_reader),
            expected: Vec::new(),
        }
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.connect().get(path)
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.connect().request("GET", path, headers)
    }

    /// A warning or error that holds `text` is no surprise.
    pub fn expect_in_log(&mut self, text: &str) {
        self.expected.push(text.to_owned());
    }

    /// Lines so far that were read: of what was just answered some may yet come.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("no panic under the lock").clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let kill = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(kill.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Whether the process ends within the time, and how.
    pub fn ends_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// The id of the version served, `""` before there is one.
    pub fn version(&self) -> String {
        let ready = self.get("/ready").json();
        ready["version"].as_str().unwrap_or_default().to_owned()
    }

    /// One value of `/metrics`, by its full name with labels.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        text.lines()
            .find_map(value)
            .unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }

    /// Open descriptors and resident bytes.
    pub fn resources(&self) -> (u64, u64) {
        let fds = std::fs::read_dir(format!("/proc/{}/fd", self.pid())).map_or(0, Iterator::count);
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let resident = status.unwrap_or_default().lines().find_map(|line| {
            let value = line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?;
            value.parse::<u64>().ok()
        });
        (fds as u64, resident.unwrap_or(0) * 1024)
    }

    /// CPU time used so far.
    pub fn cpu(&self) -> Duration {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 10)
    }

    /// All lines, after the end of the process.
    pub fn whole_log(mut self) -> Vec<String> {
        self.end();
        self.log()
    }

    /// Asks the server to end, for it to write what its log still holds. One that is stuck, or
    /// stopped by a signal, is killed.
    fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("TERM");
        }
        if self.ends_within(Duration::from_secs(5)).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if let Some(reader) = self.log_reader.take() {
            let _ = reader.join();
        }
    }

    fn surprises(&self) -> Vec<String> {
        let loud = |line: &String| line.contains("\"WARN\"") || line.contains("\"ERROR\"");
        let expected = |line: &String| self.expected.iter().any(|text| line.contains(text));
        let all = self.log().into_iter();
        all.filter(|line| loud(line) && !expected(line)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        if !std::thread::panicking() {
            let surprises = self.surprises();
            assert!(
                surprises.is_empty(),
                "in the log:\n{}",
                surprises.join("\n")
            );
        }
    }
}
