//! The answers to requests that may not pass, and how they are logged.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::Error;

/// Why a request does not pass, and the answer to it.
///
/// The body has the shape of Gafaelfawr's own errors,
/// `{"detail": [{"msg": "...", "type": "..."}]}`. Neither it nor any other text of a refusal
/// holds what a request brought along.
#[derive(Clone)]
pub struct Refusal {
    kind: RefusalKind,
    message: Cow<'static, str>,
    peer: Option<IpAddr>,
    source: Option<Error>,
}

impl Refusal {
    /// Returns why, to match on.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        self.kind
    }

    /// Returns the status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.traits().0
    }

    /// Returns the `type` in the body.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.traits().1
    }

    /// Forms the answer, with whatever type of body the server has.
    #[must_use]
    pub fn to_response<B: From<Bytes>>(&self) -> Response<B> {
        #[derive(Serialize)]
        struct Body<'a> {
            detail: [Detail<'a>; 1],
        }
        #[derive(Serialize)]
        struct Detail<'a> {
            msg: &'a str,
            r#type: &'a str,
        }
        let body = serde_json::to_vec(&Body {
            detail: [Detail {
                msg: &self.message,
                r#type: self.code(),
            }],
        });
        // Two texts can always be written as JSON; if not, the status says enough.
        let mut response = Response::new(B::from(Bytes::from(body.unwrap_or_default())));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("no-cache, no-store"),
        );
        if self.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"Gafaelfawr\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.source.as_ref().and_then(Error::retry_after) {
            // Rounded up: who comes back a moment early is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    pub(super) fn new(kind: RefusalKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            peer: None,
            source: None,
        }
    }

    pub(super) fn with_peer(mut self, peer: Option<IpAddr>) -> Self {
        self.peer = peer;
        self
    }

    pub(super) fn with_source(mut self, source: Error) -> Self {
        self.source = Some(source);
        self
    }

    /// Logs it: as a warning if somebody has to mend something or somebody pretends to be the
    /// ingress, for debugging if it is the daily bread of an access check.
    pub(super) fn logged(self) -> Self {
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    r#type = self.code(),
                    status = self.status().as_u16(),
                    peer = self.peer.map(tracing::field::display),
                    error = self.source.as_ref().map(tracing::field::display),
                    "request refused: {}",
                    self.message
                )
            };
        }
        match self.kind.traits().2 {
            Loudness::Warn => log!(warn),
            Loudness::Debug => log!(debug),
        }
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {})", self.message, self.status().as_u16())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("peer", &self.peer)
            .field("source", &self.source)
            .finish()
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_ref()
            .map(|error| error as &(dyn std::error::Error + 'static))
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
}

impl RefusalKind {
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
        }
    }
}

/// How much a refusal is worth telling.
enum Loudness {
    Warn,
    Debug,
}
