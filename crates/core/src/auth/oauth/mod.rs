//! OAuth 2.0 (RFC 6749): answers of token endpoints, and tokens by client credentials.
//!
//! [`ClientCredentials`] is a [`TokenSource`](super::TokenSource). Clients of other grants use its
//! parts: [`ClientAuthentication`] authenticates the client, [`TokenAnswer`] is the answer of a
//! token endpoint, and [`read_fault`] and [`ErrorCode`] are for its refusals.

mod answer;
mod client_credentials;

use http::header::AUTHORIZATION;

pub use self::answer::{ErrorCode, TokenAnswer, read_fault};
pub use self::client_credentials::{ClientCredentials, ClientCredentialsBuilder};
use super::Basic;
use crate::call::{Call, Form, form_encoded};
use crate::{Result, Secret};

/// How a client authenticates to a token endpoint (RFC 6749, 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// With Basic credentials, which every server has to support.
    #[default]
    Basic,
    /// With the fields `client_id` and `client_secret` of the form, for servers that refuse Basic
    /// credentials.
    Body,
}

impl ClientAuthentication {
    /// Adds the client's id and secret to a call with this form.
    ///
    /// # Errors
    ///
    /// Those of [`Call::secret_header`]; none for ids and secrets of any characters.
    pub fn present(self, call: Call, form: Form, id: &str, secret: &Secret) -> Result<Call> {
        match self {
            Self::Basic => {
                // Encoded first, so that an id may hold a colon.
                let basic = Basic::new(form_encoded(id).expose())?;
                let header = basic.header(&form_encoded(secret.expose()))?;
                let call = call.form(form).hide(secret);
                call.secret_header(AUTHORIZATION, &header)
            }
            Self::Body => {
                let form = form.field("client_id", id);
                Ok(call.form(form.secret("client_secret", secret)))
            }
        }
    }
}
