//! The layer that finds out who sent a request.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use tower_layer::Layer;
use vouchsafe_core::Secret;
use vouchsafe_core::server::{AsyncCheck, AsyncCheckService, mark_sensitive, single};

use super::caller::{Decision, Seen};
use super::{Caller, Refusal, Tokens};

/// Finds out who sent a request, from the token in `X-Auth-Token`, and adds a [`Caller`] to the
/// request's extensions, where [`Caller::of`] finds it.
///
/// | the request | is answered |
/// | --- | --- |
/// | has a token that wazo-auth knows | by the service, with a [`Caller`] |
/// | has an unknown or expired token, or two | 401 `unauthorized`, reason `not_found_or_expired` |
/// | has no token | the same; with [`allow_anonymous`](Self::allow_anonymous) by the service |
/// | names a tenant in `Wazo-Tenant` that the token may not act for | 401 `unauthorized-tenant` |
/// | comes while wazo-auth cannot be asked | 503 `authentication-server-unreachable` |
///
/// The bodies are those of the service, except that `invalid_token` is empty: an answer shows no
/// token.
#[derive(Clone, Debug)]
pub struct TokenLayer {
    tokens: Tokens,
    decision: Decision,
    is_anonymous_allowed: bool,
    is_query_read: bool,
}

/// What a request says about who sent it.
struct Claims {
    token: Option<Secret>,
    tenant: Option<Arc<str>>,
}

impl TokenLayer {
    /// Creates a layer that refuses requests without a token, and decides by the token's own list
    /// what it covers.
    #[must_use]
    pub fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            decision: Decision::Local,
            is_anonymous_allowed: false,
            is_query_read: false,
        }
    }

    /// Accepts requests without a token. They have no [`Caller`]: guards and [`Caller::of`] refuse
    /// them with 401, and an `Option<Caller>` is `None`.
    #[must_use]
    pub fn allow_anonymous(mut self) -> Self {
        self.is_anonymous_allowed = true;
        self
    }

    /// Also accepts the token as `token` in the query, as the service does for links in messages.
    /// URLs are written to logs; use this where there is no other way.
    #[must_use]
    pub fn accept_query(mut self) -> Self {
        self.is_query_read = true;
        self
    }

    /// Asks the server for each access whether the token covers it, and remembers the answer as
    /// long as the token. For servers with other rules than this crate knows.
    #[must_use]
    pub fn ask_server(mut self) -> Self {
        self.decision = Decision::Asked(self.tokens.clone());
        self
    }

    /// Finds out who sent a request and adds that to its extensions, or returns a refusal.
    ///
    /// This is all that the layer does, for servers that do not use tower.
    ///
    /// # Errors
    ///
    /// See the table above. The refusal has already been logged.
    pub async fn check<B: Send>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let claims = self.read(request.headers(), request.uri());
        mark_sensitive(request.headers_mut(), TOKEN);
        let found = match claims {
            Ok(claims) => self.find(claims).await,
            Err(refusal) => Err(refusal),
        };
        let found = found.map_err(Refusal::logged)?;
        // Only this layer decides who a caller is: what an outer one found is replaced.
        request.extensions_mut().insert(Seen(found));
        Ok(())
    }

    fn read(&self, headers: &HeaderMap, uri: &Uri) -> Result<Claims, Refusal> {
        let text = |name| match single(headers, name) {
            // What is no text is no token and no tenant that the server knows.
            Ok(value) => Ok(value.map(|value| String::from_utf8_lossy(value).into_owned())),
            Err(_) => Err(Refusal::unknown_token()),
        };
        let mut token = text(TOKEN)?;
        if self.is_query_read {
            let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            for (_, value) in query.filter(|(name, value)| name == "token" && !value.is_empty()) {
                // Parts of a system could disagree on which one counts.
                if token.as_ref().is_some_and(|other| *other != value) {
                    return Err(Refusal::unknown_token());
                }
                token = Some(value.into_owned());
            }
        }
        Ok(Claims {
            token: token.map(Secret::from),
            tenant: text(TENANT)?.map(Arc::from),
        })
    }

    async fn find(&self, claims: Claims) -> Result<Option<Caller>, Refusal> {
        let Some(token) = claims.token else {
            return match self.is_anonymous_allowed {
                true => Ok(None),
                false => Err(Refusal::unknown_token()),
            };
        };
        let known = self.tokens.find(&token).await?;
        if let Some(tenant) = &claims.tenant {
            self.tokens.check_tenant(&token, &known, tenant).await?;
        }
        Ok(Some(Caller {
            token,
            known,
            tenant: claims.tenant,
            decision: self.decision.clone(),
        }))
    }
}

const TOKEN: &str = "x-auth-token";
const TENANT: &str = "wazo-tenant";

impl<S> Layer<S> for TokenLayer {
    type Service = TokenService<S>;

    fn layer(&self, inner: S) -> TokenService<S> {
        TokenService::new(inner, Arc::new(self.clone()))
    }
}

/// A service behind a [`TokenLayer`].
pub type TokenService<S> = AsyncCheckService<S, TokenLayer>;

impl AsyncCheck for TokenLayer {
    async fn check<A: Send, B: From<Bytes>>(
        &self,
        request: &mut Request<A>,
    ) -> Result<(), Response<B>> {
        let checked = Self::check(self, request).await;
        checked.map_err(|refusal| refusal.to_response())
    }
}
