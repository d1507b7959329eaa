//! Functions that make no request.

use serde_json::Value;
use vouchsafe::astakos::{Catalog, EndpointFilter, ErrorKind, join_urls, token_from_cookie_value};

use crate::vectors::report::{Judgement, Report};

/// Judges the cases of a file.
pub(super) fn run(file: &Value, report: &mut Report) {
    for case in file["cases"].as_array().into_iter().flatten() {
        let mut judgement = Judgement::default();
        judge(file, case, &mut judgement);
        report.add(case["id"].as_str().unwrap_or_default(), judgement);
    }
}

/// Judges one case.
pub(super) fn judge(file: &Value, case: &Value, judgement: &mut Judgement) {
    judgement.judged();
    match case["function"].as_str() {
        Some("get_token_from_cookie") => cookie(case, judgement),
        Some("parse_endpoints") => endpoints(file, case, judgement),
        Some("join_urls") => {
            let part = |index: usize| case["args"][index].as_str().unwrap_or_default();
            expect(case, join_urls(part(0), part(1)).into(), judgement);
        }
        other => judgement.differ(format!("no runner for {other:?}")),
    }
}

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
        let value = value.as_str().unwrap_or_default();
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
        (Err(error), Some(_)) if error.kind() == ErrorKind::NoEndpoints => {}
        (got, raises) => judgement.differ(format!("expected {raises:?}, got {got:?}")),
    }
}

fn expect(case: &Value, got: Value, judgement: &mut Judgement) {
    if case["returns"] != got {
        judgement.differ(format!("expected {}, got {got}", case["returns"]));
    }
}
