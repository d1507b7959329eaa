//! A client under test, and what is expected of its next call.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use vouchsafe::core::timestamp;
use vouchsafe::userinfo::Client;

use super::calls::{Outcome, Prepared, Unprepared, prepare};
use super::expected;
use super::rules::BEYOND;
use super::standins::Standins;
use crate::vectors::compare::Comparison;
use crate::vectors::report::Judgement;
use crate::vectors::schema::{Answer, Call, CallStep, Expect, SeenRequest};
use crate::vectors::upstream::{Arrived, Upstream};

/// A client under test, and what is known of its state.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) upstream: Upstream,
    pub(super) standins: Arc<Standins>,
    /// The keys of the caches under which our client got a good answer.
    pub(super) held: BTreeSet<String>,
    /// The path at which discovery is read.
    pub(super) discovery: String,
    /// Reads of discovery that the recorded client made in a step in which ours sends nothing:
    /// ours makes them in the next.
    owed: Vec<SeenRequest>,
    pub(super) discovery_was_read: bool,
}

impl Session {
    pub(super) fn new(
        client: Client,
        upstream: Upstream,
        standins: Arc<Standins>,
        discovery: String,
    ) -> Self {
        Self {
            client,
            upstream,
            standins,
            held: BTreeSet::new(),
            discovery,
            owed: Vec::new(),
            discovery_was_read: false,
        }
    }

    pub(super) async fn call(&mut self, step: &CallStep, judgement: &mut Judgement) {
        let call = Call {
            call: step.call.clone(),
            args: step.args.clone(),
        };
        match prepare(&call, &self.standins) {
            Err(Unprepared::Unknown(what)) => judgement.differ(format!("unknown {what}")),
            Err(Unprepared::Odd(_)) => {
                // Refused by a type: there is no call to make, and nothing was sent.
                judgement.judged();
                self.pass_over(&step.upstream_requests);
            }
            Ok(prepared) => self.perform(step, prepared, judgement).await,
        }
    }

    async fn perform(&mut self, step: &CallStep, prepared: Prepared, judgement: &mut Judgement) {
        let key = prepared.cache_key();
        let clears = matches!(prepared, Prepared::ClearCache);
        let (expect, requests, differs) = self.expectation(step, key.as_deref());
        let answer = requests
            .last()
            .map(|request| self.upstream.next_answer(&route(request)));

        let outcome = prepared.perform(&self.client, &self.standins).await;

        judgement.judged();
        let (arrived, _) = self.upstream.take();
        for difference in self.request_differences(&requests, &arrived) {
            judgement.differ(difference);
        }
        self.judge_outcome(&expect, &outcome, answer.as_ref(), judgement);
        if differs {
            // The recorded client did not use up this answer.
            for request in &requests {
                self.upstream.give_back_answer(&route(request));
            }
        }
        if requests
            .iter()
            .any(|request| request.path == self.discovery)
        {
            self.owed.clear();
            self.discovery_was_read = true;
        }
        if clears {
            self.held.clear();
        }
        if let (Some(key), Outcome::Ok(_)) = (key, outcome) {
            self.held.insert(key);
        }
    }

    /// Returns what is expected of a call, which requests, and whether those differ from what the
    /// recorded client sent.
    fn expectation(&self, step: &CallStep, key: Option<&str>) -> (Expect, Vec<SeenRequest>, bool) {
        let is_own = match &step.expect {
            Expect::Ok(_) => true,
            Expect::Error(error) => expected::is_own_class(&error.class),
        };
        let was_cached = step.upstream_requests.is_empty() && matches!(step.expect, Expect::Ok(_));
        let is_held = key.is_none_or(|key| self.held.contains(key));
        if was_cached
            && !is_held
            && let Some(request) = self.request_for(&step.call, &step.args)
        {
            let answer = self.upstream.next_answer(&route(&request));
            let expect = expected::of_answer(&step.call, &request, self.upstream.base(), &answer);
            return (expect, self.with_owed(&[request]), true);
        }
        let requests = self.with_owed(&step.upstream_requests);
        let last = requests.last().filter(|_| !is_own);
        let expect = match last {
            Some(request) => {
                let answer = self.upstream.next_answer(&route(request));
                expected::of_answer(&step.call, request, self.upstream.base(), &answer)
            }
            None => step.expect.clone(),
        };
        (expect, requests, false)
    }

