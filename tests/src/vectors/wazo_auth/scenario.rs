//! Conversations replayed against the emulator.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use vouchsafe::core::mock::ManualClock;
use vouchsafe::core::transport::Request;
use vouchsafe::wazo_auth::mock::{Message, MessageKind, Seed, Server};

use super::super::report::Judgement;
use super::answer::{Compare, members};
use super::images::Images;

/// The host that the recorded service was reached at.
const HOST: &str = "127.0.0.1:19497";

/// Why a step cannot be replayed literally.
const SIGNED: &str = "a step that needs a freshly signed answer of an identity provider";

/// A step in which the client failed by itself.
const UNSENT: &str = "a step without a request, which says nothing of the service";

/// Replays a scenario.
pub(super) fn judge(fixture: &str, scenario: &Value, judgement: &mut Judgement) {
    let known = [
        "name",
        "title",
        "commands",
        "server_config",
        "replay_until",
        "steps",
    ];
    for name in members(scenario).filter(|name| !known.contains(name)) {
        judgement.differ(format!(
            "the scenario has a member {name:?} that is not known"
        ));
    }
    let Some(steps) = scenario["steps"].as_array() else {
        return judgement.differ("it has no steps");
    };
    let seed = match seed(fixture, scenario) {
        Ok(seed) => seed,
        Err(why) => return judgement.differ(why),
    };
    let clock = Arc::new(ManualClock::at_unix(1_795_000_000));
    let mut images = Images::of_fixture(fixture);
    let nobody = "00000000-0000-4000-8000-000000000000";
    images.bind(nobody, nobody);
    let mut replay = Replay {
        server: Server::builder().seed(seed).clock(clock).start(),
        images,
        messages: 0,
    };
    let last = scenario["replay_until"].as_u64().unwrap_or(u64::MAX);
    for (index, step) in steps.iter().enumerate() {
        let number = step["n"].as_u64().unwrap_or(index as u64 + 1);
        judgement.at(format!("step {number}"));
        if number > last {
            judgement.waive(SIGNED);
        } else if let Err(why) = replay.step(step, judgement) {
            return judgement.differ(why);
        }
    }
}

fn seed(fixture: &str, scenario: &Value) -> Result<Seed, String> {
    let seed = Seed::parse(fixture).map_err(|cause| cause.to_string())?;
    match &scenario["server_config"] {
        Value::Null => Ok(seed),
        Value::Object(config) => seed.configure(config).map_err(|cause| cause.to_string()),
        _ => Err("server_config is no object".to_owned()),
    }
}

struct Replay {
    server: Server,
    images: Images,
    /// How many messages were seen.
    messages: usize,
}

impl Replay {
    fn step(&mut self, step: &Value, judgement: &mut Judgement) -> Result<(), String> {
        let known = [
            "n", "note", "event", "call", "request", "response", "outcome", "volatile", "items",
            "subset",
        ];
        if let Some(name) = members(step).find(|name| !known.contains(name)) {
            return Err(format!("the step has a member {name:?} that is not known"));
        }
        if let Some(event) = step.get("event") {
            return self.event(event, judgement);
        }
        let compare = Compare::of(step);
        if compare.is_request_volatile() {
            judgement.waive(SIGNED);
            return Ok(());
        }
        if step["request"].is_null() {
            judgement.waive(UNSENT);
            return Ok(());
        }
        let request = self.request(&step["request"])?;
        let got = self.server.handle(&request);
        // The service takes its time, so what is made in turn is not made at once.
        self.server.clock().advance(Duration::from_millis(1));
        judgement.judged();
        let (images, expected) = (&mut self.images, &step["response"]);
        compare.response(images, expected, &got, &request, judgement);
        Ok(())
    }

    fn event(&mut self, event: &Value, judgement: &mut Judgement) -> Result<(), String> {
        for (name, value) in event.as_object().ok_or("the event is no object")? {
            match (name.as_str(), value) {
                ("sleep", Value::Number(seconds)) => {
                    let seconds = seconds.as_f64().unwrap_or_default();
                    let clock = self.server.clock();
                    clock.advance(Duration::from_secs_f64(seconds));
                }
                ("server", Value::String(state)) => match state.as_str() {
                    "database-down" => self.server.set_database_down(true),
                    "database-up" => self.server.set_database_down(false),
                    other => return Err(format!("the server cannot be {other:?}")),
                },
                ("email", expected) => {
                    judgement.judged();
                    let outbox = self.server.outbox();
                    match (expected, outbox.get(self.messages)) {
                        (Value::Null, None) => {}
                        (Value::Null, Some(_)) => {
                            judgement.differ("a message left the service, and none should have");
                        }
                        (_, None) => judgement.differ("no message left the service"),
                        (expected, Some(message)) => self.message(expected, message, judgement)?,
                    }
                    // Each event is about one message: a request may send several.
                    self.messages += usize::from(!expected.is_null());
                }
                _ => return Err(format!("the event {name:?}, with {value}, is not known")),
            }
        }
        Ok(())
    }

