//! Functions that make no request.

use serde_json::Value;
use vouchsafe::astakos::{Catalog, EndpointFilter, ErrorKind, join_urls, token_from_cookie_value};

use crate::vectors::report::{Judgement, Report};
use crate::vectors::schema::unknown_key;

/// Judges the cases of a file.
pub(super) fn run(file: &Value, cases: &[Value], report: &mut Report) {
    for case in cases {
        let mut judgement = Judgement::default();
        judge(file, case, &mut judgement);
        report.add(case["id"].as_str().unwrap_or_default(), judgement);
    }
}

/// Judges one case.
pub(super) fn judge(file: &Value, case: &Value, judgement: &mut Judgement) {
    judgement.judged();
    if let Some(key) = unknown_key(case, KEYS) {
        return judgement.differ(format!("unknown key {key:?}"));
    }
    match case["function"].as_str() {
        Some("get_token_from_cookie") => cookie(case, judgement),
        Some("parse_endpoints") => endpoints(file, case, judgement),
        Some("join_urls") => {
            let parts = case["args"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            match parts {
                [Value::String(one), Value::String(other)] => {
                    expect(case, join_urls(one, other).into(), judgement);
                }
                [_, _] => judgement.waive("a part of a URL that is no text"),
                _ => judgement.differ("join_urls takes two arguments"),
            }
        }
        other => judgement.differ(format!("no runner for {other:?}")),
    }
}

const KEYS: &[&str] = &[
    "id",
    "function",
    "note",
    "returns",
    "raises",
    "cookies",
    "cookie_name",
    "catalog",
    "filters",
    "args",
];

fn cookie(case: &Value, judgement: &mut Judgement) {
    let name = case["cookie_name"].as_str().unwrap_or_default();
    let token = case["cookies"][name]
        .as_str()
        .and_then(token_from_cookie_value)
        .map_or(Value::Null, |token| token.expose().into());
    expect(case, token, judgement);
}

fn endpoints(file: &Value, case: &Value, judgement: &mut Judgement) {
    let document = match &case["catalog"] {
        Value::String(name) if name == "sample" => &file["sample_catalog"],
        inline => inline,
    };
    let list = document
        .pointer("/access/serviceCatalog")
        .unwrap_or(if document.is_array() {
            document
        } else {
            &Value::Null
        });
    let mut filter = EndpointFilter::new();
    for (key, value) in case["filters"].as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::String(value) => value,
            _ => return judgement.waive("a filter that is no text"),
        };
        filter = match key.as_str() {
            "name" => filter.name(value),
            "type" => filter.service_type(value),
            "region" => filter.region(value),
            "version_id" => filter.version_id(value),
            other => return judgement.differ(format!("unknown filter {other}")),
        };
    }
    // A document without a catalog has no endpoints, as the client says of it.
    let catalog: Catalog = serde_json::from_value(list.clone()).unwrap_or_default();
    match (catalog.filter(&filter), case.get("raises")) {
        (Ok(found), None) => {
            expect(
                case,
                serde_json::to_value(found).unwrap_or_default(),
                judgement,
            );
        }
        (Err(error), Some(raised))
            if error.kind() == ErrorKind::NoEndpoints && raised["class"] == "NoEndpoints" => {}
        (got, raises) => judgement.differ(format!("expected {raises:?}, got {got:?}")),
    }
}

fn expect(case: &Value, got: Value, judgement: &mut Judgement) {
    match (case.get("returns"), case.get("raises")) {
        (Some(returns), None) if *returns == got => {}
        (returns, raises) => {
            judgement.differ(format!("expected {returns:?} or {raises:?}, got {got}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(case: Value) -> Judgement {
        let mut judgement = Judgement::default();
        judge(&Value::Null, &case, &mut judgement);
        judgement
    }

    #[test]
    fn what_a_type_cannot_hold_is_left_out_and_what_is_unknown_fails() {
        let one = judged(json!({"function": "join_urls", "args": ["/a", null], "returns": null}));
        assert!(
            one.differences().is_empty() && one.rule().is_some(),
            "{one:?}"
        );
        for case in [
            json!({"function": "join_urls", "args": ["/a"], "returns": "/a"}),
            json!({"function": "join_urls", "args": ["/a", "b"], "returns": "/a/b", "strict": true}),
            json!({"function": "get_token", "args": []}),
            json!({"function": "get_token_from_cookie", "cookies": null, "cookie_name": "c"}),
            json!({"function": "get_token_from_cookie", "cookies": null, "cookie_name": "c",
                   "returns": null, "raises": {"class": "BadValue"}}),
            json!({"function": "parse_endpoints", "catalog": [], "filters": {"colour": "x"}}),
            json!({"function": "parse_endpoints", "catalog": {}, "filters": {},
                   "raises": {"class": "BadValue"}}),
        ] {
            assert!(!judged(case.clone()).differences().is_empty(), "{case}");
        }
    }
}
