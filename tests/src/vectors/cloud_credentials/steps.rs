//! Runs the steps of a case, and compares what comes of them with what was recorded.

use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::{Map, Value, json};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::{Claims, Credentials, Error as Fault, ErrorKind, Pkce, Secret};
use vouchsafe::core::Clock as _;
use vouchsafe::core::call::{Call, CallOptions, Operation, Repeat};
use vouchsafe::core::service::Service as _;
use vouchsafe::core::url::Target;

use super::expected::{Case, Outcome, Raised, Recorded};
use super::machine::{ClientObject, Machine, texts};
use super::network::{Asked, Body, pairs};
use super::rule::Rule;
use crate::vectors::report::Judgement;

/// What a step brought.
enum Got {
    Value(Value),
    Fault(Fault),
    /// The step has no result to compare.
    Nothing,
}

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
fn is_older(case: &Case) -> bool {
    let program = case.program.as_str();
    program.is_some_and(|name| name.starts_with("pancloud-1.2"))
}

struct Run<'c> {
    case: &'c Case,
    rule: Rule,
    has_written: bool,
    before: Option<String>,
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

    fn compare(&self, number: usize, step: &Recorded, got: Got, judgement: &mut Judgement) {
        let is_last = number + 1 == self.case.steps.len();
        let deed = step.deed.as_str();
        let is_main = matches!(
            deed,
            "refresh"
                | "fetch_tokens"
                | "revoke_access_token"
                | "revoke_refresh_token"
                | "request"
                | "decode_jwt_payload"
                | "get_authorization_url"
                | "write_credentials"
        ) || (deed == "jwt_is_expired" && (is_last || self.rule != Rule::NotExpired));
        let outcome = &step.outcome;
        match (self.rule, is_main) {
            (Rule::EndpointError | Rule::NoRedirect, true) => {
                let status = step
                    .exchanges
                    .first()
                    .map(|exchange| exchange.response.status);
                expect_kind(&got, &[ErrorKind::TokenEndpoint], status, judgement);
            }
            (Rule::InvalidResponse, true) => {
                expect_kind(&got, &[ErrorKind::InvalidResponse], None, judgement);
            }
            (Rule::Partial | Rule::NoUrl | Rule::Refused, true) => {
                expect_kind(&got, &[ErrorKind::PartialCredentials], None, judgement);
            }
            (Rule::LaterError, true) => expect_any(&got, judgement),
            (Rule::LaterError, false) if deed == "HTTPClient" => {
                if matches!(outcome, Outcome::Err(_)) {
                    expect_any(&got, judgement);
                }
            }
            (Rule::InvalidJwt, true) => {
                expect_kind(&got, &[ErrorKind::InvalidJwt], None, judgement);
            }
            (Rule::ProviderAsGiven, true) => {
                // No answer is recorded for the URL that is right.
                expect_any(&got, judgement);
            }
            (Rule::Corrupt, _) if deed != "Credentials" => {
                expect_kind(&got, &[ErrorKind::StoreCorrupt], None, judgement);
            }
            (Rule::Retried, true) if deed == "request" => {
                expect_status(&got, 200, judgement);
            }
            (Rule::OpaqueToken | Rule::Success, true) => expect_ok(&got, judgement),
            (Rule::NotExpired, true) => expect_value(&got, &json!(false), judgement),
            (Rule::UrlSafe, true) => expect_ok(&got, judgement),
            (Rule::OneScope, true) => {
                let Got::Value(value) = &got else {
                    return judgement.differ("expected a URL");
                };
                let url = value[0].as_str().unwrap_or_default();
                let scopes: Vec<_> = pairs(url.split_once('?').map_or("", |(_, query)| query))
                    .into_iter()
                    .filter(|(name, _)| name == "scope")
                    .collect();
                let joined = texts(&step.args["scope"]).join(" ");
                if scopes != [("scope".to_owned(), joined)] {
                    judgement.differ(format!("scopes: {scopes:?}"));
                }
            }
            (Rule::Newer, true) => {
                let there = self.before.as_deref().unwrap_or_default();
                match &got {
                    Got::Value(Value::String(token)) if there.contains(token) => {}
                    _ => judgement.differ("expected the token that is in the file"),
                }
            }
            (Rule::ClientWins | Rule::Sent | Rule::StillUsable, _) => {
                if !matches!(got, Got::Nothing) {
                    expect_ok(&got, judgement);
                }
            }
            (_, false) if deed == "get_credentials" => {
                self.compare_values(outcome, &got, judgement);
            }
            (Rule::BareName | Rule::Accepted | Rule::Untouched, _) => {}
            _ => compare_outcome(self.case, deed, outcome, &got, judgement),
        }
    }

    /// Compares the values of the moment with those recorded, or with those of the rule.
    fn compare_values(&self, outcome: &Outcome, got: &Got, judgement: &mut Judgement) {
        let Outcome::Ok(recorded) = outcome else {
            return compare_outcome(self.case, "get_credentials", outcome, got, judgement);
        };
        let mut expected = recorded.clone();
        let values = &mut expected["read_only_credentials"];
        let args = &self.case.steps[0].args;
        let variable = |name: &str| self.case.setup.env.get(name).cloned().into();
        match self.rule {
            // Nothing is lost.
            Rule::EndpointError | Rule::InvalidResponse | Rule::Partial | Rule::NoRedirect => {
                for name in [
                    "access_token",
                    "client_id",
                    "client_secret",
                    "refresh_token",
                ] {
                    values[name] = args.get(name).cloned().unwrap_or_default();
                }
                if args.get("client_id").is_none() && args.get("access_token").is_none() {
                    return;
                }
            }
            Rule::OpaqueToken | Rule::Remembered => {
                let exchange = self
                    .case
                    .steps
                    .iter()
                    .find(|step| !step.exchanges.is_empty());
                let Some(exchange) = exchange else { return };
                let answer = exchange.exchanges[0]
                    .response
                    .body
                    .as_deref()
                    .unwrap_or_default();
                let answer: Value = serde_json::from_str(answer).unwrap_or_default();
                values["access_token"] = answer["access_token"].clone();
                values["refresh_token"] = answer["refresh_token"].clone();
                for name in ["client_id", "client_secret"] {
                    let given = exchange.args.get(name).or_else(|| args.get(name));
                    values[name] = given.cloned().unwrap_or_default();
                }
            }
            Rule::Unprefixed => {
                values["access_token"] = Value::Null;
                values["client_id"] = variable("CLIENT_ID");
                values["client_secret"] = variable("CLIENT_SECRET");
                values["refresh_token"] = variable("REFRESH_TOKEN");
            }
            Rule::EnvironmentToken => values["access_token"] = variable("PAN_ACCESS_TOKEN"),
            Rule::Refused => values["access_token"] = Value::Null,
            // The answer to the refresh was not recorded.
            Rule::Retried => {
                if let Got::Value(got) = got {
                    let token = &got["read_only_credentials"]["access_token"];
                    if *token == values["access_token"] {
                        judgement.differ("the access token was not replaced");
                    }
                    values["access_token"] = token.clone();
                }
            }
            _ => {}
        }
        // What was revoked is forgotten, where it is ours to forget.
        let revoked = self
            .case
            .steps
            .iter()
            .find(|step| step.deed.starts_with("revoke_"));
        let is_refused = matches!(self.rule, Rule::EndpointError | Rule::Partial);
        if let Some(revoked) = revoked
            && !is_refused
            && (matches!(revoked.outcome, Outcome::Ok(_)) || self.rule == Rule::Success)
            && !self.case.setup.env.contains_key("PAN_ACCESS_TOKEN")
        {
            values["access_token"] = Value::Null;
            if revoked.deed == "revoke_refresh_token" {
                values["refresh_token"] = Value::Null;
            }
        }
        expect_value(got, &expected, judgement);
    }

    fn compare_store(&self, machine: &Machine, step: &Recorded, judgement: &mut Judgement) {
        let Some(after) = &step.store_after else {
            return;
        };
        // It kept no file by itself.
        if is_older(self.case) {
            return;
        }
        let is_write = matches!(
            step.deed.as_str(),
            "write_credentials" | "refresh" | "fetch_tokens" | "remove_profile"
        );
        let there = machine.store_text();
        let expected = match self.rule {
            // As it was before the case.
            Rule::EndpointError
            | Rule::InvalidResponse
            | Rule::Partial
            | Rule::NoRedirect
            | Rule::Untouched
            | Rule::Corrupt
            | Rule::Refused
            | Rule::LaterError
            | Rule::Newer => self.before.clone(),
            _ if !is_write => return,
            Rule::Same | Rule::Private => after.text.clone(),
            Rule::Merged => return self.compare_merged(there.as_deref(), judgement),
            Rule::OutsideSurvives => {
                let there = there.unwrap_or_default();
                if !there.contains("\"outside\"") || !there.contains("\"3\": {") {
                    judgement.differ(format!("the document of others is gone: {there}"));
                }
                return;
            }
            Rule::AtPath | Rule::OpaqueToken | Rule::Remembered => {
                let answered = step
                    .exchanges
                    .iter()
                    .filter_map(|exchange| exchange.response.body.as_deref());
                let there = there.unwrap_or_default();
                for answer in answered {
                    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
                    for name in ["access_token", "refresh_token"] {
                        let token = answer[name].as_str().unwrap_or_default();
                        if !there.contains(token) {
                            judgement.differ(format!("{name} was not written: {there}"));
                        }
                    }
                }
                return;
            }
            _ => return,
        };
        let is_empty = |text: &Option<String>| {
            text.as_deref()
                .is_none_or(|text| text == "{\n    \"profiles\": {}\n}")
        };
        let shown = there.as_deref().map(without_ours);
        if shown != expected && !(is_empty(&shown) && is_empty(&expected)) {
            judgement.differ(format!("file: expected {expected:?}, got {there:?}"));
        }
        if self.before.is_none() && there.is_some() {
            self.compare_mode(machine, "0600", judgement);
        } else if self.rule == Rule::Same && is_write && there.is_some() {
            let mode = after.file_mode.as_deref().unwrap_or_default();
            self.compare_mode(machine, mode, judgement);
        }
    }

    fn compare_mode(&self, machine: &Machine, expected: &str, judgement: &mut Judgement) {
        use std::os::unix::fs::PermissionsExt as _;
        let about = std::fs::metadata(&machine.store_path);
        let mode = about.map_or(0, |about| about.permissions().mode() & 0o7777);
        let mode = format!("{mode:04o}");
        if mode != expected {
            judgement.differ(format!("mode: expected {expected}, got {mode}"));
        }
    }

    /// Compares the file with what was there, and what was given put over it.
    fn compare_merged(&self, there: Option<&str>, judgement: &mut Judgement) {
        let read = |text: Option<&str>| {
            serde_json::from_str::<Value>(text.unwrap_or_default()).unwrap_or_default()
        };
        let (mut expected, there) = (read(self.before.as_deref()), read(there));
        let given = &self.case.steps[0].args;
        for document in expected["profiles"].as_object_mut().into_iter().flatten() {
            for name in ["client_id", "client_secret", "refresh_token"] {
                if let Some(value) = given.get(name).filter(|value| !value.is_null()) {
                    document.1[name] = value.clone();
                    document.1["access_token"] = Value::Null;
                }
            }
        }
        if there != expected {
            judgement.differ(format!("file: expected {expected}, got {there}"));
        }
    }
    /// Returns the requests that the rule asks for. `None` where those recorded say too little.
    fn expected_requests(&self, recorded: Vec<Asked>) -> Option<Vec<Asked>> {
        match self.rule {
            Rule::Partial | Rule::Refused | Rule::NoUrl | Rule::Newer => Some(Vec::new()),
            Rule::NoRedirect => Some(recorded.into_iter().take(1).collect()),
            Rule::LaterError => {
                let tokens = |asked: &Asked| asked.path.ends_with("RequestToken");
                Some(recorded.into_iter().filter(tokens).take(1).collect())
            }
            Rule::AtPath
            | Rule::Retried
            | Rule::Sent
            | Rule::ClientWins
            | Rule::ProviderAsGiven
            | Rule::Accepted => None,
            _ => Some(recorded),
        }
    }

    /// Judges requests that were not recorded.
    fn compare_paths(&self, got: &[Asked], judgement: &mut Judgement) {
        let paths: Vec<_> = got.iter().map(|asked| asked.path.as_str()).collect();
        let api = self
            .case
            .steps
            .iter()
            .find_map(|step| step.args.get("path")?.as_str());
        let token = "/api/oauth2/RequestToken";
        let expected = match (self.rule, api) {
            (Rule::Retried, Some(api)) => vec![api, token, api],
            (Rule::ClientWins | Rule::AtPath, _) => vec![token],
            (Rule::ProviderAsGiven, _) => {
                let provider = self.case.steps[0].args["developer_token_provider"].as_str();
                let path = provider.and_then(|url| url.splitn(4, '/').nth(3));
                return match got {
                    [asked] if Some(asked.path.trim_start_matches('/')) == path => {}
                    _ => judgement.differ(format!("requests: {paths:?}")),
                };
            }
            (Rule::Sent | Rule::Accepted, Some(api)) => vec![api],
            _ => Vec::new(),
        };
        if paths != expected {
            judgement.differ(format!("requests: expected {expected:?}, got {paths:?}"));
        }
        let bearers = got
            .iter()
            .filter_map(|asked| asked.authorization.as_deref());
        if bearers.clone().any(|bearer| bearer == "Bearer None") {
            judgement.differ("a request without a token was sent");
        }
    }
}

