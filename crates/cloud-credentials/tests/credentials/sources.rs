//! Where values come from.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_cloud_credentials::mock::{Seed, Server};
use vouchsafe_cloud_credentials::{
    Credentials, CredentialsBuilder, Environment, ErrorKind, Secret, Source, TokenSource as _,
};
use vouchsafe_core::auth::FnToken;
use vouchsafe_core::store::{ReadThrough, Store};
use vouchsafe_core::{Error, ErrorKind as Kind};

use crate::server::{TokenServer, key, memory, put, record, secret, seeded};

pub(crate) fn variables(pairs: &[(&str, &str)]) -> Environment {
    let pairs: BTreeMap<String, String> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Environment::from_fn(move |name| pairs.get(name).map(|value| Secret::from(value.as_str())))
}

#[tokio::test]
async fn the_first_source_with_a_value_is_used_alone() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let seeds = [
        ("CLIENT_ID", "u"),
        ("CLIENT_SECRET", "u"),
        ("REFRESH_TOKEN", "u"),
    ];
    let prefixed = [&seeds[..], &[("PAN_CLIENT_SECRET", "p")]].concat();
    let with = |pairs: &[(&str, &str)]| {
        let builder = server.builder().store(Arc::clone(&store));
        builder.environment(variables(pairs))
    };
    let of = |credentials: Credentials| async move {
        let values = credentials.values().await.unwrap();
        (
            credentials.source().await.unwrap(),
            values.client_id,
            values.client_secret,
        )
    };
    let id = |text: &str| Some(text.to_owned());
    let explicit = with(&prefixed).client_id("b").build().unwrap();
    assert_eq!(of(explicit).await, (Source::Builder, id("b"), None));
    let environment = with(&prefixed).build().unwrap();
    assert_eq!(
        of(environment).await,
        (Source::Environment, None, Some(secret("p")))
    );
    let unprefixed = with(&seeds).build().unwrap();
    let expected = (Source::UnprefixedEnvironment, id("u"), Some(secret("u")));
    assert_eq!(of(unprefixed).await, expected);
    let stored = (Source::Store, id("c"), Some(secret("s")));
    let off = with(&seeds).without_unprefixed_variables().build().unwrap();
    assert_eq!(of(off).await, stored);
    // Names this common count only together, and empty ones not at all.
    let partial = with(&seeds[..2]).build().unwrap();
    assert_eq!(of(partial).await, stored);
    let empty = with(&[("PAN_CLIENT_ID", "")])
        .client_id("")
        .build()
        .unwrap();
    assert_eq!(of(empty).await, stored);
    let nothing = with(&[("PAN_PROFILE", "other")]).build().unwrap();
    assert_eq!(nothing.profile(), "other");
    assert_eq!(of(nothing).await, (Source::Nothing, None, None));
}

