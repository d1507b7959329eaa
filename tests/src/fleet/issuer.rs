//! An authorization server that counts, and an API that takes what it issued.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vouchsafe::core::mock::{Handler, Host, Serving, respond};
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{Clock as _, SystemClock};

use super::ground::{CLIENT_ID, CLIENT_SECRET, FIRST};

/// What happens to a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Rotation {
    /// It stays good.
    Keeps,
    /// Another takes its place, and it stays good until one that took it is used.
    Overlaps,
    /// Another takes its place at once.
    Rotates,
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keeps => "keeps",
            Self::Overlaps => "overlaps",
            Self::Rotates => "rotates",
        })
    }
}

/// What an access token that is of no use looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Dead {
    /// It says so itself.
    Expired,
    /// Only the API says so.
    Refused,
}

impl Dead {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }

    /// Returns such a token.
    pub(super) fn token(self) -> String {
        let now = now();
        jwt(&match self {
            Self::Expired => json!({"exp": now - 60, "iat": now - 3660, "n": 0}),
            Self::Refused => json!({"exp": now + LIFE, "iat": now - 60, "n": 0}),
        })
    }
}

/// The server. Clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    state: Arc<State>,
    host: Host,
}

#[derive(Debug)]
struct State {
    rotation: Rotation,
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    counts: Counts,
    /// The refresh tokens that are good.
    good: Vec<String>,
    access_tokens: Vec<String>,
}

/// What the server was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: usize,
    pub(super) refusals: usize,
    /// Calls of the API that were answered.
    pub(super) calls: usize,
}

impl Issuer {
    pub(super) fn new(rotation: Rotation) -> Self {
        let books = Books {
            counts: Counts::default(),
            good: vec![FIRST.to_owned()],
            access_tokens: Vec::new(),
        };
        let state = Arc::new(State {
            rotation,
            books: Mutex::new(books),
        });
        let host = Host::new(Arc::clone(&state) as Arc<dyn Handler>);
        Self { state, host }
    }

    /// Delays each answer, so that callers meet.
    pub(super) fn slow(self) -> Self {
        self.host.set_latency(Duration::from_millis(30));
        self
    }

    pub(super) async fn serve(&self, address: SocketAddr) -> Result<Serving, String> {
        let serving = self.host.serve(address).await;
        serving.map_err(|fault| fault.to_string())
    }

    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        self.host.transport()
    }

    pub(super) fn counts(&self) -> Counts {
        lock(&self.state.books).counts
    }

    /// Returns whether a refresh token would be taken.
    pub(super) fn takes(&self, refresh_token: &str) -> bool {
        let books = lock(&self.state.books);
        books.good.iter().any(|token| token == refresh_token)
    }

    /// Returns whether an access token is one that was issued.
    pub(super) fn issued(&self, access_token: &str) -> bool {
        let books = lock(&self.state.books);
        books
            .access_tokens
            .iter()
            .any(|token| token == access_token)
    }
}

impl State {
    fn token(&self, body: &Value) -> Response {
        let mut books = lock(&self.books);
        books.counts.requests += 1;
        let sent = body["refresh_token"].as_str().unwrap_or_default();
        let is_known = body["client_id"] == CLIENT_ID && body["client_secret"] == CLIENT_SECRET;
        let at = books.good.iter().position(|token| token == sent);
        let Some(at) = at.filter(|_| is_known) else {
            books.counts.refusals += 1;
            return respond::json(400, &json!({"error": "invalid_grant"}));
        };
        let number = books.access_tokens.len() + 1;
        let now = now();
        let access_token = jwt(&json!({"exp": now + LIFE, "iat": now, "n": number}));
        books.access_tokens.push(access_token.clone());
        let mut answer = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": LIFE.to_string(),
        });
        if self.rotation != Rotation::Keeps {
            let next = format!("rt-{number}");
            answer["refresh_token"] = next.as_str().into();
            match (self.rotation, at) {
                // The first is the one that the others replaced, none of which was used yet.
                (Rotation::Overlaps, 0) => {}
                (Rotation::Overlaps, _) => books.good = vec![sent.to_owned()],
                _ => books.good.clear(),
            }
            books.good.push(next);
        }
        respond::json(200, &answer)
    }
}

impl Handler for State {
    fn handle(&self, request: &Request) -> Response {
        if request.uri.path().ends_with("/RequestToken") {
            let body = serde_json::from_slice(&request.body).unwrap_or_default();
            return self.token(&body);
        }
        let presented = request.headers.get(http::header::AUTHORIZATION);
        let presented = presented.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let mut books = lock(&self.books);
        let tokens = &books.access_tokens;
        if presented.is_none_or(|presented| tokens.iter().all(|token| token != presented)) {
            return respond::json(401, &json!({"errorCode": "UNAUTHORIZED"}));
        }
        books.counts.calls += 1;
        respond::json(200, &json!({"user": {"Name": "name"}}))
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        None
    }
}

/// How long an access token lasts, in seconds: longer than any clock here is wrong.
const LIFE: u64 = 12 * 3600;

fn now() -> u64 {
    let since = SystemClock::new().now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({"alg": "none"})), part(claims))
}
