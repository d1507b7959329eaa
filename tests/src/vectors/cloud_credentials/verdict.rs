//! Compares the results of steps with the recorded ones, or with the rule of the case.

use serde_json::Value;
use vouchsafe::cloud_credentials::ErrorKind;

use super::expected::{Outcome, Recorded};
use super::machine::{Machine, mode_of, texts};
use super::network::{is_for_tokens, pairs};
use super::outcome::{
    Got, compare_outcome, expect_any, expect_kind, expect_ok, expect_status, expect_value,
};
use super::requests::is_edit;
use super::rule::Rule;
use super::steps::{NO_PROFILES, Run, is_older};
use crate::vectors::report::Judgement;

impl Run<'_> {
    pub(super) fn compare(
        &self,
        number: usize,
        step: &Recorded,
        got: Got,
        judgement: &mut Judgement,
    ) {
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
        ) || (deed == "jwt_is_expired" && (is_last || self.rule != Rule::NotExpired))
            || step
                .on
                .as_ref()
                .is_some_and(|on| self.services.contains_key(on));
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
            (Rule::LaterError | Rule::Failed | Rule::Unsent, true) => {
                expect_any(&got, judgement);
            }
            (Rule::StoreWins, true) if deed == "refresh" => expect_ok(&got, judgement),
            (Rule::Encoded, true) => expect_ok(&got, judgement),
            (Rule::FirstAnswer, true) if deed == "request" => {
                let first = step.exchanges.first();
                let status = first.map_or(0, |exchange| exchange.response.status);
                expect_status(&got, status.into(), judgement);
            }
            (Rule::EmptyIsNone, _) if matches!(outcome, Outcome::Ok(value) if value == "") => {
                expect_value(&got, &Value::Null, judgement);
            }
            (Rule::LaterError, false) if deed == "HTTPClient" => {
                if matches!(outcome, Outcome::Err(_)) {
                    expect_any(&got, judgement);
                }
            }
            (Rule::InvalidJwt, true) => {
                expect_kind(&got, &[ErrorKind::InvalidJwt], None, judgement);
            }
            (Rule::ProviderAsGiven, true) => {
                // The answer that is made for it has no token.
                expect_kind(&got, &[ErrorKind::InvalidResponse], None, judgement);
            }
            (Rule::Corrupt, _) if is_main || deed == "remove_profile" || reads_file(step) => {
                expect_kind(&got, &[ErrorKind::StoreCorrupt], None, judgement);
            }
            (Rule::Retried, true) if deed == "request" => {
                expect_status(&got, 200, judgement);
            }
            (Rule::OpaqueToken | Rule::Success | Rule::BasePath, true) => {
                expect_ok(&got, judgement);
            }
            (Rule::Waited, true) => match &got {
                Got::Value(Value::String(_)) => {}
                _ => judgement.differ("expected the token of the refresh in flight"),
            },
            (Rule::NotExpired, true) if deed == "jwt_is_expired" => {
                let is_expired = self.case.rust.contains("last call true");
                expect_value(&got, &Value::Bool(is_expired), judgement);
            }
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
                let of_object = || self.case.steps[0].args.get("scope");
                let given = step.args.get("scope").or_else(of_object);
                let joined = given.map(texts).unwrap_or_default().join(" ");
                if scopes != [("scope".to_owned(), joined)] {
                    judgement.differ(format!("scopes: {scopes:?}"));
                }
            }
            (Rule::Newer, true) => {
                let there = self.before.as_deref().unwrap_or_default();
                match &got {
                    Got::Value(Value::String(token))
                        if there.contains(token)
                            || self.case.steps[0].args.get("access_token")
                                == Some(&token.as_str().into()) => {}
                    _ => judgement.differ("expected the token that is in the file"),
                }
            }
            (Rule::ClientWins | Rule::StillUsable, _) => {
                if !matches!(got, Got::Nothing) {
                    expect_ok(&got, judgement);
                }
            }
            (_, false) if deed == "get_credentials" => {
                self.compare_values(step, &got, judgement);
            }
            (Rule::BareName, _) => expect_value(&got, &Value::Bool(true), judgement),
            (Rule::Accepted | Rule::Sent, _) if matches!(deed, "request" | "HTTPClient") => {
                if !matches!(got, Got::Nothing) {
                    expect_status(&got, 200, judgement);
                }
            }
            _ => compare_outcome(self.case, step, &got, judgement),
        }
    }

    /// Returns the document of the profile in the file that another program wrote last.
    pub(super) fn edited(&self) -> Option<serde_json::Map<String, Value>> {
        let edit = self.case.steps.iter().rfind(|step| is_edit(step))?;
        let text = edit.args.get("text")?.as_str()?;
        let file: Value = serde_json::from_str(text).ok()?;
        let profile = self.case.steps[0].args.get("profile").cloned();
        let profile = profile.unwrap_or_else(|| "default".into());
        let mut documents = file["profiles"].as_object()?.values();
        let found = documents.find(|document| document["profile"] == profile)?;
        found.as_object().cloned()
    }

    /// Compares the values of the moment with those recorded, or with those of the rule.
    fn compare_values(&self, step: &Recorded, got: &Got, judgement: &mut Judgement) {
        let Outcome::Ok(recorded) = &step.outcome else {
            return compare_outcome(self.case, step, got, judgement);
        };
        let mut expected = recorded.clone();
        let values = &mut expected["read_only_credentials"];
        let args = &self.case.steps[0].args;
        let variable = |name: &str| self.case.setup.env.get(name).cloned().into();
        match self.rule {
            // Nothing is lost.
            Rule::EndpointError
            | Rule::InvalidResponse
            | Rule::Partial
            | Rule::NoRedirect
            | Rule::Failed
            | Rule::Unsent => {
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
                // After a refusal of the service, there is one of the endpoint.
                let mut exchanges = exchange.exchanges.iter();
                let of_endpoint = exchanges.find(|one| is_for_tokens(&one.request.target));
                let answer = of_endpoint.unwrap_or(&exchange.exchanges[0]);
                let answer = answer.response.body.as_deref().unwrap_or_default();
                let answer: Value = serde_json::from_str(answer).unwrap_or_default();
                values["access_token"] = answer["access_token"].clone();
                let is_exchange = exchange.deed == "fetch_tokens";
                if is_exchange || answer["refresh_token"].is_string() {
                    values["refresh_token"] = answer["refresh_token"].clone();
                }
                // A refresh leaves the client as it is.
                for name in ["client_id", "client_secret"] {
                    if !is_exchange {
                        continue;
                    }
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
            Rule::StoreWins => {
                let Some(edited) = self.edited() else { return };
                for (name, value) in values.as_object_mut().into_iter().flatten() {
                    *value = edited.get(name).cloned().unwrap_or_default();
                }
            }
            // What was refreshed meanwhile was not recorded.
            Rule::BasePath => return,
            Rule::EmptyIsNone => {
                let values = values.as_object_mut().into_iter().flatten();
                values
                    .filter(|(_, value)| **value == "")
                    .for_each(|(_, value)| *value = Value::Null);
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
        let is_refused = matches!(
            self.rule,
            Rule::EndpointError | Rule::Partial | Rule::Failed | Rule::Unsent
        );
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

    pub(super) fn compare_store(
        &self,
        machine: &Machine,
        step: &Recorded,
        judgement: &mut Judgement,
    ) {
        let Some(after) = &step.store_after else {
            return;
        };
        // It did not create a file by itself.
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
            | Rule::Failed
            | Rule::Unsent
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
        let is_empty =
            |text: &Option<String>| text.as_deref().is_none_or(|text| text == NO_PROFILES);
        let shown = there.as_deref().map(without_own);
        if shown != expected && !(is_empty(&shown) && is_empty(&expected)) {
            judgement.differ(format!("file: expected {expected:?}, got {there:?}"));
        }
        if self.before.is_none() && there.is_some() {
            self.compare_mode(machine, "0600", judgement);
            let folder = machine.store_path.parent().and_then(mode_of);
            if after.dir_mode.is_some() && folder != after.dir_mode {
                let expected = &after.dir_mode;
                judgement.differ(format!("folder: expected {expected:?}, got {folder:?}"));
            }
        } else if self.rule == Rule::Same && is_write && there.is_some() {
            let mode = after.file_mode.as_deref().unwrap_or_default();
            self.compare_mode(machine, mode, judgement);
        }
    }

    fn compare_mode(&self, machine: &Machine, expected: &str, judgement: &mut Judgement) {
        let mode = mode_of(&machine.store_path).unwrap_or_default();
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
        let args = &self.case.steps[0].args;
        // Set on the object later, or else given to it.
        let given = |name: &str| {
            let deed = format!("set {name}");
            let mut steps = self.case.steps.iter().rev();
            let set = steps.find(|step| step.deed == deed);
            let value = set.map_or(args.get(name), |step| step.args.get("value"));
            value.filter(|value| !value.is_null() && *value != "")
        };
        let is_cached = args.get("cache_token").is_none_or(|value| value != false);
        let profile = args
            .get("profile")
            .filter(|profile| !profile.is_null() && *profile != "");
        let profile = profile.cloned().unwrap_or_else(|| "default".into());
        let documents = expected["profiles"].as_object_mut().into_iter().flatten();
        for (_, document) in documents.filter(|(_, document)| document["profile"] == profile) {
            let mut is_changed = false;
            for name in ["client_id", "client_secret", "refresh_token"] {
                if let Some(value) = given(name) {
                    is_changed |= document[name] != *value;
                    document[name] = value.clone();
                }
            }
            match given("access_token").filter(|_| is_cached) {
                Some(token) => document["access_token"] = token.clone(),
                None if is_changed => document["access_token"] = Value::Null,
                None => {}
            }
        }
        if there != expected {
            judgement.differ(format!("file: expected {expected}, got {there}"));
        }
    }
}

/// Returns whether a step reads the file.
fn reads_file(step: &Recorded) -> bool {
    step.deed == "get_credentials" || step.deed.starts_with("get ")
}

/// Removes the member that only this library writes.
pub(super) fn without_own(text: &str) -> String {
    let mut shown = Vec::new();
    let mut is_own = false;
    for line in text.split('\n') {
        is_own |= line.starts_with("            \"cloud_credentials\": {");
        if !is_own {
            shown.push(line);
        }
        is_own &= !line.starts_with("            }");
    }
    shown.join("\n")
}
