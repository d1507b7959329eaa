//! A server that answers as a case says, one exchange after the other, and writes down what it
//! was asked and over which connection.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
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
}

struct State {
    lines: Vec<Line>,
    next: usize,
    arrived: Vec<Arrived>,
}

impl State {
    /// Returns the answer to a request. A client that holds the catalog may leave a discovery
    /// out; past the end, the last answer comes again.
    fn answer(&mut self, mut request: Arrived) -> Answer {
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
        self.next += 1;
        self.arrived.push(request);
        answer
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
        reason: "OK".to_owned(),
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
        let answer = lock(state).answer(request);
        let bytes = bytes(&answer);
        stream.write_all(&bytes).await?;
        let goes_on = matches!(
            answer,
            Answer::Response { framing, .. } if framing != Some(Framing::CloseDelimited)
        );
        if !goes_on {
            return stream.shutdown().await;
        }
    }
    Ok(())
}

fn bytes(answer: &Answer) -> Vec<u8> {
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
            reason,
            headers,
            body,
            framing,
        } => {
            let mut text = format!("HTTP/1.1 {status} {reason}\r\n");
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

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
