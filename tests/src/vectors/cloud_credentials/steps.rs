//! Runs the steps of a case.

use std::time::Duration;

use serde_json::{Value, json};
use vouchsafe::cloud_credentials::{Claims, Secret};
use vouchsafe::core::Clock as _;
use vouchsafe::core::call::CallOptions;
use vouchsafe::core::service::Service as _;

use super::calls::{
    authorization_url, bound, call_of, documents, exchange, is_expired, known, secret_value,
};
use super::expected::{Case, Outcome, Recorded};
use super::machine::{ClientObject, Machine};
use super::network::{Asked, Body};
use super::outcome::Got;
use super::rule::Rule;
use crate::vectors::report::Judgement;

/// Judges a case.
pub(super) async fn judge(case: &Case, judgement: &mut Judgement) {
    if case.steps.iter().any(|step| step.note.is_some()) {
        return judgement.waive("a lock of a Python object that another thread holds");
    }
    let Some(rule) = Rule::of(&case.policy, &case.rust) else {
        return judgement.differ(format!("no rule for: {}", case.rust));
    };
    let mut machine = match Machine::new(case) {
        Ok(machine) => machine,
        Err(why) => return judgement.differ(why),
    };
    if matches!(
        rule,
        Rule::Retried | Rule::Sent | Rule::ClientWins | Rule::ProviderAsGiven | Rule::Accepted
    ) {
        machine.network.answer_all();
    }
    let before = machine.store_text();
    let mut asked = Vec::new();
    let mut run = Run {
        case,
        rule,
        has_written: false,
        before,
    };
    for (number, step) in case.steps.iter().enumerate() {
        judgement.at(format!("step {} ({})", number + 1, step.deed));
        judgement.judged();
        machine.network.expect(&step.exchanges);
        match run.step(&mut machine, step).await {
            Ok(got) => run.compare(number, step, got, judgement),
            Err(why) => judgement.differ(why),
        }
        let requests = machine.network.take();
        if rule == Rule::Same {
            compare_requests(
                case,
                &requests,
                &recorded(std::slice::from_ref(step)),
                judgement,
            );
        }
        asked.extend(requests);
        run.compare_store(&machine, step, judgement);
    }
    judgement.at("");
    if rule != Rule::Same {
        match run.expected_requests(recorded(&case.steps)) {
            Some(recorded) => compare_requests(case, &asked, &recorded, judgement),
            None => run.compare_paths(&asked, judgement),
        }
    }
}

fn recorded(steps: &[Recorded]) -> Vec<Asked> {
    let exchanges = steps.iter().flat_map(|step| &step.exchanges);
    exchanges
        .map(|exchange| Asked::recorded(&exchange.request))
        .collect()
}

fn compare_requests(case: &Case, got: &[Asked], recorded: &[Asked], judgement: &mut Judgement) {
    if got.len() != recorded.len() {
        let what = format!(
            "expected {} requests, got {}: {got:?}",
            recorded.len(),
            got.len()
        );
        return judgement.differ(what);
    }
    let is_older = is_older(case);
    for (got, recorded) in got.iter().zip(recorded) {
        let mut recorded = recorded.clone();
        if let (true, Body::Form(fields), true) = (
            is_older,
            &mut recorded.body,
            recorded.path.ends_with("RequestToken"),
        ) && !fields.iter().any(|(name, _)| name == "grant_type")
        {
            // The standard requires it, and later versions send it.
            fields.push(("grant_type".to_owned(), "refresh_token".to_owned()));
        }
        got.compare(&recorded, judgement);
    }
}

/// Returns whether a case is of a version that sent less.
pub(super) fn is_older(case: &Case) -> bool {
    let program = case.program.as_str();
    program.is_some_and(|name| name.starts_with("pancloud-1.2"))
}

pub(super) struct Run<'c> {
    pub(super) case: &'c Case,
    pub(super) rule: Rule,
    has_written: bool,
    pub(super) before: Option<String>,
}

