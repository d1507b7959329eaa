//! Tokens that are renewed in the background. Time is paused.

use std::time::Duration;

use tokio::time::{Instant, advance, sleep};
use vouchsafe_wazo_auth::core::auth::TokenSource;
use vouchsafe_wazo_auth::core::mock::cancel::{at_each_await, cut};
use vouchsafe_wazo_auth::{CreateTokenRequest, ErrorKind, RenewingToken};

use super::log::Log;
use super::token::token;
use super::*;

fn issued(text: &str) -> Then {
    answer(200, &token(text, 1000))
}

fn login(told: &Arc<Told>) -> CreateTokenRequest {
    login_seeded(told, 7)
}

fn login_seeded(told: &Arc<Told>, seed: u64) -> CreateTokenRequest {
    let client = told.builder().jitter_seed(seed);
    let client = client.retry(vouchsafe_wazo_auth::Retry::none());
    client
        .build()
        .unwrap()
        .token()
        .create()
        .credentials("alice", "planted")
}

/// A service that fails some logins between two.
fn with_outage(failures: usize) -> Arc<Told> {
    let mut script = vec![issued("t1")];
    script.extend(std::iter::repeat_with(|| status(500)).take(failures));
    script.push(issued("t2"));
    Told::new(script)
}

async fn held(source: &RenewingToken) -> String {
    let token = source.token().await.unwrap();
    token.secret().expose().to_owned()
}

/// Lets the work go on, as far as it can at this time.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_when_it_is_needed_and_then_kept() {
    let told = Told::new([issued("t1")]);
    let source = RenewingToken::new(login(&told));
    settle().await;
    assert_eq!(told.count(), 0);
    let all = tokio::join!(held(&source), held(&source), held(&source));
    assert_eq!(all, ("t1".into(), "t1".into(), "t1".into()));
    advance(Duration::from_secs(700)).await;
    assert_eq!(held(&source).await, "t1");
    assert_eq!(told.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn logins_that_go_on_failing_are_warned_of_once_and_so_is_their_end() {
    let log = Log::start();
    let source = RenewingToken::new(login(&with_outage(5)));
    assert_eq!(held(&source).await, "t1");
    sleep(Duration::from_secs(950)).await;
    assert_eq!(held(&source).await, "t2");
    let logged = log.text();
    for (level, failures) in [(" WARN ", "failures=3"), (" INFO ", "failures=5")] {
        let lines: Vec<_> = logged.lines().filter(|line| line.contains(level)).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(failures), "{lines:?}");
        assert!(lines[0].contains("source=\"wazo-auth\""), "{lines:?}");
    }
    assert!(!logged.contains("planted"));
}

