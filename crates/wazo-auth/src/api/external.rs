//! The configuration of external services.

use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;

use crate::generated::wazo_auth::{api::ExternalApi, calls};
use crate::{Result, Settings};

impl ExternalApi<'_> {
    /// Stores the configuration of an external service. A type that the service does not know yet
    /// is added.
    ///
    /// Sent again only if no byte of it was sent. Needs the access
    /// `auth.{auth_type}.external.config.create`.
    ///
    /// # Errors
    ///
    /// Of kind `Conflict` if there is a configuration already.
    pub async fn create_config(&self, auth_type: &str, body: &Settings) -> Result<()> {
        let call = calls::create_external_config(auth_type, body)?;
        // The answer is an empty text in JSON.
        self.0.call(call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}
