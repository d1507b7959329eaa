//! A fault in the form of the management API.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Refusal;
use crate::mock::Fault;

/// A fault as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    operation: Option<String>,
    nth: Option<u64>,
    times: Option<u64>,
    probability: Option<f64>,
    seed: Option<u64>,
    from_ms: Option<u64>,
    until_ms: Option<u64>,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    retry_after_s: Option<u64>,
    delay_ms: Option<u64>,
    skewed_date_s: Option<i64>,
    harm: Option<HarmRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum HarmRule {
    NoAnswer,
    ResetBeforeHead,
    ResetInHead,
    ResetAfterHead,
    CutBody,
    NotHttp,
    Garbage,
    CloseWhenIdle,
    RefuseStream,
    ResetStream(u32),
    GoAway(u32),
    Drip { bytes: usize, wait_ms: u64 },
    WrongLength(u64),
    HugeBody(u64),
}

impl HarmRule {
    fn wait_ms(&self) -> Option<u64> {
        match self {
            Self::Drip { wait_ms, .. } => Some(*wait_ms),
            _ => None,
        }
    }
}

impl Rule {
    pub(super) fn fault(self) -> Result<Fault, Refusal> {
        let refuse = |why: &str| Err(Refusal::new(StatusCode::BAD_REQUEST, why));
        let ms = Duration::from_millis;
        let waits = [
            self.delay_ms,
            self.harm.as_ref().and_then(HarmRule::wait_ms),
        ];
        if waits.into_iter().flatten().any(|wait| wait > MAX_WAIT_MS) {
            return refuse("a wait is at most an hour, 3600000 ms");
        }
        if matches!(self.harm, Some(HarmRule::HugeBody(bytes)) if bytes > MAX_HUGE_BODY) {
            return refuse("huge_body is at most 1073741824 bytes");
        }
        let mut fault = match self.operation {
            Some(operation) => Fault::on(operation),
            None => Fault::on_any(),
        };
        if let Some(n) = self.nth {
            fault = fault.nth(n);
        }
        if let Some(limit) = self.times {
            fault = fault.times(limit);
        }
        match (self.probability, self.seed) {
            (Some(p), seed) if (0.0..=1.0).contains(&p) => {
                fault = fault.probability(p, seed.unwrap_or_default());
            }
            (Some(_), _) => return refuse("probability is between 0 and 1"),
            (None, Some(_)) => return refuse("seed needs probability"),
            (None, None) => {}
        }
        if self.from_ms.is_some() || self.until_ms.is_some() {
            let until = self.until_ms.map_or(Duration::MAX, ms);
            fault = fault.between(ms(self.from_ms.unwrap_or_default()), until);
        }
        match self.status {
            Some(status @ 200..=999) => fault = fault.status(status),
            Some(_) => return refuse("status is between 200 and 999"),
            None => {}
        }
        for (name, value) in &self.headers {
            let (Ok(name), Ok(value)) = (
                HeaderName::try_from(name.as_str()),
                HeaderValue::try_from(value.as_str()),
            ) else {
                return refuse("headers have a name or value that is not valid in a header");
            };
            fault = fault.header(name, value);
        }
        match (self.json, self.text) {
            (Some(_), Some(_)) => return refuse("json and text exclude each other"),
            (Some(json), None) => fault = fault.json(&json),
            (None, Some(text)) => fault = fault.body(text),
            (None, None) => {}
        }
        if let Some(wait) = self.retry_after_s {
            fault = fault.retry_after(Duration::from_secs(wait));
        }
        if let Some(delay) = self.delay_ms {
            fault = fault.delay(ms(delay));
        }
        if let Some(seconds) = self.skewed_date_s {
            fault = fault.skewed_date(seconds);
        }
        let fault = match self.harm {
            None => fault,
            Some(HarmRule::NoAnswer) => fault.no_answer(),
            Some(HarmRule::ResetBeforeHead) => fault.reset_before_head(),
            Some(HarmRule::ResetInHead) => fault.reset_in_head(),
            Some(HarmRule::ResetAfterHead) => fault.reset_after_head(),
            Some(HarmRule::CutBody) => fault.cut_body(),
            Some(HarmRule::NotHttp) => fault.not_http(),
            Some(HarmRule::Garbage) => fault.garbage(),
            Some(HarmRule::CloseWhenIdle) => fault.close_when_idle(),
            Some(HarmRule::RefuseStream) => fault.refuse_stream(),
            Some(HarmRule::ResetStream(code)) => fault.reset_stream(code),
            Some(HarmRule::GoAway(code)) => fault.go_away(code),
            Some(HarmRule::Drip { bytes, wait_ms }) => fault.drip(bytes, ms(wait_ms)),
            Some(HarmRule::WrongLength(declared)) => fault.wrong_length(declared),
            Some(HarmRule::HugeBody(bytes)) => fault.huge_body(bytes),
        };
        if fault.does_nothing() {
            return refuse("the fault has no effect: give it a status, a delay or a harm");
        }
        Ok(fault)
    }
}

const MAX_WAIT_MS: u64 = 60 * 60 * 1_000;
const MAX_HUGE_BODY: u64 = 1 << 30;
