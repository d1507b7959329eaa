//! Steering a host from another language: JSON over HTTP.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::management::Management;
use vouchsafe_core::mock::{Action, Handler, Host, ManualClock, strict};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};

/// Counts.
#[derive(Debug, Default)]
struct Counter(AtomicU32);

impl Handler for Counter {
    fn handle(&self, _: &Request) -> Response {
        self.0.fetch_add(1, Ordering::Relaxed);
        Response::new(StatusCode::OK)
    }

    fn operation(&self, _: &Method, uri: &Uri) -> Option<&'static str> {
        (uri.path() == "/count").then_some("test.count")
    }

    fn operations(&self) -> Vec<&'static Operation> {
        static COUNT: Operation = Operation::new("test.count", Method::GET, "/count");
        vec![&COUNT]
    }

    fn actions(&self) -> &'static [Action] {
        static ACTIONS: &[Action] = &[Action::new("start_at", "Sets the number.")
            .body(r#"{"count": 7}"#)
            .answer(r#"{"before": 0}"#)
            .field("count", "the number")];
        ACTIONS
    }

    fn act(&self, _: &str, body: &[u8]) -> vouchsafe_core::Result<Value> {
        let numbers: std::collections::BTreeMap<String, u32> = strict::read(body)?;
        let before = self.0.swap(numbers["count"], Ordering::Relaxed);
        Ok(json!({ "before": before }))
    }

    fn snapshot(&self) -> Value {
        json!({ "count": self.0.load(Ordering::Relaxed) })
    }

    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

fn counter() -> Host {
    Host::builder(Arc::new(Counter::default()))
        .clock(Arc::new(ManualClock::at_unix(1_700_000_000)))
        .build()
}

/// A host that can be asked and its management.
struct Steered {
    host: Arc<dyn Transport>,
    management: Arc<dyn Transport>,
}

impl Steered {
    fn new() -> Self {
        let host = counter();
        let other = counter();
        let management = Management::new().with("count", &host).with("other", &other);
        Self {
            host: host.transport(),
            management: Host::new(Arc::new(management)).transport(),
        }
    }

    async fn count(&self, path: &str) -> u16 {
        ask(&self.host, Method::GET, path, None).await.unwrap().0
    }

    async fn manage(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        ask(&self.management, method, path, body).await.unwrap()
    }
}

async fn ask(
    over: &Arc<dyn Transport>,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> vouchsafe_core::Result<(u16, Value)> {
    let mut request = Request::new(method, format!("http://localhost{path}").parse().unwrap());
    request.body = body.map(|body| body.to_string().into()).unwrap_or_default();
    let answer = over.send(request).await?;
    let body = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok((answer.status.as_u16(), body))
}

#[tokio::test]
async fn the_journal_is_read_and_cleared() {
    let steered = Steered::new();
    steered.count("/count").await;
    steered.count("/elsewhere").await;
    let (status, journal) = steered
        .manage(Method::GET, "/_mock/count/journal", None)
        .await;
    assert_eq!(status, 200);
    assert_eq!(journal["requests"][0]["operation"], "test.count");
    assert_eq!(journal["requests"][0]["status"], 200);
    assert_eq!(
        journal["surprises"],
        json!(["no such route: GET /elsewhere"])
    );
    steered
        .manage(Method::DELETE, "/_mock/count/journal", None)
        .await;
    let (_, journal) = steered.manage(Method::GET, "/_mock/journal", None).await;
    let empty = json!({"requests": [], "surprises": []});
    assert_eq!(journal, json!({"count": empty, "other": empty}));
}

#[tokio::test]
async fn a_fault_is_added_and_removed() {
    let steered = Steered::new();
    let rule = json!({"operation": "test.count", "nth": 2, "status": 503, "retry_after_s": 1});
    let (status, _) = steered
        .manage(Method::POST, "/_mock/count/faults", Some(rule))
        .await;
    assert_eq!(status, 200);
    assert_eq!(steered.count("/count").await, 200);
    assert_eq!(steered.count("/count").await, 503);
    let rule = json!({"status": 500});
    steered
        .manage(Method::POST, "/_mock/faults", Some(rule))
        .await;
    assert_eq!(steered.count("/count").await, 500);
    steered.manage(Method::DELETE, "/_mock/faults", None).await;
    assert_eq!(steered.count("/count").await, 200);
}

#[tokio::test]
async fn every_form_of_a_fault_is_understood() {
    let steered = Steered::new();
    for rule in [
        json!({"harm": "no_answer", "times": 1}),
        json!({"harm": "reset_before_head", "probability": 0.5, "seed": 1}),
        json!({"harm": "reset_in_head", "from_ms": 10, "until_ms": 20}),
        json!({"harm": "reset_after_head", "until_ms": 20}),
        json!({"harm": "cut_body", "json": {"a": 1}}),
        json!({"harm": "not_http"}),
        json!({"harm": "garbage"}),
        json!({"harm": "close_when_idle"}),
        json!({"harm": "refuse_stream"}),
        json!({"harm": {"reset_stream": 2}}),
        json!({"harm": {"go_away": 11}}),
        json!({"harm": {"drip": {"bytes": 1, "wait_ms": 5}}, "text": "slow"}),
        json!({"harm": {"wrong_length": 5}}),
        json!({"harm": {"huge_body": 10_000_000}}),
        json!({"delay_ms": 10, "headers": {"x-a": "b"}}),
        json!({"skewed_date_s": -5}),
    ] {
        let (status, body) = steered
            .manage(Method::POST, "/_mock/faults", Some(rule.clone()))
            .await;
        assert_eq!(status, 200, "{rule}: {body}");
    }
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_and_says_why() {
    let steered = Steered::new();
    for (rule, why) in [
        (json!({}), "the fault has no effect"),
        (
            json!({"operation": "test.cuont", "status": 503}),
            "no operation \"test.cuont\"; the nearest are: test.count",
        ),
        (
            json!({"status": 503, "delay_ms": 3_600_001}),
            "at most an hour",
        ),
        (
            json!({"harm": {"drip": {"bytes": 1, "wait_ms": u64::MAX}}}),
            "at most an hour",
        ),
        (
            json!({"harm": {"huge_body": u64::MAX}}),
            "huge_body is at most",
        ),
        (
            json!({"operation": "test.count", "times": 1}),
            "the fault has no effect",
        ),
        (
            json!({"staus": 503}),
            "staus: unknown field; there is: operation",
        ),
        (json!({"status": 7}), "status is between"),
        (json!({"status": "503"}), "status: expected u16"),
        (
            json!({"status": 500, "probability": 2}),
            "probability is between",
        ),
        (json!({"status": 500, "seed": 2}), "seed needs"),
        (json!({"json": 1, "text": "1"}), "exclude each other"),
        (json!({"headers": {"a\n": "b"}}), "not valid in a header"),
        (json!({"harm": "unkind"}), "harm: expected"),
        (json!(5), "expected struct Rule"),
    ] {
        let (status, body) = steered
            .manage(Method::POST, "/_mock/faults", Some(rule.clone()))
            .await;
        let error = body["error"].as_str().unwrap();
        assert_eq!(status, 400, "{rule}");
        assert!(error.contains(why), "{rule}: {error}");
    }
}

#[tokio::test]
async fn the_clock_is_read_and_turned() {
    let steered = Steered::new();
    let path = "/_mock/count/clock";
    let (_, clock) = steered.manage(Method::GET, path, None).await;
    assert_eq!(clock, json!({"unix_ms": 1_700_000_000_000_u64}));
    let by = json!({"advance_ms": 1500});
    let (_, clock) = steered.manage(Method::POST, path, Some(by)).await;
    assert_eq!(clock, json!({"unix_ms": 1_700_000_001_500_u64}));
    for at in [5, u64::MAX] {
        let (status, clock) = steered
            .manage(Method::POST, path, Some(json!({"unix_ms": at})))
            .await;
        assert_eq!(status, 200);
        assert!(clock["unix_ms"].as_u64().unwrap() <= at);
    }
    let (status, _) = steered
        .manage(Method::POST, path, Some(json!({"advance": 1})))
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn the_state_is_shown_and_put_back() {
    let steered = Steered::new();
    steered.count("/count").await;
    let by = json!({"advance_ms": 60_000});
    steered
        .manage(Method::POST, "/_mock/count/clock", Some(by))
        .await;
    let shown = steered.manage(Method::GET, "/_mock/count/snapshot", None);
    assert_eq!(shown.await, (200, json!({"count": 1})));
    steered.manage(Method::POST, "/_mock/reset", None).await;
    let (_, clock) = steered
        .manage(Method::GET, "/_mock/count/clock", None)
        .await;
    assert_eq!(clock["unix_ms"], 1_700_000_000_000_u64);
    let shown = steered.manage(Method::GET, "/_mock/snapshot", None);
    let all = json!({"count": {"count": 0}, "other": {"count": 0}});
    assert_eq!(shown.await, (200, all));
}

#[tokio::test]
async fn what_does_not_exist_is_refused() {
    let steered = Steered::new();
    for (method, path, status) in [
        (Method::GET, "/_mock/", 200),
        (Method::GET, "/_mock", 200),
        (Method::POST, "/_mock", 405),
        (Method::GET, "/_mock/count", 200),
        (Method::GET, "/_mockery", 404),
        (Method::POST, "/_mock/start_at", 404),
        (Method::GET, "/_mock/count/start_at", 405),
        (Method::POST, "/_mock/count/start_at", 400),
        (Method::GET, "/", 404),
        (Method::GET, "/_mock/nothing", 404),
        (Method::GET, "/_mock/unknown/journal", 404),
        (Method::GET, "/_mock/count/journal/more", 404),
        (Method::PUT, "/_mock/count/journal", 405),
        (Method::GET, "/_mock/reset", 405),
    ] {
        let (found, _) = steered.manage(method, path, None).await;
        assert_eq!(found, status, "{path}");
    }
}

#[tokio::test]
async fn a_service_has_its_own_actions() {
    let steered = Steered::new();
    let to = json!({"count": 40});
    let done = steered.manage(Method::POST, "/_mock/count/start_at", Some(to));
    assert_eq!(done.await, (200, json!({"before": 0})));
    steered.count("/count").await;
    let shown = steered.manage(Method::GET, "/_mock/count/snapshot", None);
    assert_eq!(shown.await, (200, json!({"count": 41})));
    let many = json!({"count": "many"});
    let (status, body) = steered
        .manage(Method::POST, "/_mock/count/start_at", Some(many))
        .await;
    assert_eq!(status, 400);
    let error = body["error"].as_str().unwrap();
    assert!(error.contains("count: expected u32"), "{error}");
}

#[tokio::test]
async fn faults_are_listed_with_how_often_each_was_applied() {
    let steered = Steered::new();
    let rule = json!({"operation": "test.count", "times": 1, "status": 503});
    let path = "/_mock/count/faults";
    steered.manage(Method::POST, path, Some(rule)).await;
    for _ in 0..2 {
        steered.count("/count").await;
    }
    let (_, told) = steered.manage(Method::GET, path, None).await;
    let fault = json!({"operation": "test.count", "does": "answer", "met": 2, "struck": 1});
    assert_eq!(told, json!({"faults": [fault]}));
    let told = steered.manage(Method::GET, "/_mock/count/operations", None);
    assert_eq!(told.await, (200, json!({"operations": ["test.count"]})));
}

/// The description is true: each of its routes is there with just its methods, and takes and
/// answers what the examples show.
#[tokio::test]
async fn the_description_says_what_there_is() {
    let steered = Steered::new();
    let (_, all) = steered.manage(Method::GET, "/_mock", None).await;
    assert_eq!(all["openapi"], "3.1.0");
    assert_eq!(all["x-services"], json!(["count", "other"]));
    let schemas = all["components"]["schemas"].as_object().unwrap();
    let (_, one) = steered.manage(Method::GET, "/_mock/other", None).await;
    assert_eq!(one["x-services"], json!(["other"]));
    let paths = all["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 2 * one["paths"].as_object().unwrap().len());
    for (path, methods) in paths {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let described = &methods[method.as_str().to_lowercase()];
            let example = &described["requestBody"]["content"]["application/json"]["example"];
            let body = (!example.is_null()).then(|| example.clone());
            let (status, _) = steered.manage(method.clone(), path, body).await;
            let expected = if described.is_null() { 405 } else { 200 };
            assert_eq!(status, expected, "{method} {path}");
        }
    }
    let text = all.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}

/// A request as a web page can send it, and what it is answered.
#[tokio::test]
async fn web_pages_cannot_ask() {
    let steered = Steered::new();
    let ask = async |uri: &str, method: Method, headers: &[(&'static str, &str)]| {
        let mut request = Request::new(method, uri.parse().unwrap());
        for (name, value) in headers {
            request.headers.append(*name, value.parse().unwrap());
        }
        let answer = steered.management.send(request).await.unwrap();
        answer.status.as_u16()
    };
    let (get, post) = (Method::GET, Method::POST);
    let journal = |host: &str| format!("http://{host}/_mock/count/journal");
    for (host, status) in [
        ("127.0.0.1:8080", 200),
        ("127.8.8.8", 200),
        ("[::1]:8080", 200),
        ("[::ffff:127.0.0.1]", 200),
        ("LocalHost:1", 200),
        // A name that was made to resolve to a loopback address.
        ("rebound.example.com", 403),
        ("localhost.example.com", 403),
        ("127.0.0.1.example.com", 403),
        ("10.0.0.1", 403),
        ("0.0.0.0", 403),
    ] {
        let found = ask(&journal(host), get.clone(), &[]).await;
        assert_eq!(found, status, "{host}");
    }
    let own = journal("localhost:1");
    for (headers, status) in [
        (&[("host", "rebound.example.com")][..], 403),
        (&[("origin", "http://localhost:1")], 200),
        (&[("origin", "http://localhost:2")], 403),
        (&[("origin", "https://localhost:1")], 403),
        (&[("origin", "http://example.com")], 403),
        (&[("origin", "null")], 403),
        (&[("sec-fetch-site", "none")], 200),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
    ] {
        assert_eq!(ask(&own, get.clone(), headers).await, status, "{headers:?}");
    }
    let reset = "http://localhost:1/_mock/reset";
    for (kind, status) in [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("text/plain", 415),
        ("Text/Plain; charset=utf-8", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ] {
        let found = ask(reset, post.clone(), &[("content-type", kind)]).await;
        assert_eq!(found, status, "{kind}");
    }
}

#[tokio::test]
async fn a_body_is_bounded() {
    let steered = Steered::new();
    let text = "x".repeat(1 << 20);
    let (status, _) = steered
        .manage(Method::POST, "/_mock/faults", Some(json!({"text": text})))
        .await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn it_is_served_over_tcp_like_any_host() {
    let host = counter();
    let management = Host::new(Arc::new(Management::new().with("count", &host)));
    let serving = management
        .serve((Ipv4Addr::LOCALHOST, 0).into())
        .await
        .unwrap();
    let transport = HttpTransport::builder().build().unwrap();
    let uri = format!("{}/_mock/", serving.url()).parse().unwrap();
    let answer = transport
        .send(Request::new(Method::GET, uri))
        .await
        .unwrap();
    assert_eq!(answer.body, r#"{"services":["count"]}"#);
}
