//! Replays recorded exchanges against an emulator.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Map, Value, json};
use vouchsafe::core::timestamp;
use vouchsafe::core::transport::{Request, Response};

use super::compare::{Comparison, find, is_token, path_and_key, put};
use super::report::Judgement;
use super::schema::{Capture, Exchange};

/// The server under test, as the exchanges see it.
pub(super) trait Server {
    /// Answers one request.
    fn handle(&self, request: &Request) -> Response;

    /// Returns the server's time, in seconds since the epoch.
    fn now(&self) -> i64;

    /// Returns scheme and host, such as `https://data.example.com`.
    fn base(&self) -> String;
}

/// Performs exchanges in order and judges each answer.
pub(super) fn judge(
    server: &dyn Server,
    exchanges: &[Exchange],
    captures: &[Capture],
    judgement: &mut Judgement,
) {
    let mut substitutions: Vec<(String, String)> = Vec::new();
    for (index, exchange) in exchanges.iter().enumerate() {
        if exchanges.len() > 1 {
            judgement.at(format!("step {index}"));
        }
        let exchange = substituted(exchange, &substitutions);
        let request = match request(server, &exchange) {
            Ok(request) => request,
            Err(why) => {
                judgement.differ(format!("the request cannot be formed: {why}"));
                return;
            }
        };
        if exchange.response["status"] == 409 {
            // A conflict presupposes what it conflicts with. Another case made that, on the
            // recorded server; here the same request does, if it is not there already.
            let _ = server.handle(&request);
        }
        let got = server.handle(&request);
        judgement.judged();
        for difference in differences(server, &exchange, &got) {
            judgement.differ(difference);
        }
        let seen = json!({"response": shown(&exchange.response, &got)});
        for capture in captures.iter().filter(|capture| capture.step == index) {
            match find(&seen, &capture.from).and_then(Value::as_str) {
                Some(value) => {
                    substitutions.extend(substitution(&capture.placeholder, value));
                }
                None => judgement.differ(format!("nothing to capture at {}", capture.from)),
            }
        }
    }
}

fn request(server: &dyn Server, exchange: &Exchange) -> Result<Request, String> {
    let mut case = json!({"request": exchange.request});
    for (place, seconds) in &exchange.relative_time {
        let place = match place.split('.').next() {
            Some("request") => place.clone(),
            Some("body" | "headers" | "path" | "raw_body") => format!("request.{place}"),
            // A member of the body by its name alone.
            _ => format!("request.body.{place}"),
        };
        let time = server.now() + seconds;
        let value = match find(&case, &place) {
            Some(Value::String(text)) if text.parse::<i64>().is_ok() => json!(time.to_string()),
            Some(Value::String(_)) => json!(iso_time(time)),
            _ => json!(time),
        };
        put(&mut case, &place, value);
    }
    let case = &case["request"];
    let text = |name: &str| case[name].as_str().unwrap_or_default();
    let method = Method::from_bytes(text("method").as_bytes()).map_err(|e| e.to_string())?;
    let path = on_the_wire(text("path"));
    let uri: Uri = format!("{}{path}", server.base())
        .parse()
        .map_err(|e: http::uri::InvalidUri| e.to_string())?;
    let mut request = Request::new(method, uri);
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let value = HeaderValue::from_bytes(value.as_str().unwrap_or_default().as_bytes())
                .map_err(|e| e.to_string())?;
            request.headers.append(name.clone(), value);
        }
    }
    if !request.headers.contains_key(http::header::HOST) {
        let host = request.uri.authority().map(|host| host.as_str());
        let host = HeaderValue::from_str(host.unwrap_or_default()).map_err(|e| e.to_string())?;
        request.headers.insert(http::header::HOST, host);
    }
    match (case.get("body"), case.get("raw_body")) {
        (_, Some(Value::String(raw))) => request.body = raw.clone().into(),
        (Some(body), _) => request.body = body.to_string().into(),
        (None, _) => {}
    }
    Ok(request)
}

/// Writes a target as an HTTP library would send it.
pub(super) fn on_the_wire(target: &str) -> String {
    let encoded = |byte| match byte {
        0..=0x20 | 0x7f.. => format!("%{byte:02X}"),
        _ => char::from(byte).to_string(),
    };
    target.bytes().map(encoded).collect()
}

