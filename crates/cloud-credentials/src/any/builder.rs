//! Configuration of a client for any request.

use std::fmt;
use std::sync::Arc;

use vouchsafe_core::CoreClientBuilder;
use vouchsafe_core::auth::TokenSource;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::url::Given;

use super::request::Expected;
use super::{HttpClient, Inner, names};
use crate::client::AMERICAS;
use crate::error::read_fault;
use crate::url::Url;
use crate::{Credentials, Result, limits};

/// Builds an [`HttpClient`]. A call may take a minute by default, half of it for one attempt, and
/// connecting ten seconds.
#[derive(Clone)]
#[must_use]
pub struct HttpClientBuilder {
    core: CoreClientBuilder,
    base_url: Given,
    allowed: Vec<Given>,
    source: Option<Arc<dyn TokenSource>>,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    options: CallOptions,
    redirects: u32,
    expected: Expected,
}

impl HttpClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            core: limits::core(),
            base_url: AMERICAS.into(),
            allowed: Vec::new(),
            source: None,
            headers: Vec::new(),
            query: Vec::new(),
            options: CallOptions::new(),
            redirects: 0,
            expected: Expected::default(),
        }
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the base URL of requests. Default: `https://api.us.paloaltonetworks.com`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Given::from(url);
        self
    }

    /// Also allows requests with absolute URLs that have the scheme, host and port of this one.
    /// Default: only those of the base URL.
    pub fn allow_url(mut self, url: impl Into<String>) -> Self {
        self.allowed.push(Given::from(url));
        self
    }

    /// Sets the credentials whose access token is sent. Default: none; requests are then sent
    /// without a token, to any URL.
    pub fn credentials(self, credentials: &Credentials) -> Self {
        self.token_source(Arc::new(credentials.clone()))
    }

    /// Sets the source of tokens.
    pub fn token_source(mut self, source: Arc<dyn TokenSource>) -> Self {
        self.source = Some(source);
        self
    }

    /// Sets whether a request whose access token was refused is sent once more with a newer one.
    /// If not, the token is still replaced, and the refusal is the answer. Default: `true`.
    pub fn auto_retry(mut self, resends: bool) -> Self {
        self.options = self.options.resend_refused(resends);
        self
    }

    /// Adds a header to each request. It replaces one of the client's own, such as `Accept`; the
    /// access token takes precedence.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter to the query of each request. One of the same name in a request replaces
    /// it.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sets how many redirects of a request are followed; one more is an error, so that a circle is
    /// not taken for an answer. They are followed only within an origin, and to the base URL's and
    /// allowed ones, since headers are sent along; any other redirect is the answer. Default: none;
    /// a redirect is then the answer.
    pub fn follow_redirects(mut self, most: u32) -> Self {
        self.redirects = most;
        self
    }

    /// Makes a status other than 2xx an error for all requests, as
    /// [`HttpRequest::expect_success`](super::HttpRequest::expect_success) does for one. Default: an
    /// answer may have any status.
    #[doc(alias = "raise_for_status")]
    pub fn expect_success(mut self) -> Self {
        self.expected.success = true;
        self
    }

    /// Makes an answer whose body is not JSON an error for all requests, as
    /// [`HttpRequest::expect_json`](super::HttpRequest::expect_json) does for one. Default: an
    /// answer may have any body.
    #[doc(alias = "enforce_json")]
    pub fn expect_json(mut self) -> Self {
        self.expected.json = true;
        self
    }

    /// Builds the client. Does no I/O.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if a URL is malformed, the transport cannot be created, or the base URL is `https`
    /// and TLS is impossible.
    pub fn build(self) -> Result<HttpClient> {
        let allowed = self.allowed.iter().map(|url| Url::whole(url));
        let base = Url::whole(&self.base_url)?;
        Ok(HttpClient(Arc::new(Inner {
            allowed: allowed.collect::<Result<_>>()?,
            core: self.core.read_fault(read_fault).build_for([base.base()])?,
            base,
            source: self.source,
            headers: self.headers,
            query: self.query,
            options: self.options,
            redirects: self.redirects,
            expected: self.expected,
        })))
    }
}

/// Shows headers and parameters by their names: the values may be secret.
impl fmt::Debug for HttpClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientBuilder")
            .field("core", &self.core)
            .field("base_url", &self.base_url)
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
