//! Requests and answers as the vectors write them.

use std::collections::BTreeSet;

use http::HeaderMap;
use serde_json::{Map, Value, json};
use vouchsafe::core::transport::Request;

use super::super::recorder::Exchange;
use crate::vectors;

/// Writes a call that was made down as a step.
pub(super) fn step(call: &Value, (asked, answered): &Exchange, got: &Value) -> Value {
    let mut response = json!({
        "status": answered.status.as_u16(),
        "headers": headers(&answered.headers, &["Content-Type", "Location"]),
    });
    let body = String::from_utf8_lossy(&answered.body);
    let media = response["headers"]["Content-Type"].as_str();
    if media.is_some_and(|media| media.starts_with("application/json")) {
        response["json"] = serde_json::from_str(&body).unwrap_or_default();
    } else if !body.is_empty() {
        response["body"] = body.into();
    }
    json!({
        "call": call,
        "request": request(asked),
        "response": response,
        "outcome": got,
    })
}

fn headers(all: &HeaderMap, names: &[&str]) -> Value {
    let found = names.iter().filter_map(|name| {
        let value = all.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.into()))
    });
    Value::Object(found.collect::<Map<_, _>>())
}

/// Writes a request down.
pub(super) fn request(asked: &Request) -> Value {
    let mut headers = headers(&asked.headers, &vectors::RECORDED_HEADERS);
    let media = headers["Content-Type"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let body = String::from_utf8_lossy(&asked.body);
    let (kind, boundary) = media.split_once("; boundary=").unwrap_or((&media, ""));
    if !kind.is_empty() {
        headers["Content-Type"] = kind.into();
    }
    let query = asked.uri.query().unwrap_or_default();
    let mut written = json!({
        "method": asked.method.as_str(),
        "path": asked.uri.path(),
        "query": pairs(query.as_bytes()),
        "headers": headers,
    });
    match kind {
        "application/json" => written["json"] = serde_json::from_str(&body).unwrap_or_default(),
        "application/x-www-form-urlencoded" => written["form"] = pairs(&asked.body).into(),
        "multipart/form-data" => written["multipart"] = parts(&body, boundary).into(),
        _ if !body.is_empty() => written["body"] = body.into(),
        _ => {}
    }
    written
}

fn pairs(text: &[u8]) -> Vec<Value> {
    let pairs = url::form_urlencoded::parse(text);
    pairs.map(|(name, value)| json!([name, value])).collect()
}

fn parts(body: &str, boundary: &str) -> Vec<Value> {
    let mark = format!("--{boundary}");
    let part = |piece: &str| {
        let (head, content) = piece.split_once("\r\n\r\n")?;
        let quoted = |name: &str| {
            let (_, rest) = head.split_once(&format!(" {name}=\""))?;
            Some(rest.split('"').next()?.to_owned())
        };
        Some(json!({
            "name": quoted("name")?,
            "filename": quoted("filename"),
            "content": content.strip_suffix("\r\n")?,
        }))
    };
    body.split(&mark).filter_map(part).collect()
}

/// Returns how a call differs from a recorded one.
pub(super) fn differences(step: &Value, sent: Option<&Value>, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, expected: &Value, got: &Value| {
        if expected != got {
            found.push(format!("{what}: recorded {expected}, got {got}"));
        }
    };
    let nothing = json!({});
    let recorded = step.get("request").filter(|request| !request.is_null());
    let recorded = recorded.unwrap_or(&nothing);
    let sent = sent.unwrap_or(&nothing);
    for member in ["method", "path", "headers", "json", "body"] {
        compare(member, &recorded[member], &sent[member]);
    }
    let set = |pairs: &Value| {
        let pairs = pairs.as_array().into_iter().flatten();
        let pairs: BTreeSet<String> = pairs.map(Value::to_string).collect();
        json!(pairs)
    };
    // Their order is that of arguments by name.
    for member in ["query", "form", "multipart"] {
        compare(member, &set(&recorded[member]), &set(&sent[member]));
    }

    let expected = &step["outcome"];
    let body = &step["response"]["json"];
    if let Some(raised) = expected.get("raises") {
        compare("kind", &raised["kind"], &got["raises"]["kind"]);
        compare("status", &raised["status"], &got["raises"]["status"]);
        if raised["kind"] == "http" {
            // A phrase of HTTP is written in another case by another server.
            let reason = |value: &Value| match value {
                Value::String(text) => text.to_lowercase().into(),
                other => other.clone(),
            };
            let (expected, got) = (&raised["reason"], &got["raises"]["reason"]);
            compare("reason", &reason(expected), &reason(got));
        }
        return found;
    }
    let expected = match expected["returns_body_member"].as_str() {
        Some(member) => &body[member],
        None if expected["returns_body"] == true => body,
        None => &expected["returns"],
    };
    match got.get("returns") {
        Some(returns) => compare("returns", expected, returns),
        None => compare("outcome", expected, got),
    }
    found
}
