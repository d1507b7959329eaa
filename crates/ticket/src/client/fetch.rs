//! Fetches one thing: attempts, the waits between them, and the authority's settings for both
//! (protocol section 11.3).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use vouchsafe_core::call::{Answer, Call, CallOptions, Retry};
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{CoreClient, Secret};

use super::held::Held;
use crate::client::protocol::{
    Backoff, Fetched, LastError, Retriability, RetrySettings, Scope, Seconds, StatusCode, Verdict,
};
use crate::engine::redact::without_signatures;
use crate::error::{Error, ErrorKind, Result};

/// Why something is fetched, which determines the number of attempts and the waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// The client is being created: the caller waits, so attempts follow each other at once.
    Start,
    /// A periodic refresh: many clients must not send requests at the same time.
    Background,
    /// A caller of the running client waits for it.
    Asked,
    /// The rest of something that was just fetched in part: the wait has already been done.
    Rest,
}

#[derive(Debug)]
pub(crate) struct Fetcher {
    core: CoreClient,
    held: Arc<Held>,
    /// Secrets that a server may quote, and that no error may show.
    token: Option<Secret>,
    /// Whether attempts are delayed, so that many clients do not send requests at the same time.
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
    /// The header with the authority's settings that were applied last.
    settings: Option<String>,
}

impl Fetcher {
    pub(crate) fn of_authority(core: CoreClient, held: Arc<Held>) -> Self {
        let seconds = Duration::from_secs;
        Self {
            core,
            held,
            token: None,
            is_spread: true,
            backoff: Backoff::default(),
            tries_on_start: 3,
            tries_in_background: 2,
            max_delay: seconds(5),
            max_delay_when_ok: seconds(60),
            period: seconds(10),
            destinations_limit: 300,
            roles_update_after: 10 * 60,
            settings: None,
        }
    }

    /// Creates a fetcher for a daemon. It serves only this machine, so there is no load to spread,
    /// and a wait would only make its configuration look old. The next wake-up is the next attempt.
    pub(crate) fn of_daemon(core: CoreClient, held: Arc<Held>, token: Secret) -> Self {
        Self {
            token: Some(token),
            is_spread: false,
            tries_on_start: 1,
            tries_in_background: 1,
            period: Duration::from_secs(5),
            roles_update_after: 60,
            ..Self::of_authority(core, held)
        }
    }

