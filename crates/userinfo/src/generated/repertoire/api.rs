// Made by `cargo xtask codegen` from crates/userinfo/api/repertoire.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::discovery::Client {
    /// Returns the connection information of all InfluxDB databases, with credentials, by label.
    ///
    /// Never cached.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: From the ingress (401).
    /// - Of kind `Forbidden`: From the ingress (403).
    /// - Of kind `Invalid`: Refused (404 has type database_not_found; 422 means the user header is
    ///   missing) (422).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let builder = vouchsafe_userinfo::discovery::Client::builder().base_url(server.repertoire_url());
    /// # let client = builder.transport(server.host().transport()).build()?;
    /// # let credential = server.service_token();
    /// let answer = client.all_influxdb_credentials(credential).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn all_influxdb_credentials(
        &self,
        credential: impl Into<crate::ServiceToken>,
    ) -> crate::Result<
        std::collections::BTreeMap<String, crate::discovery::InfluxCredentials>,
    > {
        let call = calls::list_influxdb()?;
        let answer = Service::call(self, call, &credential.into(), &CallOptions::new())
            .await?;
        Ok(
            answer
                .json::<
                    std::collections::BTreeMap<
                        String,
                        wire::InfluxDatabaseWithCredentials,
                    >,
                >()?
                .into_iter()
                .map(|(key, wire)| Ok((key, answer.convert(wire)?)))
                .collect::<vouchsafe_core::Result<_>>()?,
        )
    }
}
