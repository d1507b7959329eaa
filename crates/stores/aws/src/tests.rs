//! What all services share: errors, plain http, secrets in logs.

use std::io::Write;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use http::StatusCode;
use vouchsafe_core::store::{Expect, Store as _};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, ErrorKind, Result, Sent};

use crate::testing::{Always, bytes, key, sdk};
use crate::{Aws, DynamoStore, http_client};

#[tokio::test]
async fn a_refusal_is_told_once_and_never_repeats_a_value() {
    for (status, code, may_recover, is_told) in [
        (400, "AccessDeniedException", false, true),
        (400, "ValidationException", false, false),
        (400, "ThrottlingException", true, true),
        (400, "ProvisionedThroughputExceededException", true, true),
        (429, "Other", true, true),
        (500, "InternalServerError", true, true),
        (503, "ServiceUnavailable", true, true),
    ] {
        let always = Always::new(status, code);
        let aws = Aws::builder(&sdk("https://dynamodb.example:8000"));
        let aws = aws.transport(always.clone()).build().unwrap();
        let store = DynamoStore::new(&aws, "vouchsafe").unwrap();
        let error = store
            .compare_and_swap(&key(), &Expect::Any, &bytes("planted-value"))
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Store, Some(code)));
        assert_eq!(error.is_retryable(), may_recover, "{error}");
        assert_eq!(error.sent(), Sent::Maybe);
        assert_eq!(always.seen(), 1, "sent again");
        let text = error.to_string();
        assert!(
            text.contains("write a record to the table vouchsafe of DynamoDB"),
            "{text}"
        );
        assert!(
            text.contains("dynamodb.example:8000") && text.contains(code),
            "{text}"
        );
        assert_eq!(text.contains("told: "), is_told, "{text}");
    }
}

/// Refuses the signature of a request, and says what it should have been of.
#[derive(Debug)]
struct Quoting;

impl Transport for Quoting {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let header = |name: &str| request.headers[name].to_str().unwrap();
        let (token, signed) = (header("x-amz-security-token"), header("authorization"));
        let (_, signature) = signed.rsplit_once("Signature=").unwrap();
        let message = format!("no: token:{token}\n{signature}");
        let mut response = Response::new(StatusCode::BAD_REQUEST);
        let code = "x#InvalidSignatureException";
        response.body = format!(r#"{{"__type": "{code}", "message": {message:?}}}"#).into();
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[tokio::test]
async fn a_refusal_that_quotes_what_was_signed_shows_no_token() {
    let token = "planted-token/of+a/session==";
    let keys = Credentials::from_keys("id", "planted-secret", Some(token.to_owned()));
    let settings = sdk("https://aws.example").into_builder();
    let settings = settings.credentials_provider(SharedCredentialsProvider::new(keys));
    let settings = settings.http_client(http_client(Arc::new(Quoting))).build();
    // The client of the SDK's settings, and a transport of ours.
    let own = Aws::builder(&settings).build().unwrap();
    let ours = Aws::builder(&settings).transport(Arc::new(Quoting));
    for aws in [own, ours.build().unwrap()] {
        let store = DynamoStore::new(&aws, "vouchsafe").unwrap();
        let error = store.load(&key()).await.unwrap_err();
        assert_eq!(error.code(), Some("InvalidSignatureException"), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("no: token:[secret] [secret]"), "{shown}");
        assert!(!shown.contains("planted"), "{shown}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_was_sent_nothing() {
    let aws = Aws::builder(&sdk("http://127.0.0.1:1")).build().unwrap();
    let store = DynamoStore::new(&aws, "vouchsafe").unwrap();
    let error = store.load(&key()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Store, Sent::No),
        "{error}"
    );
    assert!(
        error.is_retryable() && error.to_string().contains("127.0.0.1:1"),
        "{error}"
    );
}

#[tokio::test]
async fn credentials_that_cannot_be_had_are_said_before_anything_is_sent() {
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::{ProvideCredentials, future};

    #[derive(Debug)]
    struct None;
    impl ProvideCredentials for None {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("no such profile")))
        }
    }

