//! What a user of the client relies on, against the emulator in process. Time is paused.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use vouchsafe_core::call::{CallOptions, Retry, Timeouts};
use vouchsafe_core::mock::Fault;
use vouchsafe_core::observe::{CacheEvent, CacheOutcome, Observer};
use vouchsafe_core::{ErrorKind as CoreKind, Secret};
use vouchsafe_userinfo::mock::{Server, User};
use vouchsafe_userinfo::{
    BotUsername, Client, ClientBuilder, ErrorKind, NewServiceToken, NewUserToken, Scope,
    ServiceToken, Token, Username, discovery,
};

const OWN: &str = "gafaelfawr.getOwnUserInfo";
const BY_NAME: &str = "gafaelfawr.getUserInfo";
const DISCOVERY: &str = "repertoire.getDiscovery";
const CREATE: &str = "gafaelfawr.createToken";

fn builder(server: &Server) -> ClientBuilder {
    Client::builder()
        .transport(server.host().transport())
        .repertoire_url(format!(
            "https://data.example.com{}",
            server.repertoire_path()
        ))
}

fn name(text: &str) -> Username {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_hit_sends_nothing_and_ends_with_its_lifetime() {
    let server = Server::new();
    let client = server.client();
    let token = server.user_token();
    let first = client.user_info(&token).await.unwrap();
    tokio::time::advance(Duration::from_secs(299)).await;
    let second = client.user_info(&token).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(server.journal().count(OWN), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    client.user_info(&token).await.unwrap();
    assert_eq!(server.journal().count(OWN), 2);
}

#[tokio::test(start_paused = true)]
async fn what_one_credential_fetched_by_name_is_not_shown_to_another() {
    let server = Server::new();
    let client = server.client();
    client
        .user_info_for(server.service_token(), &name("bob"))
        .await
        .unwrap();
    let stranger = server.create_token("bot-stranger").issue();
    let error = client
        .user_info_for(stranger, &name("bob"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(CoreKind::Forbidden));
    assert_eq!(error.code(), Some("permission_denied"));
    assert_eq!(server.journal().count(BY_NAME), 2);
}

#[tokio::test(start_paused = true)]
async fn the_caches_by_token_and_by_name_are_apart() {
    let server = Server::new();
    let client = server.client();
    let token = server.user_token();
    client.user_info(&token).await.unwrap();
    client.user_info_for(&token, &name("alice")).await.unwrap();
    assert_eq!(
        (server.journal().count(OWN), server.journal().count(BY_NAME)),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn misses_of_different_keys_run_side_by_side() {
    let server = Server::new();
    server
        .faults()
        .add(Fault::on(OWN).delay(Duration::from_secs(1)));
    let client = server.client();
    let tokens: Vec<Token> = (0..20)
        .map(|_| server.create_token("bob").issue())
        .collect();
    let begun = tokio::time::Instant::now();
    for info in join_all(tokens.iter().map(|token| client.user_info(token))).await {
        assert_eq!(info.unwrap().username, "bob");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_look_up_is_sent_once_for_all_waiting_callers() {
    let server = Server::new();
    server
        .faults()
        .add(Fault::on(OWN).status(500).delay(Duration::from_secs(1)));
    let client = builder(&server).retry(Retry::none()).build().unwrap();
    let token = server.user_token();
    for result in join_all((0..1000).map(|_| client.user_info(&token))).await {
        assert_eq!(result.unwrap_err().status().unwrap(), 500);
    }
    assert_eq!(server.journal().count(OWN), 1);
    // And it is not remembered.
    client.user_info(&token).await.unwrap_err();
    assert_eq!(server.journal().count(OWN), 2);
}

#[tokio::test(start_paused = true)]
async fn a_remembered_failure_spares_the_server() {
    let server = Server::new();
    server.faults().add(Fault::on(OWN).status(500));
    let client = builder(&server)
        .retry(Retry::none())
        .error_lifetime(Duration::from_secs(10))
        .build()
        .unwrap();
    let token = server.user_token();
    for _ in 0..3 {
        client.user_info(&token).await.unwrap_err();
    }
    assert_eq!(server.journal().count(OWN), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_survived_by_what_was_known_if_asked_for() {
    let server = Server::new();
    let client = builder(&server)
        .stale_if_error(Duration::from_secs(3600))
        .build()
        .unwrap();
    let token = server.user_token();
    let known = client.user_info(&token).await.unwrap();
    server.set_directory_down();
    tokio::time::advance(Duration::from_secs(301)).await;
    assert_eq!(client.user_info(&token).await.unwrap(), known);

    let strict = server.client();
    let error = strict.user_info(&token).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UserInfoFailed);
    assert!(error.is_retryable());
    assert_eq!(error.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_does_not_live_on_in_what_was_known() {
    let server = Server::new();
    let client = builder(&server)
        .stale_if_error(Duration::from_secs(3600))
        .build()
        .unwrap();
    let token = server.user_token();
    client.user_info(&token).await.unwrap();
    server.revoke(&token);
    tokio::time::advance(Duration::from_secs(301)).await;
    for _ in 0..2 {
        let error = client.user_info(&token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(CoreKind::Credential));
    }
}

#[tokio::test(start_paused = true)]
async fn size_zero_and_lifetime_zero_turn_caching_off() {
    let server = Server::new();
    let token = server.user_token();
    for client in [
        builder(&server).cache_capacity(0).build().unwrap(),
        builder(&server)
            .cache_lifetime(Duration::ZERO)
            .build()
            .unwrap(),
    ] {
        server.journal().clear();
        client.user_info(&token).await.unwrap();
        client.user_info(&token).await.unwrap();
        assert_eq!(server.journal().count(OWN), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn forgetting_is_for_one_key_and_clearing_for_all() {
    let server = Server::new();
    let client = server.client();
    let (one, two) = (server.user_token(), server.create_token("bob").issue());
    for token in [&one, &two] {
        client.user_info(token).await.unwrap();
    }
    client.forget_token(&one);
    client.user_info(&one).await.unwrap();
    client.user_info(&two).await.unwrap();
    assert_eq!(server.journal().count(OWN), 3);

    let service_token = server.service_token();
    client
        .user_info_for(&service_token, &name("bob"))
        .await
        .unwrap();
    client.forget_user(&service_token, &name("bob"));
    client
        .user_info_for(&service_token, &name("bob"))
        .await
        .unwrap();
    assert_eq!(server.journal().count(BY_NAME), 2);

    client.clear_cache();
    client.user_info(&one).await.unwrap();
    client
        .user_info_for(&service_token, &name("bob"))
        .await
        .unwrap();
    assert_eq!(
        (server.journal().count(OWN), server.journal().count(BY_NAME)),
        (4, 3)
    );
    assert_eq!(server.journal().count(DISCOVERY), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_token_file_is_read_again_when_its_token_is_refused() {
    let server = Server::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let old = server
        .create_token("bot-reader")
        .scopes(["admin:userinfo"])
        .issue();
    std::fs::write(&path, old.secret().expose()).unwrap();
    let client = server.client();
    let file = ServiceToken::file(&path);
    client.user_info_for(&file, &name("alice")).await.unwrap();

    server.revoke(&old);
    let new = server
        .create_token("bot-reader")
        .scopes(["admin:userinfo"])
        .issue();
    std::fs::write(&path, new.secret().expose()).unwrap();
    client.user_info_for(&file, &name("bob")).await.unwrap();
    // The refused try and its repetition.
    assert_eq!(server.journal().count(BY_NAME), 3);
    // Known before the token was renewed, and the credential is still the same.
    client.user_info_for(&file, &name("alice")).await.unwrap();
    assert_eq!(server.journal().count(BY_NAME), 3);
}

#[tokio::test]
async fn a_file_that_holds_no_token_sends_nothing() {
    let server = Server::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "gt-planted").unwrap();
    let client = server.client();
    let error = client.groups(ServiceToken::file(&path)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(CoreKind::Credential));
    assert!(!format!("{error} {error:?}").contains("planted"));
    assert_eq!(server.journal().count("gafaelfawr.listGroups"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_survived_by_trying_again() {
    let server = Server::new();
    server.faults().add(Fault::on(OWN).status(503).times(1));
    server
        .faults()
        .add(Fault::on(OWN).reset_before_head().nth(2));
    let info = server
        .client()
        .user_info(&server.user_token())
        .await
        .unwrap();
    assert_eq!(
        (info.username.as_str(), server.journal().count(OWN)),
        ("alice", 3)
    );
}

#[tokio::test(start_paused = true)]
async fn making_a_token_is_not_repeated_once_it_may_have_arrived() {
    let server = Server::new();
    server.faults().add(Fault::on(CREATE).reset_before_head());
    let bot: BotUsername = "bot-once".parse().unwrap();
    let client = server.client();
    let error = client
        .create_service_token(server.admin_token(), &NewServiceToken::new(bot))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(CoreKind::Transport));
    assert_eq!((error.attempts(), server.journal().count(CREATE)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_would_refuse_is_not_sent() {
    let server = Server::new();
    let (client, admin) = (server.client(), server.admin_token());
    let bot: BotUsername = "bot-wrong".parse().unwrap();
    let new = || NewServiceToken::new(&bot);
    for wrong in [new().uid(0), new().gid(-1), new().name(""), new().email("")] {
        let error = client
            .create_service_token(&admin, &wrong)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(CoreKind::Invalid));
        assert_eq!(error.attempts(), 0);
    }
    let user = server.user_token();
    let unnamed = client
        .create_user_token(&user, &name("alice"), &NewUserToken::new(""))
        .await
        .unwrap_err();
    assert_eq!(
        (unnamed.kind(), unnamed.attempts()),
        (ErrorKind::Core(CoreKind::Invalid), 0)
    );
    let error = client
        .revoke_token(&user, &name("alice"), "../..")
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::Core(CoreKind::Invalid), 0)
    );
    assert!(server.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_the_servers_words_item_by_item() {
    let server = Server::new();
    let client = server.client();
    let bot: BotUsername = "bot-x".parse().unwrap();
    let scope: Scope = "no:such".parse().unwrap();
    let new = NewServiceToken::new(bot).scopes([scope]);
    let error = client
        .create_service_token(server.admin_token(), &new)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(CoreKind::Invalid));
    assert_eq!(error.code(), Some("invalid_scopes"));
    assert_eq!(error.details()[0].kind, "invalid_scopes");
    assert!(
        error.to_string().starts_with("gafaelfawr.createToken at "),
        "{error}"
    );

    server.remove_directory();
    let error = client.groups(server.service_token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDirectory);
}

#[tokio::test(start_paused = true)]
async fn foreign_bytes_are_typed_errors_and_not_cached() {
    let server = Server::new();
    let client = builder(&server).retry(Retry::none()).build().unwrap();
    let token = server.user_token();
    let answer = |body: &'static str| Fault::on(OWN).status(200).body(body).times(1);
    for (body, place) in [
        ("", "ends too early"),
        ("null", "form"),
        ("[]", "form"),
        ("{\"username\":1}", "at username"),
        (
            "{\"username\":\"u\",\"groups\":[{\"name\":\"g\"}]}",
            "at groups[0]",
        ),
        (
            "{\"username\":\"u\",\"quota\":{\"api\":{\"a\":\"planted\"}}}",
            "at quota.api.a",
        ),
        (
            "{\"username\":\"u\",\"uid\":99999999999999999999}",
            "at uid",
        ),
        ("<html>planted</html>", "not JSON"),
    ] {
        server.faults().add(answer(body));
        let error = client.user_info(&token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(CoreKind::Decode), "{body}");
        assert!(error.to_string().contains(place), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
    server
        .faults()
        .add(Fault::on(OWN).huge_body(64 << 20).times(1));
    let error = client.user_info(&token).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(CoreKind::TooLarge));
    client.user_info(&token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn discovery_is_read_once_and_an_old_document_serves_through_an_outage() {
    let server = Server::new();
    let client = server.client();
    let tokens: Vec<Token> = (0..5).map(|_| server.create_token("bob").issue()).collect();
    join_all(tokens.iter().map(|token| client.user_info(token))).await;
    assert_eq!(server.journal().count(DISCOVERY), 1);

    server.faults().add(Fault::on(DISCOVERY).garbage());
    tokio::time::advance(Duration::from_secs(301)).await;
    client.user_info(&server.user_token()).await.unwrap();
    assert_eq!(server.journal().count(DISCOVERY), 2);

    let fresh = builder(&server).build().unwrap();
    let error = fresh.user_info(&server.user_token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Discovery(CoreKind::Decode));
    server.faults().clear();
    fresh.user_info(&server.user_token()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_gafaelfawr_that_discovery_does_not_know_is_its_own_error() {
    let server = Server::new();
    server.set_discovery(serde_json::json!({"services": {"internal": {}}}));
    let error = server
        .client()
        .user_info(&server.user_token())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServiceNotFound);
    assert_eq!(
        error.to_string(),
        "gafaelfawr (v1) service not found in service discovery"
    );
}

#[tokio::test(start_paused = true)]
async fn a_shared_discovery_client_is_asked_once_for_all() {
    let server = Server::new();
    let shared = discovery::Client::builder()
        .transport(server.host().transport())
        .base_url(format!(
            "https://data.example.com{}///",
            server.repertoire_path()
        ))
        .build()
        .unwrap();
    for _ in 0..3 {
        let client = Client::builder()
            .transport(server.host().transport())
            .discovery(shared.clone())
            .build()
            .unwrap();
        client.user_info(&server.user_token()).await.unwrap();
    }
    assert_eq!(
        (
            server.journal().count(DISCOVERY),
            server.journal().count(OWN)
        ),
        (1, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn every_call_ends_within_its_deadline() {
    let server = Server::new();
    server.faults().add(Fault::on_any().no_answer());
    let timeouts = Timeouts::default()
        .attempt(Duration::from_secs(1))
        .call(Duration::from_secs(2));
    let client = builder(&server).timeouts(timeouts).build().unwrap();
    let begun = tokio::time::Instant::now();
    let error = client.user_info(&server.user_token()).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(
        begun.elapsed() <= Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );

    let options = CallOptions::new()
        .deadline(Duration::from_millis(300))
        .request_id("r-7");
    let begun = tokio::time::Instant::now();
    server.faults().clear();
    server.faults().add(Fault::on(OWN).no_answer());
    let error = client
        .with_options(options)
        .user_info(&server.user_token())
        .await
        .unwrap_err();
    assert!(begun.elapsed() <= Duration::from_millis(300));
    assert_eq!(
        (error.is_timeout(), error.request_id()),
        (true, Some("r-7"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_leaves_the_answer_to_the_next() {
    let server = Server::new();
    server
        .faults()
        .add(Fault::on(OWN).delay(Duration::from_secs(2)));
    let client = server.client();
    let token = server.user_token();
    let given_up = tokio::time::timeout(Duration::from_secs(1), client.user_info(&token)).await;
    assert!(given_up.is_err());
    client.user_info(&token).await.unwrap();
    assert_eq!(server.journal().count(OWN), 1);
}

#[derive(Debug, Default)]
struct Looks(Mutex<Vec<(&'static str, CacheOutcome)>>);

impl Observer for Looks {
    fn cache(&self, event: &CacheEvent) {
        self.0.lock().unwrap().push((event.name, event.outcome));
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_what_the_caches_spare() {
    let server = Server::new();
    let looks = Arc::new(Looks::default());
    let client = builder(&server).observer(looks.clone()).build().unwrap();
    let token = server.user_token();
    for _ in 0..2 {
        client.user_info(&token).await.unwrap();
    }
    client.user_info_for(&token, &name("alice")).await.unwrap();
    let expected = [
        ("userinfo.by_token", CacheOutcome::Miss),
        ("repertoire.document", CacheOutcome::Miss),
        ("userinfo.by_token", CacheOutcome::Hit),
        ("userinfo.by_name", CacheOutcome::Miss),
        ("repertoire.document", CacheOutcome::Hit),
    ];
    assert_eq!(*looks.0.lock().unwrap(), expected);
}

#[test]
fn a_client_without_a_place_to_ask_is_not_built() {
    for url in ["", "not a url", "https://u:planted@h.example/"] {
        let error = Client::builder().repertoire_url(url).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(CoreKind::Config), "{url}");
        assert!(!error.to_string().contains("planted"));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_printed_holds_a_token() {
    let server = Server::new();
    let client = server.client();
    let token = server.user_token();
    let planted = token
        .secret()
        .expose()
        .split_once('.')
        .unwrap()
        .1
        .to_owned();
    let service_token = ServiceToken::from(&token);
    let file = ServiceToken::source(Arc::new(vouchsafe_core::auth::StaticToken::new(
        Secret::from(token.secret().expose()),
    )));
    server.add_user(User::new("dana"));
    let info = client.user_info(&token).await.unwrap();
    let error = client
        .user_info_for(&token, &name("bob"))
        .await
        .unwrap_err();
    let shown = format!(
        "{token:?} {service_token:?} {file:?} {client:?} {info:?} {error} {error:?} \
         {server:?} {:?} {:?}",
        client.token_info(&token).await.unwrap(),
        server.journal().entries(),
    );
    assert!(!shown.contains(&planted), "{shown}");
}

#[test]
fn futures_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let server = Server::new();
    let client = server.client();
    let (token, bob) = (server.user_token(), name("bob"));
    is_send(&client.user_info(&token));
    is_send(&client.user_info_for(&token, &bob));
    is_send(&client.users(&token));
    let bot: BotUsername = "bot-x".parse().unwrap();
    let new = NewServiceToken::new(bot);
    is_send(&client.create_service_token(&token, &new));
    is_send(&client.discovery().influxdb_credentials("x", &token));
}
