//! Answers to refused requests.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use vouchsafe_core::server::{Failure, Loudness};
use vouchsafe_core::{Clock, SystemClock};

use crate::{Error, ErrorKind};

vouchsafe_core::refusal! {
    /// Why a request was refused, and the answer to it.
    ///
    /// The body has the form of the service's own errors (protocol section 4.2), except that
    /// `invalid_token` is always empty, and that `required_access` is missing if no
    /// [`Guard`](super::Guard) was reached that knows it.
    Refusal, RefusalKind
}

impl Refusal {
    pub(super) fn unknown_token(access: Option<&str>, now: SystemTime) -> Self {
        let mut details = json!({"invalid_token": "", "reason": "not_found_or_expired"});
        if let Some(access) = access {
            details["required_access"] = access.into();
        }
        Self::dated(RefusalKind::UnknownToken, details, now)
    }

    pub(super) fn missing_access(access: &str, tenant: Option<&str>, now: SystemTime) -> Self {
        let details = json!({
            "invalid_token": "", "reason": "missing_permission_or_invalid_tenant",
            "required_access": access, "tenant_uuid": tenant,
        });
        Self::dated(RefusalKind::MissingAccess, details, now)
    }

    pub(super) fn other_tenant(now: SystemTime) -> Self {
        Self::dated(RefusalKind::OtherTenant, json!({"invalid_token": ""}), now)
    }

    pub(super) fn hidden_tenant(tenant: &str, now: SystemTime) -> Self {
        let details = json!({"tenant_uuid": tenant});
        Self::dated(RefusalKind::HiddenTenant, details, now)
    }

    pub(super) fn unavailable(source: Error, now: SystemTime) -> Self {
        let wait = source.retry_after();
        let refusal = Self::dated(RefusalKind::AuthUnavailable, json!({}), now);
        Self(refusal.0.with_retry_after(wait).with_source(source))
    }

    pub(super) fn layer_missing() -> Self {
        let kind = RefusalKind::LayerMissing;
        Self::new(kind, kind.words())
    }

    pub(super) fn path_mismatch() -> Self {
        let kind = RefusalKind::PathMismatch;
        Self::new(kind, kind.words())
    }

    fn dated(kind: RefusalKind, details: Value, now: SystemTime) -> Self {
        let body = kind.write(kind.words(), details, now);
        Self(Self::new(kind, kind.words()).0.with_body(body))
    }
}

/// The answer to a request whose handler's call to wazo-auth failed, already logged: `?` in a
/// handler that returns a [`Refusal`] creates it. The table of [`Failure`] shows its status;
/// `Retry-After` is passed on.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let failure = match error.kind() {
            ErrorKind::LoginFailed | ErrorKind::InvalidToken => Failure::Unauthorized,
            ErrorKind::MissingAccess | ErrorKind::HiddenTenant => Failure::Forbidden,
            ErrorKind::TooManySessions => Failure::Unavailable,
            ErrorKind::PasswordManagedElsewhere => Failure::Conflict,
            ErrorKind::Core(_) => Failure::of(error.core()),
        };
        let wait = error.retry_after();
        let refusal = Self::new(RefusalKind::CallFailed(failure), failure.message());
        Self(refusal.0.with_retry_after(wait).with_source(error)).logged()
    }
}

/// Why a request was refused. Each kind has one status and one `error_id` in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 401 `unauthorized`: there is no token, or it is unknown or has expired.
    UnknownToken,
    /// 401 `unauthorized`: the token does not cover the access.
    MissingAccess,
    /// 401 `unauthorized`: the route is for users of another tenant.
    OtherTenant,
    /// 401 `unauthorized-tenant`: the token may not act for the tenant in the request.
    HiddenTenant,
    /// 503 `authentication-server-unreachable`: wazo-auth, or the connection to it, failed.
    AuthUnavailable,
    /// 500 `layer-missing`: the route needs a caller but has no [`TokenLayer`](super::TokenLayer).
    LayerMissing,
    /// 500 `path-mismatch`: the route has another path than its [`Guard`](super::Guard) is for.
    PathMismatch,
    /// A call made by the handler failed: status and `error_id` are those of the failure.
    CallFailed(Failure),
}

impl RefusalKind {
    fn words(self) -> &'static str {
        match self {
            Self::UnknownToken | Self::MissingAccess | Self::OtherTenant => "Unauthorized",
            Self::HiddenTenant => "Unauthorized tenant",
            Self::AuthUnavailable => "Authentication server unreachable",
            Self::LayerMissing => {
                "This route needs a caller and is not behind wazo_auth::server::TokenLayer"
            }
            Self::PathMismatch => "The guard of this route is for another path",
            Self::CallFailed(failure) => failure.message(),
        }
    }

    fn write(self, message: &str, details: Value, now: SystemTime) -> Bytes {
        let (_, code, _) = vouchsafe_core::server::RefusalKind::traits(self);
        let since = now.duration_since(UNIX_EPOCH);
        let body = json!({
            "message": message, "error_id": code, "details": details,
            "timestamp": since.unwrap_or_default().as_secs_f64(),
        });
        body.to_string().into()
    }
}

impl vouchsafe_core::server::RefusalKind for RefusalKind {
    const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/json");

    fn traits(self) -> (StatusCode, &'static str, Loudness) {
        use Loudness::{Debug, Warn};
        const SETUP: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
        const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
        match self {
            Self::UnknownToken | Self::MissingAccess | Self::OtherTenant => {
                (UNAUTHORIZED, "unauthorized", Debug)
            }
            Self::HiddenTenant => (UNAUTHORIZED, "unauthorized-tenant", Debug),
            Self::AuthUnavailable => {
                let code = "authentication-server-unreachable";
                (StatusCode::SERVICE_UNAVAILABLE, code, Warn)
            }
            Self::LayerMissing => (SETUP, "layer-missing", Warn),
            Self::PathMismatch => (SETUP, "path-mismatch", Warn),
            Self::CallFailed(failure) => (failure.status(), failure.code(), failure.loudness()),
        }
    }

    fn body(self, message: &str) -> Bytes {
        // Used if there is neither a layer nor a client with a clock.
        self.write(message, json!({}), SystemClock::new().now())
    }

    fn challenge(self) -> HeaderValue {
        HeaderValue::from_static("X-Auth-Token realm=\"wazo-auth\"")
    }
}
