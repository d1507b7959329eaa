//! What clients of all services record, and the table of it in the guide.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use metrics::Unit;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tokio::sync::Notify;
use tokio::time::timeout;
use vouchsafe::core::auth::{StaticToken, TokenSource as _};
use vouchsafe::core::call::{Budget, Retry};
use vouchsafe::core::mock::Fault;
use vouchsafe::core::observe::{
    AttemptEvent, BudgetEvent, CacheEvent, CallEvent, Metrics, Observer, RetryEvent, TokenEvent,
};
use vouchsafe::{astakos, cloud_credentials, ticket, userinfo, wazo_auth};

/// A name, its kind and its labels, and what it is.
type Row = (String, String, BTreeSet<String>, String);

/// The values of a row, each with its labels.
type Values = Vec<Series>;

/// The labels of a series, and its value.
type Series = (BTreeMap<String, String>, DebugValue);

/// Passes all events on, and says when a connection has been closed.
#[derive(Debug)]
struct Watched {
    metrics: Arc<Metrics>,
    closed: Notify,
}

impl Observer for Watched {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        self.metrics.attempt(event);
    }
    fn call(&self, event: &CallEvent<'_>) {
        self.metrics.call(event);
    }
    fn budget_empty(&self, operation: &'static str) {
        self.metrics.budget_empty(operation);
    }
    fn retry(&self, event: &RetryEvent<'_>) {
        self.metrics.retry(event);
    }
    fn budget(&self, event: &BudgetEvent) {
        self.metrics.budget(event);
    }
    fn token_refused(&self, operation: &'static str) {
        self.metrics.token_refused(operation);
    }
    fn request_began(&self, operation: &'static str) {
        self.metrics.request_began(operation);
    }
    fn request_ended(&self, operation: &'static str) {
        self.metrics.request_ended(operation);
    }
    fn connection_opened(&self) {
        self.metrics.connection_opened();
    }
    fn connection_closed(&self) {
        self.metrics.connection_closed();
        self.closed.notify_one();
    }
    fn connections_idle(&self, change: isize) {
        self.metrics.connections_idle(change);
    }
    fn token_renewed(&self, event: &TokenEvent<'_>) {
        self.metrics.token_renewed(event);
    }
    fn cache_entries(&self, name: &'static str, change: isize) {
        self.metrics.cache_entries(name, change);
    }
    fn cache(&self, event: &CacheEvent) {
        self.metrics.cache(event);
    }
}

/// Makes calls of each kind to each service, and returns secrets and names that no label may hold.
async fn calls(metrics: &Arc<Metrics>) -> Vec<String> {
    let observer = || Arc::clone(metrics) as Arc<_>;

    // Over sockets, so that there are connections; they end with the client.
    let server = userinfo::mock::Server::new();
    let serving = server.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let watched = Arc::new(Watched {
        metrics: Arc::clone(metrics),
        closed: Notify::new(),
    });
    let client = userinfo::Client::builder()
        .repertoire_url(format!("{}{}", serving.url(), server.repertoire_path()))
        .observer(Arc::clone(&watched) as _)
        .build()
        .unwrap();
    let alice = server.user_token();
    for _ in 0..2 {
        client.user_info(&alice).await.unwrap();
    }
    let unknown: userinfo::Token = "gt-AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"
        .parse()
        .unwrap();
    client.user_info(&unknown).await.unwrap_err();
    drop(client);
    // In the background.
    let closed = timeout(Duration::from_secs(60), watched.closed.notified());
    closed.await.expect("the connection ends with the client");

    let server = wazo_auth::mock::Server::new();
    let token = server.issue_token("admin");
    let client = wazo_auth::Client::builder()
        .host("wazo.example.com")
        .prefix("")
        .token(token.clone())
        .transport(server.host().transport())
        .retry(Retry::default().base(Duration::ZERO))
        .budget(Budget::new(15))
        .observer(observer())
        .build()
        .unwrap();
    client.users().list().send().await.unwrap();
    server.faults().add(Fault::on_any().times(3).status(503));
    // The budget pays for one retry, not for a second.
    client.users().list().send().await.unwrap_err();
    server.faults().clear();
    client.users().list().send().await.unwrap();
    let other = StaticToken::new("c0ffee00-0000-4000-8000-000000000000".into());
    let refused = client.with_token_source(Arc::new(other));
    refused.users().list().send().await.unwrap_err();

    let login = client.token().create();
    let renewing = wazo_auth::RenewingToken::new(login.credentials("unknown", "planted-password"));
    renewing.token().await.unwrap_err();
    drop(renewing);

    let server = astakos::mock::Server::new();
    let alice_of_astakos = server.user_token("alice@example.org").unwrap();
    let client = astakos::Client::builder()
        .token(alice_of_astakos.clone())
        .auth_url(server.auth_url())
        .transport(server.host().transport())
        .observer(observer())
        .build()
        .unwrap();
    client.quotas().await.unwrap();

    let server = cloud_credentials::mock::Server::new();
    let client = server.client_builder().observer(observer());
    client
        .build()
        .unwrap()
        .queries()
        .list()
        .send()
        .await
        .unwrap();

    let login = server.log_in("app").unwrap();
    let credentials = server
        .credentials_builder()
        .observer(observer())
        .client_id("app")
        .client_secret(login.client_secret.unwrap())
        .refresh_token(login.refresh_token.unwrap())
        .build()
        .unwrap();
    credentials.refresh().await.unwrap();

    let server = ticket::mock::Server::new();
    let us = ticket::TvmId::new(42);
    let secret = server.add_service(us, "me");
    let notes = ticket::TvmId::new(100_500);
    server.add_destination(notes);
    ticket::Client::tvm_api(us)
        .secret(secret)
        .destination(notes)
        .check_service_tickets()
        .transport(server.host().transport())
        .observer(observer())
        .connect()
        .await
        .unwrap();

    let secrets = [alice.secret(), unknown.secret(), &token, &alice_of_astakos];
    let mut hidden: Vec<_> = secrets
        .iter()
        .map(|secret| secret.expose().to_owned())
        .collect();
    hidden.extend(
        [
            "c0ffee00",
            "planted-password",
            "alice",
            "admin",
            "127.0.0.1",
            "wazo.example.com",
        ]
        .map(str::to_owned),
    );
    hidden
}