#[tokio::test(start_paused = true)]
async fn a_login_whose_caller_gives_up_at_any_await_is_made_once_and_ends_with_the_source() {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let polls = at_each_await(async |polls| {
        let told = Told::new([issued("t1"), issued("t2")]);
        let source = RenewingToken::new(login(&told));
        let cut = cut(polls, source.token()).await;
        settle().await;
        assert_eq!(told.count(), usize::from(polls > 0));
        assert_eq!((&*held(&source).await, told.count()), ("t1", 1));
        drop(source);
        settle().await;
        assert_eq!((tasks(), cut.wakers()), (before, 0), "{polls}");
        cut.output().is_some()
    });
    assert!(polls.await >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_around_80_percent_of_its_lifetime() {
    let told = Told::new([issued("t1"), issued("t2")]);
    let source = RenewingToken::new(login(&told));
    held(&source).await;
    let mut states = source.subscribe();
    let begun = Instant::now();
    states.mark_unchanged();
    states.changed().await.unwrap();
    let waited = begun.elapsed().as_secs();
    assert!((750..=851).contains(&waited), "{waited}");
    let renewed = states.borrow_and_update().token.clone().unwrap();
    assert_eq!((renewed.secret().expose(), renewed.generation()), ("t2", 2));
    assert_eq!(held(&source).await, "t2");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_survived_with_the_old_token_as_long_as_it_is_valid() {
    let told = with_outage(9);
    let source = RenewingToken::new(login(&told));
    let begun = Instant::now();
    held(&source).await;
    let mut states = source.subscribe();
    let mut moments = Vec::new();
    while told.count() < 11 {
        states.changed().await.unwrap();
        moments.push(begun.elapsed());
        let is_valid = begun.elapsed() < Duration::from_secs(1000);
        assert_eq!(source.token().await.is_ok(), is_valid || told.count() == 11);
    }
    let bounds = [1, 2, 4, 8, 16, 32, 32, 32, 32].map(Duration::from_secs);
    let waits = moments.windows(2).map(|pair| pair[1] - pair[0]);
    let waits: Vec<_> = waits.collect();
    assert_eq!(waits.len(), bounds.len());
    for (wait, bound) in waits.iter().zip(bounds) {
        // Waits end at whole milliseconds.
        let longest = bound + Duration::from_millis(1);
        assert!(bound / 2 <= *wait && *wait <= longest, "{waits:?}");
    }
    assert_eq!(held(&source).await, "t2");
    assert!(states.borrow().error.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_seed_of_the_client_decides_when_logins_happen() {
    let moments = async |seed| {
        let told = with_outage(3);
        let source = RenewingToken::new(login_seeded(&told, seed));
        let begun = Instant::now();
        held(&source).await;
        let mut states = source.subscribe();
        let mut moments = Vec::new();
        while told.count() < 5 {
            states.changed().await.unwrap();
            moments.push(begun.elapsed());
        }
        moments
    };
    let of_seven = moments(7).await;
    assert_eq!(of_seven, moments(7).await);
    let of_eight = moments(8).await;
    // Both the first renewal and the waits after failures.
    assert_ne!(of_seven[0], of_eight[0]);
    assert_ne!(of_seven[1] - of_seven[0], of_eight[1] - of_eight[0]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_at_once_although_a_wait_after_failures_is_on() {
    let told = with_outage(6);
    let source = RenewingToken::new(login(&told));
    let first = source.token().await.unwrap();
    let mut states = source.subscribe();
    while told.count() < 7 {
        states.changed().await.unwrap();
    }
    // The next login would be 16 seconds away, at least, and the token is still good.
    assert_eq!(held(&source).await, "t1");
    let begun = Instant::now();
    source.forget(first.generation());
    assert_eq!(held(&source).await, "t2");
    assert_eq!((begun.elapsed(), told.count()), (Duration::ZERO, 8));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_finds_the_service_away_causes_one_login_and_then_the_usual_waits() {
    let told = with_outage(3);
    let source = RenewingToken::new(login(&told));
    let first = source.token().await.unwrap();
    let begun = Instant::now();
    for _ in 0..3 {
        source.forget(first.generation());
        source.token().await.unwrap_err();
    }
    settle().await;
    assert_eq!((begun.elapsed(), told.count()), (Duration::ZERO, 2));
    let mut states = source.subscribe();
    let is_new = states.wait_for(|state| state.error.is_none());
    is_new.await.unwrap();
    let waited = begun.elapsed();
    // Of at most 1, 2 and 4 seconds.
    let (least, most) = (Duration::from_millis(3_500), Duration::from_millis(7_010));
    assert!(least <= waited && waited <= most, "{waited:?}");
    assert_eq!(held(&source).await, "t2");
}

#[tokio::test(start_paused = true)]
async fn logins_that_refusals_cause_are_a_second_apart() {
    let told = Told::new((0..9).map(|n| issued(&format!("t{n}"))));
    let source = RenewingToken::new(login(&told));
    let begun = Instant::now();
    let mut waits = Vec::new();
    for n in 0..4 {
        let token = source.token().await.unwrap();
        assert_eq!(token.secret().expose(), format!("t{n}"));
        waits.push(begun.elapsed().as_secs());
        source.forget(token.generation());
    }
    assert_eq!(waits, [0, 0, 1, 2]);
    assert_eq!(told.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_caller_learns_why_there_is_no_token_and_waits_for_no_retry() {
    let reasons = json!({"reason": ["Authentication Failed"]});
    let told = Told::new([answer(401, &reasons), issued("t1")]);
    let source = RenewingToken::new(login(&told));
    let begun = Instant::now();
    let error = source.token().await.unwrap_err();
    assert!(error.is_unauthorized() && error.to_string().contains("Authentication Failed"));
    assert!(!format!("{error:?} {source:?}").contains("planted"));
    source.token().await.unwrap_err();
    assert_eq!((begun.elapsed(), told.count()), (Duration::ZERO, 1));
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(held(&source).await, "t1");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_once_when_the_session_was_ended() {
    let unknown = || {
        let details = json!({"reason": "not_found_or_expired"});
        answer(
            401,
            &json!({"error_id": "unauthorized", "details": details}),
        )
    };
    let told = Told::new([
        issued("t1"),
        unknown(),
        issued("t2"),
        answer(200, &user("alice")),
    ]);
    let source = Arc::new(RenewingToken::new(login(&told)));
    let client = told.client().with_token_source(source);
    client.users().get(&alice()).await.unwrap();
    assert_eq!(told.header(1, "x-auth-token").as_deref(), Some("t1"));
    assert_eq!(told.header(3, "x-auth-token").as_deref(), Some("t2"));

    let told = Told::new([
        issued("t1"),
        unknown(),
        issued("t2"),
        unknown(),
        issued("t3"),
    ]);
    let source = Arc::new(RenewingToken::new(login(&told)));
    let client = told.client().with_token_source(source);
    let error = client.users().get(&alice()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::InvalidToken, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_suffice_is_kept() {
    let details = json!({"reason": "missing_permission_or_invalid_tenant"});
    let missing = answer(
        401,
        &json!({"error_id": "unauthorized", "details": details}),
    );
    let told = Told::new([issued("t1"), missing]);
    let source = RenewingToken::new(login(&told));
    let client = told.client().with_token_source(Arc::new(source.clone()));
    let error = client.users().get(&alice()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingAccess);
    assert_eq!((held(&source).await, told.count()), ("t1".into(), 2));
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_of_an_old_token_changes_nothing() {
    let told = Told::new([issued("t1"), issued("t2")]);
    let source = RenewingToken::new(login(&told));
    let first = source.token().await.unwrap();
    source.forget(first.generation());
    assert_eq!(held(&source).await, "t2");
    source.forget(first.generation());
    assert_eq!(held(&source).await, "t2");
    assert_eq!(told.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_work_ends_with_its_last_owner() {
    let told = Told::new([issued("t1"), issued("t2")]);
    let source = RenewingToken::new(login(&told));
    held(&source).await;
    let client = told.client().with_token_source(Arc::new(source.clone()));
    let mut states = source.subscribe();
    drop(source);
    sleep(Duration::from_secs(900)).await;
    assert_eq!(told.count(), 2, "the client still owns it");
    drop(client);
    let mut ended = async || while states.changed().await.is_ok() {};
    ended().await;
    sleep(Duration::from_secs(5000)).await;
    assert_eq!(told.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_logs_in_without_a_password() {
    let told = Told::new([issued("t1")]);
    let login = told.client().token().create().refresh_token("service", "r");
    assert_eq!(held(&RenewingToken::new(login)).await, "t1");
    assert_eq!(
        told.json(0),
        json!({"client_id": "service", "refresh_token": "r"})
    );
    assert_eq!(told.header(0, "authorization"), None);
}

#[tokio::test]
async fn credentials_in_a_file_are_read_before_each_login() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wazo");
    let told = Told::new([issued("t1"), issued("t2")]);
    let client = told.client();
    let missing = RenewingToken::file(&client, &file)
        .token()
        .await
        .unwrap_err();
    assert!(
        missing.to_string().contains("cannot be opened"),
        "{missing}"
    );
    let no_line = "USER:PASSWORD";
    for (text, what) in [
        ("", "is empty"),
        ("alice", no_line),
        ("alice:", no_line),
        (":planted", no_line),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = RenewingToken::file(&client, &file)
            .token()
            .await
            .unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(!format!("{error:?}").contains("planted"));
    }
    std::fs::write(&file, "alice:pw\n").unwrap();
    let source = RenewingToken::file(&client, &file);
    let first = source.token().await.unwrap();
    std::fs::write(&file, "alice:new").unwrap();
    source.forget(first.generation());
    assert_eq!(held(&source).await, "t2");
    let basic: Vec<_> = (0..2)
        .map(|at| told.header(at, "authorization").unwrap())
        .collect();
    assert_eq!(basic, ["Basic YWxpY2U6cHc=", "Basic YWxpY2U6bmV3"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_without_a_lifetime_does_not_make_logins_run_away() {
    let script = std::iter::repeat_with(|| answer(200, &token("t", 0))).take(100);
    let told = Told::new(script);
    let source = RenewingToken::new(login(&told));
    source.token().await.unwrap_err();
    sleep(Duration::from_millis(9_500)).await;
    assert!((9..=11).contains(&told.count()), "{}", told.count());
}
