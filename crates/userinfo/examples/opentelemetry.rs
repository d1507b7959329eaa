//! The spans of calls as traces of OpenTelemetry, by tracing-opentelemetry; here to an exporter in
//! memory, which shows what a collector would get. Runs against the emulator: `cargo run -p
//! vouchsafe-userinfo --example opentelemetry --features mock,tls-ring`.
#![allow(clippy::print_stdout, reason = "an example")]

use anyhow::{Context as _, ensure};
use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::Instrument as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use vouchsafe_userinfo::mock;

// A span is exported once its children have ended. On one thread, those of a fetch have when its caller goes on.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // In production: an exporter of opentelemetry-otlp, and `with_batch_exporter`.
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    // The spans of calls are of level DEBUG.
    let wanted = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("vouchsafe_core", LevelFilter::DEBUG);
    tracing_subscriber::registry()
        .with(wanted)
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("my-service")))
        .init();

    let server = mock::Server::new();
    let client = server.client();
    let token = server.user_token();
    async {
        client.user_info(&token).await?;
        // For this the token does not suffice.
        ensure!(client.users(&token).await.is_err(), "not refused");
        Ok(())
    }
    .instrument(tracing::info_span!("handle_request"))
    .await?;
    provider.force_flush()?;

    let spans = exporter.get_finished_spans()?;
    for span in &spans {
        let status = attribute(span, "http.response.status_code");
        println!(
            "{} {:?} {}",
            span.name,
            span.span_kind,
            status.unwrap_or_default()
        );
    }
    let of = |name: &str| {
        let found = spans.iter().find(|span| span.name == name);
        found.with_context(|| format!("no span {name}"))
    };
    // Discovery and user information come through caches, whose fetches run in tasks of their own.
    let parent = of("handle_request")?.span_context.span_id();
    for name in [
        "repertoire.getDiscovery",
        "gafaelfawr.getOwnUserInfo",
        "gafaelfawr.listUsers",
    ] {
        ensure!(
            of(name)?.parent_span_id == parent,
            "{name} is part of what its caller does"
        );
    }
    let call = of("gafaelfawr.getOwnUserInfo")?;
    ensure!(call.span_kind == SpanKind::Client, "a call goes out");
    ensure!(
        attribute(call, "http.response.status_code").as_deref() == Some("200"),
        "the status"
    );
    ensure!(
        call.events.iter().count() == 1,
        "one event for each attempt"
    );

    let refused = of("gafaelfawr.listUsers")?;
    ensure!(
        attribute(refused, "error.type").as_deref() == Some("Forbidden"),
        "the kind of error"
    );
    ensure!(matches!(refused.status, Status::Error { .. }), "it failed");

    let all = format!("{spans:?}");
    ensure!(
        !all.contains(token.secret().expose()),
        "no trace holds a secret"
    );
    Ok(())
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let mut all = span.attributes.iter();
    let found = all.find(|attribute| attribute.key.as_str() == key)?;
    Some(found.value.to_string())
}