fn recorded(snapshotter: &Snapshotter) -> BTreeMap<Row, Values> {
    let mut rows: BTreeMap<Row, Vec<_>> = BTreeMap::new();
    for (key, unit, description, value) in snapshotter.snapshot().into_vec() {
        let kind = match key.kind() {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let name = key.key().name().to_owned();
        // Descriptions belong to the recorder that was there when they were made.
        if description.is_some() {
            let is_time = unit == Some(Unit::Seconds);
            assert_eq!(is_time, name.ends_with("_seconds"), "{name}");
        }
        let labels = key.key().labels();
        let labels: BTreeMap<_, _> = labels
            .map(|l| (l.key().to_owned(), l.value().to_owned()))
            .collect();
        let names = labels.keys().cloned().collect();
        let what = description.unwrap_or_default().to_string();
        rows.entry((name, kind.to_owned(), names, what))
            .or_default()
            .push((labels, value));
    }
    rows
}

/// The rows of the table in the guide.
fn documented() -> BTreeSet<Row> {
    let guide = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/guide/watch-clients.md"
    );
    let guide = fs::read_to_string(guide).unwrap();
    let rows = guide
        .lines()
        .filter(|line| line.starts_with("| `vouchsafe_"));
    rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, what] = cells.try_into().unwrap();
        let labels = labels
            .split(',')
            .map(|label| label.trim().trim_matches('`'));
        let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned);
        (
            name.trim_matches('`').to_owned(),
            kind.to_owned(),
            labels.collect(),
            what.to_owned(),
        )
    })
    .collect()
}

