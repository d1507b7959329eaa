//! The client, call by call: a stand-in gives each recorded answer, and what the client sends and
//! returns is compared with what the older client sent and returned.

mod calls;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};
use vouchsafe::core::BoxFuture;
use vouchsafe::core::call::described::{Parameter, Place};
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::wazo_auth::{Client, Error, OPERATIONS, Retry};

use crate::vectors::report::Judgement;

/// How the client deliberately differs from the older one.
const REFUSED: &str = "the client refuses before sending what the service would refuse or mistake";
const NOT_EXPRESSIBLE: &str = "a value or an option that the client's types cannot hold";
const NO_REQUEST: &str = "the older client failed before it sent anything";
const REMOVED: &str = "a route that the service no longer has, and the client does not call";
const REVOKED: &str = "the client reports a revocation that failed";
const AGENT: &str =
    "logins and checks of scopes carry the client's own User-Agent, not a fixed text";
const LOCATION: &str = "the older client cannot read the answer to a logout of SAML";

const NO_AGENT: &str = "a client without a User-Agent of its own names the program, which differs";

/// What the older client says of itself where its option is not used.
const FIXED_AGENT: &str = "Wazo Python auth client";

/// What a call gave.
enum Given {
    Value(Value),
    Nothing,
}

enum Done {
    Called(Result<Given, Error>),
    Waived(&'static str),
    Unknown,
}

/// Answers once, and keeps what it was asked.
///
/// Only a refusal without words is given with them when it is asked for: the client confirms it so,
/// and the older one does not.
#[derive(Debug)]
struct StandIn {
    answer: Mutex<Option<Response>>,
    asked: Mutex<Option<Request>>,
}

impl Transport for StandIn {
    fn send(&self, request: Request) -> BoxFuture<'_, vouchsafe::core::Result<Response>> {
        let (is_check, uri) = (request.method == Method::HEAD, request.uri.clone());
        let is_confirmation = lock(&self.asked).as_ref().is_some_and(|first| {
            (&first.method, &request.method) == (&Method::HEAD, &Method::GET) && first.uri == uri
        });
        if !is_confirmation {
            *lock(&self.asked) = Some(request);
        }
        let answer = lock(&self.answer).take();
        let reason = match answer.as_ref().map(|answer| answer.status.as_u16()) {
            Some(404) if is_check => Some("No such token"),
            Some(403) if is_check => Some("Unauthorized for a or b"),
            _ => None,
        };
        if let (Some(reason), Some(answer)) = (reason, &answer) {
            let mut confirmed = Response::new(answer.status);
            confirmed.body = json!({ "reason": [reason] }).to_string().into();
            *lock(&self.answer) = Some(confirmed);
        }
        Box::pin(std::future::ready(answer.ok_or_else(|| {
            vouchsafe::core::Error::new(vouchsafe::core::ErrorKind::Transport, "asked twice")
        })))
    }
}

/// Plays the calls of a scenario.
pub(super) async fn judge(scenario: &Value) -> Judgement {
    let mut judgement = Judgement::default();
    for step in scenario["steps"].as_array().into_iter().flatten() {
        if step["call"].is_object() {
            judgement.at(format!("step {}", step["n"]));
            play(step, &mut judgement).await;
        }
    }
    judgement
}

/// The headers of requests that are recorded, as they are spelled.
pub(crate) const HEADERS: [&str; 8] = [
    "Accept",
    "Authorization",
    "Connection",
    "Content-Type",
    "User-Agent",
    "Wazo-Session-Type",
    "Wazo-Tenant",
    "X-Auth-Token",
];

