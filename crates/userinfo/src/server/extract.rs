//! Extractors for axum. They refuse requests that no layer has checked.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use super::{CheckedUser, Identity, Refusal, RefusalKind};
use crate::{Error, Token, Username};

/// The name of the user who made a request.
///
/// Like all extractors here it answers 500 on a route without
/// [`IngressLayer`](super::IngressLayer), and 401 if the layer accepted an anonymous request.
/// `Option<User>` is `None` in the second case only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in arguments")]
pub struct User(pub Username);

/// The mail address of the user who made a request; 403 if it is unknown.
///
/// `Option<Email>` is `None` if it is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in arguments")]
pub struct Email(pub String);

/// The token for acting on behalf of the user; 500 if the ingress does not delegate.
///
/// Only the ingress vouches that the token belongs to the user in [`User`]. Use a [`CheckedUser`]
/// if the answer shows both the name and data that was fetched with the token.
///
/// `Option<DelegatedToken>` is `None` if the ingress does not delegate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in arguments")]
pub struct DelegatedToken(pub Token);

/// The service that acts on behalf of the user; 403 if the user called directly.
///
/// `Option<CallingService>` is `None` if the user called directly.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in arguments")]
pub struct CallingService(pub String);

/// Implements both kinds of extraction: the `$required` part of an identity, or the `$optional`
/// one.
macro_rules! extract {
    ($name:ty, |$identity:ident| $required:expr, $optional:expr) => {
        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
                let $identity = Identity::of(&parts.extensions)?;
                $required
            }
        }

        impl<S: Sync> OptionalFromRequestParts<S> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refusal> {
                let found = Identity::find(&parts.extensions)?;
                Ok(found.and_then(|$identity| $optional))
            }
        }
    };
}

extract!(
    Identity,
    |identity| Ok(identity.clone()),
    Some(identity.clone())
);

extract!(
    User,
    |identity| Ok(Self(identity.username.clone())),
    Some(Self(identity.username.clone()))
);

extract!(
    Email,
    |identity| identity.email.clone().map(Self).ok_or_else(|| {
        let message = "No mail address of the user is known";
        Refusal::new(RefusalKind::NoEmail, message).logged()
    }),
    identity.email.clone().map(Self)
);

extract!(
    DelegatedToken,
    |identity| identity.delegated().cloned().map(Self),
    identity.token.clone().map(Self)
);

extract!(
    CallingService,
    |identity| identity.service.clone().map(Self).ok_or_else(|| {
        let message = "This is for services that call on a user's behalf";
        Refusal::new(RefusalKind::NotAService, message).logged()
    }),
    identity.service.clone().map(Self)
);

impl<S: Sync> FromRequestParts<S> for CheckedUser {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::of(&parts.extensions).cloned()
    }
}

/// Converts through [`Refusal`], so that a handler may return the error of a call directly.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.to_response()
    }
}