impl Run<'_> {
    async fn step(&mut self, machine: &mut Machine, step: &Recorded) -> Result<Got, String> {
        let args = &step.args;
        let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
        let secret = |name: &str| text(name).map(Secret::from);
        match step.deed.as_str() {
            "Credentials" => {
                let credentials = machine.build(args)?;
                let bind = step.bind.clone().ok_or("nothing is bound")?;
                machine.credentials.insert(bind, credentials);
                return Ok(Got::Nothing);
            }
            "HTTPClient" => {
                let got = self.http_client(machine, step)?;
                // What the constructor did there, the first request does here.
                return match (self.rule, &step.outcome) {
                    (Rule::LaterError, Outcome::Err(_)) => self.first_request(machine, step).await,
                    _ => Ok(got),
                };
            }
            "request" => return self.request(machine, step).await,
            "setenv" => {
                for (name, value) in args {
                    match value.as_str() {
                        Some(value) => machine.set_variable(name, value),
                        None => machine.unset_variable(name),
                    }
                }
                return Ok(Got::Nothing);
            }
            "clock" => {
                let seconds = args.get("advance_seconds").and_then(Value::as_f64);
                let seconds = seconds.ok_or("no seconds")?;
                machine.clock.advance(Duration::from_secs_f64(seconds));
                return Ok(Got::Nothing);
            }
            "edit_store_in_place" => {
                machine.write_store(&text("text").ok_or("no text")?)?;
                return Ok(Got::Nothing);
            }
            "replace_store_by_rename" => {
                machine.replace_store(&text("text").ok_or("no text")?)?;
                return Ok(Got::Nothing);
            }
            "read_file" => {
                let path = machine.replaced(&text("path").ok_or("no path")?);
                let read = std::fs::read_to_string(path).map_err(|cause| cause.to_string())?;
                return Ok(Got::Value(read.into()));
            }
            "parse_store" => return documents(machine).await,
            // What a Python adapter is asked for.
            "adapter_calls" => return Ok(Got::Nothing),
            _ => {}
        }
        let name = step.on.as_deref().ok_or("no runner for this step")?;
        let found = machine.credentials.get(name).cloned();
        let credentials = found.ok_or_else(|| format!("nothing is called {name}"))?;
        let got = match step.deed.as_str() {
            "get_credentials" => credentials.values().await.map(|values| {
                let shown = |secret: Option<Secret>| secret.map(|text| text.expose().to_owned());
                json!({"read_only_credentials": {
                    "access_token": shown(values.access_token),
                    "client_id": values.client_id,
                    "client_secret": shown(values.client_secret),
                    "refresh_token": shown(values.refresh_token),
                }})
            }),
            "refresh" => {
                known(args, &["access_token", "timeout"])?;
                let refreshed = match secret("access_token") {
                    Some(stale) => credentials.refresh_stale(&stale).await,
                    None => credentials.refresh().await,
                };
                self.has_written |= refreshed.is_ok();
                refreshed.map(|token| token.expose().into())
            }
            "fetch_tokens" => {
                let exchanged = exchange(&credentials, args).await;
                self.has_written |= exchanged.is_ok();
                exchanged
            }
            "revoke_access_token" => credentials
                .revoke_access_token()
                .await
                .map(|()| json!(null)),
            "revoke_refresh_token" => credentials
                .revoke_refresh_token()
                .await
                .map(|()| json!(null)),
            "write_credentials" => {
                self.has_written = true;
                credentials.write().await.map(|()| json!(null))
            }
            "remove_profile" => {
                self.has_written = true;
                let profile = text("profile").unwrap_or_default();
                credentials.remove_profile(&profile).await.map(Value::from)
            }
            "decode_jwt_payload" => {
                let claims = match secret("access_token") {
                    Some(token) => Claims::of(&token),
                    None => credentials.claims().await,
                };
                claims.map(|claims| Value::Object(claims.as_map().clone()))
            }
            "jwt_is_expired" => {
                let claims = match secret("access_token") {
                    Some(token) => Claims::of(&token),
                    None => credentials.claims().await,
                };
                let leeway = args
                    .get("leeway")
                    .and_then(Value::as_f64)
                    .unwrap_or_default();
                let now = machine.clock.now();
                claims
                    .and_then(|claims| is_expired(&claims, now, leeway))
                    .map(Value::from)
            }
            "get_authorization_url" => {
                authorization_url(&credentials, args, machine, self.case).await
            }
            "get state" => Ok(machine.state.clone().into()),
            "get developer_token" => credentials
                .developer_token()
                .map(|token| token.map(|token| token.expose().to_owned()).into()),
            "get developer_token_provider" | "set developer_token_provider" => {
                return Ok(Got::Nothing);
            }
            deed if deed.starts_with("get ") => {
                let name = &deed["get ".len()..];
                credentials.values().await.map(|values| match name {
                    "access_token" => secret_value(values.access_token),
                    "client_id" => values.client_id.into(),
                    "client_secret" => secret_value(values.client_secret),
                    "refresh_token" => secret_value(values.refresh_token),
                    _ => json!({"no runner": name}),
                })
            }
            deed if deed.starts_with("set ") => {
                let value = secret("value");
                match &deed["set ".len()..] {
                    "access_token" => credentials.set_access_token(value),
                    "client_id" => credentials.set_client_id(text("value")),
                    "client_secret" => credentials.set_client_secret(value),
                    "refresh_token" => credentials.set_refresh_token(value),
                    "developer_token" => credentials.set_developer_token(value),
                    other => return Err(format!("no runner for setting {other}")),
                }
                return Ok(Got::Nothing);
            }
            _ => return Err("no runner for this step".to_owned()),
        };
        Ok(match got {
            Ok(value) => Got::Value(value),
            Err(fault) => Got::Fault(fault),
        })
    }

    fn http_client(&self, machine: &mut Machine, step: &Recorded) -> Result<Got, String> {
        known(
            &step.args,
            &[
                "url",
                "credentials",
                "auto_refresh",
                "auto_retry",
                "headers",
            ],
        )?;
        let bind = step.bind.clone().ok_or("nothing is bound")?;
        let client = ClientObject {
            credentials: bound(step.args.get("credentials")),
            refreshes: step
                .args
                .get("auto_refresh")
                .is_none_or(|value| value == true),
        };
        machine.clients.insert(bind, client);
        Ok(Got::Nothing)
    }

    async fn first_request(&self, machine: &Machine, step: &Recorded) -> Result<Got, String> {
        let name = bound(step.args.get("credentials")).ok_or("no credentials")?;
        let credentials = machine.credentials.get(&name).ok_or("no credentials")?;
        let client = machine.client(credentials)?;
        let args = json!({"method": "GET", "path": "/r"});
        let call = call_of(args.as_object().ok_or("no arguments")?)?;
        Ok(match client.call(call, &(), &CallOptions::new()).await {
            Ok(answer) => Got::Value(answer.status().as_u16().into()),
            Err(fault) => Got::Fault(fault),
        })
    }

    async fn request(&self, machine: &Machine, step: &Recorded) -> Result<Got, String> {
        let args = &step.args;
        known(
            args,
            &[
                "method",
                "path",
                "json",
                "params",
                "headers",
                "credentials",
                "auto_refresh",
                "auto_retry",
                "enforce_json",
            ],
        )?;
        let name = step.on.as_deref().unwrap_or_default();
        let object = machine.clients.get(name).ok_or("there is no such client")?;
        let credentials = bound(args.get("credentials")).or_else(|| object.credentials.clone());
        let credentials = credentials.ok_or("no credentials")?;
        let credentials = machine
            .credentials
            .get(&credentials)
            .ok_or("no credentials")?;
        let refreshes = match args.get("auto_refresh") {
            Some(value) => value == true,
            None => object.refreshes,
        };
        let credentials = credentials.with_auto_refresh(refreshes);
        let client = machine.client(&credentials)?;
        let call = call_of(args)?;
        let resends = args.get("auto_retry").is_none_or(|value| value != false);
        let mut options = CallOptions::new().resend_refused(resends);
        for (name, value) in args
            .get("headers")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            // The client puts the token there itself.
            if name.eq_ignore_ascii_case("authorization") {
                continue;
            }
            let name = http::HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
            options = options.plain_header(name, value.as_str().unwrap_or_default());
        }
        Ok(match client.call(call, &(), &options).await {
            Ok(answer) => Got::Value(json!({"response": {
                "status": answer.status().as_u16(),
                "body": String::from_utf8_lossy(answer.body()),
            }})),
            Err(fault) => Got::Fault(fault),
        })
    }
}
