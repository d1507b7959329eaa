//! The cases of the ticket protocol: one file for each class.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a case that does not fit the schema panics, which is caught and is a difference"
)]

mod client;
mod engine;
mod keys;
mod rw;
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use support::{Fixtures, Impossible};

use super::report::Judgement;
use super::{Error, Report};

/// A file: the cases of a class.
#[derive(Debug, Deserialize)]
struct ClassFile {
    format: u64,
    class: String,
    cases: Vec<Value>,
}

const FIXTURES: &str = "fixtures.json";

/// Runs every case in a folder.
pub(super) fn run(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let mut files = super::json_files(folder)?;
    let is_fixtures = |path: &PathBuf| path.file_name().is_some_and(|name| name == FIXTURES);
    let fixtures = match files.iter().position(is_fixtures) {
        Some(at) => {
            let path = files.remove(at);
            super::read(&path)?
        }
        None => Value::Null,
    };
    let fixtures = Fixtures(fixtures);
    let mut is_empty = true;
    for path in files {
        let file: ClassFile = super::read(&path)?;
        if file.format != 1 {
            let why = format!("unknown format {}", file.format);
            return Err(Error::Unreadable(path, why));
        }
        for case in &file.cases {
            is_empty = false;
            let id = case["id"].as_str().unwrap_or_default();
            let mut judgement = Judgement::default();
            let judge = || judge(&fixtures, &file.class, case);
            match catch_unwind(AssertUnwindSafe(judge)) {
                Ok(Ok(())) => judgement.judged(),
                Ok(Err(why)) => judgement.differ(why),
                Err(panic) => match panic.downcast_ref::<Impossible>() {
                    Some(Impossible(rule)) => judgement.waive(rule),
                    None => judgement.differ(format!("panicked: {}", message(&*panic))),
                },
            }
            report.add(&format!("{}/{id}", file.class), judgement);
        }
    }
    if is_empty {
        return Err(Error::Missing(folder.to_owned()));
    }
    Ok(())
}

fn judge(fixtures: &Fixtures, class: &str, case: &Value) -> Result<(), String> {
    keys::check(class, case)?;
    let asserted = |judge: fn(&Value)| {
        judge(case);
        Ok(())
    };
    match class {
        "auto_role_check" => engine::auto_role_check(fixtures, case),
        "backoff" => client::backoff(case),
        "base64url" => asserted(rw::base64url),
        "cgi_escape" => engine::cgi_escape(case),
        "client_status" => client::client_status(case),
        "disk_cache" => client::disk_cache(case),
        "disk_tickets" => client::disk_tickets(case),
        "env_override" => engine::env_override(case),
        "expiration_peek" => engine::expiration_peek(case),
        "http_codes" => client::http_codes(case),
        "juggler" => client::juggler(case),
        "key_container" => engine::key_container(case),
        "last_error" => client::last_error(case),
        "python_url" => client::python(case),
        "redact" => engine::redaction(case),
        "retry_settings" => client::retry_settings(case),
        "roles_check" => engine::roles_check(case),
        "roles_decode" => client::roles_decode(case),
        "roles_parse" => engine::roles_parse(case),
        "rw_keys" => asserted(rw::rw_keys),
        "rw_sign" => asserted(rw::rw_sign),
        "rw_verify" => asserted(rw::rw_verify),
        "service_check" => engine::service_check(fixtures, case),
        "settings" => client::settings(case),
        "sign_params" => engine::sign_params(case),
        "ticket_getter" => client::ticket_getter(case),
        "ticket_request" => client::ticket_request(case),
        "tool_birthtime" => client::tool_birthtime(case),
        "tool_env" => client::tool_env(case),
        "tool_meta" => client::tool_meta(case),
        "tool_tickets" => client::tool_tickets(case),
        "tvmapi_tickets" => client::tvmapi_tickets(case),
        "unittest_tickets" => engine::unittest_tickets(case),
        "user_check" => engine::user_check(fixtures, case),
        other => Err(format!("no runner for the class {other}")),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}
