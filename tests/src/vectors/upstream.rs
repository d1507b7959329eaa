//! A scripted server on a real loopback socket: it answers as a case says and records requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use vouchsafe::core::sync::lock;
use vouchsafe::core::task::Task;

use super::schema::Answer;

/// The server; dropping it closes all its connections.
#[derive(Debug)]
pub(super) struct Upstream {
    state: Arc<Mutex<State>>,
    base: String,
    _task: Task,
}

/// How texts of a case become texts on the wire, and back.
pub(super) trait Translate: Send + Sync + 'static {
    /// Returns the body that is sent instead of the one in the case.
    fn outgoing(&self, body: String) -> String;

    /// Returns the path that the case knows for the one that was asked.
    fn incoming_path(&self, path: &str) -> String;
}

/// A request that arrived, its path translated back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Arrived {
    /// Returns a header by its lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns what the script calls this route.
    pub(super) fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

#[derive(Debug, Default)]
struct State {
    routes: BTreeMap<String, Route>,
    arrived: Vec<Arrived>,
    in_flight: usize,
    max_in_flight: usize,
}

#[derive(Debug)]
struct Route {
    answers: Vec<Answer>,
    next: usize,
}

impl Route {
    /// Returns the next answer; the last one is repeated forever.
    fn peek(&self) -> Option<&Answer> {
        self.answers
            .get(self.next.min(self.answers.len().saturating_sub(1)))
    }
}

impl Upstream {
    /// Starts the server with the answers of each `METHOD /path`.
    pub(super) async fn start(
        routes: &BTreeMap<String, Vec<Answer>>,
        translate: Arc<dyn Translate>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let routes = routes
            .iter()
            .map(|(route, answers)| {
                let answers = answers.clone();
                (route.clone(), Route { answers, next: 0 })
            })
            .collect();
        let state = Arc::new(Mutex::new(State {
            routes,
            ..State::default()
        }));
        let shared = Shared {
            state: Arc::clone(&state),
            base: base.clone(),
            translate,
        };
        let task = Task::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                // A connection that breaks is the client's affair.
                connections.spawn(async move {
                    let _ = shared.serve(stream).await;
                });
            }
        });
        Ok(Self {
            state,
            base,
            _task: task,
        })
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Returns what has arrived since the last time this was asked, and how many requests were
    /// in flight at most.
    pub(super) fn take(&self) -> (Vec<Arrived>, usize) {
        let mut state = lock(&self.state);
        let most = std::mem::take(&mut state.max_in_flight);
        (std::mem::take(&mut state.arrived), most)
    }

    /// Returns the answer that the next request for a route gets.
    pub(super) fn next_answer(&self, route: &str) -> Answer {
        lock(&self.state)
            .routes
            .get(route)
            .and_then(Route::peek)
            .cloned()
            .unwrap_or_else(not_found)
    }

    /// Makes the last answer of a route come again.
    pub(super) fn give_back_answer(&self, route: &str) {
        if let Some(route) = lock(&self.state).routes.get_mut(route) {
            route.next = route.next.saturating_sub(1);
        }
    }

    /// Returns whether all routes but one take so long that requests side by side must meet.
    pub(super) fn is_slow(&self, except: &str) -> bool {
        let state = lock(&self.state);
        let mut routes = state.routes.iter().filter(|(name, _)| *name != except);
        routes.all(|(_, route)| route.peek().is_some_and(|answer| answer.delay_ms >= 20))
    }

    /// Returns the path of the API that discovery points to, if the script says so.
    pub(super) fn api_path(&self) -> Option<String> {
        let state = lock(&self.state);
        state.routes.iter().find_map(|(route, answers)| {
            let document = answers.peek()?.json.as_ref()?;
            let url = document
                .pointer("/services/internal/gafaelfawr/versions/v1/url")
                .filter(|_| route.ends_with("/discovery"))?;
            let path = url.as_str()?.strip_prefix("{base}")?;
            Some(path.trim_end_matches('/').to_owned())
        })
    }

    /// Uses up an answer, as if the route had been asked.
    pub(super) fn skip_answer(&self, route: &str) {
        if let Some(route) = lock(&self.state).routes.get_mut(route) {
            route.next += 1;
        }
    }
}

#[derive(Clone)]
struct Shared {
    state: Arc<Mutex<State>>,
    base: String,
    translate: Arc<dyn Translate>,
}

