//! A server that answers as a case says, one exchange after the other, and records each request
//! and its connection.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use vouchsafe::core::sync::lock;
use vouchsafe::core::task::Task;

use super::super::upstream::read_request;
use super::case::{Answer, Fault, Framing, Role};

/// The server; dropping it closes all its connections.
pub(super) struct Script {
    state: Arc<Mutex<State>>,
    _task: Task,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    /// Which exchange answered it; `None` past the end.
    pub(super) exchange: Option<usize>,
    pub(super) connection: usize,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Arrived {
    /// Returns a header by its lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(known, _)| known == name);
        all.next().map(|(_, value)| value.as_str())
    }
}

/// One line of the script.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) role: Role,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) answer: Answer,
    /// Over which connection the recorded client asked.
    pub(super) connection: Option<u64>,
}

struct State {
    lines: Vec<Line>,
    next: usize,
    arrived: Vec<Arrived>,
}

impl State {
    /// Returns the answer to a request. A client that holds the catalog may leave a discovery
    /// out; past the end, the last answer comes again.
    ///
    /// The flag says whether the connection then ends: the server says so, or the next request
    /// was recorded over another one.
    fn answer(&mut self, mut request: Arrived) -> (Answer, bool) {
        while self.lines.get(self.next).is_some_and(|line| {
            line.role == Role::Discovery
                && (line.method != request.method || path(&line.target) != path(&request.target))
        }) {
            self.next += 1;
        }
        request.exchange = (self.next < self.lines.len()).then_some(self.next);
        let at = self.next.min(self.lines.len().saturating_sub(1));
        let answer = match self.lines.get(at) {
            Some(line) => line.answer.clone(),
            None => anything(&request.target),
        };
        let number = |at: usize| self.lines.get(at).and_then(|line| line.connection);
        let ends = says_close(&answer)
            || number(at)
                .zip(number(at + 1))
                .is_some_and(|(one, next)| one != next);
        self.next += 1;
        self.arrived.push(request);
        (answer, ends)
    }
}

/// Returns whether an answer is the last one on its connection.
fn says_close(answer: &Answer) -> bool {
    match answer {
        Answer::Fault { .. } => true,
        Answer::Response {
            headers, framing, ..
        } => {
            *framing == Some(Framing::CloseDelimited)
                || headers.iter().any(|(name, value)| {
                    name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
                })
        }
    }
}

pub(super) fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

/// Answers where nothing was recorded, because the recorded client sent nothing.
fn anything(target: &str) -> Answer {
    let body = if target.ends_with("/tokens") {
        serde_json::json!({"access": {"serviceCatalog": [{
            "name": "astakos_account",
            "type": "account",
            "endpoints": [{
                "versionId": "v1.0",
                "publicURL": "https://x.example.com/astakos/account/v1.0",
                "SNF:uiURL": "https://x.example.com/astakos/ui",
            }],
        }]}})
        .to_string()
    } else {
        String::new()
    };
    Answer::Response {
        status: 200,
        _reason: serde_json::Value::Null,
        headers: Vec::new(),
        body,
        framing: None,
    }
}

impl Script {
    /// Starts the server on a listener.
    pub(super) fn start(listener: TcpListener, lines: Vec<Line>) -> Self {
        let state = Arc::new(Mutex::new(State {
            lines,
            next: 0,
            arrived: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let task = Task::spawn(async move {
            let mut connections = JoinSet::new();
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                number += 1;
                let (shared, number) = (Arc::clone(&shared), number);
                // A connection that breaks is the client's affair.
                connections.spawn(async move {
                    let _ = serve(&shared, number, stream).await;
                });
            }
        });
        Self { state, _task: task }
    }

    /// Returns what has arrived.
    pub(super) fn arrived(&self) -> Vec<Arrived> {
        lock(&self.state).arrived.clone()
    }
}

async fn serve(state: &Mutex<State>, connection: usize, mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(read) = read_request(&mut stream, &mut buffer).await? {
        let request = Arrived {
            exchange: None,
            connection,
            method: read.method,
            target: read.path,
            headers: read.headers,
            body: read.body,
        };
        let (answer, ends) = lock(state).answer(request);
        stream.write_all(&bytes(&answer, ends)).await?;
        if ends {
            return stream.shutdown().await;
        }
    }
    Ok(())
}

/// Writes an answer; one that ends its connection says so, as servers do.
fn bytes(answer: &Answer, ends: bool) -> Vec<u8> {
    match answer {
        Answer::Fault { fault, body, .. } => match fault {
            Fault::Close => Vec::new(),
            Fault::Garbage if body.is_empty() => b"\x00garbage\r\n\r\n".to_vec(),
            Fault::Garbage => body.clone().into_bytes(),
            Fault::Truncate => format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len() + 100
            )
            .into_bytes(),
        },
        Answer::Response {
            status,
            headers,
            body,
            framing,
            ..
        } => {
            let mut text = format!("HTTP/1.1 {status} Scripted\r\n");
            if ends {
                text.push_str("connection: close\r\n");
            }
            let own = ["content-length", "transfer-encoding", "connection"];
            for (name, value) in headers {
                if !own.contains(&name.to_ascii_lowercase().as_str()) {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
            }
            match framing {
                Some(Framing::CloseDelimited) => text.push_str(&format!("\r\n{body}")),
                Some(Framing::Chunked) => text.push_str(&format!(
                    "transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                    body.len()
                )),
                None if matches!(status, 204 | 304) => text.push_str("\r\n"),
                None => text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len())),
            }
            text.into_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(connection: Option<u64>, headers: &[(&str, &str)]) -> Line {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Line {
            role: Role::Call,
            method: "GET".to_owned(),
            target: "/".to_owned(),
            answer: Answer::Response {
                status: 200,
                _reason: serde_json::Value::Null,
                headers: headers.iter().map(owned).collect(),
                body: "{}".to_owned(),
                framing: None,
            },
            connection,
        }
    }

    fn ends(lines: Vec<Line>) -> Vec<bool> {
        let count = lines.len();
        let mut state = State {
            lines,
            next: 0,
            arrived: Vec::new(),
        };
        let request = Arrived {
            exchange: None,
            connection: 1,
            method: "GET".to_owned(),
            target: "/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        (0..count)
            .map(|_| state.answer(request.clone()).1)
            .collect()
    }

    #[test]
    fn a_server_that_closes_after_each_answer_does_so_here_too() {
        let closing = || line(None, &[("Connection", "close")]);
        assert_eq!(ends(vec![closing(), closing()]), [true, true]);
        let numbered = |number| line(Some(number), &[]);
        let lines = vec![numbered(1), numbered(2), numbered(2)];
        assert_eq!(ends(lines), [true, false, false]);
        let text = String::from_utf8(bytes(&closing().answer, true)).unwrap();
        assert_eq!(text.matches("connection: close").count(), 1, "{text}");
    }
}
