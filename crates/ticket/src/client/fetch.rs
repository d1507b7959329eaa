//! One thing fetched: tries, waits between them, and what the authority says about both (protocol
//! section 11.3).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use vouchsafe_core::call::{Answer, Call, CallOptions, Retry};
use vouchsafe_core::url::BaseUrl;

use super::shared::{Place, Shared};
use crate::error::{Error, Result};
use crate::protocol::{
    Backoff, LastError, Retriability, RetrySettings, Scope, Seconds, StatusCode, Verdict,
};

/// Why something is fetched: that decides how often, and how soon.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// The client is being made: somebody waits, and no time is lost between tries.
    Start,
    /// It is time again: many clients must not come at once.
    Background,
    /// Somebody waits for it, while the client runs.
    Asked,
}

#[derive(Debug)]
pub(crate) struct Fetcher {
    shared: Arc<Shared>,
    /// Whether tries wait, so that many clients do not come at once.
    is_spread: bool,
    backoff: Backoff,
    tries_on_start: u32,
    tries_in_background: u32,
    max_delay: Duration,
    max_delay_when_ok: Duration,
    /// How often the worker wakes.
    pub(crate) period: Duration,
    pub(crate) destinations_limit: usize,
    pub(crate) roles_update_after: Seconds,
    draws: fastrand::Rng,
}

