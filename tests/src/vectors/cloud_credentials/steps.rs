//! Runs the steps of a case.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use vouchsafe::cloud_credentials::{Claims, Secret, Values};
use vouchsafe::core::Clock as _;

use super::any::ClientObject;
use super::attributes::{Built, is_plain, set_value};
use super::calls::{
    authorization_url, bound, documents, exchange, is_expired, known, known_to, secret_value,
};
use super::expected::{Case, Outcome, Recorded};
use super::machine::Machine;
use super::network::{Asked, Body, Broken, is_of_proxy};
use super::outcome::Got;
use super::rule::Rule;
use super::services::{ServiceObject, is_class};
use super::wire::recorded_places;
use crate::vectors::report::Judgement;

/// Judges a case.
pub(super) async fn judge(case: &Case, judgement: &mut Judgement) {
    // Of a walk without an end, it says where the recording ended.
    let is_endless = |step: &&Recorded| step.args.get("follow") == Some(&json!(true));
    let steps = case.steps.iter().filter(|step| !is_endless(step));
    let mut notes = steps.filter_map(|step| step.note.as_deref());
    if let Some(note) = notes.find(|note| !HELD.iter().all(|word| note.contains(word))) {
        return judgement.differ(format!("no runner for the note {note:?}"));
    }
    if let Some(why) = left_out(case) {
        return judgement.waive(why);
    }
    let Some(rule) = Rule::of(&case.policy, &case.rust) else {
        return judgement.differ(format!("no rule for: {}", case.rust));
    };
    let mut machine = match Machine::new(case).await {
        Ok(machine) => machine,
        Err(why) => return judgement.differ(why),
    };
    if matches!(
        rule,
        Rule::Retried
            | Rule::Sent
            | Rule::ClientWins
            | Rule::ProviderAsGiven
            | Rule::Accepted
            | Rule::BasePath
            | Rule::Waited
    ) || (rule == Rule::OpaqueToken && case.steps.iter().any(|step| step.deed == "request"))
    {
        machine.network.answer_all();
    }
    let before = machine.store_text();
    let mut asked = Vec::new();
    let mut run = Run {
        case,
        rule,
        has_written: false,
        before,
        clients: BTreeMap::new(),
        services: BTreeMap::new(),
        built: BTreeMap::new(),
    };
    for (number, step) in case.steps.iter().enumerate() {
        judgement.at(format!("step {} ({})", number + 1, step.deed));
        judgement.judged();
        machine.network.expect(&step.exchanges);
        if let Some(broken) = broken(step) {
            // The last one was not answered.
            let answered = recorded(std::slice::from_ref(step)).len();
            machine
                .network
                .break_after(answered.saturating_sub(1), broken);
        }
        match run.step(&mut machine, step).await {
            Ok(got) => run.compare(number, step, got, judgement),
            Err(why) => judgement.differ(why),
        }
        let requests = machine.network.take();
        // Where no server was reached there, the request is one to ours.
        let is_unreached = step.exchanges.is_empty()
            && matches!(&step.outcome, Outcome::Err(raised) if raised.class == "HTTPError");
        if rule == Rule::Same && !is_unreached {
            compare_requests(
                case,
                &requests,
                &recorded(std::slice::from_ref(step)),
                judgement,
            );
        }
        if !(rule == Rule::Failed && is_unreached) {
            asked.extend(requests);
        }
        run.compare_store(&machine, step, judgement);
    }
    judgement.at("");
    if let Some(wire) = &machine.wire {
        let (got, recorded) = (wire.asked(), recorded_places(case));
        if got != recorded {
            judgement.differ(format!("proxy: expected {recorded:?}, got {got:?}"));
        }
    }
    if rule != Rule::Same {
        match run.expected_requests(recorded(&case.steps)) {
            Some(recorded) => compare_requests(case, &asked, &recorded, judgement),
            None => run.compare_paths(&asked, judgement),
        }
    }
}

/// Words of the note of a refresh during another one of the same object.
const HELD: [&str; 2] = ["lock", "held"];

/// The file of `pancloud` without profiles.
pub(super) const NO_PROFILES: &str = "{\n    \"profiles\": {}\n}";

/// The path of a request that the constructor of an older client stands for.
pub(super) const FIRST: &str = "/r";

/// Returns why a case cannot be run.
fn left_out(case: &Case) -> Option<&'static str> {
    let is_set = |name: &str| case.setup.env.contains_key(name);
    is_set("HTTPS_PROXY").then_some("variables for proxies: those of the process count")
}