/// Where members of a step are, and those that are known.
const KNOWN: [(&str, &[&str]); 5] = [
    ("/call", &["command", "method", "args", "kwargs", "client"]),
    (
        "/call/client",
        &[
            "host",
            "https",
            "key_file",
            "master_tenant_uuid",
            "password",
            "port",
            "prefix",
            "tenant",
            "timeout",
            "token",
            "user_agent",
            "username",
            "verify_certificate",
            "version",
        ],
    ),
    ("/request/headers", &HEADERS),
    (
        "/outcome",
        &["raises", "returns", "returns_body", "returns_body_member"],
    ),
    ("/outcome/raises", &["kind", "reason", "status", "text"]),
];

pub(super) async fn play(step: &Value, judgement: &mut Judgement) {
    for (place, known) in KNOWN {
        let found = step.pointer(place);
        let names = found.into_iter().flat_map(super::answer::members);
        for name in names.filter(|name| !known.contains(name)) {
            judgement.differ(format!("{place} has a member {name:?} that is not known"));
        }
    }
    let call = &step["call"];
    if step["request"].is_null() {
        return judgement.waive(NO_REQUEST);
    }
    let stand_in = Arc::new(StandIn {
        answer: Mutex::new(Some(answer(&step["response"]))),
        asked: Mutex::default(),
    });
    let name = format!(
        "{}.{}",
        call["command"].as_str().unwrap_or("client"),
        call["method"].as_str().unwrap_or_default()
    );
    let args = call["args"].as_array().cloned().unwrap_or_default();
    let kwargs = call["kwargs"].as_object().cloned().unwrap_or_default();
    let kwargs = calls::named(&name, &args, kwargs);
    let by_call = ["tenant_uuid", "parent_uuid"]
        .iter()
        .any(|name| kwargs.contains_key(*name));
    // A tenant that was set later is seen in the request alone.
    let later = &step["request"]["headers"]["Wazo-Tenant"];
    let tenant = match &call["client"]["tenant"] {
        Value::Null if !by_call => later,
        tenant => tenant,
    };
    let client = match client(&call["client"], tenant, &stand_in) {
        Ok(client) => client,
        Err(fault) if fault.operation().is_none() => return judgement.waive(NOT_EXPRESSIBLE),
        Err(fault) => return judgement.differ(format!("no client: {fault}")),
    };
    // Of the call itself or of the client.
    let agents = [kwargs.get("user_agent"), call["client"].get("user_agent")];
    let names_agent = agents.into_iter().flatten().any(|agent| !agent.is_null());
    let called = calls::Called {
        client: &client,
        options: &call["client"],
        name: &name,
        args: &args,
    };
    let done = called.make(kwargs).await;
    let given = match done {
        Done::Called(given) => given,
        Done::Waived(rule) => return judgement.waive(rule),
        Done::Unknown => return judgement.differ(format!("no call of {name}")),
    };
    let asked = lock(&stand_in.asked).take();
    let Some(asked) = asked else {
        return match given {
            Err(_) => judgement.waive(REFUSED),
            Ok(_) => judgement.differ("nothing was sent"),
        };
    };
    judgement.judged();
    for difference in request(&step["request"], &asked, &name) {
        judgement.differ(difference);
    }
    if names_agent {
        agent(call, &step["request"], &asked, judgement);
    } else if !step["request"]["headers"]["User-Agent"].is_null() {
        judgement.waive(NO_AGENT);
    }
    outcome(step, given, &name, judgement);
}

fn client(options: &Value, tenant: &Value, stand_in: &Arc<StandIn>) -> Result<Client, Error> {
    let text = |name: &str| options[name].as_str();
    let mut builder = Client::builder()
        .host("127.0.0.1")
        .direct()
        .retry(Retry::none())
        .transport(Arc::clone(stand_in) as Arc<dyn Transport>)
        .prefix(text("prefix").unwrap_or_default())
        .version(text("version").unwrap_or("0.1"));
    if let Some(token) = text("token") {
        builder = builder.token(token);
    }
    if let Some(tenant) = tenant.as_str() {
        builder = builder.tenant(&tenant.parse()?);
    }
    let login = (text("username"), text("password"));
    if login != (None, None) {
        let (username, password) = login;
        builder = builder.credentials(username.unwrap_or_default(), password.unwrap_or_default());
    }
    if let Some(agent) = text("user_agent") {
        builder = builder.user_agent(agent);
    }
    builder.build()
}