async fn documents(machine: &Machine) -> Result<Got, String> {
    let store = FileStore::new(&machine.store_path);
    let documents = store.documents(FileStore::NAMESPACE).await;
    Ok(match documents {
        Ok(documents) => {
            let shown = documents.into_iter().map(|document| {
                let record = document.record;
                json!({
                    "doc_id": document.id,
                    "access_token": secret_value(record.access_token),
                    "client_id": record.client_id,
                    "client_secret": secret_value(record.client_secret),
                    "profile": document.profile,
                    "refresh_token": secret_value(record.refresh_token),
                })
            });
            Got::Value(json!({"profiles_in_file_order": shown.collect::<Vec<_>>()}))
        }
        Err(fault) => Got::Fault(fault),
    })
}

async fn exchange(credentials: &Credentials, args: &Map<String, Value>) -> Result<Value, Fault> {
    let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut exchange = credentials.exchange(text("code").unwrap_or_default());
    if let Some(id) = text("client_id") {
        exchange = exchange.client_id(id);
    }
    if let Some(secret) = text("client_secret") {
        exchange = exchange.client_secret(secret);
    }
    if let Some(uri) = text("redirect_uri") {
        exchange = exchange.redirect_uri(uri);
    }
    let answer = exchange.send().await?;
    let mut shown = json!({"access_token": answer.access_token.expose()});
    if let Some(token) = answer.refresh_token {
        shown["refresh_token"] = token.expose().into();
    }
    Ok(shown)
}

