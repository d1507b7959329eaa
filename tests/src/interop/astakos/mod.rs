//! The real `astakosclient` of Python against the emulator, compared with ours.
//!
//! Python makes each call against the emulator while all requests and answers are recorded, like
//! those of the vectors. Our client then makes the same call, and its requests and its outcome are
//! compared by the same rules.

mod calls;
mod recorder;

use serde_json::{Value, json};

use self::recorder::Recorder;
use super::script::Session;
use super::{Places, Report};
use crate::bound::Bound;
use crate::python;
use crate::vectors::{self, Recorded};

/// The last published version, and its dependencies.
const PACKAGES: [&str; 2] = ["astakosclient==0.19", "objpool==0.4"];

/// Makes all calls.
pub(super) async fn run(places: &Places, report: &mut Report) {
    let Some(base) = python::find_27().await else {
        return report.miss("astakosclient", "no Python 2.7; install one with pyenv");
    };
    if let Err(why) = drive(base, places, report).await {
        report.fail("astakosclient against the emulator", why);
    }
}

async fn drive(base: python::Python27, places: &Places, report: &mut Report) -> Result<(), String> {
    let packages = places.work.join("astakosclient");
    base.install(&packages, &PACKAGES).await?;
    let mut command = base.command();
    command
        .arg(places.scripts.join("astakos.py"))
        .env("PYTHONPATH", &packages);
    let mut python = Session::start(command)?;
    let recorder = Recorder::start().await?;
    let mut bound = Bound::default();
    bound.set("code", recorder.authorize("app", "app-secret"));
    for mut call in calls::all() {
        bound.put_in(&mut call);
        let name = call["name"].as_str().unwrap_or_default().to_owned();
        if call.get("method").is_none() {
            let answer = python.ask(&call["given"]).await?;
            judge_function(&name, &call, &answer, report);
            continue;
        }
        let whose = call["whose"].as_str().unwrap_or_default();
        let token = recorder.token(whose)?;
        let mut given = call.clone();
        given["token"] = token.clone().into();
        given["auth_url"] = recorder.auth_url().into();
        let answer = python.ask(&given).await?;
        let exchanges = recorder.take();
        let expected = call["outcome"].as_str().unwrap_or("returns");
        let came = match (&answer["raises"]["class"], answer.get("returns")) {
            (Value::String(class), _) => class.as_str(),
            (_, Some(_)) => "returns",
            _ => "nothing",
        };
        if came != expected {
            let why = format!("Python: expected {expected}, got {answer}");
            report.fail(&name, why);
            continue;
        }
        bound.take(&call, &answer["returns"]);
        let case = recorder.case(&call, &token, exchanges, &answer);
        match vectors::judge_recorded(&case) {
            Recorded::Same => report.pass(&name),
            Recorded::Different(lines) => report.fail(&name, lines.join("\n    ")),
            Recorded::NotMade(rule) => report.skip(&name, rule),
        }
    }
    Ok(())
}

/// Functions that make no request.
fn judge_function(name: &str, call: &Value, answer: &Value, report: &mut Report) {
    let (key, function) = match call["given"].get("cookie") {
        Some(_) => ("cookie", "get_token_from_cookie"),
        None => ("endpoints", "parse_endpoints"),
    };
    let mut case = call["given"][key].clone();
    case["function"] = function.into();
    case["id"] = name.into();
    match answer.get("returns") {
        Some(value) => case["returns"] = value.clone(),
        None => case["raises"] = answer["raises"].clone(),
    }
    let file = json!({"cases": [case]});
    match vectors::judge_functions(&file) {
        Recorded::Same => report.pass(name),
        Recorded::Different(lines) => report.fail(name, lines.join("\n    ")),
        Recorded::NotMade(rule) => report.fail(name, rule),
    }
}