/// Returns an answer as it was recorded.
pub(crate) fn answer(recorded: &Value) -> Response {
    let status = recorded["status"]
        .as_u64()
        .and_then(|code| u16::try_from(code).ok());
    let status = status.and_then(|code| StatusCode::from_u16(code).ok());
    let mut response = Response::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str());
        let value = value
            .as_str()
            .map(|value| HeaderValue::from_bytes(value.as_bytes()));
        if let (Ok(name), Some(Ok(value))) = (name, value) {
            response.headers.insert(name, value);
        }
    }
    response.body = match (&recorded["json"], &recorded["body"], recorded.get("json")) {
        (json, _, Some(_)) => json.to_string().into(),
        (_, Value::String(text), _) => text.clone().into(),
        _ if recorded["html"] == true => "<!doctype html>".into(),
        _ => "".into(),
    };
    response
}

/// Compares what the clients say of themselves.
fn agent(call: &Value, recorded: &Value, asked: &Request, judgement: &mut Judgement) {
    let recorded = recorded["headers"]["User-Agent"].as_str();
    let Some(recorded) = recorded else {
        return;
    };
    let own = &call["client"]["user_agent"];
    let expected = match own {
        Value::String(own) if recorded == FIXED_AGENT => {
            judgement.waive(AGENT);
            own
        }
        _ => recorded,
    };
    let got = asked.headers.get(http::header::USER_AGENT);
    let got = got.and_then(|value| value.to_str().ok());
    if got != Some(expected) {
        judgement.differ(format!("User-Agent: expected {expected:?}, got {got:?}"));
    }
}

