//! Who sent a request.

use std::sync::Arc;

use http::Extensions;
use vouchsafe_core::Secret;

use super::tokens::Known;
use super::{Refusal, Tokens};
use crate::{Acl, Token};

/// Who sent a request: a token that wazo-auth knows, and the tenant to act in. A
/// [`TokenLayer`](super::TokenLayer) adds it to the request's extensions.
///
/// With the feature `axum` it is an extractor; `Option<Caller>` is `None` if the layer accepted a
/// request without a token.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) token: Secret,
    pub(super) known: Arc<Known>,
    pub(super) tenant: Option<Arc<str>>,
    pub(super) decision: Decision,
}

/// Where it is decided what a token covers.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    Local,
    Asked(Tokens),
}

/// What a layer found out. It marks each request that a layer has accepted, to tell "no token" from
/// "not checked".
#[derive(Clone)]
pub(super) struct Seen(pub(super) Option<Caller>);

impl Caller {
    /// Returns the caller that a layer added to a request's extensions.
    ///
    /// # Errors
    ///
    /// 500 if no layer has seen the request, and 401 if it has no token.
    pub fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
        Self::find(extensions)?.ok_or_else(|| Refusal::unknown_token().logged())
    }

    /// Returns the caller that a layer added to a request's extensions, or `None` if the layer
    /// accepted the request without a token.
    ///
    /// # Errors
    ///
    /// 500 if no layer has seen the request.
    pub fn find(extensions: &Extensions) -> Result<Option<&Self>, Refusal> {
        match extensions.get::<Seen>() {
            Some(Seen(found)) => Ok(found.as_ref()),
            None => Err(Refusal::layer_missing().logged()),
        }
    }

    /// Returns the token, to call other services for the caller.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Returns what wazo-auth says of the token: its user, its session, when it expires.
    #[must_use]
    pub fn info(&self) -> &Token {
        &self.known.info
    }

    /// Returns what the token covers.
    #[must_use]
    pub fn acl(&self) -> &Acl {
        &self.known.acl
    }

    /// Returns the tenant to act in: the one that the request names, which the token may act for,
    /// or else that of the token's user. `None` for tokens that belong to no user.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        let own = self.known.info.metadata.tenant_uuid.as_ref();
        self.tenant.as_deref().or(own.map(|own| own.as_str()))
    }

    /// Refuses the caller unless the token covers an access: by its list, or as the server says if
    /// the layer is set so.
    ///
    /// # Errors
    ///
    /// 401 if the token does not cover it, and 503 if the server cannot be asked. The refusal has
    /// already been logged.
    pub async fn require(&self, access: &str) -> Result<(), Refusal> {
        // Line ends would match in surprising ways (protocol section 6.1), and no access has any.
        let covered = match &self.decision {
            _ if access.contains(char::is_control) => Ok(false),
            Decision::Local => Ok(self.acl().allows(access)),
            Decision::Asked(tokens) => tokens.covers(&self.token, access).await,
        };
        let refusal = match covered {
            Ok(true) => return Ok(()),
            Ok(false) => Refusal::missing_access(access, self.tenant.as_deref()),
            Err(refusal) => refusal,
        };
        Err(refusal.logged())
    }
}