async fn authorization_url(
    credentials: &Credentials,
    args: &Map<String, Value>,
    machine: &mut Machine,
    case: &Case,
) -> Result<Value, Fault> {
    let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut request = credentials.authorize().pkce(Pkce::Off);
    // Recorded with a generator of random numbers that always returns this.
    request = request.state(
        text("state")
            .or_else(|| case.setup.uuid4.clone())
            .unwrap_or_default(),
    );
    if let Some(id) = text("client_id") {
        request = request.client_id(id);
    }
    if let Some(uri) = text("redirect_uri") {
        request = request.redirect_uri(uri);
    }
    if let Some(id) = text("instance_id") {
        request = request.instance_id(id);
    }
    if let Some(region) = text("region") {
        request = request.region(region);
    }
    if let Some(scope) = args.get("scope") {
        request = request.scopes(texts(scope));
    }
    let login = request.url().await?;
    machine.state = Some(login.state.clone());
    Ok(json!([login.url, login.state]))
}

fn is_expired(claims: &Claims, now: SystemTime, leeway: f64) -> Result<bool, Fault> {
    // A negative leeway asks whether the token will have expired then.
    let length = Duration::from_secs_f64(leeway.abs());
    match leeway < 0.0 {
        true => claims.is_expired(now + length, Duration::ZERO),
        false => claims.is_expired(now, length),
    }
}