/// Returns what became of the request of a step, where it was not answered in time or at all.
fn broken(step: &Recorded) -> Option<Broken> {
    let Outcome::Err(raised) = &step.outcome else {
        return None;
    };
    match raised.message.as_str() {
        text if text.contains("timed out") => Some(Broken::Silent),
        text if text.contains("Connection aborted") => Some(Broken::Closed),
        _ => None,
    }
}

pub(super) fn recorded(steps: &[Recorded]) -> Vec<Asked> {
    let exchanges = steps.iter().flat_map(|step| &step.exchanges);
    let exchanges = exchanges.filter(|exchange| !is_of_proxy(exchange));
    exchanges
        .map(|exchange| Asked::recorded(&exchange.request))
        .collect()
}

fn compare_requests(case: &Case, got: &[Asked], recorded: &[Asked], judgement: &mut Judgement) {
    // A walk there adds what it learns of the next page at the end.
    let walks = case.steps.iter().any(|step| step.deed.starts_with("iter_"));
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
        let (mut got, mut recorded) = (got.clone(), recorded.clone());
        if walks {
            got.query.sort();
            recorded.query.sort();
        }
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
    clients: BTreeMap<String, ClientObject>,
    pub(super) services: BTreeMap<String, ServiceObject>,
    built: BTreeMap<String, Built>,
}

