//! How long answers of the server are remembered.

use vouchsafe_core::Clock;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_token_is_asked_for_once_and_its_caller_handed_on() {
    let auth = Auth::new(&[]);
    let app = app(&auth.layer());
    let answers = join_all((0..50).map(|_| ask(&app, "/whoever"))).await;
    let expected = (StatusCode::OK, format!("{ALICE} in {OWN}"));
    assert!(
        answers.iter().all(|answer| *answer == expected),
        "{answers:?}"
    );
    assert_eq!(ask(&app, "/whoever").await, expected);
    assert_eq!(auth.asked(), ["token"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_token_is_refused_and_remembered() {
    let auth = Auth::new(&[]);
    let app = app(&auth.layer());
    for _ in 0..3 {
        let answer = send(&app, request("/whoever", &[("X-Auth-Token", UNKNOWN)])).await;
        assert_eq!(refusal(answer), unknown());
    }
    assert_eq!(auth.asked(), ["token"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_remembered_for_no_longer_than_set_and_than_it_lives() {
    let auth = Auth::new(&[]);
    let app_of = |age| app(&TokenLayer::new(auth.builder().max_age(age).build()));
    let long = app_of(MINUTE);
    for (wait, asked) in [(0, 1), (30, 0), (31, 1)] {
        tokio::time::advance(Duration::from_secs(wait)).await;
        assert_eq!(ask(&long, "/whoever").await.0, StatusCode::OK);
        // Near its end an entry is fetched again ahead of time.
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(auth.asked().len(), asked, "after {wait} s");
    }
    let without_end = app_of(24 * 60 * MINUTE);
    assert_eq!(ask(&without_end, "/whoever").await.0, StatusCode::OK);
    auth.0.tokens.lock().unwrap().clear();
    tokio::time::advance(61 * MINUTE).await;
    assert_eq!(refusal(ask(&without_end, "/whoever").await), unknown());
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_refused_once_it_is_forgotten() {
    let auth = Auth::new(&[]);
    let tokens = auth.builder().build();
    let app = app(&TokenLayer::new(tokens.clone()));
    assert_eq!(ask(&app, "/whoever").await.0, StatusCode::OK);
    auth.0.tokens.lock().unwrap().clear();
    assert_eq!(ask(&app, "/whoever").await.0, StatusCode::OK);
    assert!(tokens.forget(&Secret::from(TOKEN)));
    assert_eq!(refusal(ask(&app, "/whoever").await), unknown());
    assert!(!tokens.forget(&Secret::from(UNKNOWN)));
}

#[tokio::test(start_paused = true)]
async fn no_request_passes_because_the_server_is_away() {
    let auth = Auth::new(&["#"]);
    auth.goes_away(true);
    let (status, id, _) = refusal(ask(&app(&auth.layer()), "/whoever").await);
    assert_eq!(
        (status, id.as_str()),
        (503, "authentication-server-unreachable")
    );

    let auth = Auth::new(&["#"]);
    let app = app(&auth.layer());
    assert_eq!(ask(&app, "/status").await.0, StatusCode::OK);
    auth.goes_away(true);
    // What is known stays known for its time.
    assert_eq!(ask(&app, "/status").await.0, StatusCode::OK);
    tokio::time::advance(2 * MINUTE).await;
    assert_eq!(
        ask(&app, "/status").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_token_is_asked_for_again_after_half_a_minute() {
    let auth = Auth::default();
    let app = app(&auth.layer());
    assert_eq!(refusal(ask(&app, "/whoever").await), unknown());
    auth.knows(&[]);
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(refusal(ask(&app, "/whoever").await), unknown());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(ask(&app, "/whoever").await.0, StatusCode::OK);
    assert_eq!(auth.asked(), ["token", "token"]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_over_for_callers_seconds_after_it_is_over() {
    let auth = Auth::new(&[]);
    auth.goes_away(true);
    let app = app(&auth.layer().ask_server());
    assert_eq!(refusal(ask(&app, "/whoever").await).0, 503);
    auth.goes_away(false);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(ask(&app, "/whoever").await.0, StatusCode::OK);
    // So are questions about accesses.
    auth.goes_away(true);
    assert_eq!(refusal(ask(&app, "/asked").await).0, 503);
    auth.goes_away(false);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(ask(&app, "/asked").await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_when_either_clock_says_so() {
    let hour = 60 * MINUTE;
    type Turn = fn(&ManualClock);
    let turns: [(&str, Turn, Duration); 3] = [
        // The machine was asleep: only its wall clock went on.
        (
            "forward",
            |clock| clock.advance(61 * MINUTE),
            Duration::ZERO,
        ),
        (
            "back",
            |clock| clock.set(UNIX_EPOCH + Duration::from_secs(START) - 30 * MINUTE),
            hour,
        ),
        ("not at all", |_| {}, hour),
    ];
    for (turned, turn, wait) in turns {
        let auth = Auth::new(&[]);
        let clock = Arc::new(ManualClock::at_unix(START));
        let tokens = auth
            .builder()
            .clock(Arc::clone(&clock) as Arc<dyn Clock>)
            .max_age(24 * hour);
        let app = app(&TokenLayer::new(tokens.build()));
        assert_eq!(ask(&app, "/whoever").await.0, StatusCode::OK);
        auth.0.tokens.lock().unwrap().clear();
        assert_eq!(ask(&app, "/whoever").await.0, StatusCode::OK);
        turn(&clock);
        tokio::time::advance(wait).await;
        assert_eq!(refusal(ask(&app, "/whoever").await), unknown(), "{turned}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_age_each_request_asks() {
    let auth = Auth::new(&[]);
    let tokens = auth.builder().max_age(Duration::ZERO).build();
    let app = app(&TokenLayer::new(tokens).ask_server());
    for _ in 0..3 {
        assert_eq!(ask(&app, "/asked").await.0, StatusCode::OK);
        assert_eq!(auth.asked(), ["token", "asked.yes"]);
    }
    auth.0.tokens.lock().unwrap().clear();
    assert_eq!(refusal(ask(&app, "/asked").await), unknown());
}