#[tokio::test]
async fn the_error_says_what_is_missing_and_nothing_is_sent() {
    let server = TokenServer::new(true);
    let credentials = server.builder().client_id("c").build().unwrap();
    let error = credentials.refresh().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialCredentials);
    let missing = error.missing().unwrap();
    assert_eq!(missing.values(), ["client_secret", "refresh_token"]);
    assert_eq!(missing.places(), ["the builder"]);
    let places = async |builder: CredentialsBuilder| {
        let error = builder.profile("p").build().unwrap().refresh().await;
        error.unwrap_err().missing().unwrap().places().join(", ")
    };
    // Only what was searched.
    let of_store = "profile \"p\" of the MemoryStore";
    let developer_token = "the variable PAN_DEVELOPER_TOKEN";
    assert_eq!(
        places(server.builder()).await,
        format!("the builder, {of_store}")
    );
    let with_environment = || server.builder().environment(variables(&[]));
    let unprefixed = Source::UnprefixedEnvironment;
    assert_eq!(
        places(with_environment()).await,
        format!("the builder, PAN_ variables, {unprefixed}, {of_store}, {developer_token}")
    );
    assert_eq!(
        places(with_environment().without_unprefixed_variables()).await,
        format!("the builder, PAN_ variables, {of_store}, {developer_token}")
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let in_file = |file: FileStore| server.builder().store(Arc::new(file));
    assert_eq!(
        places(in_file(FileStore::new(&path))).await,
        format!("the builder, profile \"p\" of FileStore {path:?}")
    );
    // A developer token does not count beside credentials that the program gave.
    let partial = with_environment().client_id("c");
    assert_eq!(places(partial).await, "the builder");
    let partial = server.builder();
    let partial = partial.environment(variables(&[("PAN_CLIENT_ID", "c")]));
    assert_eq!(
        places(partial).await,
        format!("PAN_ variables, {developer_token}")
    );
    // What was set afterwards comes from the program, too.
    let set = server.builder().build().unwrap();
    assert_eq!(set.source().await.unwrap(), Source::Nothing);
    set.set_client_id(Some("c".to_owned()));
    assert_eq!(set.source().await.unwrap(), Source::Builder);
    let error = server
        .builder()
        .auto_refresh(false)
        .build()
        .unwrap()
        .token()
        .await
        .unwrap_err();
    assert_eq!(error.message(), "missing access_token");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_value_that_is_not_known_does_not_overwrite_one_that_is() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let credentials = server.builder().store(Arc::clone(&store)).client_id("only");
    credentials.build().unwrap().write().await.unwrap();
    let now = record(&*store).await;
    assert_eq!(
        (&now["client_id"], &now["client_secret"]),
        (&"only".into(), &"s".into())
    );
    // It belonged to the other client.
    assert_eq!(now["access_token"], json!(null));
}

#[tokio::test]
async fn a_secret_is_left_out_of_the_store_on_request() {
    let server = TokenServer::new(true);
    let store = memory();
    let builder = server
        .builder()
        .store(Arc::clone(&store))
        .persist_client_secret(false);
    let builder = builder
        .client_id("c")
        .client_secret("s")
        .refresh_token("rt-0");
    let credentials = builder.build().unwrap();
    credentials.write().await.unwrap();
    credentials.refresh().await.unwrap();
    credentials.refresh().await.unwrap();
    assert_eq!(record(&*store).await["client_secret"], json!(null));
    assert_eq!(server.refused(), 0);
}

#[tokio::test]
async fn a_secret_that_is_left_out_does_not_leave_that_of_another_client() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let builder = || {
        let builder = server.builder().store(Arc::clone(&store));
        builder.persist_client_secret(false)
    };
    // Its own is not dropped.
    builder().build().unwrap().write().await.unwrap();
    assert_eq!(record(&*store).await["client_secret"], "s");
    let other = builder().client_id("other").client_secret("planted");
    other.build().unwrap().write().await.unwrap();
    let now = record(&*store).await;
    assert_eq!(now["client_id"], "other");
    assert_eq!(now["client_secret"], json!(null));
}

#[tokio::test]
async fn a_developer_token_is_used_if_the_program_gives_no_credentials() {
    let server = TokenServer::new(false);
    let environment = || variables(&[("PAN_DEVELOPER_TOKEN", "dev"), ("PAN_CLIENT_ID", "c")]);
    let builder = || server.builder().environment(environment());
    let given = builder()
        .client_id("c")
        .client_secret("s")
        .refresh_token("rt-0");
    given.build().unwrap().refresh().await.unwrap();
    assert_eq!(server.server.counts().refreshes(), 1);
    let url = builder().developer_token_provider("no url").build();
    assert_eq!(
        url.unwrap_err().kind(),
        ErrorKind::Core(vouchsafe_core::ErrorKind::Config)
    );
}

async fn source_of(credentials: &Credentials) -> String {
    credentials.source().await.unwrap().to_string()
}

