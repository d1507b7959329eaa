//! How the SDK's requests reach the network.

use std::sync::Arc;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::date_time::Format;
use http::{HeaderValue, Uri};
use vouchsafe_core::call::without_secrets;
use vouchsafe_core::transport::{Request, Transport};
use vouchsafe_core::url::is_loopback;
use vouchsafe_core::{Error, ErrorKind, Secret};

use crate::server_clock::ServerClock;

/// Creates an HTTP client for the SDK over a transport of core, such as an
/// [`HttpTransport`](vouchsafe_core::transport::HttpTransport): the TLS provider and the trusted
/// roots are then the same as everywhere. For `aws_config::defaults(..).http_client(..)`, which asks
/// for credentials with it. Bodies that are streamed are refused.
#[must_use]
pub fn http_client(transport: Arc<dyn Transport>) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(OverTransport(transport));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct OverTransport(Arc<dyn Transport>);

/// An item of DynamoDB has 400 KB, which base64 makes a third longer; a page has 1 MB.
const LARGEST_ANSWER: usize = 2 << 20;

/// Headers that hold credentials.
const SECRET: [&str; 4] = [
    "authorization",
    "x-amz-security-token",
    "x-aws-ec2-metadata-token",
    "x-amz-sso_bearer_token",
];

impl HttpConnector for OverTransport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let unusable = |cause| ConnectorError::user(cause);
            let request = request
                .try_into_http1x()
                .map_err(|cause| unusable(cause.into()))?;
            let (head, body) = request.into_parts();
            let Some(body) = body.bytes() else {
                return Err(unusable("a body that is streamed cannot be sent".into()));
            };
            let mut outgoing = Request::new(head.method, head.uri);
            outgoing.body = body.to_vec().into();
            outgoing.headers = head.headers;
            outgoing.response_limit = LARGEST_ANSWER;
            for name in SECRET {
                if let Some(value) = outgoing.headers.get_mut(name) {
                    value.set_sensitive(true);
                }
            }
            let answer = transport.send(outgoing).await.map_err(broken)?;
            let mut response = http::Response::new(SdkBody::from(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            // A value that is not text is of no use to the SDK, which would refuse them all.
            let is_text = |value: &HeaderValue| value.to_str().is_ok();
            if !response.headers().values().all(is_text) {
                let headers = std::mem::take(response.headers_mut());
                let mut kept = headers
                    .iter()
                    .filter(|(_, value)| is_text(value))
                    .map(|(name, value)| (name.clone(), value.clone()));
                response.headers_mut().extend(&mut kept);
            }
            HttpResponse::try_from(response).map_err(|cause| unusable(cause.into()))
        })
    }
}

fn broken(error: Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

/// Refuses plain http to other machines, notes the dates of answers, and removes the secrets of a
/// request from its refusal: one of a signature quotes what was signed, the token of a session with it.
#[derive(Debug)]
pub(crate) struct Guarded {
    pub(crate) client: SharedHttpClient,
    pub(crate) allow_plain: bool,
    pub(crate) clock: Arc<ServerClock>,
}

impl HttpClient for Guarded {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Guard {
            connector: self.client.http_connector(settings, components),
            allow_plain: self.allow_plain,
            clock: Arc::clone(&self.clock),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.client.connector_metadata()
    }
}

#[derive(Debug)]
struct Guard {
    connector: SharedHttpConnector,
    allow_plain: bool,
    clock: Arc<ServerClock>,
}

impl HttpConnector for Guard {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !self.allow_plain && !is_safe(request.uri()) {
            let error = Error::new(
                ErrorKind::Config,
                "AWS would receive records in the clear; use https, or allow_plain()",
            );
            return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
        }
        let clock = Arc::clone(&self.clock);
        let secrets = secrets(&request);
        let asked = clock.own();
        let answer = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            let date = answer.headers().get("date");
            let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
            if let Some(Ok(date)) = date.map(TryInto::try_into) {
                clock.saw(date, [asked, clock.own()]);
            }
            match answer.status().is_success() {
                true => Ok(answer),
                false => without(secrets, answer).await,
            }
        })
    }
}

/// Returns what a request is allowed by.
fn secrets(request: &HttpRequest) -> Vec<Secret> {
    let header = |name| request.headers().get(name);
    let signature = header("authorization").and_then(|value| value.rsplit_once("Signature="));
    let signature = signature.map(|(_, signature)| signature);
    let found = [header("x-amz-security-token"), signature];
    found.into_iter().flatten().map(Secret::from).collect()
}

async fn without(
    secrets: Vec<Secret>,
    mut answer: HttpResponse,
) -> Result<HttpResponse, ConnectorError> {
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|cause| ConnectorError::io(cause.into()))?;
    *answer.body_mut() = without_secrets(&body.into_bytes(), &secrets).into();
    Ok(answer)
}

/// Returns whether what is sent there cannot be read on the way.
fn is_safe(url: &str) -> bool {
    url.parse::<Uri>()
        .is_ok_and(|url| url.scheme_str() == Some("https") || url.host().is_some_and(is_loopback))
}
