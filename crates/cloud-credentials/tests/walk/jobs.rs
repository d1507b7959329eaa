//! Results of jobs.

use super::*;

fn page(state: &str, cursor: Option<&str>) -> (u16, Value) {
    (
        200,
        json!({"state": state, "rowsInPage": 1, "page": {"pageCursor": cursor}}),
    )
}

const RESULTS: &str = "GET /query/v2/jobResults/j";
const CANCEL: &str = "DELETE /query/v2/jobs/j";

#[tokio::test(start_paused = true)]
async fn pages_are_followed_to_the_last_and_a_job_that_is_done_is_not_cancelled() {
    let service = Service::new([
        page("PENDING", None),
        page("RUNNING", None),
        page("DONE", Some("a")),
        page("DONE", Some("b")),
        page("DONE", None),
    ]);
    let client = service.client();
    let pages = client.queries().pages("j").unwrap().page_size(7);
    let mut pages = pages.max_wait(Duration::from_millis(5));
    let mut count = 0;
    while pages.next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 3);
    let pauses = service.pauses();
    assert!((500..=1001).contains(&pauses[0]), "{pauses:?}");
    assert!((1000..=2001).contains(&pauses[1]), "{pauses:?}");
    assert_eq!(pauses[2..], [0, 0]);
    drop(pages);
    settle().await;
    let first = format!("{RESULTS}?maxWait=5&pageSize=7");
    let next = |cursor: &str| format!("{RESULTS}?maxWait=5&pageCursor={cursor}&pageSize=7");
    let expected = [first.clone(), first.clone(), first, next("a"), next("b")];
    assert_eq!(service.asked(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_is_dropped_while_the_job_runs_cancels_it_unless_it_is_to_be_kept() {
    let service = Service::new([page("RUNNING", None)]);
    let client = service.client();
    let wait = Duration::from_millis(100);
    let mut pages = client.queries().pages("j").unwrap();
    assert!(tokio::time::timeout(wait, pages.next()).await.is_err());
    drop(pages);
    settle().await;
    assert_eq!(service.asked(), [RESULTS, CANCEL]);
    let mut pages = client.queries().pages("j").unwrap().keep_job();
    assert!(tokio::time::timeout(wait, pages.next()).await.is_err());
    drop(pages);
    settle().await;
    assert_eq!(service.asked(), [RESULTS]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_failed_has_one_page_and_an_unknown_state_is_an_error() {
    for state in ["FAILED", "CANCELLED"] {
        let service = Service::new([page(state, Some("a"))]);
        let client = service.client();
        let mut pages = client.queries().pages("j").unwrap();
        let page = pages.next().await.unwrap().unwrap();
        assert_eq!(page.state.as_deref(), Some(state));
        assert!(pages.next().await.unwrap().is_none());
        assert_eq!(service.asked(), [RESULTS]);
    }
    let service = Service::new([page("WAT", None)]);
    let mut pages = service.client().queries().pages("j").unwrap();
    let error = pages.next().await.unwrap_err();
    assert!(error.to_string().contains("Bad state: WAT"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_gives_the_same_page_again_does_not_keep_the_walk_for_ever() {
    for circle in [vec!["a"], vec!["a", "b", "a"]] {
        let answers: Vec<_> = circle
            .iter()
            .map(|cursor| page("DONE", Some(cursor)))
            .collect();
        let service = Service::new(answers);
        let mut pages = service.client().queries().pages("j").unwrap();
        for _ in 0..circle.len().min(2) {
            assert!(pages.next().await.unwrap().is_some());
        }
        let error = pages.next().await.unwrap_err();
        assert!(error.to_string().contains("pageCursor"), "{error}");
    }
    // Back to where the walk started.
    let service = Service::new([page("DONE", Some("b")), page("DONE", Some("a"))]);
    let pages = service.client().queries().pages("j").unwrap();
    let mut pages = pages.from_cursor("a");
    assert!(pages.next().await.unwrap().is_some());
    let error = pages.next().await.unwrap_err();
    assert!(error.to_string().contains("pageCursor"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_walk_starts_where_it_is_told_to_and_says_so_for_each_page() {
    let service = Service::new([page("DONE", Some("b")), page("DONE", None)]);
    let client = service.client();
    let pages = client.queries().pages("j").unwrap();
    let mut pages = pages.from_cursor("a").offset(5).page_number(2);
    while pages.next().await.unwrap().is_some() {}
    let of = |cursor: &str| format!("{RESULTS}?offset=5&pageCursor={cursor}&pageNumber=2");
    assert_eq!(service.asked(), [of("a"), of("b")]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_done_without_a_page_is_not_taken_for_an_empty_one() {
    for answer in [
        json!({"state": "DONE"}),
        json!({"state": "DONE", "page": null}),
    ] {
        let service = Service::new([(200, answer), page("DONE", None)]);
        let client = service.client();
        let mut pages = client.queries().pages("j").unwrap();
        let error = pages.next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(Kind::Decode));
        assert!(pages.next().await.unwrap().is_some());
    }
}

#[tokio::test]
async fn what_an_answer_has_beside_the_description_is_handed_on() {
    let sent = json!({"state": "NEW", "createTime": 1, "user": {"a": []}});
    let service = Service::new([(200, sent.clone())]);
    let job = service.client().queries().get("j").await.unwrap();
    assert_eq!(job.rest["createTime"], 1);
    assert_eq!(serde_json::to_value(&job).unwrap(), sent);
}
