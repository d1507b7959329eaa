//! What clients of all services record, and the table of it in the guide.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use metrics::Unit;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use vouchsafe::core::auth::StaticToken;
use vouchsafe::core::call::{Budget, Retry};
use vouchsafe::core::mock::Fault;
use vouchsafe::core::observe::Metrics;
use vouchsafe::{astakos, cloud_credentials, ticket, userinfo, wazo_auth};

/// A name, its kind and its labels, and what it is.
type Row = (String, String, BTreeSet<String>, String);

/// The values of a row, each with its labels.
type Values = Vec<Series>;

/// The labels of a series, and its value.
type Series = (BTreeMap<String, String>, DebugValue);

/// Makes calls of each kind to each service, and returns secrets and names that no label may hold.
async fn calls(metrics: &Arc<Metrics>) -> Vec<String> {
    let observer = || Arc::clone(metrics) as Arc<_>;

    // Over sockets, so that there are connections; they end with the client.
    let server = userinfo::mock::Server::new();
    let serving = server.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let client = userinfo::Client::builder()
        .repertoire_url(format!("{}{}", serving.url(), server.repertoire_path()))
        .observer(observer())
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
    // One retry, for the second of which the budget does not suffice.
    client.users().list().send().await.unwrap_err();
    server.faults().clear();
    client.users().list().send().await.unwrap();
    let other = StaticToken::new("c0ffee00-0000-4000-8000-000000000000".into());
    let refused = client.with_token_source(Arc::new(other));
    refused.users().list().send().await.unwrap_err();

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
        assert_eq!(
            unit == Some(Unit::Seconds),
            name.ends_with("_seconds"),
            "{name}"
        );
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

    let value = |name: &str, labels: &[(&str, &str)]| {
        let (_, series) = recorded.iter().find(|(row, _)| row.0 == name).unwrap();
        let found = series.iter().find(|(of, _)| {
            labels
                .iter()
                .all(|(key, value)| of.get(*key).is_some_and(|of| of == value))
        });
        match &found
            .unwrap_or_else(|| panic!("{name} {labels:?} of {series:?}"))
            .1
        {
            DebugValue::Counter(count) => *count as f64,
            DebugValue::Gauge(level) => level.into_inner(),
            DebugValue::Histogram(values) => values.len() as f64,
        }
    };
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
    assert_eq!(value("vouchsafe_connections_opened_total", &[]), 1.0);

    for (labels, _) in recorded.values().flatten() {
        for (key, value) in labels {
            let shown = hidden.iter().find(|hidden| value.contains(hidden.as_str()));
            assert_eq!(shown, None, "{key}={value}");
        }
    }
}