/// Compares requests.
fn request(recorded: &Value, asked: &Request, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, expected: String, got: String| {
        if expected != got {
            found.push(format!("{what}: expected {expected}, got {got}"));
        }
    };
    let text = |name: &str| recorded[name].as_str().unwrap_or_default().to_owned();
    compare("method", text("method"), asked.method.to_string());
    compare("path", decoded(&text("path")), decoded(asked.uri.path()));
    let pairs = |pairs: Vec<(String, String)>| {
        let all: BTreeSet<_> = pairs.into_iter().collect();
        format!("{all:?}")
    };
    let query = asked.uri.query().unwrap_or_default().as_bytes();
    let query = url::form_urlencoded::parse(query).into_owned().collect();
    compare("query", pairs(recorded_query(recorded)), pairs(query));
    let header = |name: &str| {
        let value = asked
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let expected = |name: &str| {
        let value = recorded["headers"][name].as_str();
        value.unwrap_or_default().to_owned()
    };
    compare(
        "Wazo-Tenant",
        expected("Wazo-Tenant"),
        header("wazo-tenant"),
    );
    // The token is not sent where the service does not look at it.
    if !is_open(name) {
        compare(
            "X-Auth-Token",
            expected("X-Auth-Token"),
            header("x-auth-token"),
        );
    }
    if name == "token.new" {
        // Neither is a password beside a refresh token.
        if recorded["json"]["refresh_token"].is_null() {
            compare(
                "Authorization",
                expected("Authorization"),
                header("authorization"),
            );
        }
        compare(
            "Wazo-Session-Type",
            expected("Wazo-Session-Type"),
            header("wazo-session-type"),
        );
    }
    let media = header("content-type");
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    if let Some(json) = recorded.get("json") {
        let got = serde_json::from_str(&body).unwrap_or(Value::String(body));
        let (mut expected, got) = (members(name, json), members(name, &got));
        if let Value::Object(expected) = &mut expected {
            // The service drops members that it does not know, and typed bodies cannot have them.
            expected.retain(|member, _| got.get(member).is_some() || is_described(member));
        }
        compare("body", expected.to_string(), got.to_string());
    } else if let Some(form) = recorded["form"].as_array()
        && !media.starts_with("multipart/")
    {
        let expected = form.iter().map(pair).collect();
        let got = url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect();
        compare("form", pairs(expected), pairs(got));
    } else if let Some(parts) = parts(recorded) {
        let is_multipart = media.starts_with("multipart/form-data; boundary=");
        compare("media type", true.to_string(), is_multipart.to_string());
        for part in parts {
            let name = part["name"].as_str().unwrap_or_default();
            let content = part["content"].as_str().unwrap_or_default();
            let file = part["filename"].is_string();
            let head = format!("name=\"{name}\"");
            let has = |part: &str| {
                part.contains(&head)
                    && part.contains("filename=") == file
                    && part.contains(&format!("\r\n\r\n{content}\r\n"))
            };
            let is_there = body.split("--vouchsafe").any(has);
            compare(
                &format!("part {name}"),
                true.to_string(),
                is_there.to_string(),
            );
        }
    } else if recorded["body"].is_null() {
        compare("body", String::new(), body);
    }
    found
}

/// Returns whether any operation has this parameter in its query. The service ignores all others.
fn is_parameter(name: &str) -> bool {
    let in_query = |parameter: &&Parameter| !matches!(parameter.place, Place::Path | Place::Header);
    let mut all = OPERATIONS.iter().flat_map(|described| described.parameters);
    all.any(|parameter| parameter.name == name && in_query(&parameter))
}

/// Returns whether the description has this name for a member of anything.
fn is_described(member: &str) -> bool {
    let text = include_str!("../../../../../crates/wazo-auth/api/wazo-auth.openapi.yaml");
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut keys = text
        .split(':')
        .map(|before| before.rsplit(|c| !is_name(c)).next());
    keys.any(|key| key == Some(member))
}

/// Returns the recorded query, but for what the client leaves out: the tenant that is in the header
/// too, and parameters that the service does not know.
fn recorded_query(recorded: &Value) -> Vec<(String, String)> {
    let all = recorded["query"].as_array().into_iter().flatten().map(pair);
    let kept = all.filter(|(name, _)| name != "tenant_uuid" && is_parameter(name));
    let plain = |value: String| match value.as_str() {
        "True" | "False" => value.to_lowercase(),
        _ => value,
    };
    kept.map(|(name, value)| (name, plain(value))).collect()
}

fn pair(pair: &Value) -> (String, String) {
    let text = |at: usize| pair[at].as_str().unwrap_or_default().to_owned();
    (text(0), text(1))
}

/// Returns the parts of a form. The older client sends a form without files as plain fields.
fn parts(recorded: &Value) -> Option<Vec<Value>> {
    let of_fields = |fields: &Vec<Value>| {
        let part = |field: &Value| json!({"name": field[0], "content": field[1]});
        fields.iter().map(part).collect()
    };
    let fields = recorded["form"].as_array().map(of_fields);
    recorded["multipart"].as_array().cloned().or(fields)
}

/// Returns a body without what stands for nothing: nulls, empty lists, defaults, and members that the
/// service drops.
fn members(name: &str, body: &Value) -> Value {
    match body {
        Value::Object(all) => {
            let is_kept = |(member, value): &(&String, &Value)| match member.as_str() {
                "tenant_uuid" => false,
                "slug" => name != "tenants.edit",
                "confirmed" => name != "users.update_emails",
                "main" => *value == true,
                _ => !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()),
            };
            let kept = all.iter().filter(is_kept);
            let kept = kept.map(|(member, value)| (member.clone(), members(name, value)));
            Value::Object(kept.collect())
        }
        Value::Array(items) => items.iter().map(|item| members(name, item)).collect(),
        other => other.clone(),
    }
}

