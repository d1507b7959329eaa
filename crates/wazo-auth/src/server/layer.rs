//! The layer that identifies the sender of a request.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use tower_layer::Layer;
use vouchsafe_core::Secret;
use vouchsafe_core::server::{AsyncCheck, AsyncCheckService, mark_sensitive, single};

use super::caller::Seen;
use super::{Caller, Refusal, Tokens};
use crate::Validity;

/// Identifies the sender of a request by the token in `X-Auth-Token`, and adds a [`Caller`] to the
/// request's extensions, where [`Caller::of`] finds it.
///
/// | the request | is answered |
/// | --- | --- |
/// | has a token that wazo-auth knows | by the service, with a [`Caller`] |
/// | has an unknown or expired token, or two | 401 `unauthorized`, reason `not_found_or_expired` |
/// | has no token | the same; with [`allow_anonymous`](Self::allow_anonymous) by the service |
/// | has a tenant in `Wazo-Tenant` that the token may not act for, or two | 401 `unauthorized-tenant` |
/// | arrives while wazo-auth cannot be reached | 503 `authentication-server-unreachable` |
///
/// The bodies are those of the service, except that `invalid_token` is empty: an answer shows no
/// token. A layer does not know which access the route needs, so its refusals do not name it as
/// `required_access`, and come before those of guards;
/// [`refuse_in_guards`](Self::refuse_in_guards) changes both.
#[derive(Clone, Debug)]
pub struct TokenLayer {
    tokens: Tokens,
    is_server_asked: bool,
    is_anonymous_allowed: bool,
    is_query_read: bool,
    is_left_to_guards: bool,
}

/// The token and the tenant of a request.
struct Claims {
    token: Option<Secret>,
    tenant: Option<Arc<str>>,
}

impl TokenLayer {
    /// Creates a layer that refuses requests without a token, and decides about accesses by the
    /// token's own list.
    #[must_use]
    pub fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            is_server_asked: false,
            is_anonymous_allowed: false,
            is_query_read: false,
            is_left_to_guards: false,
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
    /// URLs are written to logs; use this only if there is no other way.
    #[must_use]
    pub fn accept_query(mut self) -> Self {
        self.is_query_read = true;
        self
    }

    /// Asks the server for each access whether the token covers it, and caches each answer for
    /// [`max_age`](super::TokensBuilder::max_age). For servers whose rules this crate does not
    /// know.
    #[must_use]
    pub fn ask_server(mut self) -> Self {
        self.is_server_asked = true;
        self
    }

    /// Leaves it to the [`Guard`](super::Guard) of the route to refuse a token or a tenant, and to
    /// [`Caller::of`] and the extractors: then the body names the access that the route needs, and
    /// it is checked before the tenant, both as in the service. A route that has no guard and does
    /// not ask for the caller admits everyone; use this only where there is none.
    #[must_use]
    pub fn refuse_in_guards(mut self) -> Self {
        self.is_left_to_guards = true;
        self
    }

    /// Identifies the sender of a request and adds it to the request's extensions, or returns a
    /// refusal.
    ///
    /// This is all that the layer does, for servers that do not use tower.
    ///
    /// # Errors
    ///
    /// See the table above. The refusal has already been logged.
    pub async fn check<B: Send>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let claims = self.read(request.headers(), request.uri());
        mark_sensitive(request.headers_mut(), TOKEN);
        let seen = self.find(claims).await.map_err(Refusal::logged)?;
        if !self.is_left_to_guards {
            seen.caller()?;
        }
        // Only this layer identifies the caller: the findings of an outer one are replaced.
        request.extensions_mut().insert(seen);
        Ok(())
    }

    fn read(&self, headers: &HeaderMap, uri: &Uri) -> Claims {
        let mut token = text(headers, TOKEN);
        if self.is_query_read {
            let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            for (_, value) in query.filter(|(name, value)| name == "token" && !value.is_empty()) {
                token = match token {
                    // Parts of a system could disagree on which one counts: neither does.
                    Some(other) if other != value => Some(format!("{other},{value}")),
                    _ => Some(value.into_owned()),
                };
            }
        }
        Claims {
            token: token.map(Secret::from),
            tenant: text(headers, TENANT).map(Arc::from),
        }
    }

    async fn find(&self, claims: Claims) -> Result<Seen, Refusal> {
        let tokens = self.tokens.clone();
        let Some(token) = claims.token else {
            return Ok(match self.is_anonymous_allowed {
                true => Seen::Anonymous(tokens),
                false => Seen::UnknownToken(tokens),
            });
        };
        let Some(known) = tokens.find(&token).await? else {
            return Ok(Seen::UnknownToken(tokens));
        };
        let answer = match &claims.tenant {
            Some(tenant) => tokens.may_act(&token, &known, tenant).await?,
            None => Validity::Valid,
        };
        if answer == Validity::NotValid {
            return Ok(Seen::UnknownToken(tokens));
        }
        let caller = Caller {
            token,
            known,
            tenant: claims.tenant,
            tokens,
            is_server_asked: self.is_server_asked,
        };
        Ok(match answer {
            Validity::Valid => Seen::Caller(caller),
            _ => Seen::HiddenTenant(caller),
        })
    }
}

/// Returns the text of a header. Several values are joined: the result is neither a token nor a
/// tenant that the server knows. The same applies to values that are not text.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = |value| String::from_utf8_lossy(value).into_owned();
    match single(headers, name) {
        Ok(value) => value.map(text),
        Err(_) => {
            let values = headers.get_all(name).iter();
            let values: Vec<_> = values.map(|value| text(value.as_bytes())).collect();
            Some(values.join(","))
        }
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
