//! The steps of a demo. Each asserts what it shows, and takes its outcome from the answers.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;
use vouchsafe::core::mock::{CertificateAuthority, Journal};

use crate::failure::Failure;
use crate::output::{Answer, framed};

/// Runs steps and records their outcomes.
pub(crate) struct Stage {
    /// Signs the emulators' certificates; the clients trust it alone.
    pub(crate) authority: CertificateAuthority,
    service: &'static str,
    started: Instant,
    steps: Vec<Step>,
}

/// A step and its outcome.
#[derive(Serialize)]
struct Step {
    service: &'static str,
    step: String,
    outcome: String,
    ok: bool,
    millis: f64,
    requests: u64,
}

/// What a step found: the evidence, or what was not as expected.
pub(crate) type Seen = Result<String, String>;

impl Stage {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            authority: CertificateAuthority::new()?,
            service: "",
            started: Instant::now(),
            steps: Vec::new(),
        })
    }

    /// Starts the steps of a service.
    pub(crate) fn begin(&mut self, service: &'static str) {
        self.service = service;
    }

    /// Records that the service's steps could not run.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.record("set up", Err(failure.to_string()), self.started, 0);
    }

    /// Returns the outcomes of all steps, and whether all are as expected.
    pub(crate) fn end(self) -> (Answer, bool) {
        let steps = self.steps;
        let is_good = !steps.is_empty() && steps.iter().all(|step| step.ok);
        let totals = totals(&steps, self.started);
        let human = format!("{}\n{totals}", table(&steps));
        (Answer::new(human, json!(steps)), is_good)
    }

    /// Runs a step that must send exactly `requests` requests, as the emulator counts them.
    pub(crate) async fn step(
        &mut self,
        name: &str,
        journal: &Journal,
        requests: u64,
        work: impl Future<Output = Seen> + Send,
    ) {
        // Boxed, so that the caller's future does not carry its size twice.
        self.step_within(name, journal, requests..=requests, Box::pin(work))
            .await;
    }

    /// Runs a step during which others may send requests too: their number is in a range.
    pub(crate) async fn step_within(
        &mut self,
        name: &str,
        journal: &Journal,
        requests: RangeInclusive<u64>,
        work: impl Future<Output = Seen> + Send,
    ) {
        let before = journal.len();
        let started = Instant::now();
        let seen = work.await;
        let sent = journal.len() - before;
        let seen = match seen {
            Ok(outcome) if !requests.contains(&sent) => Err(format!(
                "{outcome}, but by {sent} requests instead of {}",
                requests.start()
            )),
            seen => seen,
        };
        self.record(name, seen, started, sent);
    }

    fn record(&mut self, name: &str, seen: Seen, started: Instant, requests: u64) {
        let ok = seen.is_ok();
        let (Ok(outcome) | Err(outcome)) = seen;
        self.steps.push(Step {
            service: self.service,
            step: name.to_owned(),
            outcome,
            ok,
            millis: (started.elapsed().as_secs_f64() * 1e4).round() / 10.0,
            requests,
        });
    }
}

/// Checks that something is as expected.
pub(crate) fn ensure(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}

fn table(steps: &[Step]) -> String {
    let rows = steps.iter().map(|step| {
        let mark = if step.ok { "" } else { "FAILED: " };
        vec![
            step.service.to_owned(),
            step.step.clone(),
            format!("{mark}{}", step.outcome),
            format!("{:.1} ms", step.millis),
            step.requests.to_string(),
        ]
    });
    framed(&["service", "step", "outcome", "time", "requests"], rows)
}

fn totals(steps: &[Step], started: Instant) -> String {
    let failed = steps.iter().filter(|step| !step.ok).count();
    let requests: u64 = steps.iter().map(|step| step.requests).sum();
    let verdict = match failed {
        0 => "all as expected".to_owned(),
        1 => "1 of them FAILED".to_owned(),
        _ => format!("{failed} of them FAILED"),
    };
    let seconds = started.elapsed().as_secs_f64();
    format!(
        "{} steps, {verdict}; {requests} requests in {seconds:.1} s",
        steps.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> Stage {
        Stage::new().unwrap()
    }

    #[tokio::test]
    async fn a_step_with_the_wrong_number_of_requests_fails() {
        let mut stage = stage();
        let journal = Journal::default();
        stage
            .step("a", &journal, 1, async { Ok("seen".to_owned()) })
            .await;
        stage
            .step("b", &journal, 0, async { Ok("seen".to_owned()) })
            .await;
        stage
            .step("c", &journal, 0, async { Err("not so".to_owned()) })
            .await;
        let ok: Vec<_> = stage.steps.iter().map(|step| step.ok).collect();
        assert_eq!(ok, [false, true, false]);
        let shown = format!(
            "{}\n{}",
            table(&stage.steps),
            totals(&stage.steps, Instant::now())
        );
        assert!(
            shown.contains("FAILED: seen, but by 0 requests instead of 1"),
            "{shown}"
        );
        assert!(
            shown.contains("3 steps, 2 of them FAILED; 0 requests"),
            "{shown}"
        );
    }
}
