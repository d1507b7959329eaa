// Made by `cargo xtask codegen` from crates/astakos/api/ui.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Returns the registered components, in the order of a menu bar.
    ///
    /// No token is needed. If the catalog tells no address of the user interface, the error is
    /// `ErrorKind::NoEndpoints`.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.services().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_services")]
    pub async fn services(&self) -> crate::Result<Vec<wire::Component>> {
        let call = calls::get_services()?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json_or_default()?)
    }
}