fn is_open(name: &str) -> bool {
    let of_tokens = ["token.new", "token.get", "token.is_valid", "token.check"];
    let others = [
        "token.check_scopes",
        "token.revoke",
        "backends.list",
        "status.check",
    ];
    let more = [
        "users.reset_password",
        "users.register",
        "saml.sso",
        "saml.acs",
    ];
    [&of_tokens[..], &others, &more].concat().contains(&name) || name.starts_with("client.")
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', "%2B");
    let parsed = url::form_urlencoded::parse(text.as_bytes());
    parsed.map(|(name, _)| name.into_owned()).collect()
}

fn outcome(step: &Value, given: Result<Given, Error>, name: &str, judgement: &mut Judgement) {
    let expected = &step["outcome"];
    let body = &step["response"]["json"];
    match (given, expected["raises"].is_object()) {
        (Err(error), true) => {
            let raised = &expected["raises"];
            let status = error.status().map(|status| u64::from(status.as_u16()));
            let expected = match raised["kind"].as_str() {
                Some("InvalidTokenException") => Some(404),
                Some("MissingPermissionsTokenException") => Some(403),
                _ => raised["status"].as_u64(),
            };
            if status != expected {
                judgement.differ(format!("expected {raised}, got {error}"));
            }
            // The older client reads `message` alone, and else has the phrase of HTTP.
            let reason = body["message"].as_str().or(body["reason"][0].as_str());
            let got = error.body().reason;
            if reason.is_some() && got.as_deref() != reason {
                judgement.differ(format!("reason: expected {reason:?}, got {got:?}"));
            }
        }
        (Err(_), false) if name == "token.revoke" => judgement.waive(REVOKED),
        (Err(error), false) => judgement.differ(format!("expected {expected}, got {error}")),
        (Ok(Given::Value(got)), true)
            if name == "saml.logout" && expected["raises"]["kind"] == "KeyError" =>
        {
            judgement.waive(LOCATION);
            if got != body["location"] {
                let location = &body["location"];
                judgement.differ(format!("location: sent {location}, read {got}"));
            }
        }
        (Ok(_), true) => judgement.differ(format!("expected {expected}, got a success")),
        (Ok(given), false) => {
            let expected = match (&expected["returns"], &expected["returns_body_member"]) {
                (Value::Null, Value::String(member)) => &body[member.as_str()],
                (Value::Null, _) if expected["returns_body"] == true => body,
                (value, _) => value,
            };
            match given {
                Given::Value(got) => {
                    for difference in differences(expected, &got, "") {
                        judgement.differ(difference);
                    }
                }
                // The answer to a new configuration is an empty text.
                Given::Nothing if expected.is_null() || *expected == "" => {}
                Given::Nothing => judgement.differ(format!("expected {expected}, got nothing")),
            }
        }
    }
}

/// Returns where a value that the client has read is not what was sent. What has a default may be
/// there beside.
fn differences(sent: &Value, read: &Value, place: &str) -> Vec<String> {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => {
            let member = |(name, value): (&String, &Value)| {
                let place = format!("{place}/{name}");
                match read.get(name) {
                    Some(read) => differences(value, read, &place),
                    None if is_left_out(name, value) => Vec::new(),
                    None => vec![format!("{place}: sent {value}, not read")],
                }
            };
            sent.iter().flat_map(member).collect()
        }
        (Value::Array(sent), Value::Array(read)) if sent.len() == read.len() => {
            let both = sent.iter().zip(read).enumerate();
            both.flat_map(|(at, (sent, read))| differences(sent, read, &format!("{place}/{at}")))
                .collect()
        }
        _ if sent == read => Vec::new(),
        _ => vec![format!("{place}: sent {sent}, read {read}")],
    }
}

/// Returns whether the client does not keep a member: nulls, and counts of lists without pages.
fn is_left_out(name: &str, value: &Value) -> bool {
    value.is_null() || ["total", "filtered"].contains(&name)
}

type Kwargs = Map<String, Value>;