fn differences(server: &dyn Server, exchange: &Exchange, got: &Response) -> Vec<String> {
    let comparison = Comparison::default()
        .volatile(&exchange.volatile)
        .unordered(&exchange.unordered)
        .informative(is_library_item);
    let mut expected = exchange.response.clone();
    if let Some(Value::String(location)) = expected.pointer_mut("/headers/location") {
        *location = location.replace("{base}", &server.base());
    }
    let mut got = shown(&expected, got);
    if let (Some(expected), Some(got)) = (expected.get("body"), got.get_mut("body")) {
        align_lifetimes(expected, got, "response.body", &exchange.volatile);
    }
    let mut found = comparison.differences(&expected, &got, "response");
    if let Some(Value::String(location)) = find(&got, "headers.location")
        && let Some(Value::String(token)) = find(&got, "body.token")
        && is_token(token)
        && path_and_key(location).is_none_or(|(_, key)| Some(key) != key_of(token))
    {
        found.push("response.headers.location: does not end in the new token's key".to_owned());
    }
    found
}

/// Where the time at which something was made does not count, how long it lives does, and not
/// the moment of its end: an end that follows from the same lifetime becomes the expected one.
fn align_lifetimes(expected: &Value, got: &mut Value, place: &str, volatile: &[String]) {
    match (expected, &mut *got) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, member) in one {
                if let Some(got) = other.get_mut(name) {
                    align_lifetimes(member, got, &format!("{place}.{name}"), volatile);
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for (index, (item, got)) in one.iter().zip(other).enumerate() {
                align_lifetimes(item, got, &format!("{place}.{index}"), volatile);
            }
        }
        _ => return,
    }
    let lifetime = |value: &Value| Some(value["expires"].as_i64()? - value["created"].as_i64()?);
    let is_volatile = Comparison::default()
        .volatile(volatile)
        .is_volatile(&format!("{place}.created"));
    if is_volatile && lifetime(expected).is_some() && lifetime(expected) == lifetime(got) {
        got["expires"] = expected["expires"].clone();
    }
}

/// Returns an answer in the shape of the expected one: only what that speaks of.
fn shown(expected: &Value, got: &Response) -> Value {
    let mut shown = json!({"status": got.status.as_u16()});
    if let Some(Value::Object(headers)) = expected.get("headers") {
        let listed: Map<String, Value> = headers
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), header(&got.headers, name, value)?)))
            .collect();
        shown["headers"] = Value::Object(listed);
    }
    if expected.get("text").is_some() {
        shown["text"] = String::from_utf8_lossy(&got.body).into_owned().into();
    }
    if expected.get("body").is_some() {
        shown["body"] = serde_json::from_slice(&got.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&got.body).into_owned().into());
    }
    shown
}

/// Returns a header in the form of the expected one: text, a list if it is repeated, or the
/// expected text itself if both are the same JSON spelled differently.
fn header(headers: &HeaderMap, name: &str, expected: &Value) -> Option<Value> {
    let mut values: Vec<Value> = headers
        .get_all(name)
        .iter()
        .map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .into_owned()
                .into()
        })
        .collect();
    if expected.is_array() {
        return Some(Value::Array(values));
    }
    if values.len() > 1 {
        return Some(Value::Array(values));
    }
    let got = values.pop()?;
    let json = |value: &Value| serde_json::from_str::<Value>(value.as_str()?).ok();
    match (json(expected), json(&got)) {
        (Some(one), Some(other))
            if one.is_object()
                && Comparison::default()
                    .informative(is_library_item)
                    .differences(&one, &other, "")
                    .is_empty() =>
        {
            Some(expected.clone())
        }
        _ => Some(got),
    }
}

/// An item that the server's validation library made: those repeat the input, or carry a context,
/// and their texts belong to that library and not to the protocol.
fn is_library_item(item: &Value) -> bool {
    item.get("type").is_some() && (item.get("input").is_some() || item.get("ctx").is_some())
}

/// Returns what to replace after a value was captured: the whole, and the key inside a token.
fn substitution(placeholder: &str, value: &str) -> Vec<(String, String)> {
    let mut all = vec![(placeholder.to_owned(), value.to_owned())];
    if let (Some(old), Some(new)) = (key_of(placeholder), key_of(value)) {
        all.push((old.to_owned(), new.to_owned()));
    }
    all
}

fn key_of(token: &str) -> Option<&str> {
    Some(token.strip_prefix("gt-")?.split_once('.')?.0)
}

fn substituted(exchange: &Exchange, substitutions: &[(String, String)]) -> Exchange {
    let mut exchange = exchange.clone();
    for (old, new) in substitutions {
        replace(&mut exchange.request, old, new);
        replace(&mut exchange.response, old, new);
    }
    exchange
}

fn replace(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text.contains(old) => *text = text.replace(old, new),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, old, new)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| replace(member, old, new)),
        _ => {}
    }
}

