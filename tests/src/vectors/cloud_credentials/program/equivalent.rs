//! Calls of `summit.py`, run as the equivalent commands of the program.
//!
//! Compares success or failure, the requests, the file and its mode, and what is printed as JSON. The
//! lines on standard error are for people, and differ.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use vouchsafe::cloud_credentials::{Claims, Secret};
use vouchsafe::core::{Clock as _, SystemClock};

use super::super::network::{Asked, Body, is_for_tokens, is_of_proxy};
use super::call::{Calls, Shown};
use super::line::{Line, Print};
use super::machine::{Machine, Order};
use super::other::Other;
use super::{Case, Run, write};
use crate::vectors::report::Judgement;

pub(super) async fn judge(
    machine: &Machine,
    run: &Run,
    case: &Case,
    judgement: &mut Judgement,
) -> Result<(), String> {
    let arguments: Vec<_> = run.args.iter().map(|word| machine.replaced(word)).collect();
    let read = |word: &str| {
        let text = match word {
            "-" => run.stdin.clone()?,
            word => match run.files.get(word) {
                Some(text) => machine.replaced(text),
                None => word.to_owned(),
            },
        };
        serde_json::from_str(&text).ok()
    };
    let has_failed = run.outcome.exit_code != 0;
    let line = match Line::read(&arguments, read) {
        Ok(line) => line,
        Err(_) if has_failed && run.exchanges.is_empty() => {
            return refused(machine, arguments, judgement).await;
        }
        Err(odd) => return Err(format!("no runner for this command line: {odd}")),
    };
    if let Some(about) = line.about {
        return told(machine, about, judgement).await;
    }
    if line.is_of_credentials() && write::is_one(&line) {
        return write::judge(machine, run, case, &line, judgement).await;
    }
    if line.is_of_credentials() && line.deeds.iter().any(|deed| deed.set.is_some()) {
        return set(machine, &line, has_failed, judgement).await;
    }
    if line.deeds.is_empty() {
        return match has_failed {
            true => refused(machine, arguments, judgement).await,
            false => nothing(machine, judgement).await,
        };
    }
    if has_expired(run, case) && !machine.set_clock(case.setup.now.unwrap_or_default()) {
        if !vouchsafe_test_servers::may_skip() {
            return Err("there is no faketime; run apt-get install faketime".to_owned());
        }
        judgement.waive("cli: there is no faketime, and a token has expired since");
        return Ok(());
    }
    let before = machine.there();
    let mut calls = Calls::new(machine, run, &line);
    calls.is_refused = machine.is_damaged && line.of_class('C').is_some();
    let mut has_succeeded = true;
    let mut printed = Vec::new();
    for deed in &line.deeds {
        let called = match calls.call(deed).await {
            Ok(called) => called,
            Err(Other::Waived(rule)) => {
                judgement.waive(rule);
                return Ok(());
            }
            Err(Other::Unknown(_))
                if has_failed && run.exchanges.is_empty() && machine.asked().is_empty() =>
            {
                return refused(machine, arguments, judgement).await;
            }
            Err(Other::Unknown(why)) => return Err(why),
        };
        has_succeeded = called.is_done;
        if let Some(fault) = called.fault {
            judgement.differ(fault);
        }
        if !has_succeeded {
            break;
        }
        if deed.print != Print::Nothing {
            printed.push(match deed.print == Print::Json && !deed.is_selected {
                true => called.shown,
                false => Shown::Unknown,
            });
        }
    }
    let hidden = calls.hidden.iter().filter(|secret| secret.len() > 3);
    let is_shown = hidden.filter(|secret| calls.told.contains(secret.as_str()));
    judgement.compare("secrets that are shown", &0, &is_shown.count());
    if calls.is_refused {
        // Instead of a request that cannot succeed.
        judgement.compare("succeeded", &false, &has_succeeded);
        judgement.compare("requests", &0, &machine.asked().len());
        machine.compare_unchanged(before.as_ref(), judgement);
        return Ok(());
    }
    judgement.compare("succeeded", &!has_failed, &has_succeeded);
    if line.deeds.iter().any(|deed| deed.is_selected) {
        judgement.waive("cli: JMESPath selects nothing here; --json prints the whole");
    } else if !has_failed {
        compare_printed(run, &printed, judgement)?;
    }
    compare_requests(machine, run, &calls, judgement);
    match (&run.store_after, calls.revoked) {
        (None, _) => {}
        (Some(after), None) => machine.compare_file(before.as_ref(), after, judgement),
        (Some(after), Some(name)) => {
            // The revoked token is forgotten (D14).
            let expected = after.text.as_deref().map(|text| without_token(text, name));
            let got = machine.there().map(|text| without_token(&text, ""));
            judgement.compare("file", &expected, &got);
        }
    }
    Ok(())
}

