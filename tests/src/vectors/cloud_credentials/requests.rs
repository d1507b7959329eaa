//! Compares the requests of a case with the recorded ones, or with those that its rule asks for.

use serde_json::Value;

use super::expected::Recorded;
use super::network::{Asked, Body, decoded, is_for_tokens};
use super::rule::Rule;
use super::steps::{FIRST, Run, recorded};
use crate::vectors::report::Judgement;

impl Run<'_> {
    /// Returns the requests that the rule asks for. `None` where those recorded say too little.
    pub(super) fn expected_requests(&self, recorded: Vec<Asked>) -> Option<Vec<Asked>> {
        match self.rule {
            Rule::Partial | Rule::Refused | Rule::NoUrl | Rule::Newer | Rule::Unsent => {
                Some(Vec::new())
            }
            Rule::NoRedirect => Some(recorded.into_iter().take(1).collect()),
            Rule::LaterError => {
                let tokens = |asked: &Asked| asked.path.ends_with("RequestToken");
                Some(recorded.into_iter().filter(tokens).take(1).collect())
            }
            Rule::OpaqueToken => Some(self.with_repeat(recorded)),
            Rule::HeaderKept => Some(self.with_token(recorded, self.given_header())),
            Rule::Environment => {
                let token = self.case.setup.env.get("PAN_ACCESS_TOKEN");
                let token = token.map(|token| format!("Bearer {token}"));
                Some(self.with_token(recorded, token))
            }
            Rule::AtPath
            | Rule::BasePath
            | Rule::Retried
            | Rule::Sent
            | Rule::ClientWins
            | Rule::ProviderAsGiven
            | Rule::Accepted
            | Rule::Waited
            | Rule::StoreWins
            | Rule::Encoded => None,
            Rule::FirstAnswer if self.case.rust.contains("no refresh") => {
                Some(recorded.into_iter().take(1).collect())
            }
            _ => Some(recorded),
        }
    }

    /// Adds the request that is sent once more with a token that could not be read there.
    fn with_repeat(&self, mut recorded: Vec<Asked>) -> Vec<Asked> {
        let mut exchanges = self.case.steps.iter().flat_map(|step| &step.exchanges);
        let last = recorded.last().filter(|last| is_for_tokens(&last.path));
        let first = last.and_then(|_| recorded.iter().find(|one| !is_for_tokens(&one.path)));
        let answer = exchanges.rfind(|one| is_for_tokens(&one.request.target));
        let answer = answer.and_then(|answer| answer.response.body.as_deref());
        if let (Some(mut again), Some(answer)) = (first.cloned(), answer) {
            let answer: Value = serde_json::from_str(answer).unwrap_or_default();
            let token = answer["access_token"].as_str();
            again.authorization = token.map(|token| format!("Bearer {token}"));
            recorded.push(again);
        }
        recorded
    }

    /// Returns the header that a step was given, or else that of the token of the first one.
    fn given_header(&self) -> Option<String> {
        let mut headers = (self.case.steps.iter()).filter_map(|step| step.args.get("headers"));
        let given = headers.find_map(|headers| headers["Authorization"].as_str());
        given
            .map(str::to_owned)
            .or_else(|| args_token(&self.case.steps[0].args))
    }

    /// Returns the URL of the provider of developer tokens, as it is called here.
    fn provider(&self) -> Option<String> {
        let of_step = |step: &Recorded| {
            let name = match step.deed.as_str() {
                "set developer_token_provider" => "value",
                _ => "developer_token_provider",
            };
            step.args.get(name)?.as_str().map(str::to_owned)
        };
        let of_env = || {
            let env = &self.case.setup.env;
            env.get("PAN_DEVELOPER_TOKEN_PROVIDER").cloned()
        };
        let provider = self.case.steps.iter().find_map(of_step).or_else(of_env)?;
        Some(provider.replace(":$PORT", ":80"))
    }

    fn with_token(&self, mut recorded: Vec<Asked>, token: Option<String>) -> Vec<Asked> {
        for asked in &mut recorded {
            asked.authorization.clone_from(&token);
        }
        recorded
    }

    /// Judges requests that were not recorded.
    pub(super) fn compare_paths(&self, got: &[Asked], judgement: &mut Judgement) {
        if self.rule == Rule::StoreWins {
            return self.compare_fewer(got, judgement);
        }
        if self.rule == Rule::Encoded {
            let recorded = self.case.steps.iter().flat_map(|step| &step.exchanges);
            let recorded: Vec<_> = recorded
                .map(|exchange| decoded(&exchange.request.target))
                .collect();
            let got: Vec<_> = got.iter().map(|asked| decoded(&asked.path)).collect();
            if got != recorded {
                judgement.differ(format!("requests: expected {recorded:?}, got {got:?}"));
            }
            return;
        }
        let paths: Vec<_> = got.iter().map(|asked| asked.path.as_str()).collect();
        let api = self.case.steps.iter().find_map(|step| {
            step.args
                .get("path")
                .or(step.args.get("endpoint"))?
                .as_str()
        });
        let token = "/api/oauth2/RequestToken";
        let expected = match (self.rule, api) {
            (Rule::Retried, Some(api)) => vec![api, token, api],
            (Rule::ClientWins | Rule::AtPath | Rule::Waited, _) => vec![token],
            (Rule::BasePath, _) if !self.case.rust.contains("request target ") => {
                vec![api.unwrap_or(token)]
            }
            (Rule::BasePath, _) => {
                let (_, target) = self
                    .case
                    .rust
                    .split_once("request target ")
                    .unwrap_or_default();
                let end = target.find(|c: char| c.is_whitespace() || ",;:".contains(c));
                vec![&target[..end.unwrap_or(target.len())]]
            }
            (Rule::ProviderAsGiven, _) => {
                let provider = self.provider().unwrap_or_default();
                let mut parts = provider.splitn(4, '/').skip(2);
                let (place, path) = (parts.next(), parts.next());
                return match got {
                    [asked]
                        if Some(asked.path.trim_start_matches('/')) == path
                            && asked.place.as_deref() == place => {}
                    _ => judgement.differ(format!("requests: {paths:?}")),
                };
            }
            (Rule::Sent | Rule::Accepted, api) => {
                let given = args_token(&self.case.steps[0].args);
                if got.iter().any(|asked| asked.authorization != given) {
                    judgement.differ(format!("not sent as it is: {got:?}"));
                }
                vec![api.unwrap_or(FIRST)]
            }
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
    /// Compares requests with those recorded, of which some may be missing: with the record that another
    /// program wrote, nothing may be left to ask for. From then on, they are those of its credentials.
    fn compare_fewer(&self, got: &[Asked], judgement: &mut Judgement) {
        let steps = &self.case.steps;
        let edit = steps.iter().rposition(is_edit).unwrap_or(steps.len());
        let (before, after) = steps.split_at(edit);
        let mut renewed = recorded(after);
        if let Some(edited) = self.edited() {
            let answers = after.iter().flat_map(|step| &step.exchanges);
            let answers: Vec<_> = answers
                .filter_map(|exchange| exchange.response.body.as_deref())
                .collect();
            // What was answered since then is newer than the record.
            let is_answered = |text: &str| {
                let quoted = format!("\"{text}\"");
                answers.iter().any(|answer| answer.contains(&quoted))
            };
            let args = &steps[0].args;
            let there = |name: &str, old: &str| {
                let is_replaced = !args.contains_key(name) && !is_answered(old);
                edited.get(name).filter(|_| is_replaced).cloned()
            };
            renewed.iter_mut().for_each(|asked| renew(asked, there));
        }
        let mut expected = recorded(before).into_iter().chain(renewed).peekable();
        let has_token = self.edited().is_some_and(|edited| {
            edited
                .get("access_token")
                .is_some_and(|token| !token.is_null())
        });
        // Without a token of the record, one must be asked for.
        if got.is_empty() && !has_token && expected.peek().is_some() {
            judgement.differ("nothing was sent");
        }
        for asked in got {
            let is_same = |one: &Asked| (&one.method, &one.path) == (&asked.method, &asked.path);
            match expected.find(is_same) {
                Some(one) => asked.compare(&one, judgement),
                None => judgement.differ(format!("it was not recorded: {asked:?}")),
            }
        }
    }
}

/// Replaces the credentials of a request by others, if there are some for a member and its old value.
fn renew(asked: &mut Asked, others: impl Fn(&str, &str) -> Option<Value>) {
    if let Some(old) = &asked.authorization {
        let other = others("access_token", old.trim_start_matches("Bearer "));
        if let Some(token) = other.as_ref().and_then(Value::as_str) {
            asked.authorization = Some(format!("Bearer {token}"));
        }
    }
    if let (true, Body::Json(Value::Object(fields))) = (is_for_tokens(&asked.path), &mut asked.body)
    {
        for (name, value) in fields {
            if let Some(other) = others(name, value.as_str().unwrap_or_default()) {
                *value = other;
            }
        }
    }
}

/// Returns whether another program writes the file.
pub(super) fn is_edit(step: &Recorded) -> bool {
    matches!(
        step.deed.as_str(),
        "edit_store_in_place" | "replace_store_by_rename"
    )
}

/// Returns how the access token of a constructor is sent.
fn args_token(args: &serde_json::Map<String, Value>) -> Option<String> {
    let token = args.get("access_token")?.as_str()?;
    Some(format!("Bearer {token}"))
}