/// Returns the value of the series with these labels: for a histogram, how many values it has.
fn value(recorded: &BTreeMap<Row, Values>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let (_, series) = recorded.iter().find(|(row, _)| row.0 == name).unwrap();
    let is_of = |of: &BTreeMap<String, String>| {
        let mut labels = labels.iter();
        labels.all(|(key, value)| of.get(*key).is_some_and(|of| of == value))
    };
    let found = series.iter().find(|(of, _)| is_of(of));
    match &found
        .unwrap_or_else(|| panic!("{name} {labels:?} of {series:?}"))
        .1
    {
        DebugValue::Counter(count) => *count as f64,
        DebugValue::Gauge(level) => level.into_inner(),
        DebugValue::Histogram(values) => values.len() as f64,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_is_what_the_guide_says_and_holds_no_secret() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let metrics = Arc::new(Metrics::new());
    let hidden = calls(&metrics).await;
    let recorded = recorded(&snapshotter);

    let names: BTreeSet<_> = recorded.keys().cloned().collect();
    assert_eq!(
        names,
        documented(),
        "left: recorded; right: the table in the guide"
    );

    let value = |name: &str, labels: &[(&str, &str)]| value(&recorded, name, labels);
    let list = ("operation", "wazo-auth.listUsers");
    assert_eq!(
        value("vouchsafe_calls_total", &[list, ("outcome", "ok")]),
        2.0
    );
    assert_eq!(
        value("vouchsafe_calls_total", &[list, ("outcome", "status")]),
        1.0
    );
    assert_eq!(
        value("vouchsafe_calls_total", &[list, ("outcome", "credential")]),
        1.0
    );
    assert_eq!(value("vouchsafe_call_duration_seconds", &[list]), 4.0);
    assert_eq!(
        value("vouchsafe_attempts_total", &[list, ("outcome", "5xx")]),
        2.0
    );
    assert_eq!(
        value("vouchsafe_retries_total", &[list, ("reason", "status")]),
        1.0
    );
    assert_eq!(value("vouchsafe_retry_budget_empty_total", &[list]), 1.0);
    assert_eq!(value("vouchsafe_refused_tokens_total", &[list]), 1.0);
    // A retry cost 10 of 15, and a success returned one.
    assert_eq!(
        value("vouchsafe_retry_budget_tokens", &[("service", "wazo-auth")]),
        6.0
    );
    for service in [
        "wazo-auth",
        "gafaelfawr",
        "repertoire",
        "account",
        "cloud-credentials",
        "tvm-api",
    ] {
        assert_eq!(
            value("vouchsafe_requests_in_flight", &[("service", service)]),
            0.0
        );
    }
    let sources = [("cloud-credentials", "ok"), ("wazo-auth", "credential")];
    for (source, outcome) in sources {
        let labels = [("source", source), ("outcome", outcome)];
        assert_eq!(value("vouchsafe_token_renewals_total", &labels), 1.0);
        let duration = "vouchsafe_token_renewal_duration_seconds";
        assert_eq!(value(duration, &labels[..1]), 1.0);
    }
    let by_token = ("cache", "userinfo.by_token");
    assert_eq!(
        value(
            "vouchsafe_cache_lookups_total",
            &[by_token, ("outcome", "hit")]
        ),
        1.0
    );
    assert_eq!(
        value(
            "vouchsafe_cache_lookups_total",
            &[by_token, ("outcome", "miss")]
        ),
        2.0
    );
    assert_eq!(
        value("vouchsafe_cache_entries", &[by_token]),
        0.0,
        "the client was dropped"
    );
    let ended = [
        ("opened_total", 1.0),
        ("closed_total", 1.0),
        ("open", 0.0),
        ("idle", 0.0),
    ];
    for (name, expected) in ended {
        let name = format!("vouchsafe_connections_{name}");
        assert_eq!(value(&name, &[]), expected, "{name}");
    }

    for (labels, _) in recorded.values().flatten() {
        for (key, value) in labels {
            let shown = hidden.iter().find(|hidden| value.contains(hidden.as_str()));
            assert_eq!(shown, None, "{key}={value}");
        }
    }
}

/// As an exporter drops series that have been idle, by a recorder without any.
#[test]
fn a_series_that_the_recorder_has_dropped_appears_again_and_levels_are_right() {
    let metrics = Arc::new(Metrics::new());
    let server = wazo_auth::mock::Server::new();
    let client = wazo_auth::Client::builder()
        .host("wazo.example.com")
        .prefix("")
        .token(server.issue_token("admin"))
        .transport(server.host().transport())
        .observer(Arc::clone(&metrics) as _)
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let during = |events: &dyn Fn()| {
        let recorder = DebuggingRecorder::new();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(client.users().list().send()).unwrap();
            events();
        });
        recorded(&recorder.snapshotter())
    };

    during(&|| {
        metrics.connection_opened();
        metrics.connection_opened();
        metrics.request_began("other.call");
        metrics.cache_entries("test", 3);
    });
    let after = during(&|| {
        metrics.connection_closed();
        metrics.request_ended("other.call");
        metrics.cache_entries("test", -1);
    });
    let list = ("operation", "wazo-auth.listUsers");
    for (name, labels, expected) in [
        ("calls_total", list, 1.0),
        ("call_duration_seconds", list, 1.0),
        ("attempts_total", list, 1.0),
        ("attempt_duration_seconds", list, 1.0),
        ("requests_in_flight", ("service", "wazo-auth"), 0.0),
        ("requests_in_flight", ("service", "other"), 0.0),
        ("cache_entries", ("cache", "test"), 2.0),
    ] {
        let name = format!("vouchsafe_{name}");
        assert_eq!(
            value(&after, &name, &[labels]),
            expected,
            "{name} {labels:?}"
        );
    }
    assert_eq!(value(&after, "vouchsafe_connections_open", &[]), 1.0);
}