fn call_of(args: &Map<String, Value>) -> Result<Call, String> {
    let text = |name: &str| args.get(name).and_then(Value::as_str);
    let method = text("method").ok_or("no method")?.parse::<Method>();
    let method = method.map_err(|cause| cause.to_string())?;
    let path = text("path").unwrap_or_default();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in args
        .get("params")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        query.append_pair(name, value.as_str().unwrap_or_default());
    }
    let query = query.finish();
    let target = match query.as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    // Operations are static data; the few of a run stay until its end.
    let path: &'static str = Box::leak(path.to_owned().into_boxed_str());
    let operation = Operation::new("vectors.request", method, path).repeat(Repeat::OnlyIfUnsent);
    let target = Target::encoded(&target).map_err(|error| error.to_string())?;
    let call = Call::new(Box::leak(Box::new(operation)), target);
    match args.get("json") {
        Some(body) if !body.is_null() => call.json(body).map_err(|error| error.to_string()),
        _ => Ok(call),
    }
}

/// Refuses arguments that would change what a step means.
fn known(args: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match args.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("no runner for the argument {name}")),
        None => Ok(()),
    }
}

/// Returns the name of the object that `$name` means.
fn bound(value: Option<&Value>) -> Option<String> {
    let name = value?.as_str()?.strip_prefix('$')?;
    Some(name.to_owned())
}

