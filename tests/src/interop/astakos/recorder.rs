//! The emulator, with all requests and answers recorded.

use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use vouchsafe::astakos::mock::Server;
use vouchsafe::core::transport::Request;

use super::super::recorder::{self, Exchange};

/// A recording server.
pub(super) struct Recorder {
    server: Server,
    recorder: recorder::Recorder,
}

fn exchange((request, response): &Exchange) -> Value {
    let target = request
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let body = String::from_utf8_lossy(&request.body);
    let headers = |headers: &http::HeaderMap| {
        let pairs = headers
            .iter()
            .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]));
        pairs.collect::<Vec<_>>()
    };
    // Without credentials it is the client looking for the parts.
    let is_discovery = target.ends_with("/tokens") && body.is_empty();
    json!({
        "role": if is_discovery { "discovery" } else { "call" },
        "request": {
            "method": request.method.as_str(),
            "target": target,
            "headers": headers(&request.headers),
            "body": body,
        },
        "response": {
            "status": response.status.as_u16(),
            "headers": headers(&response.headers),
            "body": String::from_utf8_lossy(&response.body),
        },
    })
}

impl Recorder {
    pub(super) async fn start() -> Result<Self, String> {
        let server = Server::new();
        let emulator = server.clone();
        let recorder = recorder::Recorder::start(move |request: &Request| {
            let mut forwarded = request.clone();
            // The OAuth 2.0 part wants https, which a proxy in front says it was.
            if forwarded.uri.path().ends_with("/oauth2/token") {
                let name = HeaderName::from_static("x-forwarded-proto");
                let https = HeaderValue::from_static("https");
                forwarded.headers.insert(name, https);
            }
            emulator.handle(&forwarded)
        });
        Ok(Self {
            server,
            recorder: recorder.await?,
        })
    }

    pub(super) fn auth_url(&self) -> String {
        format!("{}{}", self.recorder.url(), self.server.identity_path())
    }

    /// Returns the token of a user or a component; for any other text, an unknown token.
    pub(super) fn token(&self, whose: &str) -> Result<String, String> {
        let token = self
            .server
            .user_token(&format!("{whose}@example.org"))
            .or_else(|| self.server.service_token(whose));
        Ok(token.map_or_else(|| whose.to_owned(), |token| token.expose().to_owned()))
    }

    /// Returns a code for an OAuth 2.0 client.
    pub(super) fn authorize(&self, client: &str, secret: &str) -> String {
        let (address, user) = ("https://app.example.com/back", Server::alice());
        let code = self.server.authorize(client, secret, address, &user);
        code.expose().to_owned()
    }

    /// Returns the exchanges since the last time.
    pub(super) fn take(&self) -> Vec<Value> {
        self.recorder.take().iter().map(exchange).collect()
    }

    /// Records a call in the form of the vectors.
    pub(super) fn case(
        &self,
        call: &Value,
        token: &str,
        exchanges: Vec<Value>,
        answer: &Value,
    ) -> Value {
        let is = |method: &str| call["method"] == method;
        let differs = if is("send_feedback") {
            "must label the body application/x-www-form-urlencoded"
        } else if is("application_action") {
            "must send key \"reason\""
        } else {
            ""
        };
        let mut outcome = answer.clone();
        let is_refusal = |exchange: &&Value| exchange["response"]["status"].as_u64() >= Some(300);
        let last = exchanges.last().filter(is_refusal);
        if answer.get("raises").is_some() && last.is_some() {
            outcome["raises"]["body_of_exchange"] = (exchanges.len() - 1).into();
        }
        let case = json!({
            "id": call["name"],
            "api": "0.19",
            "server": "real",
            "client": {"token": token, "auth_url": self.auth_url(), "retry": 0, "use_pool": false},
            "call": {
                "method": call["method"],
                "args": call["args"],
                "kwargs": call["kwargs"],
                "property": call.get("property").is_some(),
            },
            "exchanges": exchanges,
            "outcome": outcome,
            "port": {"differs": differs},
        });
        // Ours is then asked at another address.
        let text = case.to_string().replace(&self.recorder.url(), "{{origin}}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}