    fn message(
        &mut self,
        expected: &Value,
        got: &Message,
        judgement: &mut Judgement,
    ) -> Result<(), String> {
        let kind = match got.kind {
            MessageKind::Confirmation => "confirmation",
            MessageKind::PasswordReset => "password-reset",
            other => return Err(format!("messages of the kind {other:?} are not known")),
        };
        for (name, value) in expected.as_object().ok_or("the message is no object")? {
            let value = value.as_str().ok_or("a member of a message is no text")?;
            let got = match name.as_str() {
                "to" => got.to.as_str(),
                "kind" => kind,
                "link" => got.link.as_str(),
                // The emulator hands messages to the test, so they have no sender.
                "from" => continue,
                other => return Err(format!("a message has a member {other:?}")),
            };
            if !self.images.fits(value, got) {
                judgement.differ(format!("message.{name}: expected {value:?}, got {got:?}"));
            }
        }
        Ok(())
    }

    fn request(&mut self, recorded: &Value) -> Result<Request, String> {
        let known = [
            "method",
            "path",
            "query",
            "headers",
            "json",
            "form",
            "multipart",
            "body",
            "basic_auth",
        ];
        if let Some(name) = members(recorded).find(|name| !known.contains(name)) {
            return Err(format!(
                "the request has a member {name:?} that is not known"
            ));
        }
        let method = recorded["method"].as_str().unwrap_or_default();
        let method = Method::from_bytes(method.as_bytes()).map_err(|e| e.to_string())?;
        let path = self.path(recorded["path"].as_str().unwrap_or_default());
        let pairs = self.pairs(&recorded["query"])?;
        let query = match pairs.is_empty() {
            true => String::new(),
            false => format!("?{}", encoded(&pairs)),
        };
        let uri = format!("http://{HOST}{path}{query}").parse();
        let uri = uri.map_err(|cause| format!("{path}{query}: {cause}"))?;
        let mut request = Request::new(method, uri);
        for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
            let value = value.as_str().ok_or("a header is no text")?;
            let value = match name.eq_ignore_ascii_case("authorization") {
                true => self.credentials(value),
                false => self.images.map(value),
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|e| e.to_string())?;
            request.headers.insert(name, value);
        }
        let host = HeaderValue::from_static(HOST);
        request.headers.entry(http::header::HOST).or_insert(host);
        self.body(recorded, &mut request)?;
        Ok(request)
    }

    /// Maps each segment, and encodes what cannot stand on the wire.
    fn path(&self, path: &str) -> String {
        let segments = path.split('/').map(|segment| self.images.map(segment));
        let path = segments.collect::<Vec<_>>().join("/");
        utf8_percent_encode(&path, ON_THE_WIRE).to_string()
    }

    /// Maps what is within Basic credentials.
    fn credentials(&self, header: &str) -> String {
        let inner = header.strip_prefix("Basic ");
        let inner = inner.and_then(|text| STANDARD.decode(text).ok());
        match inner.map(String::from_utf8) {
            Some(Ok(text)) => format!("Basic {}", STANDARD.encode(self.images.map(&text))),
            _ => header.to_owned(),
        }
    }

    fn pairs(&self, pairs: &Value) -> Result<Vec<(String, String)>, String> {
        let pair = |pair: &Value| match (pair[0].as_str(), pair[1].as_str()) {
            (Some(name), Some(value)) => Ok((name.to_owned(), self.images.map(value))),
            _ => Err("a pair is not two texts".to_owned()),
        };
        pairs.as_array().into_iter().flatten().map(pair).collect()
    }

    fn body(&self, recorded: &Value, request: &mut Request) -> Result<(), String> {
        if let Some(json) = recorded.get("json") {
            request.body = self.images.mapped(json).to_string().into();
            return Ok(());
        }
        if let Some(body) = recorded.get("body") {
            let body = body.as_str().ok_or("a body is no text")?;
            request.body = self.images.map(body).into();
            return Ok(());
        }
        let kind = if let Some(form) = recorded.get("form") {
            request.body = encoded(&self.pairs(form)?).into();
            "application/x-www-form-urlencoded"
        } else if let Some(parts) = recorded.get("multipart") {
            request.body = self.multipart(parts)?.into();
            "multipart/form-data; boundary=vectors"
        } else {
            return Ok(());
        };
        let kind = HeaderValue::from_static(kind);
        request.headers.insert(http::header::CONTENT_TYPE, kind);
        Ok(())
    }

    fn multipart(&self, parts: &Value) -> Result<String, String> {
        let mut body = String::new();
        for part in parts.as_array().into_iter().flatten() {
            let text = |name: &str| part[name].as_str().map(|text| self.images.map(text));
            let name = text("name").ok_or("a part has no name")?;
            body += &format!("--vectors\r\nContent-Disposition: form-data; name=\"{name}\"");
            if let Some(name) = text("filename") {
                body += &format!("; filename=\"{name}\"\r\nContent-Type: application/xml");
            }
            body += &format!("\r\n\r\n{}\r\n", text("content").unwrap_or_default());
        }
        Ok(body + "--vectors--\r\n")
    }
}

/// What cannot stand in a path as it is. A percent sign is there for an escape.
const ON_THE_WIRE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

fn encoded(pairs: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = pairs.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}