impl Shared {
    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut buffer = Vec::new();
        while let Some(mut request) = read_request(&mut stream, &mut buffer).await? {
            request.path = self.translate.incoming_path(&request.path);
            let answer = self.arrive(request);
            if answer.delay_ms > 0 {
                tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
            }
            // Before the bytes go: the client may ask again as soon as it has them.
            lock(&self.state).in_flight -= 1;
            if answer.drop {
                return Ok(());
            }
            stream.write_all(&self.bytes(&answer)).await?;
            if says_close(&answer) {
                return stream.shutdown().await;
            }
        }
        Ok(())
    }

    fn arrive(&self, request: Arrived) -> Answer {
        let mut state = lock(&self.state);
        let answer = match state.routes.get_mut(&request.route()) {
            Some(route) => {
                let answer = route.peek().cloned();
                route.next += 1;
                answer.unwrap_or_else(not_found)
            }
            None => not_found(),
        };
        state.arrived.push(request);
        state.in_flight += 1;
        state.max_in_flight = state.max_in_flight.max(state.in_flight);
        answer
    }

    fn bytes(&self, answer: &Answer) -> Vec<u8> {
        let status = answer.status();
        let body = self
            .translate
            .outgoing(answer.body().replace("{base}", &self.base));
        let content_type = answer.content_type.as_deref().unwrap_or({
            if answer.json.is_some() {
                "application/json"
            } else {
                "text/plain; charset=utf-8"
            }
        });
        let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
        let names = |name: &str| {
            answer
                .headers
                .keys()
                .any(|key| key.eq_ignore_ascii_case(name))
        };
        if !names("content-type") {
            let _ = write!(head, "content-type: {content_type}\r\n");
        }
        let own = ["content-length", "transfer-encoding"];
        let is_ours = |name: &str| own.iter().any(|own| name.eq_ignore_ascii_case(own));
        for (name, value) in answer.headers.iter().filter(|(name, _)| !is_ours(name)) {
            let value = value.replace("{base}", &self.base);
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if status == 204 || status == 304 {
            head.push_str("\r\n");
            return head.into_bytes();
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", body.len());
        head.push_str(&body);
        head.into_bytes()
    }
}

/// Returns whether the server closes the connection after an answer.
fn says_close(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
    })
}

fn not_found() -> Answer {
    Answer {
        status: Some(404),
        json: Some(serde_json::json!({"detail": "Not Found"})),
        ..Answer::default()
    }
}

/// Reads one request; `None` if the connection ends before one begins.
pub(super) async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Arrived>> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut request = Arrived {
        method: first.next().unwrap_or_default().to_owned(),
        path: first.next().unwrap_or_default().to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(0);
    let whole = end + 4 + length;
    while buffer.len() < whole {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    request.body = buffer[end + 4..whole].to_vec();
    buffer.drain(..whole);
    Ok(Some(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain;

    impl Translate for Plain {
        fn outgoing(&self, body: String) -> String {
            body
        }

        fn incoming_path(&self, path: &str) -> String {
            path.to_owned()
        }
    }

    async fn upstream(script: serde_json::Value) -> Upstream {
        let routes = serde_json::from_value(script).unwrap();
        Upstream::start(&routes, Arc::new(Plain)).await.unwrap()
    }

    async fn ask(stream: &mut TcpStream, request: &str) -> String {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    #[tokio::test]
    async fn answers_come_in_order_and_the_last_one_stays() {
        let upstream = upstream(serde_json::json!({
            "GET /a": [{"status": 500, "text": "at {base}"}, {"status": 200, "json": null}]
        }))
        .await;
        let address = upstream.base().strip_prefix("http://").unwrap().to_owned();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let first = ask(&mut stream, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(first.starts_with("HTTP/1.1 500 "), "{first}");
        assert!(
            first.ends_with(&format!("at {}", upstream.base())),
            "{first}"
        );
        for _ in 0..2 {
            let next = ask(&mut stream, "GET /a HTTP/1.1\r\n\r\n").await;
            assert!(next.ends_with("\r\n\r\nnull"), "{next}");
        }
        let post = "POST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        let other = ask(&mut stream, post).await;
        assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
        let (arrived, most) = upstream.take();
        assert_eq!((arrived.len(), most), (4, 1));
        assert_eq!(arrived[3].body, b"{}");
        assert_eq!(arrived[0].header("host"), Some("x"));
    }

    #[tokio::test]
    async fn a_server_that_closes_after_each_answer_closes() {
        let upstream = upstream(serde_json::json!({
            "GET /a": [{"json": 1, "headers": {"Connection": "close", "Content-Type": "x/y"}}]
        }))
        .await;
        let address = upstream.base().strip_prefix("http://").unwrap().to_owned();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let request = "GET /a HTTP/1.1\r\n\r\n";
        let answer = ask(&mut stream, request).await;
        assert!(answer.ends_with("\r\n\r\n1"), "{answer}");
        assert_eq!(answer.to_lowercase().matches("content-type").count(), 1);
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_dropped_connection_gets_no_byte() {
        let upstream = upstream(serde_json::json!({"GET /a": [{"drop": true}]})).await;
        let address = upstream.base().strip_prefix("http://").unwrap().to_owned();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        assert_eq!(ask(&mut stream, "GET /a HTTP/1.1\r\n\r\n").await, "");
    }
}
