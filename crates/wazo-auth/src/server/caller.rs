//! The sender of a request.

use std::sync::Arc;
use std::time::SystemTime;

use http::Extensions;
use vouchsafe_core::Secret;

use super::tokens::Known;
use super::{Refusal, Tokens};
use crate::{Acl, Token, Validity};

/// The sender of a request: a token that wazo-auth knows, and the tenant to act in. A
/// [`TokenLayer`](super::TokenLayer) adds it to the request's extensions.
///
/// With the feature `axum` it is an extractor; `Option<Caller>` is `None` if the layer accepted a
/// request without a token.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) token: Secret,
    pub(super) known: Arc<Known>,
    pub(super) tenant: Option<Arc<str>>,
    pub(super) tokens: Tokens,
    /// Whether the server rather than the token's list decides about accesses.
    pub(super) is_server_asked: bool,
}

/// The findings of a layer. They mark each request that it accepts, to distinguish "no token" from
/// "not checked". It accepts the last two only if guards refuse them.
#[derive(Clone)]
pub(super) enum Seen {
    Caller(Caller),
    Anonymous(Tokens),
    UnknownToken(Tokens),
    /// The token may not act for the tenant that the request names.
    HiddenTenant(Caller),
}

impl Seen {
    pub(super) fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
        let seen = extensions.get();
        seen.ok_or_else(|| Refusal::layer_missing().logged())
    }

    pub(super) fn caller(&self) -> Result<Option<&Caller>, Refusal> {
        let refusal = match self {
            Self::Caller(caller) => return Ok(Some(caller)),
            Self::Anonymous(_) => return Ok(None),
            Self::UnknownToken(tokens) => Refusal::unknown_token(None, tokens.now()),
            Self::HiddenTenant(caller) => caller.hidden_tenant(),
        };
        Err(refusal.logged())
    }

    pub(super) fn now(&self) -> SystemTime {
        match self {
            Self::Caller(caller) | Self::HiddenTenant(caller) => caller.tokens.now(),
            Self::Anonymous(tokens) | Self::UnknownToken(tokens) => tokens.now(),
        }
    }
}

impl Caller {
    /// Returns the caller that a layer added to a request's extensions.
    ///
    /// # Errors
    ///
    /// 500 if no layer has seen the request, and 401 if it has no token, or if the layer leaves
    /// refusals to guards and would have refused it.
    pub fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
        let seen = Seen::of(extensions)?;
        let unknown = || Refusal::unknown_token(None, seen.now()).logged();
        seen.caller()?.ok_or_else(unknown)
    }

    /// Returns the caller that a layer added to a request's extensions, or `None` if the layer
    /// accepted the request without a token.
    ///
    /// # Errors
    ///
    /// 500 if no layer has seen the request, and 401 if the layer leaves refusals to guards and
    /// would have refused it.
    pub fn find(extensions: &Extensions) -> Result<Option<&Self>, Refusal> {
        Seen::of(extensions)?.caller()
    }

    /// Returns the token, to call other services for the caller.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Returns wazo-auth's data of the token, such as its user, its session and its expiry.
    #[must_use]
    pub fn info(&self) -> &Token {
        &self.known.info
    }

    /// Returns the token's access list.
    #[must_use]
    pub fn acl(&self) -> &Acl {
        &self.known.acl
    }

    /// Returns the tenant to act in: the one in the request, which the token may act for, or else
    /// that of the token's user. `None` for tokens without a user.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        let own = self.known.info.metadata.tenant_uuid.as_ref();
        self.tenant.as_deref().or(own.map(|own| own.as_str()))
    }

    /// Refuses the caller unless the token covers an access. Its list decides, or the server,
    /// depending on the layer's settings.
    ///
    /// # Errors
    ///
    /// 401 if the token does not cover it, and 503 if the server cannot be reached. The refusal has
    /// already been logged.
    pub async fn require(&self, access: &str) -> Result<(), Refusal> {
        // Line ends would match in surprising ways (protocol section 6.1), and no access has any.
        let covered = match self.is_server_asked {
            _ if access.contains(char::is_control) => false,
            false => self.acl().allows(access),
            true => match self.tokens.covers(&self.token, access).await {
                Ok(Validity::NotValid) => {
                    let refusal = Refusal::unknown_token(Some(access), self.tokens.now());
                    return Err(refusal.logged());
                }
                Ok(answer) => answer == Validity::Valid,
                Err(refusal) => return Err(refusal.logged()),
            },
        };
        match covered {
            true => Ok(()),
            false => {
                let tenant = self.tenant.as_deref();
                Err(Refusal::missing_access(access, tenant, self.tokens.now()).logged())
            }
        }
    }

    /// Refuses the tenant that the request names.
    pub(super) fn hidden_tenant(&self) -> Refusal {
        let tenant = self.tenant.as_deref().unwrap_or_default();
        Refusal::hidden_tenant(tenant, self.tokens.now())
    }

    /// Refuses the tenant of the token's user.
    pub(super) fn other_tenant(&self) -> Refusal {
        Refusal::other_tenant(self.tokens.now())
    }
}
