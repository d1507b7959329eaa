//! Logins through SAML, and their configuration, which is sent as a form with a file.

use http::header::LOCATION;
use vouchsafe_core::Secret;
use vouchsafe_core::call::{Call, CallOptions};
use vouchsafe_core::service::Service;

use crate::generated::wazo_auth::api::{SamlApi, SamlConfigApi};
use crate::generated::wazo_auth::{calls, wire};
use crate::{Result, SamlConfig};

/// The SAML configuration of a tenant.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SamlForm {
    fields: Vec<(&'static str, String)>,
    metadata: Option<Vec<u8>>,
}

impl SamlForm {
    /// Creates an empty form, to change parts of a configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id of the domain whose users log in through SAML; it must be one of the tenant.
    pub fn domain_uuid(self, domain: &crate::DomainUuid) -> Self {
        self.field("domain_uuid", domain.to_string())
    }

    /// Sets the name of the service at the identity provider, of at most 512 characters.
    pub fn entity_id(self, id: impl Into<String>) -> Self {
        self.field("entity_id", id.into())
    }

    /// Sets the URL to which the identity provider sends its answers, in at most 512 characters.
    pub fn acs_url(self, url: impl Into<String>) -> Self {
        self.field("acs_url", url.into())
    }

    /// Sets the metadata of the identity provider, an XML document.
    pub fn metadata(mut self, xml: impl Into<Vec<u8>>) -> Self {
        self.metadata = Some(xml.into());
        self
    }

    fn field(mut self, name: &'static str, value: String) -> Self {
        self.fields.retain(|(known, _)| *known != name);
        self.fields.push((name, value));
        self
    }

    /// Writes the form (RFC 7578).
    fn put_on(&self, call: Call) -> Result<Call> {
        let mut body = Vec::new();
        let values = self.fields.iter().map(|(_, value)| value.as_bytes());
        let all: Vec<&[u8]> = values.chain(self.metadata.as_deref()).collect();
        let boundary = boundary(&all);
        let mut part = |head: &str, value: &[u8]| {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        };
        for (name, value) in &self.fields {
            part(&format!("name=\"{name}\""), value.as_bytes());
        }
        if let Some(xml) = &self.metadata {
            let head =
                "name=\"metadata\"; filename=\"metadata.xml\"\r\nContent-Type: application/xml";
            part(head, xml);
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let media = format!("multipart/form-data; boundary={boundary}");
        Ok(call.content(&media, body)?)
    }
}

/// Returns a boundary that no part contains.
fn boundary(parts: &[&[u8]]) -> String {
    let mut boundary = "vouchsafe-form".to_owned();
    let holds = |part: &[u8], text: &str| part.windows(text.len()).any(|at| at == text.as_bytes());
    while parts.iter().any(|part| holds(part, &boundary)) {
        boundary.push('-');
    }
    boundary
}

impl SamlConfigApi<'_> {
    /// Stores the SAML configuration of the tenant. All parts of the form must be set.
    ///
    /// Sent again only if no byte of it was sent. Needs the access `auth.backends.saml.create`.
    ///
    /// # Errors
    ///
    /// Of kind `Conflict` if there is a configuration already, and `Invalid` if a part is missing
    /// or malformed.
    pub async fn create(&self, form: &SamlForm) -> Result<SamlConfig> {
        let call = form.put_on(calls::create_saml_config()?)?;
        let answer = self.0.call(call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Changes the parts of the SAML configuration of the tenant that are set in the form. Needs
    /// the access `auth.backends.saml.update`.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if there is no configuration, and `Invalid` if a part is malformed.
    pub async fn update(&self, form: &SamlForm) -> Result<()> {
        let call = form.put_on(calls::update_saml_config()?)?;
        self.0.call(call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The answer of an identity provider, as sent by the user's browser.
#[derive(Clone, Debug)]
#[must_use]
pub struct AcsAnswer(wire::SamlAnswer);

impl AcsAnswer {
    /// Takes the assertion (`SAMLResponse`) and the `RelayState`, which identifies the login.
    pub fn new(saml_response: impl Into<Secret>, relay_state: impl Into<Secret>) -> Self {
        Self(wire::SamlAnswer {
            relay_state: relay_state.into(),
            saml_response: saml_response.into(),
        })
    }
}

impl SamlApi<'_> {
    /// Forwards the answer of an identity provider, and returns the URL to send the user to: the
    /// one that was given at the start, with `login_failure_code` if the assertion is refused.
    ///
    /// Sent again only if no byte of it was sent.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if the login is unknown.
    pub async fn acs(&self, answer: &AcsAnswer) -> Result<String> {
        let call = calls::finish_saml(&answer.0)?;
        let answer = self.0.call(call, &(), &CallOptions::new()).await?;
        let location = answer.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let missing = || answer.decode_error("no Location to send the user to");
        Ok(location.ok_or_else(missing)?.to_owned())
    }

    /// Ends the client's token, and returns the URL to send the user to for logging out at the
    /// identity provider.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if the token does not come from a login through SAML.
    pub async fn logout(&self) -> Result<String> {
        let answer = self
            .0
            .call(calls::end_saml()?, &(), &CallOptions::new())
            .await?;
        let wire: wire::SamlLogout = answer.json()?;
        let missing = || answer.decode_error("no location to send the user to");
        Ok(wire.location.or(wire.location_too).ok_or_else(missing)?)
    }
}