/// Writes seconds since the epoch as a date.
fn iso_time(seconds: i64) -> String {
    let at = timestamp::from_unix_seconds(seconds).expect("the machine can hold any of them");
    timestamp::format(at)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    /// Makes a token on POST, and says on GET what it was sent.
    struct Echo;

    impl Server for Echo {
        fn handle(&self, request: &Request) -> Response {
            let mut response = Response::new(StatusCode::OK);
            let key = "k".repeat(22);
            response.body = if request.method == Method::POST {
                let location = HeaderValue::from_str(&format!("/tokens/{key}")).unwrap();
                response.headers.insert("location", location);
                json!({"token": format!("gt-{key}.{}", "s".repeat(22)), "sent": request.body.len()})
                    .to_string()
                    .into()
            } else {
                json!({"path": request.uri.path(), "host": request.headers["host"].to_str().unwrap()})
                    .to_string()
                    .into()
            };
            response
        }

        fn now(&self) -> i64 {
            1_000
        }

        fn base(&self) -> String {
            "https://e.org".to_owned()
        }
    }

    fn run(exchanges: Value, captures: Value) -> Judgement {
        let exchanges: Vec<Exchange> = serde_json::from_value(exchanges).unwrap();
        let captures: Vec<Capture> = serde_json::from_value(captures).unwrap();
        let mut judgement = Judgement::default();
        judge(&Echo, &exchanges, &captures, &mut judgement);
        judgement
    }

    #[test]
    fn a_captured_token_is_replaced_in_later_steps_whole_and_by_its_key() {
        let (old, new) = ("o".repeat(22), "k".repeat(22));
        let token = format!("gt-{old}.{old}");
        let judgement = run(
            json!([
                {"request": {"method": "POST", "path": "/tokens", "headers": {}},
                 "response": {"status": 200, "headers": {"location": format!("/tokens/{old}")},
                              "body": {"token": token, "sent": 0}},
                 "volatile": ["response.body.token", "response.headers.location"]},
                {"request": {"method": "GET", "path": format!("/tokens/{old}"), "headers": {}},
                 "response": {"status": 200,
                              "body": {"path": format!("/tokens/{new}"), "host": "e.org"}}},
            ]),
            json!([{"step": 0, "from": "response.body.token", "placeholder": token}]),
        );
        assert_eq!(
            format!("{judgement:?}").matches("expected").count(),
            0,
            "{judgement:?}"
        );
    }

    #[test]
    fn a_wrong_answer_is_reported_with_its_position() {
        let judgement = run(
            json!([{"request": {"method": "GET", "path": "/a b", "headers": {}},
                    "response": {"status": 404, "headers": {"x-missing": "1"},
                                 "body": {"path": "/a%20b", "host": "e.org"}}}]),
            json!([]),
        );
        let text = format!("{judgement:?}");
        assert!(
            text.contains("response.status: expected 404, got 200"),
            "{text}"
        );
        assert!(
            text.contains("response.headers.x-missing: expected \\\"1\\\", got nothing"),
            "{text}"
        );
        assert!(!text.contains("body.path"), "{text}");
    }

    #[test]
    fn an_end_counts_by_the_lifetime_where_the_beginning_is_volatile() {
        let volatile = ["response.body.created".to_owned()];
        let expected = json!({"created": 100, "expires": 150});
        for (end, aligned) in [(250, 150), (251, 251)] {
            let mut got = json!({"created": 200, "expires": end});
            align_lifetimes(&expected, &mut got, "response.body", &volatile);
            assert_eq!(got["expires"], aligned);
            let mut got = json!({"created": 200, "expires": end});
            align_lifetimes(&expected, &mut got, "response.body", &[]);
            assert_eq!(got["expires"], end);
        }
    }

    #[test]
    fn relative_times_are_put_into_the_request() {
        let mut exchange: Exchange = serde_json::from_value(json!({
            "request": {"method": "POST", "path": "/", "headers": {}, "body": {"expires": 0}},
            "response": {"status": 200}
        }))
        .unwrap();
        for place in ["request.body.expires", "body.expires", "expires"] {
            exchange.relative_time = [(place.to_owned(), 299)].into();
            let sent = request(&Echo, &exchange).unwrap();
            assert_eq!(sent.body, r#"{"expires":1299}"#, "{place}");
        }
        exchange.request["body"]["expires"] = json!("2020-01-01T00:00:00Z");
        let sent = request(&Echo, &exchange).unwrap();
        assert_eq!(sent.body, r#"{"expires":"1970-01-01T00:21:39Z"}"#);
    }
}
