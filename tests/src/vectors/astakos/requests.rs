//! Whether the requests that arrived are those that were recorded.

use std::collections::BTreeMap;

use serde_json::Value;
use url::form_urlencoded;

use super::case::{Case, Request, Role};
use super::script::{Arrived, path};
use crate::vectors::report::Judgement;

const FORM: &str = "application/x-www-form-urlencoded";

/// Compares what arrived with what was recorded.
pub(super) fn judge(case: &Case, arrived: &[Arrived], judgement: &mut Judgement) {
    for (index, exchange) in case.exchanges.iter().enumerate() {
        let Some(got) = arrived.iter().find(|got| got.exchange == Some(index)) else {
            if exchange.role == Role::Call {
                judgement.differ(format!("request {index} was not sent"));
            }
            continue;
        };
        judgement.at(format!("request {index}"));
        if exchange.role == Role::Discovery && !got.body.is_empty() {
            judgement.differ("discovery sent a body");
        }
        compare(case, &exchange.request, got, judgement);
    }
    judgement.at("");
    extra(case, arrived, judgement);
    connections(case, arrived, judgement);
}

fn compare(case: &Case, expected: &Request, got: &Arrived, judgement: &mut Judgement) {
    let mut differ = |what: &str, expected: String, got: String| {
        if expected != got {
            judgement.differ(format!("{what}: expected {expected}, got {got}"));
        }
    };
    differ("method", expected.method.clone(), got.method.clone());
    differ(
        "path",
        path(&expected.target).into(),
        path(&got.target).into(),
    );
    differ(
        "query",
        pairs(query(&expected.target)),
        pairs(query(&got.target)),
    );
    let recorded = |name: &str| {
        let mut all = expected.headers.iter().filter(|(known, _)| known == name);
        all.next().map(|(_, value)| value.as_str())
    };
    for name in ["x-auth-token", "authorization"] {
        differ(
            name,
            format!("{:?}", recorded(name)),
            format!("{:?}", got.header(name)),
        );
    }
    let mut content_type = recorded("content-type");
    // Servers refuse the type that the recorded client sends (protocol section 7.3).
    let relabelled = case.call.method == "send_feedback" && !expected.body.is_empty();
    if relabelled && path(&expected.target).ends_with("/feedback") {
        content_type = Some(FORM);
    }
    if !expected.body.is_empty() {
        differ(
            "content-type",
            format!("{content_type:?}"),
            format!("{:?}", got.header("content-type")),
        );
    }
    let body = String::from_utf8_lossy(&got.body);
    if content_type == Some(FORM) {
        differ("form", pairs(&expected.body), pairs(&body));
        return;
    }
    match serde_json::from_str::<Value>(&expected.body) {
        Ok(mut json) => {
            // The server reads the other key alone.
            if case.call.method == "application_action" {
                rename_reasons(&mut json);
            }
            let got = serde_json::from_str(&body).unwrap_or(Value::Null);
            differ("body", sorted(json), sorted(got));
        }
        Err(_) => differ("body", expected.body.clone(), body.into_owned()),
    }
}

/// Requests that nothing was recorded for.
fn extra(case: &Case, arrived: &[Arrived], judgement: &mut Judgement) {
    let extra: Vec<_> = arrived
        .iter()
        .filter(|got| got.exchange.is_none())
        .collect();
    let last = case.exchanges.last();
    let last_is = |word: &str| last.is_some_and(|last| last.response["fault"] == word);
    for got in &extra {
        if case
            .port
            .as_ref()
            .is_some_and(|port| port.sends_form.is_some())
        {
            continue;
        }
        if case.goes_on {
            judgement.waive("a port goes on where the recorded client stopped");
            continue;
        }
        let again = last.is_some_and(|last| last.request.target == got.target);
        if case.client.use_pool && last_is("close") && again && extra.len() == 1 {
            judgement.waive("a reused connection that died may be replaced, once");
        } else if case.call.method == "get_user_info" && got.target.ends_with("/tokens") {
            judgement.waive("what later servers lack is asked of authenticate (protocol 7.1)");
        } else {
            judgement.differ(format!("unexpected request {} {}", got.method, got.target));
        }
    }
    let form = case.port.as_ref().and_then(|port| port.sends_form.as_ref());
    if let Some(form) = form {
        let expected: BTreeMap<_, _> = form
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
            .collect();
        let sent: Vec<(String, String)> = arrived
            .last()
            .filter(|got| got.header("content-type") == Some(FORM))
            .map(|got| form_urlencoded::parse(&got.body).into_owned().collect())
            .unwrap_or_default();
        let got: BTreeMap<_, _> = sent.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        if got != expected {
            judgement.differ(format!("form: expected {expected:?}, got {got:?}"));
        }
    }
}

/// Equal numbers, same connection; other numbers, another one.
fn connections(case: &Case, arrived: &[Arrived], judgement: &mut Judgement) {
    let numbered: Vec<_> = case
        .exchanges
        .iter()
        .enumerate()
        .filter_map(|(index, exchange)| {
            let got = arrived.iter().find(|got| got.exchange == Some(index))?;
            Some((exchange.connection?, got.connection))
        })
        .collect();
    for (index, one) in numbered.iter().enumerate() {
        for other in &numbered[..index] {
            if (one.0 == other.0) != (one.1 == other.1) {
                judgement.differ(format!(
                    "connections: recorded {} and {}, got {} and {}",
                    other.0, one.0, other.1, one.1
                ));
            }
        }
    }
}

fn query(target: &str) -> &str {
    target.split_once('?').map_or("", |(_, query)| query)
}

/// Returns names and values in an order of their own; comma lists are sets.
fn pairs(text: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| {
            let mut items: Vec<_> = value.split(',').map(str::to_owned).collect();
            items.sort();
            (name.into_owned(), items)
        })
        .collect();
    pairs.sort();
    format!("{pairs:?}")
}

/// Writes a body with its provisions in an order of their own.
fn sorted(mut body: Value) -> String {
    if let Some(Value::Array(list)) = body.get_mut("provisions") {
        list.sort_by_key(ToString::to_string);
    }
    body.to_string()
}

fn rename_reasons(body: &mut Value) {
    for (_, argument) in body.as_object_mut().into_iter().flatten() {
        if let Some(argument) = argument.as_object_mut()
            && let Some(reasons) = argument.remove("reasons")
        {
            argument.insert("reason".to_owned(), reasons);
        }
    }
}