#[tokio::test]
async fn the_source_is_the_developer_token_before_and_after_it_is_redeemed() {
    let seed = r#"{"clients": [], "developer_tokens": [{"token": "dev"}]}"#;
    let server = TokenServer::seeded(&Seed::parse(seed).unwrap());
    let store = memory();
    let with = |pairs: &[(&str, &str)]| {
        let builder = server.builder().store(Arc::clone(&store));
        builder.environment(variables(pairs)).build().unwrap()
    };
    let alone = with(&[("PAN_DEVELOPER_TOKEN", "dev")]);
    for _ in 0..2 {
        assert_eq!(source_of(&alone).await, "the developer token");
        alone.token().await.unwrap();
    }
    // For others, it is in the record.
    assert_eq!(source_of(&with(&[])).await, "the store");
    let beside = with(&[("PAN_DEVELOPER_TOKEN", "dev"), ("PAN_CLIENT_ID", "c")]);
    assert_eq!(source_of(&beside).await, "PAN_ variables");
    beside.token().await.unwrap();
    assert_eq!(source_of(&beside).await, "the developer token");
}

/// A source that returns the next token after each refusal.
fn developer_tokens(tokens: Vec<Result<Secret, Error>>) -> (Arc<FnToken>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let source = FnToken::new(move || {
        let token = tokens[counted.fetch_add(1, Ordering::Relaxed)].clone();
        async move {
            tokio::task::yield_now().await;
            token
        }
    });
    (Arc::new(source), calls)
}

#[tokio::test]
async fn a_source_of_developer_tokens_is_asked_when_one_is_needed() {
    let mut server = TokenServer::new(false);
    let seed = r#"{"clients": [], "developer_tokens": [{"token": "planted-good"}]}"#;
    server.server = Server::from_seed(&Seed::parse(seed).unwrap());
    let redeemed = || server.server.counts().of("developer_token");
    let tokens = || vec![Ok(secret("planted-old")), Ok(secret("planted-good"))];
    let (source, calls) = developer_tokens(tokens());
    let credentials = server.builder().developer_token_source(source);
    let credentials = credentials.build().unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    let first = credentials.token().await.unwrap();
    // The old one was refused, and the source had another.
    assert_eq!((redeemed(), calls.load(Ordering::Relaxed)), (2, 2));
    let second = credentials.refresh().await.unwrap();
    assert_ne!(*first.secret(), second);
    assert_eq!((redeemed(), calls.load(Ordering::Relaxed)), (3, 2));
    let known = credentials.developer_token().await.unwrap();
    assert_eq!(known, Some(secret("planted-good")));
    assert_eq!(source_of(&credentials).await, "the developer token");
    assert!(!format!("{credentials:?}").contains("planted"));
    // One that is set afterwards takes precedence.
    credentials.set_developer_token(Some(secret("planted-other")));
    let error = credentials.refresh().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 401);
    assert!(!format!("{error} {error:?}").contains("planted"));

    // Given credentials, and a token of the environment, are used instead of it.
    let (source, calls) = developer_tokens(tokens());
    let given = server.builder().developer_token_source(source.clone());
    let given = given.client_id("c").build().unwrap();
    assert_eq!(
        given.refresh().await.unwrap_err().kind(),
        ErrorKind::PartialCredentials
    );
    let environment = variables(&[("PAN_ACCESS_TOKEN", "at")]);
    let builder = server.builder().developer_token_source(source);
    let known = builder.environment(environment).build().unwrap();
    assert_eq!(*known.token().await.unwrap().secret(), secret("at"));
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_source_of_developer_tokens_that_fails_or_hangs_is_an_error_and_nothing_is_sent() {
    let server = TokenServer::new(false);
    let locked = Error::new(Kind::Credential, "the vault is locked").with_retryable(true);
    let (source, _) = developer_tokens(vec![Err(locked), Ok(secret("dev"))]);
    let credentials = server.builder().developer_token_source(source);
    let credentials = credentials.build().unwrap();
    let error = credentials.token().await.unwrap_err();
    assert!(error.to_string().contains("the vault is locked"), "{error}");
    assert!(error.is_retryable());
    assert_eq!(server.requests(), 0);
    // The next caller asks again.
    assert!(credentials.developer_token().await.unwrap().is_some());

    let hangs = FnToken::new(std::future::pending);
    let credentials = server.builder().developer_token_source(Arc::new(hangs));
    let credentials = credentials.build().unwrap();
    let error = credentials.refresh().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Core(Kind::Timeout(_))),
        "{error}"
    );
    let error = credentials.developer_token().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Core(Kind::Timeout(_))),
        "{error}"
    );
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn the_provider_is_that_of_the_program_or_else_of_the_environment() {
    let name = "PAN_DEVELOPER_TOKEN_PROVIDER";
    let environment = || variables(&[(name, "https://env.example.com/t?a=1")]);
    let provider = |credentials: &Credentials| credentials.developer_token_provider().unwrap();
    let plain = Credentials::builder().build().unwrap();
    assert_eq!(
        provider(&plain),
        "https://app.apiexplorer.rocks/request_token"
    );
    let credentials = Credentials::builder().environment(environment());
    let credentials = credentials.build().unwrap();
    assert_eq!(provider(&credentials), "https://env.example.com/t?a=1");
    credentials
        .set_developer_token_provider(Some("https://set.example.com:8443/x"))
        .unwrap();
    assert_eq!(provider(&credentials), "https://set.example.com:8443/x");
    let wrong = Credentials::builder().environment(variables(&[(name, "no url")]));
    assert!(wrong.build().unwrap().developer_token_provider().is_err());
}

