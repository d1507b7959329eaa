//! Tokens by the client credentials grant.

use std::fmt;

use http::Method;
use tokio::time::Instant;

use super::{ClientAuthentication, ErrorCode, TokenAnswer, read_fault};
use crate::auth::{Cached, Token, TokenSource};
use crate::call::{Call, CallOptions, Form, Operation, Repeat, StatusRule};
use crate::url::{BaseUrl, Given, Target};
use crate::{BoxFuture, CoreClient, CoreClientBuilder, Error, ErrorKind, Result, Secret};

/// A source of tokens for the program itself, by the client credentials grant of OAuth 2.0 (RFC
/// 6749, 4.4).
///
/// A token is fetched when it is first needed. In the last fifth of its lifetime, a call that needs
/// it starts fetching the next one without waiting for it; a token is no longer used 30 seconds (or
/// a tenth of its lifetime, if that is less) before it expires. Concurrent callers share one
/// request. A token without a stated lifetime is kept for five minutes, and a refused one is
/// replaced at once.
///
/// Cheap to clone; clones share the token.
///
/// ```
/// use vouchsafe_core::Secret;
/// use vouchsafe_core::auth::oauth::ClientCredentials;
///
/// let secret = Secret::from("hunter2");
/// let source = ClientCredentials::builder("https://id.example.com/oauth2/token", "reports", secret)
///     .scope("read:users")
///     .build()?;
/// # Ok::<(), vouchsafe_core::Error>(())
/// ```
///
/// # Errors
///
/// A refusal by the token endpoint is [`ErrorKind::Credential`], with the server's code
/// ([`ErrorCode`]) and message; if there is no token endpoint at the URL, [`ErrorKind::Config`]. So
/// "not found" and similar kinds are always about the call that needs the token. An error is kept for a second, or
/// for as long as the server asks with `Retry-After`, at most a minute.
#[derive(Clone)]
pub struct ClientCredentials(Cached<Grant>);

struct Grant {
    core: CoreClient,
    server: BaseUrl,
    target: Target,
    authentication: ClientAuthentication,
    client_id: String,
    client_secret: Secret,
    parameters: Vec<(String, String)>,
}

impl ClientCredentials {
    /// Creates a builder for the URL of a token endpoint, and the client's id and secret.
    pub fn builder(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<Secret>,
    ) -> ClientCredentialsBuilder {
        ClientCredentialsBuilder {
            core: CoreClient::builder(),
            token_url: Given::from(token_url),
            authentication: ClientAuthentication::default(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scopes: Vec::new(),
            parameters: Vec::new(),
        }
    }
}

impl TokenSource for ClientCredentials {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        self.0.token()
    }

    fn forget(&self, generation: u64) {
        self.0.forget(generation);
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source().fmt(f)
    }
}

impl TokenSource for Grant {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(self.ask())
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("server", &self.server)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl Grant {
    async fn ask(&self) -> Result<Token> {
        let form = Form::new().field("grant_type", "client_credentials");
        let parameters = self.parameters.iter();
        let form = parameters.fold(form, |form, (name, value)| form.field(name, value));
        let call = Call::new(&TOKEN, self.target.clone());
        let (id, secret) = (&self.client_id, &self.client_secret);
        let call = self.authentication.present(call, form, id, secret)?;
        let begun = Instant::now();
        let options = CallOptions::new();
        let sent = self.core.send(&self.server, call, None, &options);
        let answer = sent.await.map_err(|error| {
            let is_transient = ErrorCode::of(&error).is_some_and(ErrorCode::is_transient);
            let is_retryable = is_transient || error.is_retryable();
            error.with_retryable(is_retryable)
        })?;
        let answer = TokenAnswer::read(&answer)?;
        if !answer.is_bearer() {
            let what = "the token endpoint issued a token that is not a bearer token";
            return Err(Error::new(ErrorKind::Decode, what).with_operation(TOKEN.id()));
        }
        let token = Token::new(answer.access_token);
        let left = answer
            .expires_in
            .map(|lifetime| lifetime.saturating_sub(begun.elapsed()));
        let expiry = left.and_then(|left| self.core.clock().now().checked_add(left));
        Ok(match expiry {
            Some(at) => token.expires_at(at),
            None => token,
        })
    }
}

/// Builds a [`ClientCredentials`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCredentialsBuilder {
    core: CoreClientBuilder,
    token_url: Given,
    authentication: ClientAuthentication,
    client_id: String,
    client_secret: Secret,
    scopes: Vec<String>,
    parameters: Vec<(String, String)>,
}

impl ClientCredentialsBuilder {
    crate::client_builder_methods!(core);

    /// Sets how the client authenticates. Default: [`ClientAuthentication::Basic`].
    pub fn authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Adds a scope to request, or several with spaces between them. Default: none, which leaves
    /// the scope to the server.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Adds a parameter of the server's own, such as `audience`, or `resource` (RFC 8707). Not for
    /// secrets.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Builds the source. Does no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the URL is not absolute, or has user information or a fragment;
    /// if id or secret is empty; and as [`CoreClientBuilder::build_for`].
    pub fn build(self) -> Result<ClientCredentials> {
        let refuse = |what: &str| Err(Error::new(ErrorKind::Config, what));
        if self.client_id.is_empty() {
            return refuse("the client's id is empty");
        }
        if self.client_secret.is_empty() {
            return refuse("the client's secret is empty");
        }
        let (server, target) = parts(&self.token_url)?;
        let core = self.core.read_fault(read_fault).build_for([&server])?;
        let mut parameters = self.parameters;
        if !self.scopes.is_empty() {
            parameters.push(("scope".to_owned(), self.scopes.join(" ")));
        }
        let grant = Grant {
            core: core.clone(),
            server,
            target,
            authentication: self.authentication,
            client_id: self.client_id,
            client_secret: self.client_secret,
            parameters,
        };
        Ok(ClientCredentials(core.cached("oauth", grant)))
    }
}

/// Splits a URL into its server, and path and query as they are: a slash at the end matters.
fn parts(url: &str) -> Result<(BaseUrl, Target)> {
    let path = url.find("://").map_or(0, |at| at + "://".len());
    let path = url[path..].find(['/', '?', '#']).map(|at| path + at);
    let (server, rest) = url.split_at(path.unwrap_or(url.len()));
    let rest = match rest.starts_with('/') {
        true => rest.to_owned(),
        false => ["/", rest].concat(),
    };
    let refuse = |error: Error| error.with_kind(ErrorKind::Config).with_origin("token URL");
    let target = Target::encoded(&rest).map_err(refuse)?;
    Ok((BaseUrl::parse(server).map_err(refuse)?, target))
}

/// An unused token is harmless, so the request may be repeated. Refusals of this request say
/// nothing about the call that needs the token, so they have no kind that would.
static TOKEN: Operation = Operation::new("oauth.token", Method::POST, "/token")
    .repeat(Repeat::Safe)
    .open()
    .status_rules(&[
        StatusRule::new(400, None, ErrorKind::Credential),
        StatusRule::new(403, None, ErrorKind::Credential),
        StatusRule::new(404, None, ErrorKind::Config),
        StatusRule::new(405, None, ErrorKind::Config),
        StatusRule::new(409, None, ErrorKind::Credential),
        StatusRule::new(410, None, ErrorKind::Config),
        StatusRule::new(422, None, ErrorKind::Credential),
    ]);
