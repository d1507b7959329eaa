//! Answers to refused requests.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use vouchsafe_core::server::{Failure, Loudness};

use crate::{Error, ErrorKind};

vouchsafe_core::refusal! {
    /// Why a request was refused, and the answer to it.
    ///
    /// The body has the form of Gafaelfawr's own errors, `{"detail": [{"msg": "...", "type":
    /// "..."}]}`. No text of a refusal includes anything from the request.
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

/// The answer to a request whose handler's call to Gafaelfawr or Repertoire failed, already logged:
/// `?` in a handler that returns a [`Refusal`] creates it. The table of [`Failure`] shows its
/// status; `Retry-After` is passed on.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let failure = match error.kind() {
            ErrorKind::ServiceNotFound | ErrorKind::NoDirectory => Failure::Internal,
            ErrorKind::UserInfoFailed => Failure::Unavailable,
            ErrorKind::Discovery(_) => match Failure::of(error.core()) {
                // The fault is in the discovery, not in the requested thing.
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

/// Why a request was refused. Each kind has one status and one `type` in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 403 `untrusted_peer`: the request did not come through the ingress.
    UntrustedPeer,
    /// 500 `peer_unknown`: the server does not provide the peer's address to the layer.
    PeerUnknown,
    /// 500 `ingress_missing`: a trusted peer sent no user name, so it does not authenticate users.
    IngressMissing,
    /// 500 `ingress_invalid`: a trusted peer sent headers that Gafaelfawr never sends.
    IngressInvalid,
    /// 500 `layer_missing`: the route needs an identity but has no
    /// [`IngressLayer`](super::IngressLayer).
    LayerMissing,
    /// 500 `delegation_missing`: the ingress does not delegate a token of the user.
    DelegationMissing,
    /// 401 `no_authorization`: an anonymous request to a route that needs a user.
    Anonymous,
    /// 403 `no_email`: Gafaelfawr does not know the user's mail address.
    NoEmail,
    /// 403 `not_a_service`: the route is for services that act on behalf of a user.
    NotAService,
    /// 403 `not_in_group`: the user is in none of the permitted groups.
    NotInGroup,
    /// 403 `quota_exceeded`: the user's quota for the service is zero.
    NoQuota,
    /// 401 `token_refused`: Gafaelfawr no longer accepts the user's token.
    TokenRefused,
    /// 503 `auth_unavailable`: Gafaelfawr, or the connection to it, failed.
    AuthUnavailable,
    /// A call made by the handler failed: the status and `type` are those of the failure.
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
            Self::TokenRefused => (StatusCode::UNAUTHORIZED, "token_refused", Warn),
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
        // Two texts can always be written as JSON; if not, the status is sufficient.
        serde_json::to_vec(&Body { detail: [detail] })
            .unwrap_or_default()
            .into()
    }

    fn challenge(self) -> HeaderValue {
        HeaderValue::from_static("Bearer realm=\"Gafaelfawr\"")
    }
}