impl Run<'_> {
    async fn step(&mut self, machine: &mut Machine, step: &Recorded) -> Result<Got, String> {
        let args = &step.args;
        let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
        let secret = |name: &str| text(name).map(Secret::from);
        match step.deed.as_str() {
            "Credentials" => {
                let session = match bound(args.get("session")) {
                    Some(name) => Some(self.clients.get(&name).ok_or("no session")?.args()),
                    None => None,
                };
                let credentials = machine.build(args, session)?;
                let bind = step.bind.clone().ok_or("nothing is bound")?;
                self.built.insert(bind.clone(), Built::new(args, session));
                machine.credentials.insert(bind, credentials.clone());
                // Where no file can be made, none is needed to read nothing.
                return match (self.rule, credentials.values().await) {
                    (Rule::BareName, Ok(values)) => {
                        let is_empty = values == Values::default();
                        Ok(Got::Value(is_empty.into()))
                    }
                    (Rule::BareName, Err(fault)) => Ok(Got::Fault(fault)),
                    _ => Ok(Got::Nothing),
                };
            }
            "HTTPClient" => {
                let bind = step.bind.clone().ok_or("nothing is bound")?;
                let client = ClientObject::new(step)?;
                self.clients.insert(bind, client);
                let got = Got::Nothing;
                // What the constructor did there, the first request does here.
                return match (self.rule, &step.outcome) {
                    (Rule::LaterError | Rule::Sent | Rule::Accepted, Outcome::Err(_)) => {
                        self.first_request(machine, step).await
                    }
                    _ => Ok(got),
                };
            }
            "request" => {
                let name = step.on.as_deref().unwrap_or_default();
                let client = self.clients.get(name).ok_or("there is no such client")?;
                return client.request(machine, step).await;
            }
            deed if is_class(deed) => {
                let bind = step.bind.clone().ok_or("nothing is bound")?;
                if let (Rule::LaterError, Outcome::Err(_)) = (self.rule, &step.outcome) {
                    return self.first_request(machine, step).await;
                }
                let session = match bound(args.get("session")) {
                    Some(name) => Some(self.clients.get(&name).ok_or("no session")?),
                    None => None,
                };
                let service = ServiceObject::new(machine, session, step)?;
                self.services.insert(bind, service);
                return Ok(Got::Nothing);
            }
            "setenv" if args.contains_key("name") => {
                known(args, &["name", "value"])?;
                let name = text("name").ok_or("no name")?;
                match text("value") {
                    Some(value) => machine.set_variable(&name, &value),
                    None => machine.unset_variable(&name),
                }
                return Ok(Got::Nothing);
            }
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
                known(args, &["advance_seconds"])?;
                let seconds = args.get("advance_seconds").and_then(Value::as_f64);
                let seconds = seconds.ok_or("no seconds")?;
                let time = Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())?;
                machine.clock.advance(time);
                return Ok(Got::Nothing);
            }
            "edit_store_in_place" => {
                known(args, &["text"])?;
                machine.write_store(&text("text").ok_or("no text")?)?;
                return Ok(Got::Nothing);
            }
            "replace_store_by_rename" => {
                known(args, &["text"])?;
                machine.replace_store(&text("text").ok_or("no text")?)?;
                return Ok(Got::Nothing);
            }
            "read_file" => {
                known(args, &["path"])?;
                let path = machine.replaced(&text("path").ok_or("no path")?);
                return match std::fs::read_to_string(path) {
                    Ok(read) => Ok(Got::Value(read.into())),
                    // Python has made one by then.
                    Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                        Ok(Got::Value(NO_PROFILES.into()))
                    }
                    Err(cause) => Err(cause.to_string()),
                };
            }
            "parse_store" | "adapter_calls" | "stats" => {
                known(args, &[])?;
                return match step.deed.as_str() {
                    "parse_store" => documents(machine).await,
                    "stats" => Ok(Got::Value(machine.stats.shown())),
                    // What a Python adapter is asked for: one call for each value there, one
                    // record here.
                    _ => Ok(Got::Nothing),
                };
            }
            _ => {}
        }
        let name = step.on.as_deref().ok_or("no runner for this step")?;
        if let Some(service) = self.services.get(name) {
            return service.call(machine, step).await;
        }
        known_to(&step.deed, args)?;
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
            "refresh" if step.note.is_some() => {
                // The one that is first in line holds the lock.
                let (first, second) = tokio::join!(credentials.refresh(), credentials.refresh());
                let first = first.map_err(|error| error.to_string())?;
                second.map(|token| match token == first {
                    true => token.expose().into(),
                    false => Value::Null,
                })
            }
            "refresh" => {
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
                let claims = match secret("access_token").filter(|token| !token.is_empty()) {
                    Some(token) => Claims::of(&token),
                    None => credentials.claims().await,
                };
                machine.claims = claims.as_ref().ok().cloned();
                claims.map(|claims| Value::Object(claims.as_map().clone()))
            }
            "jwt_is_expired" => {
                let claims = match secret("access_token").filter(|token| !token.is_empty()) {
                    Some(token) => Claims::of(&token),
                    None => credentials.claims().await,
                };
                let leeway = args
                    .get("leeway")
                    .and_then(Value::as_f64)
                    .unwrap_or_default();
                let now = machine.clock.now();
                machine.claims = claims.as_ref().ok().cloned();
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
                .await
                .map(|token| token.map(|token| token.expose().to_owned()).into()),
            "set developer_token_provider" => credentials
                .set_developer_token_provider(text("value").as_deref())
                .map(|()| json!(null)),
            "get developer_token_provider" => {
                credentials.developer_token_provider().map(Value::from)
            }
            "get profile" => Ok(credentials.profile().into()),
            // Not kept by credentials here, but read from the claims of a token.
            "get jwt_exp" => {
                let claims = match machine.claims.clone() {
                    Some(claims) => Ok(claims),
                    None => credentials.claims().await,
                };
                claims.and_then(|claims| claims.expiry()).map(|expiry| {
                    let since = expiry.duration_since(UNIX_EPOCH);
                    since
                        .map(|since| since.as_secs())
                        .unwrap_or_default()
                        .into()
                })
            }
            "set jwt_exp" => return Ok(Got::Nothing),
            deed if deed.starts_with("get ") => {
                let attribute = &deed["get ".len()..];
                if is_plain(attribute) || attribute == "cache_token" {
                    let built = self.built.get(name).ok_or("nothing was built")?;
                    return Ok(Got::Value(built.get(attribute)));
                }
                let secrets = [
                    "access_token",
                    "client_id",
                    "client_secret",
                    "refresh_token",
                ];
                if !secrets.contains(&attribute) {
                    return Err(format!("no runner for getting {attribute}"));
                }
                credentials.values().await.map(|values| match attribute {
                    "access_token" => secret_value(values.access_token),
                    "client_id" => values.client_id.into(),
                    "client_secret" => secret_value(values.client_secret),
                    _ => secret_value(values.refresh_token),
                })
            }
            deed if deed.starts_with("set ") => {
                let attribute = &deed["set ".len()..];
                let built = self.built.get_mut(name).ok_or("nothing was built")?;
                if !is_plain(attribute) {
                    set_value(&credentials, attribute, text("value").as_deref())?;
                    built.note(attribute, text("value").as_deref());
                } else if self.has_written {
                    return Err(format!("no runner for setting {attribute} after a request"));
                } else {
                    let value = args.get("value").unwrap_or(&Value::Null);
                    let rebuilt = built.set(machine, attribute, value)?;
                    machine.credentials.insert(name.to_owned(), rebuilt);
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

    async fn first_request(&self, machine: &Machine, step: &Recorded) -> Result<Got, String> {
        let client = ClientObject::new(step)?;
        let first = Recorded::request(FIRST);
        client.request(machine, &first).await
    }
}
