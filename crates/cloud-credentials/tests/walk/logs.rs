//! Queries on logs.

use super::*;

fn page(status: &str, hits: &[i64]) -> (u16, Value) {
    let hits: Vec<_> = hits.iter().map(|n| json!({"_id": n})).collect();
    let result = json!({"esResult": {"hits": {"hits": hits}}});
    (
        200,
        json!({"queryId": "q", "queryStatus": status, "result": result}),
    )
}

const POLL_0: &str = "GET /logging-service/v1/queries/q/0";
const POLL_1: &str = "GET /logging-service/v1/queries/q/1";
const DELETE: &str = "DELETE /logging-service/v1/queries/q";

#[tokio::test(start_paused = true)]
async fn entries_come_one_by_one_and_at_the_end_the_query_is_removed() {
    let service = Service::new([
        page("RUNNING", &[]),
        page("FINISHED", &[1, 2]),
        page("JOB_FINISHED", &[3]),
        (200, json!({"success": true})),
    ]);
    let client = service.client();
    let mut hits = client.logging().hits("q").unwrap();
    let mut found = Vec::new();
    while let Some(hit) = hits.next().await.unwrap() {
        found.push(hit["_id"].as_i64().unwrap());
    }
    assert_eq!(found, [1, 2, 3]);
    assert_eq!(service.asked(), [POLL_0, POLL_0, POLL_1, DELETE]);
    assert!(hits.next().await.unwrap().is_none());
    drop(hits);
    settle().await;
    assert!(service.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_running_query_is_asked_less_and_less_often() {
    let service = Service::new([page("RUNNING", &[])]);
    let client = service.client();
    let mut pages = client.logging().pages("q").unwrap().keep_query();
    for _ in 0..8 {
        let page = pages.next().await.unwrap().unwrap();
        assert_eq!(page.query_status.as_deref(), Some("RUNNING"));
    }
    let pauses = service.pauses();
    assert!((500..=1000).contains(&pauses[0]), "{pauses:?}");
    assert!((1000..=2001).contains(&pauses[1]), "{pauses:?}");
    assert!((7500..=15001).contains(&pauses[6]), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_waits_itself_is_asked_at_once() {
    let service = Service::slow([page("RUNNING", &[])], Duration::from_secs(3));
    let client = service.client();
    let pages = client.logging().pages("q").unwrap().from_page(1);
    let mut pages = pages.max_wait(Duration::from_secs(3)).keep_query();
    pages.next().await.unwrap();
    pages.next().await.unwrap();
    assert_eq!(service.pauses(), [3000]);
    assert_eq!(service.asked()[0], format!("{POLL_1}?maxWaitTime=3000"));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_the_service_waits_for_is_waited_for() {
    let wait = Duration::from_secs(25);
    let service = Service::slow([page("JOB_FINISHED", &[])], wait);
    let client = service.client();
    let mut pages = client.logging().pages("q").unwrap().max_wait(wait);
    assert!(pages.next().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_is_dropped_has_its_query_removed_unless_it_is_to_be_kept() {
    let service = Service::new([page("FINISHED", &[1, 2])]);
    let client = service.client();
    let mut hits = client.logging().hits("q").unwrap();
    hits.next().await.unwrap();
    drop(hits);
    settle().await;
    assert_eq!(service.asked(), [POLL_0, DELETE]);
    let mut hits = client.logging().hits("q").unwrap().keep_query();
    hits.next().await.unwrap();
    drop(hits);
    settle().await;
    assert_eq!(service.asked(), [POLL_0]);
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_is_dropped_at_any_await_has_its_query_removed() {
    let polls = at_each_await(async |polls| {
        let answers = [
            page("RUNNING", &[]),
            page("FINISHED", &[1, 2]),
            page("JOB_FINISHED", &[3]),
            (200, json!({"success": true})),
        ];
        let service = Service::slow(answers, Duration::from_millis(10));
        let client = service.client();
        let mut hits = client.logging().hits("q").unwrap();
        let walk = async move { while hits.next().await.unwrap().is_some() {} };
        let cut = cut(polls, walk).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let asked = service.asked();
        let removals = asked.iter().filter(|line| *line == DELETE).count();
        // Once more if the walk was removing it when it was dropped.
        let most = if asked.contains(&POLL_1.to_owned()) {
            2
        } else {
            1
        };
        assert!((1..=most).contains(&removals), "{polls}: {asked:?}");
        assert_eq!(cut.wakers(), 0, "{polls}");
        cut.output().is_some()
    });
    assert!(polls.await >= 5);
}

#[tokio::test(start_paused = true)]
async fn a_removal_in_the_background_has_a_time_limit_and_ends_with_the_client() {
    let service = Service::slow([page("RUNNING", &[])], Duration::from_secs(3600));
    let client = service.client();
    for _ in 0..2 {
        drop(client.logging().pages("q").unwrap());
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    // The second was not kept from being sent by the first.
    assert_eq!(service.asked(), [DELETE, DELETE]);
    drop(client.logging().pages("q").unwrap());
    drop(client);
    settle().await;
    assert!(service.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_loses_nothing_and_hurries_nothing() {
    let service = Service::new([
        page("RUNNING", &[]),
        page("JOB_FINISHED", &[1]),
        (200, json!({})),
    ]);
    let client = service.client();
    let mut hits = client.logging().hits("q").unwrap();
    for _ in 0..4 {
        let waited = tokio::time::timeout(Duration::from_millis(100), hits.next()).await;
        assert!(waited.is_err());
    }
    assert_eq!(service.asked(), [POLL_0]);
    assert!(hits.next().await.unwrap().is_some());
    assert!(hits.next().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_query_that_failed_says_why_and_is_left_on_the_server() {
    for (result, what) in [
        (
            json!({"esResult": {"error": "syntax"}}),
            "JOB_FAILED: syntax",
        ),
        (
            json!({"esResult": {"error": {"a": 1}}}),
            "JOB_FAILED: {\"a\":1}",
        ),
        (json!(null), "JOB_FAILED"),
    ] {
        let failed = json!({"queryStatus": "JOB_FAILED", "result": result});
        let service = Service::new([(200, failed)]);
        let client = service.client();
        let mut hits = client.logging().hits("q").unwrap();
        let error = hits.next().await.unwrap_err();
        assert_eq!(error.core().message(), what);
        assert_eq!(error.code(), Some("JOB_FAILED"));
        assert!(hits.next().await.unwrap().is_none());
        drop(hits);
        settle().await;
        assert_eq!(service.asked(), [POLL_0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_service_quotes_is_not_shown() {
    const TOKEN: &str = "planted.Zm9vYmFyYmF6";
    let told = format!("Bearer {TOKEN} may not");
    let failed = |error: Value| json!({"queryStatus": "JOB_FAILED", "result": {"esResult": {"error": error}}});
    for page in [
        failed(json!(told)),
        failed(json!({"reason": told})),
        json!({"queryStatus": told}),
        json!({"state": told, "jobId": "q"}),
    ] {
        let service = Service::new([(200, page.clone())]);
        let client = Client::builder()
            .transport(service)
            .token(TOKEN)
            .build()
            .unwrap();
        let error = match page.get("state") {
            None => client
                .logging()
                .hits("q")
                .unwrap()
                .next()
                .await
                .unwrap_err(),
            Some(_) => {
                let mut pages = client.queries().pages("q").unwrap();
                pages.next().await.unwrap_err()
            }
        };
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("Zm9vYmFy"), "{shown}");
        assert!(shown.contains("may not"), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_error_the_same_page_is_asked_for() {
    let refusal = json!({"errorCode": "E42", "errorMessage": "no"});
    let service = Service::new([
        (400, refusal),
        page("WAT", &[]),
        page("JOB_FINISHED", &[1]),
        (500, json!({})),
        (404, json!({})),
    ]);
    let client = service.client();
    let mut hits = client.logging().hits("q").unwrap();
    let error = hits.next().await.unwrap_err();
    assert_eq!((error.code(), error.core().message()), (Some("E42"), "no"));
    let error = hits.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(Kind::Decode));
    assert!(
        error.to_string().contains("Bad queryStatus: WAT"),
        "{error}"
    );
    assert!(hits.next().await.unwrap().is_some());
    // The removal failed; then it turns out to be gone.
    assert!(hits.next().await.is_err());
    assert!(hits.next().await.unwrap().is_none());
    assert_eq!(service.asked(), [POLL_0, POLL_0, POLL_0, DELETE, DELETE]);
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_not_confirmed_is_an_error_and_tried_again() {
    let service = Service::new([
        page("JOB_FINISHED", &[]),
        (202, json!({"success": true})),
        (200, json!({"success": true})),
    ]);
    let client = service.client();
    let mut hits = client.logging().hits("q").unwrap();
    let error = hits.next().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::ACCEPTED));
    assert!(hits.next().await.unwrap().is_none());
    assert_eq!(service.asked(), [POLL_0, DELETE, DELETE]);
}

#[tokio::test(start_paused = true)]
async fn a_query_that_another_has_removed_is_told_once() {
    let gone = json!({"errorCode": 404, "errorMessage": "no such query"});
    let service = Service::new([page("JOB_FINISHED", &[]), (404, gone)]);
    let client = service.client();
    let mut hits = client.logging().hits("q").unwrap();
    let error = hits.next().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.code(), Some("404"));
    assert!(hits.next().await.unwrap().is_none());
    assert_eq!(service.asked(), [POLL_0, DELETE, DELETE]);
}

#[tokio::test(start_paused = true)]
async fn a_page_without_a_list_of_entries_is_not_taken_for_an_empty_one() {
    for result in [
        json!(null),
        json!({}),
        json!({"esResult": {"hits": {"hits": {}}}}),
    ] {
        let finished = json!({"queryStatus": "FINISHED", "result": result});
        let service = Service::new([(200, finished), page("JOB_FINISHED", &[1])]);
        let client = service.client();
        let mut hits = client.logging().hits("q").unwrap().keep_query();
        let error = hits.next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(Kind::Decode));
        assert_eq!(error.core().message(), "no \"hits\" in response");
        assert!(hits.next().await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn entries_of_a_page_that_comes_again_come_once() {
    let service = Service::new([page("RUNNING", &[1]), page("JOB_FINISHED", &[1, 2])]);
    let client = service.client();
    let mut hits = client.logging().hits("q").unwrap().keep_query();
    let mut found = Vec::new();
    while let Some(hit) = hits.next().await.unwrap() {
        found.push(hit["_id"].as_i64().unwrap());
    }
    assert_eq!(found, [1, 2]);
}

#[tokio::test]
async fn an_id_that_leads_elsewhere_is_refused() {
    let client = Service::new([page("", &[])]).client();
    for id in ["", ".", ".."] {
        assert!(client.logging().pages(id).is_err());
        assert!(client.queries().pages(id).is_err());
        assert!(client.events().walk(id).is_err());
    }
}

/// Counts the warnings of this crate.
#[derive(Clone, Debug, Default)]
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, of: &tracing::Metadata<'_>) -> bool {
        *of.level() == tracing::Level::WARN && of.target().starts_with("vouchsafe_cloud")
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn of_too_many_walks_the_oldest_is_not_cleaned_up_after_and_that_is_said() {
    const MOST: usize = 1024;
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let service = Service::slow([(200, json!({"success": true}))], Duration::from_secs(1));
    let client = service.client();
    for n in 0..MOST + 2 {
        drop(client.logging().pages(n.to_string()).unwrap());
        if n == 0 {
            settle().await;
        }
    }
    assert_eq!(warnings.0.load(Ordering::Relaxed), 2);
    tokio::time::sleep(Duration::from_secs(2000)).await;
    let asked = service.asked();
    assert_eq!(asked.len(), MOST);
    let ends = |n: usize| asked[n].rsplit('/').next().unwrap().to_owned();
    assert_eq!([ends(0), ends(1), ends(MOST - 1)], ["0", "3", "1025"]);
}
