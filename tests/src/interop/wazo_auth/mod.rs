//! The Python client of wazo-auth, written from its protocol text, compared with ours.
//!
//! That client is on no package index. `wazo_auth.py` does on `requests` what the protocol text says
//! of it; where vectors are at hand, it is first checked against what the real one sent and returned.
//! Then it makes each call against the emulator, and ours makes the same: requests and outcomes are
//! compared by the rules of the vectors.

mod recorded;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::Response;
use vouchsafe::wazo_auth::mock::{Seed, Server};

use super::recorder::Recorder;
use super::script::Session;
use super::{Places, Report};
use crate::bound::Bound;
use crate::python;
use crate::vectors::{self, Recorded};

const PACKAGES: &[&str] = &["requests==2.34.2"];

/// The user that the emulator begins with.
const ADMIN: &str = "admin";

/// Makes all calls.
pub(super) async fn run(places: &Places, report: &mut Report) {
    let python = match python::environment(&places.work.join("wazo-auth"), PACKAGES).await {
        Ok(python) => python,
        Err(why) => return report.miss("the Python client of wazo-auth", why),
    };
    let mut command = Command::new(python);
    command.arg(places.scripts.join("wazo_auth.py"));
    let outcome = match Session::start(command) {
        Ok(script) => drive(script, places, report).await,
        Err(why) => Err(why),
    };
    if let Err(why) = outcome {
        report.fail("the Python client of wazo-auth", why);
    }
}

async fn drive(mut script: Session, places: &Places, report: &mut Report) -> Result<(), String> {
    match &places.vectors {
        Some(folder) => check_script(&mut script, folder, report).await?,
        None => report.miss(
            "the recordings of wazo-auth",
            format!("{} is not set", vectors::VARIABLE),
        ),
    }
    make_calls(&mut script, places, report).await
}

/// Has the script make each recorded call, and compares with what the real client did.
async fn check_script(
    script: &mut Session,
    folder: &Path,
    report: &mut Report,
) -> Result<(), String> {
    let next = Arc::new(Mutex::new(Response::new(StatusCode::OK)));
    let answer = Arc::clone(&next);
    let recorder = Recorder::start(move |_| lock(&answer).clone()).await?;
    let scenarios = vectors::scenarios(&folder.join("wazo-auth")).map_err(|e| e.to_string())?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for scenario in &scenarios {
        let place = scenario["name"].as_str().unwrap_or_default();
        for step in scenario["steps"].as_array().into_iter().flatten() {
            if step["call"].is_null() {
                continue;
            }
            *lock(&next) = vectors::recorded_answer(&step["response"]);
            let mut call = step["call"].clone();
            if call["command"].is_null() {
                call["command"] = "client".into();
            }
            let later = &step["request"]["headers"]["Wazo-Tenant"];
            let name = name_of(&call);
            let has_own = ["tenant_uuid", "parent_uuid"]
                .iter()
                .any(|name| call["kwargs"].get(name).is_some());
            // A tenant that was set later is seen in the request alone.
            if call["client"]["tenant"].is_null() && !has_own && name != "saml_config.get_metadata"
            {
                call["client"]["tenant"] = later.clone();
            }
            let got = script.ask(&placed(&call, &recorder)).await?;
            let mut sent = recorder.take();
            let sent = sent.pop().map(|(request, _)| recorded::request(&request));
            let found = recorded::differences(step, sent.as_ref(), &got);
            if found.is_empty() {
                *counts.entry(name).or_default() += 1;
            } else {
                let what = format!("wazo_auth.py: {place}, step {}: {name}", step["n"]);
                report.fail(&what, found.join("\n    "));
            }
        }
    }
    for (name, count) in counts {
        report.pass(&format!(
            "wazo_auth.py: {name} is like the recorded one, {count} times"
        ));
    }
    Ok(())
}

