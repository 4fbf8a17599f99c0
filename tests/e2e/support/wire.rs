//! HTTP/1.1 by hand, so that tests see exactly what is sent and what comes back.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer takes longer, or the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// As sent: coded, but no longer chunked.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value, `""` without one.
    pub fn header(&self, name: &str) -> &str {
        let same = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(same).map_or("", |(_, v)| v)
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.plain())
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.plain()).into_owned()
    }

    /// The body, its content coding undone.
    pub fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        match self.header("content-encoding") {
            "gzip" => {
                let mut gzip = flate2::read::MultiGzDecoder::new(&self.body[..]);
                gzip.read_to_end(&mut plain).expect("gzip inflates");
            }
            "zstd" => plain = zstd::stream::decode_all(&self.body[..]).expect("zstd inflates"),
            _ => plain.clone_from(&self.body),
        }
        plain
    }
}

/// A kept-alive connection.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Sends bytes as they are. A server that has closed already is no failure here.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Sends a request without a body and reads the answer.
    pub fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head.push_str("Host: localhost\r\n");
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        self.send(head.as_bytes());
        self.read(method).expect("the server answers")
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.request("GET", path, &[])
    }

    /// Reads one answer; `None` when the connection ends before one.
    pub fn read(&mut self, method: &str) -> Option<Reply> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut reply = Reply {
            status,
            headers,
            body: Vec::new(),
        };
        let bodiless = method == "HEAD" || status == 204 || status == 304 || status < 200;
        if !bodiless {
            self.read_body(&mut reply)?;
        }
        Some(reply)
    }

    fn read_body(&mut self, reply: &mut Reply) -> Option<()> {
        if reply.header("transfer-encoding") == "chunked" {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).ok()?;
                let mut chunk = vec![0; size];
                self.stream.read_exact(&mut chunk).ok()?;
                reply.body.append(&mut chunk);
                self.line()?;
                if size == 0 {
                    return Some(());
                }
            }
        }
        match reply.header("content-length") {
            "" => {
                self.stream.read_to_end(&mut reply.body).ok()?;
            }
            length => {
                reply.body = vec![0; length.parse().ok()?];
                self.stream.read_exact(&mut reply.body).ok()?;
            }
        }
        Some(())
    }

    /// Whether the server has closed the connection, or does so within the time.
    pub fn is_closed_within(&mut self, time: Duration) -> bool {
        self.socket()
            .set_read_timeout(Some(time))
            .expect("a socket");
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
