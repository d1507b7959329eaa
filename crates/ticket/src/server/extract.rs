//! Extractors for axum. They refuse requests that no layer has checked.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use super::{Refusal, ServiceRoles, ServiceTicket, UserRoles, UserTicket};
use crate::error::Error;

/// Extracts the result of `$of` from a request's extensions.
macro_rules! extract {
    ($name:ty, $of:expr) => {
        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
                $of(&parts.extensions)
            }
        }
    };
    ($name:ty) => {
        extract!($name, |extensions| Self::of(extensions).cloned());

        impl<S: Sync> OptionalFromRequestParts<S> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refusal> {
                Ok(Self::find(&parts.extensions)?.cloned())
            }
        }
    };
}

extract!(ServiceTicket);
extract!(UserTicket);
extract!(ServiceRoles, Self::of);
extract!(UserRoles, Self::of);

/// Converts through [`Refusal`], so that a handler may return the error of a client directly.
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