/// Has the script make each call against the emulator, and ours after it.
async fn make_calls(
    script: &mut Session,
    places: &Places,
    report: &mut Report,
) -> Result<(), String> {
    let text = std::fs::read_to_string(places.scripts.join("wazo_auth.json"));
    let calls = text.map_err(|cause| cause.to_string())?;
    let calls: Vec<Value> = serde_json::from_str(&calls).map_err(|cause| cause.to_string())?;

    let seed = Seed::sample().settings(|settings| settings.registration = true);
    let server = Server::from_seed(&seed);
    let emulator = server.clone();
    let recorder = Recorder::start(move |request| emulator.handle(request)).await?;
    let mut bound = begin(&server).await?;

    let methods = script.ask(&json!({"methods": true})).await?;
    let methods = methods["returns"].as_array().into_iter().flatten();
    let mut uncalled: BTreeSet<&str> = methods.clone().filter_map(Value::as_str).collect();
    if uncalled.is_empty() {
        return Err("the script names no methods".to_owned());
    }
    for entry in &calls {
        let mut entry = entry.clone();
        bound.put_in(&mut entry);
        if let Some(session) = entry["saml_login"].as_str() {
            let login = server.client().token().create().saml_session(session);
            let token = login.send().await.map_err(|fault| fault.to_string())?;
            bound.take(&entry, &token.token.token.expose().into());
            continue;
        }
        let name = entry["call"].as_str().unwrap_or_default();
        let call = call(&entry, name, &bound);
        let got = script.ask(&placed(&call, &recorder)).await?;
        bound.take(&entry, &got["returns"]);
        let title = format!("{name}{}", arguments(&entry));
        let mut exchanges = recorder.take();
        let (Some(exchange), true) = (exchanges.pop(), exchanges.is_empty()) else {
            report.fail(&title, format!("Python: not one request: {got}"));
            continue;
        };
        if let Err(why) = expect(&entry, &got) {
            report.fail(&title, why);
            continue;
        }
        let step = recorded::step(&call, &exchange, &got);
        match (vectors::judge_step(&step).await, entry["removed"] == true) {
            (Recorded::Same, _) => {
                uncalled.remove(name);
                report.pass(&title);
            }
            // Ours has no such method, as the service has no such route.
            (Recorded::NotMade(why), true) => {
                uncalled.remove(name);
                report.skip(&title, why);
            }
            (Recorded::NotMade(why), false) => report.fail(&title, format!("not made: {why}")),
            (Recorded::Different(lines), _) => report.fail(&title, lines.join("\n    ")),
        }
    }
    match uncalled.is_empty() {
        true => report.pass("every method of the Python client was compared"),
        false => report.fail("methods that no call compares", format!("{uncalled:?}")),
    }
    Ok(())
}

/// Binds the initial values.
async fn begin(server: &Server) -> Result<Bound, String> {
    let mut bound = Bound::default();
    let token = server.issue_token(ADMIN);
    let info = server.client().token().get(token.clone()).send().await;
    let info = info.map_err(|fault| fault.to_string())?;
    let tenant = info.metadata.tenant_uuid.ok_or("no tenant")?;
    bound.set("admin", token.expose());
    bound.set(
        "poor",
        server
            .issue_token_with(ADMIN, ["auth.users.me.read"])
            .expose(),
    );
    bound.set("nobody", "00000000-0000-4000-8000-000000000000");
    bound.set("admin_uuid", info.auth_id);
    bound.set("top", tenant.as_str());
    Ok(bound)
}

/// Writes a call down as the vectors do.
fn call(entry: &Value, name: &str, bound: &Bound) -> Value {
    let (command, method) = name.split_once('.').unwrap_or_default();
    let mut client = json!({"token": "$admin", "user_agent": "interop/1"});
    for (name, value) in entry["client"].as_object().into_iter().flatten() {
        client[name] = value.clone();
    }
    bound.put_in(&mut client);
    let or = |name: &str, default: Value| entry.get(name).cloned().unwrap_or(default);
    json!({
        "command": command,
        "method": method,
        "args": or("args", json!([])),
        "kwargs": or("kwargs", json!({})),
        "client": client,
    })
}

/// Puts a call to a server: recorded options say nothing of where it is.
fn placed(call: &Value, recorder: &Recorder) -> Value {
    let mut client = json!({
        "host": recorder.address().ip().to_string(),
        "port": recorder.address().port(),
        "https": false,
        "prefix": null,
    });
    for (name, value) in call["client"].as_object().into_iter().flatten() {
        client[name] = value.clone();
    }
    let mut call = call.clone();
    call["client"] = client;
    call
}

fn name_of(call: &Value) -> String {
    let text = |name: &str| call[name].as_str().unwrap_or_default();
    format!("{}.{}", text("command"), text("method"))
}

/// Returns the arguments of a call for its title; tokens and ids as they were named.
fn arguments(entry: &Value) -> String {
    let names = entry["kwargs"].as_object().into_iter().flatten();
    let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
    let by = match names.is_empty() {
        true => String::new(),
        false => format!(" by {}", names.join(", ")),
    };
    let raises = &entry["raises"];
    match raises {
        Value::Null => by,
        Value::String(kind) => format!("{by}: {kind}"),
        other => format!("{by}: {other}"),
    }
}

/// Checks that Python got what the call expects.
fn expect(entry: &Value, got: &Value) -> Result<(), String> {
    let raised = &got["raises"];
    let is_expected = match &entry["raises"] {
        Value::Null => raised.is_null(),
        Value::String(kind) => raised["kind"] == *kind,
        status => raised["status"] == *status,
    };
    match is_expected {
        true => Ok(()),
        false => Err(format!("Python: expected {}, got {got}", entry["raises"])),
    }
}
