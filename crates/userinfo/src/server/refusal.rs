//! The answers to requests that may not pass.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use vouchsafe_core::server::{Failure, Loudness};

use crate::{Error, ErrorKind};

vouchsafe_core::refusal! {
    /// Why a request does not pass, and the answer to it.
    ///
    /// The body has the shape of Gafaelfawr's own errors,
    /// `{"detail": [{"msg": "...", "type": "..."}]}`. Neither it nor any other text of a refusal
    /// holds what a request brought along.
    Refusal, RefusalKind
}

impl Refusal {
    pub(super) fn with_peer(self, peer: Option<IpAddr>) -> Self {
        Self(self.0.with_peer(peer))
    }

    pub(super) fn with_source(self, source: Error) -> Self {
        let wait = source.retry_after();
        Self(self.0.with_retry_after(wait).with_source(source))
    }
}

/// The answer to a request whose handler called Gafaelfawr or Repertoire in vain, logged already: `?`
/// in a handler that returns a [`Refusal`] makes it. The table of [`Failure`] says which status it
/// has; `Retry-After` is passed on.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let failure = match error.kind() {
            ErrorKind::ServiceNotFound | ErrorKind::NoDirectory => Failure::Internal,
            ErrorKind::UserInfoFailed => Failure::Unavailable,
            ErrorKind::Discovery(_) => match Failure::of(error.core()) {
                // Of the discovery, not of what was asked for.
                Failure::Unauthorized | Failure::Forbidden | Failure::NotFound => {
                    Failure::BadAnswer
                }
                failure => failure,
            },
            ErrorKind::Core(_) => Failure::of(error.core()),
        };
        Self::new(RefusalKind::CallFailed(failure), failure.message())
            .with_source(error)
            .logged()
    }
}

/// Why a request does not pass. Each has one status and one `type` in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 403 `untrusted_peer`: it came past the ingress.
    UntrustedPeer,
    /// 500 `peer_unknown`: the server does not tell the layer where connections come from.
    PeerUnknown,
    /// 500 `ingress_missing`: a trusted peer sent no user name, so it does not authenticate.
    IngressMissing,
    /// 500 `ingress_invalid`: a trusted peer sent headers that Gafaelfawr never sends.
    IngressInvalid,
    /// 500 `layer_missing`: the route asks for an identity and has no
    /// [`IngressLayer`](super::IngressLayer).
    LayerMissing,
    /// 500 `delegation_missing`: the ingress does not pass on a token for the user.
    DelegationMissing,
    /// 401 `no_authorization`: an anonymous request to a route that needs a user.
    Anonymous,
    /// 403 `no_email`: Gafaelfawr knows no mail address of the user.
    NoEmail,
    /// 403 `not_a_service`: the route is for services that call on a user's behalf.
    NotAService,
    /// 403 `not_in_group`: the user is in none of the groups that may pass.
    NotInGroup,
    /// 403 `quota_exceeded`: the user's quota for the service is zero.
    NoQuota,
    /// 403 `token_refused`: Gafaelfawr does not take the user's token any more.
    TokenRefused,
    /// 503 `auth_unavailable`: Gafaelfawr, or the way to it, failed.
    AuthUnavailable,
    /// A call that the handler made has failed: the status and `type` are the failure's.
    CallFailed(Failure),
}

impl vouchsafe_core::server::RefusalKind for RefusalKind {
    const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/json");

    fn traits(self) -> (StatusCode, &'static str, Loudness) {
        use Loudness::{Debug, Warn};
        const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
        const SETUP: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
        match self {
            Self::UntrustedPeer => (FORBIDDEN, "untrusted_peer", Warn),
            Self::PeerUnknown => (SETUP, "peer_unknown", Warn),
            Self::IngressMissing => (SETUP, "ingress_missing", Warn),
            Self::IngressInvalid => (SETUP, "ingress_invalid", Warn),
            Self::LayerMissing => (SETUP, "layer_missing", Warn),
            Self::DelegationMissing => (SETUP, "delegation_missing", Warn),
            Self::Anonymous => (StatusCode::UNAUTHORIZED, "no_authorization", Debug),
            Self::NoEmail => (FORBIDDEN, "no_email", Debug),
            Self::NotAService => (FORBIDDEN, "not_a_service", Debug),
            Self::NotInGroup => (FORBIDDEN, "not_in_group", Debug),
            Self::NoQuota => (FORBIDDEN, "quota_exceeded", Debug),
            Self::TokenRefused => (FORBIDDEN, "token_refused", Warn),
            Self::AuthUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "auth_unavailable", Warn),
            Self::CallFailed(failure) => (failure.status(), failure.code(), failure.loudness()),
        }
    }
    fn body(self, message: &str) -> Bytes {
        #[derive(Serialize)]
        struct Body<'a> {
            detail: [Detail<'a>; 1],
        }
        #[derive(Serialize)]
        struct Detail<'a> {
            msg: &'a str,
            r#type: &'a str,
        }
        let (_, code, _) = self.traits();
        let detail = Detail {
            msg: message,
            r#type: code,
        };
        // Two texts can always be written as JSON; if not, the status says enough.
        serde_json::to_vec(&Body { detail: [detail] })
            .unwrap_or_default()
            .into()
    }

    fn challenge(self) -> HeaderValue {
        HeaderValue::from_static("Bearer realm=\"Gafaelfawr\"")
    }
}