/// An erroneous command line is refused before anything happens.
async fn refused(
    machine: &Machine,
    arguments: Vec<String>,
    judgement: &mut Judgement,
) -> Result<(), String> {
    let before = machine.there();
    let own = ["credentials".to_owned()];
    let order = Order {
        arguments: own.into_iter().chain(arguments).collect(),
        ..Order::default()
    };
    let ran = machine.run(&order).await?;
    ran.compare_failure(true, judgement);
    judgement.compare("standard output", &"", &ran.out.as_str());
    judgement.compare("requests", &0, &machine.asked().len());
    machine.compare_unchanged(before.as_ref(), judgement);
    Ok(())
}

/// What the program says of itself is other text.
async fn told(machine: &Machine, about: &str, judgement: &mut Judgement) -> Result<(), String> {
    let arguments = match about {
        "--version" => vec![about],
        about => vec!["credentials", about],
    };
    let order = Order {
        arguments: arguments.into_iter().map(str::to_owned).collect(),
        ..Order::default()
    };
    let ran = machine.run(&order).await?;
    ran.compare_failure(false, judgement);
    judgement.compare("says nothing", &false, &ran.out.trim().is_empty());
    Ok(())
}

/// A property that is set and not written changes nothing that lasts; one that is not there is refused, as
/// it is if it is to be written.
async fn set(
    machine: &Machine,
    line: &Line,
    has_failed: bool,
    judgement: &mut Judgement,
) -> Result<(), String> {
    if !has_failed {
        judgement.waive("cli: a property that is set is not kept from one command to the next");
        return Ok(());
    }
    let before = machine.there();
    let set = line
        .deeds
        .iter()
        .filter_map(|deed| Some((deed.name.clone(), deed.set.clone()?)));
    let set = Value::Object(set.collect());
    machine.write("properties.json", &set.to_string())?;
    let arguments = ["credentials", "-C", "--R0", "properties.json", "--write"];
    let order = Order {
        arguments: arguments.map(str::to_owned).to_vec(),
        ..Order::default()
    };
    let ran = machine.run(&order).await?;
    ran.compare_failure(true, judgement);
    judgement.compare("standard output", &"", &ran.out.as_str());
    machine.compare_unchanged(before.as_ref(), judgement);
    Ok(())
}

/// A command line that calls nothing.
async fn nothing(machine: &Machine, judgement: &mut Judgement) -> Result<(), String> {
    let before = machine.there();
    let order = Order {
        arguments: vec!["credentials".to_owned()],
        ..Order::default()
    };
    let ran = machine.run(&order).await?;
    judgement.waive("cli: a command line that calls nothing is an error, not silence");
    judgement.compare("standard output", &"", &ran.out.as_str());
    judgement.compare("requests", &0, &machine.asked().len());
    machine.compare_unchanged(before.as_ref(), judgement);
    Ok(())
}