    /// Tries until there is an answer, the failure is permanent, or no attempts are left.
    /// Failures are recorded and return `None`. The call is created again for each attempt.
    pub(crate) async fn fetch(
        &mut self,
        phase: Phase,
        scope: Scope,
        base: &BaseUrl,
        form: impl Fn() -> Result<Call> + Send + Sync,
    ) -> Option<Answer> {
        let tries = match phase {
            Phase::Start => self.tries_on_start,
            Phase::Background | Phase::Asked | Phase::Rest => self.tries_in_background,
        };
        let options = CallOptions::new().retry(Retry::none());
        let begun = Instant::now();
        for attempt in 0..tries {
            let delay = match (phase, attempt) {
                (Phase::Rest, 0) => Duration::ZERO,
                _ => self.delay(phase),
            };
            if attempt > 0 && begun.elapsed() + delay > PATIENCE {
                return None;
            }
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let call = match form() {
                Ok(formed) => formed,
                Err(error) => {
                    self.fail(scope, Retriability::NonRetriable, &error);
                    return None;
                }
            };
            let path = call.operation().path();
            match self.core.send(base, call, None, &options).await {
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

    fn delay(&self, phase: Phase) -> Duration {
        if !self.is_spread {
            return Duration::ZERO;
        }
        let longest = match phase {
            Phase::Start => return Duration::ZERO,
            Phase::Asked | Phase::Rest => Duration::ZERO,
            Phase::Background if self.held.status_code() == StatusCode::Ok => {
                self.max_delay_when_ok
            }
            Phase::Background => self.max_delay,
        };
        let delay = self.backoff.current() + longest.mul_f64(self.core.jitter().draw());
        delay.min(LONGEST_DELAY)
    }

    /// Records why an attempt failed.
    fn note(&self, scope: Scope, path: &str, error: &vouchsafe_core::Error) -> Retriability {
        use vouchsafe_core::ErrorKind;
        // A 200 whose body broke off, or has a content coding, has a status too.
        if let Some(status) = error.status().filter(|status| !status.is_success()) {
            let body = match error.body() {
                Some(body) => String::from_utf8_lossy(body),
                None => error.message().into(),
            };
            let body = self.hide(&body);
            let status = status.as_u16();
            tracing::warn!(
                scope = scope.name(),
                status,
                path,
                "Failed to get an answer"
            );
            self.held
                .last_error()
                .record_http(scope, path, status, &body);
            return match Verdict::of(status) {
                Verdict::NonRetriable => Retriability::NonRetriable,
                _ => Retriability::Retriable,
            };
        }
        let retriability = match error.kind() {
            ErrorKind::Config | ErrorKind::Invalid | ErrorKind::Decode => {
                Retriability::NonRetriable
            }
            _ => Retriability::Retriable,
        };
        self.fail(scope, retriability, error);
        retriability
    }

    /// Records a failure with its causes.
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
        let message = self.hide(&message);
        tracing::warn!(scope = scope.name(), error = message, "Failed to fetch");
        self.held.last_error().record(scope, retriability, &message);
    }

    /// Records that an answer was invalid; another one may be valid.
    pub(crate) fn fail_to_read(&self, scope: Scope, error: &Error) {
        self.fail(scope, Retriability::Retriable, error);
    }

    pub(crate) fn succeed(&self, scope: Scope) {
        LastError::clear(&mut self.held.last_error(), scope);
    }

    /// Returns the error of a start that could not fetch what it needs.
    pub(crate) fn start_failed(&self) -> Error {
        let last = self.held.last_error();
        let retriability = last.chosen().map(|(retriability, _)| retriability);
        let retriability = retriability.unwrap_or(Retriability::Retriable);
        start_error(retriability, last.message())
    }

    fn hide(&self, text: &str) -> String {
        hide(text, self.token.as_ref())
    }

    /// Removes the secrets of a call from what its answer says about missing tickets.
    pub(crate) fn hide_in(&self, fetched: &mut Fetched, answer: &Answer) {
        for why in fetched.errors.values_mut() {
            *why = self.hide(&answer.without_secrets(why));
        }
    }

    /// Applies the retry settings of an answer. Returns the header's text if it is new.
    pub(crate) fn heed(&mut self, answer: &Answer) -> Option<String> {
        let header = answer.headers().get("x-ya-retry-settings")?;
        match header.to_str() {
            Ok(text) => self.apply(text).then(|| text.to_owned()),
            Err(_) => {
                tracing::warn!("The header with retry settings is not text");
                None
            }
        }
    }

    /// Applies settings. Returns whether they changed.
    pub(crate) fn apply(&mut self, header: &str) -> bool {
        if self.settings.as_deref() == Some(header) {
            return false;
        }
        let parsed = RetrySettings::parse(header);
        if let Some(fault) = &parsed.fault {
            tracing::warn!(error = fault.message(), "Retry settings are invalid");
        }
        let settings = parsed.settings.bounded();
        self.backoff.apply(&settings);
        let millis = |value: u32| Duration::from_millis(value.into());
        if let Some(delay) = settings.max_random_sleep_default {
            self.max_delay = millis(delay);
        }
        if let Some(delay) = settings.max_random_sleep_when_ok {
            self.max_delay_when_ok = millis(delay);
        }
        if let Some(tries) = settings.retries_on_start {
            self.tries_on_start = tries;
        }
        if let Some(tries) = settings.retries_in_background {
            self.tries_in_background = tries;
        }
        if let Some(period) = settings.worker_awaking_period_sec {
            self.period = Duration::from_secs(period.into());
        }
        if let Some(limit) = settings.dsts_limit {
            self.destinations_limit = limit as usize;
        }
        if let Some(period) = settings.roles_update_period_sec {
            self.roles_update_after = period.into();
        }
        if let Some(period) = settings.roles_warn_period_sec {
            let warn = &self.held.roles_warn_after;
            warn.store(period.into(), Ordering::Relaxed);
        }
        if settings == RetrySettings::default() {
            return false;
        }
        self.settings = Some(header.to_owned());
        true
    }

    /// Draws from the standard normal distribution (Box-Muller).
    fn normal(&self) -> f64 {
        let draw = || self.core.jitter().draw();
        let radius = (-2.0 * (1.0 - draw()).ln()).sqrt();
        radius * (std::f64::consts::TAU * draw()).cos()
    }
}

pub(crate) fn start_error(retriability: Retriability, message: &str) -> Error {
    let (advice, is_retryable) = match retriability {
        Retriability::Retriable => ("You can retry", true),
        Retriability::NonRetriable => ("Do not retry", false),
    };
    let message = format!("Failed to start TvmClient. {advice}: {message}");
    let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Config, message);
    Error::of(ErrorKind::Start, core.with_retryable(is_retryable))
}

/// Removes secrets from a text, since servers quote what they refuse.
pub(crate) fn hide(text: &str, token: Option<&Secret>) -> String {
    let text = without_signatures(text);
    match token.map(Secret::expose) {
        // A shorter one would match ordinary words.
        Some(token) if token.len() >= 8 => text.replace(token, ""),
        _ => text,
    }
}

/// The longest wait before an attempt, including backoff and random delay.
const LONGEST_DELAY: Duration = Duration::from_secs(20 * 60);

/// The time after the start of a fetch until which another attempt may begin. Other fetches that
/// are due wait until then.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vouchsafe_core::BoxFuture;
    use vouchsafe_core::transport::{Request, Response, Transport};