fn secret_value(secret: Option<Secret>) -> Value {
    secret.map(|secret| secret.expose().to_owned()).into()
}

/// Removes the member that only this library writes.
fn without_ours(text: &str) -> String {
    let mut shown = Vec::new();
    let mut is_ours = false;
    for line in text.split('\n') {
        is_ours |= line.starts_with("            \"cloud_credentials\": {");
        if !is_ours {
            shown.push(line);
        }
        is_ours &= !line.starts_with("            }");
    }
    shown.join("\n")
}

fn compare_outcome(
    case: &Case,
    deed: &str,
    outcome: &Outcome,
    got: &Got,
    judgement: &mut Judgement,
) {
    match (outcome, got) {
        (_, Got::Nothing) => {}
        (Outcome::Err(raised), got) => expect_raised(case, raised, got, judgement),
        // What these return is Python's own.
        (Outcome::Ok(_), Got::Value(_))
            if matches!(
                deed,
                "revoke_access_token" | "revoke_refresh_token" | "write_credentials"
            ) => {}
        (Outcome::Ok(ids), Got::Value(removed)) if deed == "remove_profile" => {
            let is_there = ids.as_array().is_some_and(|ids| !ids.is_empty());
            if removed != &Value::Bool(is_there) {
                judgement.differ(format!("removed: expected {is_there}, got {removed}"));
            }
        }
        (Outcome::Ok(answer), Got::Value(tokens)) if deed == "fetch_tokens" => {
            for name in ["access_token", "refresh_token"] {
                if answer.get(name) != tokens.get(name) {
                    judgement.differ(format!("{name}: not the one of the answer"));
                }
            }
        }
        (Outcome::Ok(recorded), Got::Value(answer)) if deed == "request" => {
            for name in ["status", "body"] {
                let (recorded, answer) = (&recorded["response"][name], &answer["response"][name]);
                if recorded != answer {
                    judgement.differ(format!("{name}: expected {recorded}, got {answer}"));
                }
            }
        }
        // An answer with an error status is an error here.
        (Outcome::Ok(recorded), Got::Fault(fault)) if deed == "request" => {
            let status = recorded["response"]["status"].as_u64();
            if fault.status().map(|status| u64::from(status.as_u16())) != status {
                judgement.differ(format!("expected status {status:?}, got {fault}"));
            }
        }
        (Outcome::Ok(recorded), got) if deed == "get_authorization_url" => {
            let url = |value: &Value| {
                let url = value[0].as_str().unwrap_or_default().to_owned();
                let (base, query) = url.split_once('?').unwrap_or((&url, ""));
                let (query, fragment) = query.split_once('#').unwrap_or((query, ""));
                (
                    base.to_owned(),
                    pairs(query),
                    fragment.to_owned(),
                    value[1].clone(),
                )
            };
            match got {
                Got::Value(value) if url(value) == url(recorded) => {}
                Got::Value(value) => judgement.differ(format!("expected {recorded}, got {value}")),
                _ => judgement.differ("expected a URL"),
            }
        }
        (Outcome::Ok(recorded), got) if deed == "parse_store" => {
            // Here they are in the order of their numbers.
            let mut recorded = recorded.clone();
            if let Some(documents) = recorded["profiles_in_file_order"].as_array_mut() {
                documents.sort_by_key(|document| document["doc_id"].as_u64());
            }
            expect_value(got, &recorded, judgement);
        }
        (Outcome::Ok(recorded), got) => expect_value(got, recorded, judgement),
    }
}