/// Compares the values that were printed as JSON, one after the other.
fn compare_printed(run: &Run, printed: &[Shown], judgement: &mut Judgement) -> Result<(), String> {
    let text = run.outcome.stdout.as_deref().unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    // What comes after text of Python cannot be told from it.
    for shown in printed {
        let value = match (values.next(), shown) {
            (Some(Ok(value)), _) => value,
            (_, Shown::Unknown) => return Ok(()),
            (None, _) => return Err("fewer values were printed than here".to_owned()),
            (Some(Err(_)), _) => return Err("standard output is not JSON".to_owned()),
        };
        match shown {
            Shown::Same(got) => judgement.compare("printed", &value, got),
            Shown::Whether(is_there) => {
                let expected = value.as_array().is_some_and(|ids| !ids.is_empty());
                judgement.compare("anything removed", &expected, is_there);
            }
            Shown::Unknown => {}
        }
    }
    let rest = text[values.byte_offset()..].trim();
    judgement.compare("printed beyond that", &"", &rest);
    Ok(())
}

fn compare_requests(machine: &Machine, run: &Run, calls: &Calls<'_>, judgement: &mut Judgement) {
    let exchanges = || {
        run.exchanges
            .iter()
            .filter(|exchange| !is_of_proxy(exchange))
    };
    let mut expected: Vec<_> = exchanges()
        .map(|exchange| Asked::recorded(&exchange.request))
        .collect();
    let mut got = machine.asked();
    // A refused access token is refreshed (D33), also where that version did not.
    let is_refused = exchanges().any(|exchange| exchange.response.status == 401);
    if is_refused && !expected.iter().any(|asked| is_for_tokens(&asked.path)) {
        let refreshes = got.iter().filter(|asked| is_for_tokens(&asked.path));
        judgement.compare("at most one refresh", &true, &(refreshes.count() <= 1));
        got.retain(|asked| !is_for_tokens(&asked.path));
    }
    if calls.has_logged_in {
        // A login is on a port of its own, and has a proof of its own.
        for asked in expected.iter_mut().chain(&mut got) {
            if let Body::Json(Value::Object(members)) = &mut asked.body {
                members.remove("redirect_uri");
                members.remove("code_verifier");
            }
        }
    }
    judgement.compare("requests", &expected.len(), &got.len());
    for (got, expected) in got.iter().zip(&expected) {
        got.compare(expected, judgement);
    }
}

/// Returns whether a token of the case was good when it was recorded, and is not now.
fn has_expired(run: &Run, case: &Case) -> bool {
    let then = UNIX_EPOCH + Duration::from_secs_f64(case.setup.now.unwrap_or_default());
    let soon = SystemClock::new().now() + Duration::from_secs(3600);
    let texts = case.setup.store_text.iter().chain(case.setup.env.values());
    let answers = run
        .exchanges
        .iter()
        .filter_map(|exchange| exchange.response.body.as_ref());
    let texts = texts
        .chain(&run.args)
        .chain(run.files.values())
        .chain(answers);
    let mut words = texts.flat_map(|text| text.split(['"', ' ', '\n']));
    words.any(|word| {
        let claims = Claims::of(&Secret::from(word)).ok();
        let expiry = claims.and_then(|claims| claims.expiry().ok());
        expiry.is_some_and(|expiry| expiry > then && expiry < soon)
    })
}

/// Returns the tables of a file without members that are null, and without a token.
fn without_token(text: &str, name: &str) -> Value {
    let mut tables: Value = serde_json::from_str(text).unwrap_or_default();
    let documents = tables.get_mut("profiles").and_then(Value::as_object_mut);
    for document in documents.into_iter().flat_map(|found| found.values_mut()) {
        if let Some(members) = document.as_object_mut() {
            members.retain(|member, value| {
                let is_revoked = member == name
                    // Revoking the refresh token also drops the access token.
                    || (name == "refresh_token" && member == "access_token");
                !value.is_null() && !is_revoked && member != "cloud_credentials"
            });
        }
    }
    tables
}
