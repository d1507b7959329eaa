//! Any request that needs the access token: for services that this crate does not know.

mod builder;
mod redirect;
mod request;

use std::fmt;
use std::sync::Arc;

use http::Method;
use vouchsafe_core::CoreClient;
use vouchsafe_core::auth::{Credentials as Presented, TokenSource};
use vouchsafe_core::call::CallOptions;

pub use self::builder::HttpClientBuilder;
use self::request::Expected;
pub use self::request::HttpRequest;
use crate::url::{Url, is_absolute};
use crate::{Credentials, Result};

/// A client for any request with the access token of [`Credentials`].
///
/// The token is replaced shortly before it expires and once it is refused: a request that is
/// answered with 401 is sent once more with the newer one. If it cannot be replaced, the 401 is the
/// answer; if replacing it fails, that is the error.
///
/// Requests are sent only to the base URL and the origins that the builder
/// [allows](HttpClientBuilder::allow_url), over https or to this machine. An answer may have any
/// status and any body, unless [success](HttpRequest::expect_success) or
/// [JSON](HttpRequest::expect_json) is expected.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
/// # let server = vouchsafe_cloud_credentials::mock::Server::new();
/// use http::Method;
/// use vouchsafe_cloud_credentials::{Credentials, HttpClient};
///
/// let credentials = Credentials::builder().access_token("planted").build()?;
/// # let (credentials, transport) = (Credentials::builder().access_token(server.token()).build()?, server.host().transport());
/// let client = HttpClient::builder()
///     .credentials(&credentials)
/// #   .transport(transport)
/// #   .base_url("https://cloud-credentials.example.com")
///     .build()?;
/// let answer = client.request(Method::GET, "/query/v2/jobs").query("maxJobs", "3").send().await?;
/// assert!(answer.status().is_success());
/// # Ok(())
/// # }
/// ```
///
/// Cheap to clone; clones share connections and budgets.
#[derive(Clone, Debug)]
pub struct HttpClient(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    core: CoreClient,
    base: Url,
    allowed: Vec<Url>,
    source: Option<Arc<dyn TokenSource>>,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    options: CallOptions,
    redirects: u32,
    expected: Expected,
}

impl HttpClient {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> HttpClientBuilder {
        HttpClientBuilder::new()
    }

    /// Starts building a request. The URL is a path below the base URL, or absolute.
    pub fn request(&self, method: Method, url: impl Into<String>) -> HttpRequest {
        HttpRequest::new(self.clone(), method, url.into())
    }

    /// Returns the client with other credentials. It shares everything else with this one.
    #[must_use]
    pub fn with_credentials(&self, credentials: &Credentials) -> Self {
        self.with(|inner| inner.source = Some(Arc::new(credentials.clone())))
    }

    /// Returns the client with other options for its requests, such as a deadline. What is not set
    /// stays as it is.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        self.with(|inner| inner.options = options.or(&inner.options))
    }

    fn with(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = (*self.0).clone();
        change(&mut inner);
        Self(Arc::new(inner))
    }
}

impl Inner {
    /// Returns the target of a URL, unless the token must not be sent there.
    fn locate(&self, url: &str) -> Result<Url> {
        if !is_absolute(url) {
            return self.base.joined(url);
        }
        let url = Url::whole(url)?;
        match self.is_allowed(&url) {
            true => Ok(url),
            false => Err(url.refused("it is neither below the base URL nor allowed")),
        }
    }

    /// Returns whether the token may be sent to a URL.
    fn is_allowed(&self, url: &Url) -> bool {
        self.source.is_none() || self.is_known(url)
    }

    fn is_known(&self, url: &Url) -> bool {
        let mut known = std::iter::once(&self.base).chain(&self.allowed);
        known.any(|known| known.has_origin_of(url))
    }

    fn presented(&self) -> Option<Presented<'_>> {
        self.source.as_deref().map(Presented::bearer)
    }
}

/// Shows headers and parameters by their names: the values may be secret.
impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("core", &self.core)
            .field("base", &self.base)
            .field("allowed", &self.allowed)
            .field("source", &self.source)
            .field("headers", &names(&self.headers))
            .field("query", &names(&self.query))
            .field("options", &self.options)
            .field("redirects", &self.redirects)
            .field("expected", &self.expected)
            .finish()
    }
}

/// Returns the names of headers or parameters.
fn names(pairs: &[(String, String)]) -> Vec<&str> {
    pairs.iter().map(|(name, _)| name.as_str()).collect()
}
