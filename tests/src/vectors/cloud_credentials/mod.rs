//! The cases of cloud-credentials: what `pancloud` did, step by step, in a separate folder.

mod any;
mod attributes;
mod calls;
mod expected;
mod machine;
mod network;
mod order;
mod outcome;
mod program;
mod requests;
mod rule;
mod services;
mod stats;
mod steps;
mod verdict;
mod wire;

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use self::expected::Case;
use self::order::{OfCase, Orders};
use super::report::Judgement;
use super::{Error, Report};

/// Runs every file in a folder.
pub(super) async fn run(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let files = super::json_files(folder)?;
    if files.is_empty() {
        return Err(Error::Missing(folder.to_owned()));
    }
    for path in files {
        let file: File = super::read(&path)?;
        let orders: Orders = super::read(&path)?;
        if file.format != "cloud-credentials-vectors/1" {
            let why = format!("unknown format {:?}", file.format);
            return Err(Error::Unreadable(path, why));
        }
        for (case, order) in file.cases.into_iter().zip(orders.cases) {
            let id = case["id"].as_str().unwrap_or_default().to_owned();
            let mut judgement = Judgement::default();
            judge(&file.class, case, order, &mut judgement).await;
            report.add(&id, judgement);
        }
    }
    Ok(())
}

/// One file: the cases of a class.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    class: String,
    cases: Vec<Value>,
}

async fn judge(class: &str, case: Value, order: OfCase, judgement: &mut Judgement) {
    if class == "cli" {
        return program::judge(case, judgement).await;
    }
    let mut case = match serde_json::from_value::<Case>(case) {
        Ok(case) => case,
        Err(why) => return judgement.differ(format!("not a case of this schema: {why}")),
    };
    for (step, order) in case.steps.iter_mut().zip(order.steps) {
        step.params = order.args.params;
    }
    if case.class != class {
        return judgement.differ("the case is of another class than its file");
    }
    match case.policy.as_str() {
        "match" | "better" => {}
        "reference" => return judgement.waive("for information only"),
        other => return judgement.differ(format!("unknown policy {other:?}")),
    }
    match class {
        "authorization_url"
        | "auto_refresh"
        | "auto_retry"
        | "developer_token"
        | "directory_sync_service"
        | "endpoints"
        | "event_service"
        | "fetch_tokens"
        | "file_layouts"
        | "form_encoding"
        | "http_client"
        | "jwt"
        | "legacy_environment"
        | "logging_service"
        | "refresh"
        | "refresh_1_4"
        | "resolution"
        | "revoke"
        | "storage_adapter"
        | "store_file"
        | "v2_credentials"
        | "v2_http_client"
        | "v2_query_service" => steps::judge(&case, judgement).await,
        _ => judgement.differ("no runner for this class"),
    }
}