impl Fetcher {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let seconds = Duration::from_secs;
        let is_tool = matches!(shared.place, Place::Tool { .. });
        // The daemon serves this machine alone: there is no crowd to spread, and a wait would only
        // make its configuration look old. The next wake is the next try.
        let (tries_on_start, tries_in_background) = if is_tool { (1, 1) } else { (3, 2) };
        Self {
            shared,
            is_spread: !is_tool,
            backoff: Backoff::default(),
            tries_on_start,
            tries_in_background,
            max_delay: seconds(5),
            max_delay_when_ok: seconds(60),
            period: seconds(if is_tool { 5 } else { 10 }),
            destinations_limit: 300,
            roles_update_after: if is_tool { 60 } else { 10 * 60 },
            draws: fastrand::Rng::new(),
        }
    }

    /// Tries until there is an answer, no other try will help, or there have been enough. What
    /// went wrong is noted; `None` then. The call is formed anew for each try.
    pub(crate) async fn fetch(
        &mut self,
        phase: Phase,
        scope: Scope,
        form: impl Fn(&Shared) -> Result<(BaseUrl, Call)> + Send + Sync,
    ) -> Option<Answer> {
        let tries = match phase {
            Phase::Start => self.tries_on_start,
            Phase::Background | Phase::Asked => self.tries_in_background,
        };
        let options = CallOptions::new().retry(Retry::none());
        for _ in 0..tries {
            let delay = self.delay(phase);
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let (base, call) = match form(&self.shared) {
                Ok(formed) => formed,
                Err(error) => {
                    self.fail(scope, Retriability::NonRetriable, &error);
                    return None;
                }
            };
            let path = call.operation().path();
            match self.shared.core.send(&base, call, None, &options).await {
                Ok(answer) => {
                    self.backoff.succeed();
                    return Some(answer);
                }
                Err(error) => {
                    let draw = self.normal();
                    self.backoff.fail(draw);
                    if self.note(scope, path, &error) == Retriability::NonRetriable {
                        return None;
                    }
                }
            }
        }
        None
    }

    fn delay(&mut self, phase: Phase) -> Duration {
        if !self.is_spread {
            return Duration::ZERO;
        }
        let longest = match phase {
            Phase::Start => return Duration::ZERO,
            Phase::Asked => Duration::ZERO,
            Phase::Background if self.shared.status_code() == StatusCode::Ok => {
                self.max_delay_when_ok
            }
            Phase::Background => self.max_delay,
        };
        self.backoff.current() + longest.mul_f64(self.draws.f64())
    }

    /// Notes why a try brought nothing.
    fn note(&self, scope: Scope, path: &str, error: &vouchsafe_core::Error) -> Retriability {
        use vouchsafe_core::ErrorKind;
        if let Some(status) = error.status() {
            let body = error.body().map(|body| String::from_utf8_lossy(body));
            let body = self.shared.hide(&body.unwrap_or_default());
            let status = status.as_u16();
            tracing::warn!(
                scope = scope.name(),
                status,
                path,
                "Failed to get an answer"
            );
            self.shared
                .last_error()
                .record_http(scope, path, status, &body);
            return match Verdict::of(status) {
                Verdict::NonRetriable => Retriability::NonRetriable,
                _ => Retriability::Retriable,
            };
        }
        let retriability = match error.kind() {
            ErrorKind::Config | ErrorKind::Invalid => Retriability::NonRetriable,
            _ => Retriability::Retriable,
        };
        self.fail(scope, retriability, error);
        retriability
    }

    /// Notes what went wrong, with its causes.
    pub(crate) fn fail(
        &self,
        scope: Scope,
        retriability: Retriability,
        error: &(dyn std::error::Error + 'static),
    ) {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            message.push_str(": ");
            message.push_str(&inner.to_string());
            cause = inner.source();
        }
        let message = self.shared.hide(&message);
        tracing::warn!(scope = scope.name(), error = message, "Failed to fetch");
        self.shared
            .last_error()
            .record(scope, retriability, &message);
    }

    /// Notes that an answer made no sense; another may.
    pub(crate) fn fail_to_read(&self, scope: Scope, error: &Error) {
        self.fail(scope, Retriability::Retriable, error);
    }

    pub(crate) fn succeed(&self, scope: Scope) {
        LastError::clear(&mut self.shared.last_error(), scope);
    }

    /// Applies what an answer says about retries. Returns the header's text if it is new.
    pub(crate) fn heed(&mut self, answer: &Answer) -> Option<String> {
        let header = answer.headers().get("x-ya-retry-settings")?;
        match header.to_str() {
            Ok(text) => self.apply(text).then(|| text.to_owned()),
            Err(_) => {
                tracing::warn!("The header with retry settings is no text");
                None
            }
        }
    }

    /// Applies settings. Returns whether they are others than before.
    pub(crate) fn apply(&mut self, header: &str) -> bool {
        if self.shared.retry_settings().as_deref() == Some(header) {
            return false;
        }
        self.set(header)
    }

    /// Takes over what a former task of the client was told.
    pub(crate) fn resume(&mut self) {
        let header = self.shared.retry_settings().clone();
        if let Some(header) = header {
            self.set(&header);
        }
    }

    fn set(&mut self, header: &str) -> bool {
        let parsed = RetrySettings::parse(header);
        if let Some(fault) = &parsed.fault {
            tracing::warn!(error = fault.message(), "Retry settings make no sense");
        }
        let settings = parsed.settings;
        self.backoff.apply(&settings);
        let millis = |value: u32| Duration::from_millis(value.into());
        if let Some(delay) = settings.max_random_sleep_default {
            self.max_delay = millis(delay);
        }
        if let Some(delay) = settings.max_random_sleep_when_ok {
            self.max_delay_when_ok = millis(delay);
        }
        if let Some(tries) = settings.retries_on_start {
            self.tries_on_start = tries.min(MOST_TRIES);
        }
        if let Some(tries) = settings.retries_in_background {
            self.tries_in_background = tries.min(MOST_TRIES);
        }
        if let Some(period) = settings.worker_awaking_period_sec {
            // Zero would keep a core busy.
            self.period = Duration::from_secs(period.max(1).into());
        }
        if let Some(limit) = settings.dsts_limit {
            self.destinations_limit = limit as usize;
        }
        if let Some(period) = settings.roles_update_period_sec {
            self.roles_update_after = period.into();
        }
        if let Some(period) = settings.roles_warn_period_sec {
            let warn = &self.shared.roles_warn_after;
            warn.store(period.into(), Ordering::Relaxed);
        }
        if settings == RetrySettings::default() {
            return false;
        }
        *self.shared.retry_settings() = Some(header.to_owned());
        true
    }

    /// Draws from the standard normal distribution (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.draws.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.draws.f64()).cos()
    }
}

/// What the authority may ask for at most: each try has the deadline of a call.
const MOST_TRIES: u32 = 100;