#[tokio::test]
async fn profiles_are_listed_renamed_and_removed() {
    let server = TokenServer::new(true);
    let folder = tempfile::tempdir().unwrap();
    let file = vouchsafe_cloud_credentials::file::FileStore::new(folder.path().join("c.json"));
    let store: Arc<dyn Store> = Arc::new(file);
    put(
        &*store,
        &json!({"client_id": "c", "client_secret": "s", "refresh_token": "r"}),
    )
    .await;
    let credentials = server.builder().store(Arc::clone(&store)).build().unwrap();
    credentials.rename_profile("default", "dev").await.unwrap();
    assert_eq!(credentials.list_profiles().await.unwrap(), ["dev"]);
    let error = credentials
        .rename_profile("default", "x")
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    assert!(credentials.remove_profile("dev").await.unwrap());
    assert!(!credentials.remove_profile("dev").await.unwrap());
    assert!(credentials.list_profiles().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_mounted_record_is_refreshed_into_the_store_in_front_of_it() {
    let server = TokenServer::new(true);
    let (front, mounted) = (memory(), seeded("rt-0").await);
    let before = mounted.load(&key()).await.unwrap().unwrap();
    let process = || {
        let store = ReadThrough::new(Arc::clone(&front), Arc::clone(&mounted));
        server.builder().store(Arc::new(store)).build().unwrap()
    };
    let token = process().refresh().await.unwrap();
    assert_eq!(process().token().await.unwrap().secret(), &token);
    assert_eq!(server.requests(), 1);
    process().refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (2, 0));
    let after = mounted.load(&key()).await.unwrap().unwrap();
    assert_eq!(after.version, before.version);
}

#[tokio::test]
async fn no_secret_is_shown() {
    let server = TokenServer::new(true);
    let builder = server.builder().client_id("c").client_secret("planted-1");
    let builder = builder.refresh_token("planted-2").access_token("planted-3");
    let builder = builder.developer_token("planted-4").state("planted-6");
    assert!(!format!("{builder:?}").contains("planted"));
    let credentials = builder.build().unwrap();
    credentials.set_refresh_token(Some(secret("planted-5")));
    assert!(!format!("{credentials:?}").contains("planted"));
    let exchange = credentials.exchange("planted").verifier("planted");
    assert!(!format!("{exchange:?}").contains("planted"));
    // Nor the state, by which a callback is known.
    let request = credentials.authorize().state("planted-7");
    assert!(!format!("{request:?}").contains("planted"));
    let login = request.url().await.unwrap();
    assert!(login.url.contains("state=planted-7"));
    let shown = format!("{login:?}");
    assert!(!shown.contains("planted") && !shown.contains("code_challenge"));
    assert!(!shown.contains(login.verifier.as_ref().unwrap().expose()));
}