    /// Returns the request that an uncached call for user information makes.
    fn request_for(&self, call: &str, args: &Value) -> Option<SeenRequest> {
        let base = self.upstream.api_path()?;
        let path = match (call, args["username"].as_str()) {
            ("get_user_info", None) => format!("{base}/user-info"),
            ("get_user_info", Some(name)) => format!("{base}/users/{name}"),
            _ => return None,
        };
        Some(SeenRequest {
            method: "GET".to_owned(),
            path,
            authorization: Some(format!("Bearer {}", args["token"].as_str()?)),
            ..SeenRequest::default()
        })
    }

    fn with_owed(&self, requests: &[SeenRequest]) -> Vec<SeenRequest> {
        let is_read = requests
            .first()
            .is_some_and(|first| first.path == self.discovery);
        let owed = self
            .owed
            .iter()
            .filter(|_| !is_read && !requests.is_empty());
        owed.chain(requests).cloned().collect()
    }

    /// Accounts for requests of the recorded client that ours does not make.
    pub(super) fn pass_over(&mut self, requests: &[SeenRequest]) {
        let (arrived, _) = self.upstream.take();
        debug_assert!(arrived.is_empty());
        for request in requests {
            if request.path == self.discovery {
                self.owed = vec![request.clone()];
            } else {
                self.upstream.skip_answer(&route(request));
            }
        }
    }

    /// Checks the outcome of a call. `answer` is the upstream's answer to its last request.
    pub(super) fn judge_outcome(
        &self,
        expect: &Expect,
        outcome: &Outcome,
        answer: Option<&Answer>,
        judgement: &mut Judgement,
    ) {
        match expected::differences(expect, outcome, self.upstream.base()) {
            Ok(differences) => differences
                .iter()
                .for_each(|difference| judgement.differ(difference)),
            Err(lenient) => {
                let document =
                    answer.and_then(|answer| serde_json::from_str::<Value>(&answer.body()).ok());
                let is = |by: fn(&expected::Lenient, &Value) -> bool| {
                    document
                        .as_ref()
                        .is_some_and(|document| by(&lenient, document))
                };
                if is(expected::Lenient::is_shown_by) {
                    judgement.waive(expected::LENIENT);
                } else if is(expected::Lenient::is_beyond) {
                    judgement.waive(BEYOND);
                } else {
                    judgement.differ(lenient.difference());
                }
            }
        }
    }

    /// Returns how the requests that arrived differ from those expected.
    pub(super) fn request_differences(
        &self,
        expected: &[SeenRequest],
        arrived: &[Arrived],
    ) -> Vec<String> {
        let names = |routes: Vec<String>| format!("[{}]", routes.join(", "));
        if expected.len() != arrived.len() {
            return vec![format!(
                "requests: expected {}, got {}",
                names(expected.iter().map(route).collect()),
                names(arrived.iter().map(Arrived::route).collect())
            )];
        }
        let mut found = Vec::new();
        for (number, (expected, arrived)) in expected.iter().zip(arrived).enumerate() {
            let got = SeenRequest {
                method: arrived.method.clone(),
                path: arrived.path.clone(),
                authorization: arrived
                    .header("authorization")
                    .map(|value| self.standins.authorization(value)),
                content_type: expected
                    .content_type
                    .as_ref()
                    .and(arrived.header("content-type"))
                    .map(str::to_owned),
                body: expected.body.as_ref().map(|_| body_as_sent(arrived)),
            };
            for (what, expected, got) in [
                ("route", Some(route(expected)), Some(route(&got))),
                (
                    "authorization",
                    expected.authorization.clone(),
                    got.authorization,
                ),
                (
                    "content-type",
                    expected.content_type.clone(),
                    got.content_type,
                ),
            ] {
                if expected != got {
                    found.push(format!(
                        "request {number}: {what}: expected {expected:?}, got {got:?}"
                    ));
                }
            }
            if let (Some(expected), Some(got)) = (&expected.body, &got.body) {
                found.extend(Comparison::default().differences(
                    &canonical_body(expected),
                    &canonical_body(got),
                    &format!("request {number}.body"),
                ));
            }
        }
        found
    }
}

pub(super) fn route(request: &SeenRequest) -> String {
    format!("{} {}", request.method, request.path)
}

fn body_as_sent(arrived: &Arrived) -> Value {
    serde_json::from_slice(&arrived.body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&arrived.body).into_owned().into())
}

/// Members that are null are left out, since the server takes them as absent, and times are
/// written in one way.
fn canonical_body(body: &Value) -> Value {
    match body {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let time = value.as_str().filter(|_| name == "expires");
                let value = match time.and_then(timestamp::parse) {
                    Some(at) => timestamp::format(at).into(),
                    None => value.clone(),
                };
                (name.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}