/// Compares an error by its kind.
fn expect_raised(case: &Case, raised: &Raised, got: &Got, judgement: &mut Judgement) {
    let Got::Fault(fault) = got else {
        return judgement.differ(format!("expected {}: {}", raised.class, raised.message));
    };
    if !raised.library_error {
        return;
    }
    let message = raised.message.as_str();
    let is_jwt = case.class == "jwt";
    let kinds: &[ErrorKind] = match raised.class.as_str() {
        "PartialCredentialsError" => &[ErrorKind::PartialCredentials],
        "HTTPError" => &[ErrorKind::TokenEndpoint],
        "PanCloudError" | "CortexError" if message.starts_with("Invalid J") && is_jwt => {
            &[ErrorKind::InvalidJwt]
        }
        "PanCloudError" | "CortexError" if message.starts_with("No exp") => &[ErrorKind::NoExpiry],
        "PanCloudError" | "CortexError" if message.starts_with("Expiration time") => {
            &[ErrorKind::InvalidJwt]
        }
        "PanCloudError" | "CortexError" if message.starts_with("Invalid J") => {
            &[ErrorKind::InvalidResponse]
        }
        "PanCloudError" | "CortexError" => &[ErrorKind::TokenEndpoint],
        other => return judgement.differ(format!("no kind for {other}")),
    };
    // The error of a refresh is the cause of that of the request.
    let cause = std::error::Error::source(fault).and_then(|cause| {
        let core = cause.downcast_ref::<vouchsafe::core::Error>()?;
        Some(Fault::from(core.clone()).kind())
    });
    if !kinds.contains(&fault.kind()) && !cause.is_some_and(|kind| kinds.contains(&kind)) {
        judgement.differ(format!(
            "expected {kinds:?}, got {:?}: {fault}",
            fault.kind()
        ));
    }
}

fn expect_kind(got: &Got, kinds: &[ErrorKind], status: Option<u16>, judgement: &mut Judgement) {
    match got {
        Got::Fault(fault) if kinds.contains(&fault.kind()) => {
            let has = fault.status().map(|status| status.as_u16());
            if status.is_some() && has != status {
                judgement.differ(format!("expected status {status:?}, got {has:?}"));
            }
        }
        Got::Fault(fault) => {
            judgement.differ(format!(
                "expected {kinds:?}, got {:?}: {fault}",
                fault.kind()
            ));
        }
        Got::Value(value) => judgement.differ(format!("expected {kinds:?}, got {value}")),
        Got::Nothing => judgement.differ(format!("expected {kinds:?}, got nothing")),
    }
}

fn expect_any(got: &Got, judgement: &mut Judgement) {
    if !matches!(got, Got::Fault(_)) {
        judgement.differ("expected an error");
    }
}

fn expect_ok(got: &Got, judgement: &mut Judgement) {
    if let Got::Fault(fault) = got {
        judgement.differ(format!("expected a success, got {fault}"));
    }
}

fn expect_status(got: &Got, status: u64, judgement: &mut Judgement) {
    let has = match got {
        Got::Value(value) => value["response"]["status"].as_u64(),
        Got::Fault(fault) => fault.status().map(|status| u64::from(status.as_u16())),
        Got::Nothing => None,
    };
    if has != Some(status) {
        judgement.differ(format!("expected status {status}, got {has:?}"));
    }
}

fn expect_value(got: &Got, expected: &Value, judgement: &mut Judgement) {
    match got {
        Got::Value(value) if value == expected => {}
        Got::Value(value) => judgement.differ(format!("expected {expected}, got {value}")),
        Got::Fault(fault) => judgement.differ(format!("expected {expected}, got {fault}")),
        Got::Nothing => {}
    }
}