    use super::super::held::Checks;
    use super::super::settings::ApiSettings;
    use super::*;
    use crate::engine::ids::TvmId;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Leads to no server.
    #[derive(Debug)]
    struct Nowhere;

    impl Transport for Nowhere {
        fn send(&self, _: Request) -> BoxFuture<'_, vouchsafe_core::Result<Response>> {
            Box::pin(std::future::pending())
        }
    }

    #[allow(clippy::unwrap_used, reason = "a helper of tests")]
    fn fetcher() -> Fetcher {
        let core = CoreClient::builder().transport(Arc::new(Nowhere));
        let core = core.build().unwrap();
        let facts = ApiSettings::new(TvmId::new(1)).facts();
        let held = Held::new(Arc::clone(core.clock()), Checks::default(), facts);
        Fetcher::of_authority(core, Arc::new(held))
    }

    fn number() -> impl Strategy<Value = Option<u32>> {
        prop_oneof![
            Just(None),
            Just(Some(u32::MAX)),
            (1..100_000u32).prop_map(Some),
            any::<u32>().prop_map(Some),
        ]
    }

    prop_compose! {
        fn settings()(
            numbers in prop::array::uniform10(number()),
            factor in prop::option::of(prop_oneof![Just(f64::MAX), 1.0..1e6f64]),
            jitter in prop::option::of(0.0..1.0f64),
        ) -> RetrySettings {
            let [min, max, default, when_ok, start, background, period, limit, update, warn] =
                numbers;
            RetrySettings {
                exponential_backoff_min_sec: min,
                exponential_backoff_max_sec: max,
                exponential_backoff_factor: factor,
                exponential_backoff_jitter: jitter,
                max_random_sleep_default: default,
                max_random_sleep_when_ok: when_ok,
                retries_on_start: start,
                retries_in_background: background,
                worker_awaking_period_sec: period,
                dsts_limit: limit,
                roles_update_period_sec: update,
                roles_warn_period_sec: warn,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn no_header_stops_a_client(headers in prop::collection::vec(settings(), 1..4), failures in 0..40) {
            let mut fetcher = fetcher();
            for settings in &headers {
                fetcher.apply(&settings.to_header());
            }
            for _ in 0..failures {
                let draw = fetcher.normal();
                fetcher.backoff.fail(draw);
            }
            prop_assert_eq!(fetcher.delay(Phase::Start), Duration::ZERO);
            for phase in [Phase::Background, Phase::Asked, Phase::Rest] {
                prop_assert!(fetcher.delay(phase) <= 20 * MINUTE);
            }
            prop_assert!(fetcher.max_delay <= 5 * MINUTE);
            prop_assert!(fetcher.max_delay_when_ok <= 10 * MINUTE);
            prop_assert!((Duration::from_secs(1)..=10 * MINUTE).contains(&fetcher.period));
            prop_assert!((1..=10).contains(&fetcher.tries_on_start));
            prop_assert!((1..=10).contains(&fetcher.tries_in_background));
            prop_assert!((1..=10_000).contains(&fetcher.destinations_limit));
            prop_assert!((1..=60 * 60).contains(&fetcher.roles_update_after));
            let warn_after = fetcher.held.roles_warn_after.load(Ordering::Relaxed);
            prop_assert!((1..=24 * 60 * 60).contains(&warn_after));
            // It also recovers: successes reduce the wait to at most a minute.
            for _ in 0..10_000 {
                fetcher.backoff.succeed();
            }
            let is_slow = headers.iter().any(|settings| {
                settings.exponential_backoff_factor.is_some_and(|factor| factor < 1.01)
            });
            prop_assert!(is_slow || fetcher.backoff.current() <= MINUTE);
        }
    }
}