    let settings = sdk("http://127.0.0.1:1").into_builder();
    let settings = settings.credentials_provider(SharedCredentialsProvider::new(None));
    let always = Always::new(500, "Other");
    let aws = Aws::builder(&settings.build())
        .transport(always.clone())
        .build()
        .unwrap();
    let store = DynamoStore::new(&aws, "vouchsafe").unwrap();
    let error = store.load(&key()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Store, Sent::No),
        "{error}"
    );
    assert!(error.to_string().contains("credentials"), "{error}");
    assert!(error.to_string().contains("no such profile"), "{error}");
    assert_eq!(always.seen(), 0);
}

#[tokio::test]
async fn plain_http_is_for_this_machine_only() {
    let refused = |url: &str| Aws::builder(&sdk(url)).build().unwrap_err();
    let error = refused("http://aws.example:8000");
    assert!(
        error.is_config() && error.to_string().contains("aws.example:8000"),
        "{error}"
    );
    let error = refused("http://user:planted@127.0.0.1");
    assert!(
        error.is_config() && !error.to_string().contains("planted"),
        "{error}"
    );
    assert!(refused("nowhere").is_config());
    Aws::builder(&sdk("http://aws.example"))
        .allow_plain()
        .build()
        .unwrap();

    // The endpoint of one service may come from elsewhere than the settings.
    #[derive(Debug)]
    struct Elsewhere;
    impl aws_types::service_config::LoadServiceConfig for Elsewhere {
        fn load_config(
            &self,
            _: aws_types::service_config::ServiceConfigKey<'_>,
        ) -> Option<String> {
            Some("http://aws.example:8000".to_owned())
        }
    }
    let mut settings = sdk("https://aws.example").into_builder();
    settings.set_service_config(Some(Elsewhere));
    let always = Always::new(500, "Other");
    let aws = Aws::builder(&settings.build())
        .transport(always.clone())
        .build()
        .unwrap();
    let error = DynamoStore::new(&aws, "vouchsafe")
        .unwrap()
        .load(&key())
        .await
        .unwrap_err();
    assert!(
        !error.is_retryable() && error.to_string().contains("in the clear"),
        "{error}"
    );
    assert_eq!(always.seen(), 0);
}

#[test]
fn what_is_missing_in_the_settings_is_said() {
    let without = |change: fn(&mut aws_types::sdk_config::Builder)| {
        let mut settings = sdk("https://aws.example").into_builder();
        change(&mut settings);
        Aws::builder(&settings.build()).build().unwrap_err()
    };
    let error = without(|settings| {
        settings.set_region(None);
    });
    assert!(
        error.is_config() && error.to_string().contains("AWS_REGION"),
        "{error}"
    );
    let error = without(|settings| {
        settings.set_credentials_provider(None);
    });
    assert!(
        error.is_config() && error.to_string().contains("credentials"),
        "{error}"
    );
}

/// Where log lines go.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_logs_nor_debug_show_a_record_or_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = crate::testing::start(folder.path()) else {
        return;
    };
    let lines = Lines::default();
    let to = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || to.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let aws = crate::testing::aws(folder.path());
    let store = DynamoStore::new(&aws, "vouchsafe").unwrap();
    // In base64 it is `cGxhbnRlZC12YWx1ZS4u`; a list of bytes would begin with 112, 108.
    let value = bytes("planted-value..");
    let written = store.compare_and_swap(&key(), &Expect::Any, &value).await;
    let there = store.load(&key()).await.unwrap().unwrap();
    assert_eq!(there.value, value);
    tracing::info!("the log works");
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log works"));
    let shown = format!("{log} {aws:?} {store:?} {written:?} {there:?}");
    for secret in ["planted", "cGxhbnRlZC12YWx1ZS4u", "112, 108, 97"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
