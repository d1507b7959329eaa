// Made by `cargo xtask codegen` from crates/wazo-auth/api/wazo-auth.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

use http::HeaderName;
use vouchsafe_core::Secret;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::call::page;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Returns the operations on what only administrators may change.
    #[must_use]
    pub fn admin(&self) -> AdminApi<'_> {
        AdminApi(self)
    }

    /// Returns the operations on login backends.
    #[must_use]
    pub fn backends(&self) -> BackendsApi<'_> {
        BackendsApi(self)
    }

    /// Returns the operations on the configuration of the service.
    #[must_use]
    pub fn config(&self) -> ConfigApi<'_> {
        ConfigApi(self)
    }

    /// Returns the operations on e-mail addresses.
    #[must_use]
    pub fn emails(&self) -> EmailsApi<'_> {
        EmailsApi(self)
    }

    /// Returns the operations on the accounts of users at external services.
    #[must_use]
    pub fn external(&self) -> ExternalApi<'_> {
        ExternalApi(self)
    }

    /// Returns the operations on groups of users.
    #[must_use]
    pub fn groups(&self) -> GroupsApi<'_> {
        GroupsApi(self)
    }

    /// Returns the operations on identity providers.
    #[must_use]
    pub fn idp(&self) -> IdpApi<'_> {
        IdpApi(self)
    }

    /// Returns the operations on installations that have no user yet.
    #[must_use]
    pub fn init(&self) -> InitApi<'_> {
        InitApi(self)
    }

    /// Returns the operations on the LDAP configuration of a tenant.
    #[must_use]
    pub fn ldap_config(&self) -> LdapConfigApi<'_> {
        LdapConfigApi(self)
    }

    /// Returns the operations on policies and their accesses.
    #[must_use]
    pub fn policies(&self) -> PoliciesApi<'_> {
        PoliciesApi(self)
    }

    /// Returns the operations on the refresh tokens of all users.
    #[must_use]
    pub fn refresh_tokens(&self) -> RefreshTokensApi<'_> {
        RefreshTokensApi(self)
    }

    /// Returns the operations on logins through SAML.
    #[must_use]
    pub fn saml(&self) -> SamlApi<'_> {
        SamlApi(self)
    }

    /// Returns the operations on the SAML configuration of a tenant.
    #[must_use]
    pub fn saml_config(&self) -> SamlConfigApi<'_> {
        SamlConfigApi(self)
    }

    /// Returns the operations on the sessions of all users.
    #[must_use]
    pub fn sessions(&self) -> SessionsApi<'_> {
        SessionsApi(self)
    }

    /// Returns the operations on the health of the service.
    #[must_use]
    pub fn status(&self) -> StatusApi<'_> {
        StatusApi(self)
    }

    /// Returns the operations on tenants.
    #[must_use]
    pub fn tenants(&self) -> TenantsApi<'_> {
        TenantsApi(self)
    }

    /// Returns the operations on tokens and what creates them.
    #[must_use]
    pub fn token(&self) -> TokenApi<'_> {
        TokenApi(self)
    }

    /// Returns the operations on users, their passwords, addresses and relations.
    #[must_use]
    pub fn users(&self) -> UsersApi<'_> {
        UsersApi(self)
    }
}

/// The operations on what only administrators may change.
#[derive(Clone, Copy, Debug)]
pub struct AdminApi<'c>(pub(crate) &'c crate::Client);

impl AdminApi<'_> {
    /// Replaces the addresses of a user, confirmed or not, and returns them.
    ///
    /// As with the method of the same purpose of users; here each address may also be set as
    /// confirmed.
    ///
    /// Needs the access `auth.admin.users.{user_uuid}.emails.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Of kind `Conflict`: The name, an address or the id is taken (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.admin().update_user_emails(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::AdminEmailList::new([vouchsafe_wazo_auth::AdminEmail::new("alice@example.com").main(true)])).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_user_emails(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::AdminEmailList,
    ) -> crate::Result<Vec<wire::Email>> {
        let call = calls::update_emails_as_admin(user_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// The operations on login backends.
#[derive(Clone, Copy, Debug)]
pub struct BackendsApi<'c>(pub(crate) &'c crate::Client);

impl BackendsApi<'_> {
    /// Returns the names of the loaded login backends, unordered.
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
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.backends().list().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self) -> crate::Result<Vec<String>> {
        let call = calls::list_backends()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json::<wire::BackendList>()?.data)
    }
}

/// The operations on the configuration of the service.
#[derive(Clone, Copy, Debug)]
pub struct ConfigApi<'c>(pub(crate) &'c crate::Client);

impl ConfigApi<'_> {
    /// Returns the whole configuration of the service, including secrets.
    ///
    /// Only for tokens of the top tenant.
    ///
    /// Needs the access `auth.config.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.config().get().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self) -> crate::Result<crate::Settings> {
        let call = calls::get_config()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Changes settings of the running service, and returns its whole configuration.
    ///
    /// Only for tokens of the top tenant. Settings that cannot be changed are answered with 500.
    ///
    /// Needs the access `auth.config.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Status`: The option cannot be changed; the body is that of the request (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.config().patch(&[vouchsafe_wazo_auth::ConfigChange::new(vouchsafe_wazo_auth::ConfigPath::Debug, true)]).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn patch(
        &self,
        body: &[wire::ConfigChange],
    ) -> crate::Result<crate::Settings> {
        let call = calls::patch_config(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// The operations on e-mail addresses.
#[derive(Clone, Copy, Debug)]
pub struct EmailsApi<'c>(pub(crate) &'c crate::Client);

impl EmailsApi<'_> {
    /// Confirms an address.
    ///
    /// Succeeds even if it is confirmed already.
    ///
    /// Needs the access `auth.emails.{email_uuid}.confirm.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or address (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let emails = vouchsafe_wazo_auth::EmailList::new([vouchsafe_wazo_auth::NewEmail::new("alice@example.com").main(true)]);
    /// # let emails = client.users().update_emails(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &emails).await?;
    /// client.emails().confirm(&emails[0].uuid).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn confirm(&self, email_uuid: &wire::EmailUuid) -> crate::Result<()> {
        let call = calls::confirm_email(email_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on the accounts of users at external services.
#[derive(Clone, Copy, Debug)]
pub struct ExternalApi<'c>(pub(crate) &'c crate::Client);

impl ExternalApi<'_> {
    /// Returns the external services, and which of them a user is connected to.
    ///
    /// An unknown user is connected to none.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.external().list(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "list_")]
    pub fn list(&self, user_uuid: &wire::UserUuid) -> ListExternalRequest {
        ListExternalRequest {
            client: self.0.clone(),
            user_uuid: user_uuid.clone(),
            params: calls::ListExternalParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns the push tokens of a user's phone.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.mobile.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # client.external().create_mobile(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::Mobile::new().token("example")).await?;
    /// let answer = client.external().get_mobile(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_mobile(
        &self,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<wire::Mobile> {
        let call = calls::get_mobile(user_uuid)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Stores the push tokens of a user's phone.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.mobile.create`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Of kind `Conflict`: There is stored data already (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.external().create_mobile(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::Mobile::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_mobile(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::Mobile,
    ) -> crate::Result<wire::Mobile> {
        let call = calls::create_mobile(user_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Replaces the push tokens of a user's phone.
    ///
    /// Creates them if there are none, where servers before 25.14 answer 404.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.mobile.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.external().update_mobile(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::Mobile::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_mobile(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::Mobile,
    ) -> crate::Result<wire::Mobile> {
        let call = calls::update_mobile(user_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Deletes the push tokens of a user's phone.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.mobile.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # client.external().create_mobile(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::Mobile::new().token("example")).await?;
    /// client.external().delete_mobile(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_mobile(&self, user_uuid: &wire::UserUuid) -> crate::Result<()> {
        let call = calls::delete_mobile(user_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the id of the sender of push messages to the phone of a user, if one is configured.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.mobile.sender_id.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let config = vouchsafe_wazo_auth::Settings::from(serde_json::json!({"fcm_sender_id": "1"}));
    /// # client.external().create_config("mobile", &config).await?;
    /// let answer = client.external().get_mobile_sender_id(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_mobile_sender_id(
        &self,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<Option<String>> {
        let call = calls::get_mobile_sender(user_uuid)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json::<wire::MobileSender>()?.sender_id)
    }

    /// Returns a token of a user at Google, refreshed if it has expired.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.google.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # server.consent("admin", "google");
    /// let answer = client.external().get_google(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_google(
        &self,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<wire::ExternalToken> {
        let call = calls::get_google(user_uuid)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Starts connecting a user to Google, and returns the URL where the user must consent.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.google.create`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let config = vouchsafe_wazo_auth::Settings::from(serde_json::json!({"client_id": "an-example"}));
    /// # client.external().create_config("google", &config).await?;
    /// let answer = client.external().create_google(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::Consent::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_google(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::Consent,
    ) -> crate::Result<wire::ConsentUrl> {
        let call = calls::create_google(user_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Disconnects a user from Google.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.google.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # server.consent("admin", "google");
    /// client.external().delete_google(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_google(&self, user_uuid: &wire::UserUuid) -> crate::Result<()> {
        let call = calls::delete_google(user_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns a token of a user at Microsoft, refreshed if it has expired.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.microsoft.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # server.consent("admin", "microsoft");
    /// let answer = client.external().get_microsoft(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_microsoft(
        &self,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<wire::ExternalToken> {
        let call = calls::get_microsoft(user_uuid)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Starts connecting a user to Microsoft, and returns the URL where the user must consent.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.microsoft.create`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let config = vouchsafe_wazo_auth::Settings::from(serde_json::json!({"client_id": "an-example"}));
    /// # client.external().create_config("microsoft", &config).await?;
    /// let answer = client.external().create_microsoft(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::Consent::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_microsoft(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::Consent,
    ) -> crate::Result<wire::ConsentUrl> {
        let call = calls::create_microsoft(user_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Disconnects a user from Microsoft.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.microsoft.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # server.consent("admin", "microsoft");
    /// client.external().delete_microsoft(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_microsoft(
        &self,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<()> {
        let call = calls::delete_microsoft(user_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the data of a user's account at an external service of any type.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.{auth_type}.read`.
    ///
    /// `auth_type`: The type of the external service.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # client.external().create(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, "mobile", &vouchsafe_wazo_auth::Settings::default()).await?;
    /// let answer = client.external().get(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, "mobile").await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(
        &self,
        user_uuid: &wire::UserUuid,
        auth_type: &str,
    ) -> crate::Result<crate::Settings> {
        let call = calls::get_external(user_uuid, auth_type)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Stores the data of a user's account at an external service of any type.
    ///
    /// For types that an installation adds to those with their own methods.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.{auth_type}.create`.
    ///
    /// `auth_type`: The type of the external service.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Of kind `Conflict`: There is stored data already (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.external().create(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, "mobile", &vouchsafe_wazo_auth::Settings::from(serde_json::json!({"client_id": "an-example"}))).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(
        &self,
        user_uuid: &wire::UserUuid,
        auth_type: &str,
        body: &crate::Settings,
    ) -> crate::Result<crate::Settings> {
        let call = calls::create_external(user_uuid, auth_type, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Replaces the data of a user's account at an external service of any type.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.{auth_type}.update`.
    ///
    /// `auth_type`: The type of the external service.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Of kind `Conflict`: the service's code is `password-managed-externally` (405).
    /// - Of kind `Status`: Data of this type can only be created and deleted (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.external().update(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, "mobile", &vouchsafe_wazo_auth::Settings::from(serde_json::json!({"client_id": "an-example"}))).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update(
        &self,
        user_uuid: &wire::UserUuid,
        auth_type: &str,
        body: &crate::Settings,
    ) -> crate::Result<crate::Settings> {
        let call = calls::update_external(user_uuid, auth_type, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Disconnects a user from an external service of any type.
    ///
    /// Needs the access `auth.users.{user_uuid}.external.{auth_type}.delete`.
    ///
    /// `auth_type`: The type of the external service.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such type, or nothing is stored or
    ///   configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # client.external().create(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, "mobile", &vouchsafe_wazo_auth::Settings::default()).await?;
    /// client.external().delete(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, "mobile").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(
        &self,
        user_uuid: &wire::UserUuid,
        auth_type: &str,
    ) -> crate::Result<()> {
        let call = calls::delete_external(user_uuid, auth_type)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the users that are connected to an external service.
    ///
    /// Unordered.
    ///
    /// Needs the access `auth.{auth_type}.external.users.read`.
    ///
    /// `auth_type`: The type of the external service.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.external().list_connected_users("mobile").items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_connected_users(
        &self,
        auth_type: impl Into<String>,
    ) -> ListConnectedUsersRequest {
        ListConnectedUsersRequest {
            client: self.0.clone(),
            auth_type: auth_type.into(),
            params: calls::ListConnectedUsersParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns the configuration of an external service.
    ///
    /// Needs the access `auth.{auth_type}.external.config.read`.
    ///
    /// `auth_type`: The type of the external service.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such type, or it is not configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let config = vouchsafe_wazo_auth::Settings::from(serde_json::json!({"client_id": "an-example"}));
    /// # client.external().create_config("mobile", &config).await?;
    /// let answer = client.external().get_config("mobile").await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_config(&self, auth_type: &str) -> crate::Result<crate::Settings> {
        let call = calls::get_external_config(auth_type)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Replaces the configuration of an external service.
    ///
    /// Needs the access `auth.{auth_type}.external.config.update`.
    ///
    /// `auth_type`: The type of the external service.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such type, or it is not configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let config = vouchsafe_wazo_auth::Settings::from(serde_json::json!({"client_id": "an-example"}));
    /// # client.external().create_config("mobile", &config).await?;
    /// client.external().update_config("mobile", &vouchsafe_wazo_auth::Settings::from(serde_json::json!({"client_id": "an-example"}))).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_config(
        &self,
        auth_type: &str,
        body: &crate::Settings,
    ) -> crate::Result<()> {
        let call = calls::update_external_config(auth_type, body)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Deletes the configuration of an external service.
    ///
    /// Needs the access `auth.{auth_type}.external.config.delete`.
    ///
    /// `auth_type`: The type of the external service.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such type, or it is not configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let config = vouchsafe_wazo_auth::Settings::from(serde_json::json!({"client_id": "an-example"}));
    /// # client.external().create_config("mobile", &config).await?;
    /// client.external().delete_config("mobile").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_config(&self, auth_type: &str) -> crate::Result<()> {
        let call = calls::delete_external_config(auth_type)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on groups of users.
#[derive(Clone, Copy, Debug)]
pub struct GroupsApi<'c>(pub(crate) &'c crate::Client);

impl GroupsApi<'_> {
    /// Returns groups.
    ///
    /// Needs the access `auth.groups.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.groups().list().items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListGroupsRequest {
        ListGroupsRequest {
            client: self.0.clone(),
            params: calls::ListGroupsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Creates a group.
    ///
    /// Needs the access `auth.groups.create`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Conflict`: The name or the slug is taken (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.groups().create(&vouchsafe_wazo_auth::NewGroup::new("staff")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "new")]
    pub async fn create(&self, body: &wire::NewGroup) -> crate::Result<wire::Group> {
        let call = calls::create_group(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns a group.
    ///
    /// Needs the access `auth.groups.{group_uuid}.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such group (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.groups().get(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, group_uuid: &wire::GroupUuid) -> crate::Result<wire::Group> {
        let call = calls::get_group(group_uuid)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Renames a group.
    ///
    /// Its slug does not change.
    ///
    /// Needs the access `auth.groups.{group_uuid}.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Forbidden`: The group is managed by the system (403).
    /// - Of kind `NotFound`: There is no such group (404).
    /// - Of kind `Conflict`: The name or the slug is taken (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.groups().edit(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?, &vouchsafe_wazo_auth::GroupEdit::new("staff")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn edit(
        &self,
        group_uuid: &wire::GroupUuid,
        body: &wire::GroupEdit,
    ) -> crate::Result<wire::Group> {
        let call = calls::edit_group(group_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Deletes a group.
    ///
    /// Needs the access `auth.groups.{group_uuid}.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Forbidden`: The group is managed by the system (403).
    /// - Of kind `NotFound`: There is no such group (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.groups().delete(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, group_uuid: &wire::GroupUuid) -> crate::Result<()> {
        let call = calls::delete_group(group_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the users of a group.
    ///
    /// Empty if there is no such group.
    ///
    /// Needs the access `auth.groups.{group_uuid}.users.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.groups().get_users(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?).items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_users(&self, group_uuid: &wire::GroupUuid) -> ListGroupUsersRequest {
        ListGroupUsersRequest {
            client: self.0.clone(),
            group_uuid: group_uuid.clone(),
            params: calls::ListGroupUsersParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Adds a user to a group.
    ///
    /// Both must be in the same tenant. Succeeds also if the user is in the group already.
    ///
    /// Needs the access `auth.groups.{group_uuid}.users.{user_uuid}.create`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: The user is of another tenant than the group (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Forbidden`: The group is managed by the system (403).
    /// - Of kind `NotFound`: There is no such user or no such group (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.groups().add_user(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?, &"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_user(
        &self,
        group_uuid: &wire::GroupUuid,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<()> {
        let call = calls::add_group_user(group_uuid, user_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Removes a user from a group.
    ///
    /// Succeeds even if the user is not in the group.
    ///
    /// Needs the access `auth.groups.{group_uuid}.users.{user_uuid}.delete`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Forbidden`: The group is managed by the system (403).
    /// - Of kind `NotFound`: There is no such user or no such group (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.groups().remove_user(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?, &"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_user(
        &self,
        group_uuid: &wire::GroupUuid,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<()> {
        let call = calls::remove_group_user(group_uuid, user_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the policies of a group.
    ///
    /// Needs the access `auth.groups.{group_uuid}.policies.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.groups().get_policies(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?).items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_policies(
        &self,
        group_uuid: &wire::GroupUuid,
    ) -> ListGroupPoliciesRequest {
        ListGroupPoliciesRequest {
            client: self.0.clone(),
            group_uuid: group_uuid.clone(),
            params: calls::ListGroupPoliciesParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Adds a policy to a group.
    ///
    /// Succeeds also if the group has it already. The client's token must itself cover each access
    /// that is given or taken.
    ///
    /// Needs the access `auth.groups.{group_uuid}.policies.{policy_id}.create`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such group or no such policy (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.groups().add_policy(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?, &"wazo_default_admin_policy".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_policy(
        &self,
        group_uuid: &wire::GroupUuid,
        policy_id: &wire::PolicyId,
    ) -> crate::Result<()> {
        let call = calls::add_group_policy(group_uuid, policy_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Removes a policy from a group.
    ///
    /// Succeeds also if the group does not have it. The client's token must itself cover each
    /// access that is given or taken.
    ///
    /// Needs the access `auth.groups.{group_uuid}.policies.{policy_id}.delete`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such group or no such policy (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.groups().remove_policy(&"a2e394c0-6f71-4d82-94b5-2a3b4c5d6e08".parse()?, &"wazo_default_admin_policy".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_policy(
        &self,
        group_uuid: &wire::GroupUuid,
        policy_id: &wire::PolicyId,
    ) -> crate::Result<()> {
        let call = calls::remove_group_policy(group_uuid, policy_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on identity providers.
#[derive(Clone, Copy, Debug)]
pub struct IdpApi<'c>(pub(crate) &'c crate::Client);

impl IdpApi<'_> {
    /// Returns the names of the identity providers, which are the methods of authentication that
    /// users may have.
    ///
    /// Needs the access `auth.idp.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.idp().list().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self) -> crate::Result<Vec<String>> {
        let call = calls::list_idps()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json::<wire::IdpList>()?.items)
    }

    /// Sets the authentication method of several users.
    ///
    /// Stops at the first user that does not exist; those before it are changed.
    ///
    /// Needs the access `auth.idp.{idp_type}.users.update`.
    ///
    /// `idp_type`: The name of the identity provider.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such identity provider or no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.idp().add_users("ldap", &vouchsafe_wazo_auth::IdpUsers::new([vouchsafe_wazo_auth::IdpUser::new(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?)])).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_users(
        &self,
        idp_type: &str,
        body: &wire::IdpUsers,
    ) -> crate::Result<()> {
        let call = calls::add_idp_users(idp_type, body)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Sets the authentication method of a user.
    ///
    /// Needs the access `auth.idp.{idp_type}.users.{user_uuid}.create`.
    ///
    /// `idp_type`: The name of the identity provider.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such identity provider or no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.idp().add_user("ldap", &"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_user(
        &self,
        idp_type: &str,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<()> {
        let call = calls::add_idp_user(idp_type, user_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Takes a method of authentication from a user, which gets the default if it had this one.
    ///
    /// Needs the access `auth.idp.{idp_type}.users.{user_uuid}.delete`.
    ///
    /// `idp_type`: The name of the identity provider.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such identity provider or no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.idp().remove_user("ldap", &"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_user(
        &self,
        idp_type: &str,
        user_uuid: &wire::UserUuid,
    ) -> crate::Result<()> {
        let call = calls::remove_idp_user(idp_type, user_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on installations that have no user yet.
#[derive(Clone, Copy, Debug)]
pub struct InitApi<'c>(pub(crate) &'c crate::Client);

impl InitApi<'_> {
    /// Creates the first user of an installation.
    ///
    /// Possible once, with the key that the server has written to a file.
    ///
    /// Not all servers have it: before 19.16.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `LoginFailed`: The credentials are refused (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let seed = vouchsafe_wazo_auth::mock::Seed::sample().settings(|settings| {
    /// #     settings.legacy = true;
    /// #     settings.init_key = Some("AN-EXAMPLE-OF-A-KEY-".into());
    /// # });
    /// # let client = vouchsafe_wazo_auth::mock::Server::from_seed(&seed).client();
    /// let answer = client.init().run(&vouchsafe_wazo_auth::FirstUser::new("example", "example", "AN-EXAMPLE-OF-A-KEY-")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(&self, body: &wire::FirstUser) -> crate::Result<wire::User> {
        let call = calls::initialize(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// The operations on the LDAP configuration of a tenant.
#[derive(Clone, Copy, Debug)]
pub struct LdapConfigApi<'c>(pub(crate) &'c crate::Client);

impl LdapConfigApi<'_> {
    /// Returns the LDAP configuration of the tenant.
    ///
    /// Without a configuration all values are missing.
    ///
    /// Needs the access `auth.backends.ldap.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.ldap_config().get().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self) -> crate::Result<wire::LdapConfig> {
        let call = calls::get_ldap_config()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Sets the LDAP configuration of the tenant.
    ///
    /// Optional values that are left out stay, except that the version of the protocol becomes 3.
    ///
    /// Needs the access `auth.backends.ldap.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.ldap_config().update(&vouchsafe_wazo_auth::LdapEdit::new("ldap.example.com", 636, "ou=people,dc=example,dc=com", "uid", "mail")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update(
        &self,
        body: &wire::LdapEdit,
    ) -> crate::Result<wire::LdapConfig> {
        let call = calls::update_ldap_config(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Deletes the LDAP configuration of the tenant.
    ///
    /// Succeeds even if the tenant has no configuration.
    ///
    /// Needs the access `auth.backends.ldap.delete`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.ldap_config().delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self) -> crate::Result<()> {
        let call = calls::delete_ldap_config()?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on policies and their accesses.
#[derive(Clone, Copy, Debug)]
pub struct PoliciesApi<'c>(pub(crate) &'c crate::Client);

impl PoliciesApi<'_> {
    /// Returns policies.
    ///
    /// Besides those of the tenant these are the policies of the configuration and those that a
    /// tenant above shares; both are read-only. The total counts all policies in scope, whatever
    /// the filters.
    ///
    /// Needs the access `auth.policies.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.policies().list().items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_policies")]
    pub fn list(&self) -> ListPoliciesRequest {
        ListPoliciesRequest {
            client: self.0.clone(),
            params: calls::ListPoliciesParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Creates a policy.
    ///
    /// The client's token must itself cover each access that is granted or revoked.
    ///
    /// Needs the access `auth.policies.create`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Conflict`: The name or the slug is taken (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.policies().create(&vouchsafe_wazo_auth::NewPolicy::new("readers")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "new")]
    #[doc(alias = "add_policy")]
    pub async fn create(&self, body: &wire::NewPolicy) -> crate::Result<wire::Policy> {
        let call = calls::create_policy(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns a policy.
    ///
    /// Needs the access `auth.policies.{policy_id}.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such policy (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.policies().get(&"wazo_default_admin_policy".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_tenants")]
    pub async fn get(&self, policy_id: &wire::PolicyId) -> crate::Result<wire::Policy> {
        let call = calls::get_policy(policy_id)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Replaces the name, the description and the accesses of a policy.
    ///
    /// Values that are left out are removed; slug and sharing stay. A name that another policy has
    /// is answered with 500. The client's token must itself cover each access that is given or
    /// taken.
    ///
    /// Needs the access `auth.policies.{policy_id}.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Forbidden`: The policy is read-only (403).
    /// - Of kind `NotFound`: There is no such policy (404).
    /// - Of kind `Status`: Another policy has the new name (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let policy = client.policies().create(&vouchsafe_wazo_auth::NewPolicy::new("readers")).await?;
    /// let answer = client.policies().edit(&policy.uuid, &vouchsafe_wazo_auth::PolicyEdit::new("readers")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn edit(
        &self,
        policy_id: &wire::PolicyId,
        body: &wire::PolicyEdit,
    ) -> crate::Result<wire::Policy> {
        let call = calls::edit_policy(policy_id, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Deletes a policy.
    ///
    /// Tokens that were issued with it keep its accesses. The client's token must itself cover each
    /// access that is given or taken.
    ///
    /// Needs the access `auth.policies.{policy_id}.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Forbidden`: The policy is read-only (403).
    /// - Of kind `NotFound`: There is no such policy (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let policy = client.policies().create(&vouchsafe_wazo_auth::NewPolicy::new("readers")).await?;
    /// client.policies().delete(&policy.uuid).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "remove_policy")]
    pub async fn delete(&self, policy_id: &wire::PolicyId) -> crate::Result<()> {
        let call = calls::delete_policy(policy_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Adds an access to a policy.
    ///
    /// The client's token must itself cover each access that is granted or revoked.
    ///
    /// Needs the access `auth.policies.{policy_id}.update`.
    ///
    /// `access`: Without a slash; an access with one can only be set by replacing all accesses of
    /// the policy. Not empty.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such policy (404).
    /// - Of kind `Conflict`: The policy has the access already (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.policies().add_access(&"wazo_default_admin_policy".parse()?, "dird.me.#").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "add_acl_template")]
    pub async fn add_access(
        &self,
        policy_id: &wire::PolicyId,
        access: &str,
    ) -> crate::Result<()> {
        let call = calls::add_access(policy_id, access)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Removes an access from a policy.
    ///
    /// Succeeds also if the policy does not have the access. The client's token must itself cover
    /// each access that is given or taken.
    ///
    /// Needs the access `auth.policies.{policy_id}.update`.
    ///
    /// `access`: Without a slash; an access with one can only be set by replacing all accesses of
    /// the policy. Not empty.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such policy (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.policies().remove_access(&"wazo_default_admin_policy".parse()?, "dird.me.#").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "remove_acl_template")]
    pub async fn remove_access(
        &self,
        policy_id: &wire::PolicyId,
        access: &str,
    ) -> crate::Result<()> {
        let call = calls::remove_access(policy_id, access)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on the refresh tokens of all users.
#[derive(Clone, Copy, Debug)]
pub struct RefreshTokensApi<'c>(pub(crate) &'c crate::Client);

impl RefreshTokensApi<'_> {
    /// Returns the refresh tokens of all users of a tenant.
    ///
    /// Needs the access `auth.tokens.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.refresh_tokens().list().items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListRefreshTokensRequest {
        ListRefreshTokensRequest {
            client: self.0.clone(),
            params: calls::ListRefreshTokensParams::default(),
            options: CallOptions::new(),
        }
    }
}

/// The operations on logins through SAML.
#[derive(Clone, Copy, Debug)]
pub struct SamlApi<'c>(pub(crate) &'c crate::Client);

impl SamlApi<'_> {
    /// Starts a login through SAML, and returns the URL to send the user to.
    ///
    /// A domain without a configuration is answered with 500.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `Status`: No tenant has a SAML configuration for the domain (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let new = vouchsafe_wazo_auth::NewTenant::new().name("Example").domain_names(["example.com"]);
    /// # let tenant = client.tenants().create(&new).await?;
    /// # let client = client.with_tenant(&tenant.uuid);
    /// # let domain = client.tenants().get_domains(&tenant.uuid).await?.remove(0);
    /// # let form = vouchsafe_wazo_auth::SamlForm::new().domain_uuid(&domain.uuid).entity_id("wazo").acs_url("https://wazo.example.com").metadata("<EntityDescriptor/>");
    /// # client.saml_config().create(&form).await?;
    /// let answer = client.saml().sso(&vouchsafe_wazo_auth::SamlStart::new("https://app.example.com/", "example.com")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sso(
        &self,
        body: &wire::SamlStart,
    ) -> crate::Result<wire::SamlRedirect> {
        let call = calls::start_saml(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// The operations on the SAML configuration of a tenant.
#[derive(Clone, Copy, Debug)]
pub struct SamlConfigApi<'c>(pub(crate) &'c crate::Client);

impl SamlConfigApi<'_> {
    /// Returns the SAML configuration of the tenant.
    ///
    /// Needs the access `auth.backends.saml.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no configuration (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let new = vouchsafe_wazo_auth::NewTenant::new().name("Example").domain_names(["example.com"]);
    /// # let tenant = client.tenants().create(&new).await?;
    /// # let client = client.with_tenant(&tenant.uuid);
    /// # let domain = client.tenants().get_domains(&tenant.uuid).await?.remove(0);
    /// # let form = vouchsafe_wazo_auth::SamlForm::new().domain_uuid(&domain.uuid).entity_id("wazo").acs_url("https://wazo.example.com").metadata("<EntityDescriptor/>");
    /// # client.saml_config().create(&form).await?;
    /// let answer = client.saml_config().get().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self) -> crate::Result<wire::SamlConfig> {
        let call = calls::get_saml_config()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Deletes the SAML configuration of the tenant.
    ///
    /// Succeeds even if the tenant has no configuration.
    ///
    /// Needs the access `auth.backends.saml.delete`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.saml_config().delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self) -> crate::Result<()> {
        let call = calls::delete_saml_config()?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the URL that the identity provider sends its answers to, as a template.
    ///
    /// Needs the access `auth.backends.saml.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.saml_config().get_acs_template().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_acs_template(&self) -> crate::Result<String> {
        let call = calls::get_acs_template()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json::<wire::AcsTemplate>()?.acs_url)
    }

    /// Returns the metadata of the tenant's identity provider, as XML.
    ///
    /// Needs the access `auth.backends.saml.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no configuration (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let new = vouchsafe_wazo_auth::NewTenant::new().name("Example").domain_names(["example.com"]);
    /// # let tenant = client.tenants().create(&new).await?;
    /// # let client = client.with_tenant(&tenant.uuid);
    /// # let domain = client.tenants().get_domains(&tenant.uuid).await?.remove(0);
    /// # let form = vouchsafe_wazo_auth::SamlForm::new().domain_uuid(&domain.uuid).entity_id("wazo").acs_url("https://wazo.example.com").metadata("<EntityDescriptor/>");
    /// # client.saml_config().create(&form).await?;
    /// let answer = client.saml_config().get_metadata().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_metadata(&self) -> crate::Result<vouchsafe_core::call::Answer> {
        let call = calls::get_saml_metadata()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer)
    }
}

/// The operations on the sessions of all users.
#[derive(Clone, Copy, Debug)]
pub struct SessionsApi<'c>(pub(crate) &'c crate::Client);

impl SessionsApi<'_> {
    /// Returns sessions.
    ///
    /// Unordered unless an order is set. A search has no effect.
    ///
    /// Needs the access `auth.sessions.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.sessions().list().items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> ListSessionsRequest {
        ListSessionsRequest {
            client: self.0.clone(),
            params: calls::ListSessionsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Ends a session and its token.
    ///
    /// Succeeds even if the tenant sees no such session.
    ///
    /// Needs the access `auth.sessions.{session_uuid}.delete`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: The id is not a UUID (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.sessions().delete(&"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, session_uuid: &wire::SessionUuid) -> crate::Result<()> {
        let call = calls::delete_session(session_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on the health of the service.
#[derive(Clone, Copy, Debug)]
pub struct StatusApi<'c>(pub(crate) &'c crate::Client);

impl StatusApi<'_> {
    /// Checks that all components of the service work.
    ///
    /// # Errors
    ///
    /// - Of kind `Status`: A component has failed (503).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.status().check().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check(&self) -> crate::Result<()> {
        let call = calls::check_status()?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on tenants.
#[derive(Clone, Copy, Debug)]
pub struct TenantsApi<'c>(pub(crate) &'c crate::Client);

impl TenantsApi<'_> {
    /// Returns the tenant and all tenants below it.
    ///
    /// Needs the access `auth.tenants.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.tenants().list().items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_tenants")]
    pub fn list(&self) -> ListTenantsRequest {
        ListTenantsRequest {
            client: self.0.clone(),
            params: calls::ListTenantsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Creates a tenant below the tenant of the call.
    ///
    /// Each tenant initially has a group of all its users.
    ///
    /// Needs the access `auth.tenants.create`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Conflict`: the service's code is `conflict` (403); or: The id, the slug or a domain
    ///   is taken (409).
    /// - Of kind `Forbidden`: The id is that of the tenant of the call (403).
    /// - Of kind `NotFound`: There is no such contact (404).
    /// - Of kind `Status`: The body lacks members that the service does not check (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.tenants().create(&vouchsafe_wazo_auth::NewTenant::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "new")]
    pub async fn create(&self, body: &wire::NewTenant) -> crate::Result<wire::Tenant> {
        let call = calls::create_tenant(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns a tenant.
    ///
    /// Needs the access `auth.tenants.{tenant_uuid}.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such tenant (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.tenants().get(&"3f7c2a10-5f0e-4b8e-9a51-6d1c0b7f2e01".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(
        &self,
        tenant_uuid: &wire::TenantUuid,
    ) -> crate::Result<wire::Tenant> {
        let call = calls::get_tenant(tenant_uuid)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Replaces the data of a tenant.
    ///
    /// Values that are left out are removed, or get their default. Slug and parent stay. A domain
    /// that goes takes its SAML configuration with it.
    ///
    /// Needs the access `auth.tenants.{tenant_uuid}.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such tenant or no such contact (404).
    /// - Of kind `Conflict`: The id, the slug or a domain is taken (409).
    /// - Of kind `Status`: The body lacks members that the service does not check (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.tenants().edit(&"3f7c2a10-5f0e-4b8e-9a51-6d1c0b7f2e01".parse()?, &vouchsafe_wazo_auth::TenantEdit::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn edit(
        &self,
        tenant_uuid: &wire::TenantUuid,
        body: &wire::TenantEdit,
    ) -> crate::Result<wire::Tenant> {
        let call = calls::edit_tenant(tenant_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Deletes a tenant and everything in it.
    ///
    /// A tenant cannot delete itself, nor one that has tenants below it.
    ///
    /// Needs the access `auth.tenants.{tenant_uuid}.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Conflict`: The tenant has tenants below it (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Forbidden`: The tenant is that of the call (403).
    /// - Of kind `NotFound`: There is no such tenant (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let tenant = client.tenants().create(&vouchsafe_wazo_auth::NewTenant::new().name("Example")).await?;
    /// client.tenants().delete(&tenant.uuid).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, tenant_uuid: &wire::TenantUuid) -> crate::Result<()> {
        let call = calls::delete_tenant(tenant_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the domains of a tenant.
    ///
    /// Needs the access `auth.tenants.{tenant_uuid}.domains.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such tenant (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.tenants().get_domains(&"3f7c2a10-5f0e-4b8e-9a51-6d1c0b7f2e01".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_domains(
        &self,
        tenant_uuid: &wire::TenantUuid,
    ) -> crate::Result<Vec<wire::Domain>> {
        let call = calls::list_tenant_domains(tenant_uuid)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json::<wire::DomainList>()?.items)
    }

    /// Moves a tenant below another one.
    ///
    /// Needs the access `auth.tenants.{tenant_uuid}.parent.{parent_uuid}.update`.
    ///
    /// `parent_uuid`: The new parent.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such tenant (404).
    /// - Of kind `Conflict`: The other tenant is the tenant itself, or below it (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let tenant = client.tenants().create(&vouchsafe_wazo_auth::NewTenant::new().name("Example")).await?;
    /// # let parent = client.tenants().create(&vouchsafe_wazo_auth::NewTenant::new().name("Parent")).await?;
    /// client.tenants().set_parent(&tenant.uuid, &parent.uuid).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_parent(
        &self,
        tenant_uuid: &wire::TenantUuid,
        parent_uuid: &wire::TenantUuid,
    ) -> crate::Result<()> {
        let call = calls::move_tenant(tenant_uuid, parent_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on tokens and what creates them.
#[derive(Clone, Copy, Debug)]
pub struct TokenApi<'c>(pub(crate) &'c crate::Client);

impl TokenApi<'_> {
    /// Returns a token.
    ///
    /// The token itself is sufficient; no other credential is needed.
    ///
    /// `token`: A UUID.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let token = server.issue_token("admin");
    /// let answer = client.token().get(token).send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "required_acl")]
    #[doc(alias = "required_acls")]
    pub fn get(&self, token: impl Into<Secret>) -> GetTokenRequest {
        GetTokenRequest {
            client: self.0.clone(),
            token: token.into(),
            params: calls::GetTokenParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns for each of several accesses whether a token covers it.
    ///
    /// `token`: A UUID.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `Forbidden`: The token does not cover the access, or is not of the tenant (403).
    /// - Of kind `NotFound`: The token is unknown or has expired (404).
    /// - Of kind `Status`: The body lacks members that the service does not check (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let token = server.issue_token("admin");
    /// let answer = client.token().check_scopes(&token, &vouchsafe_wazo_auth::ScopeCheck::new(["auth.users.read"])).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_scopes(
        &self,
        token: &Secret,
        body: &wire::ScopeCheck,
    ) -> crate::Result<std::collections::BTreeMap<String, bool>> {
        let call = calls::check_scopes(token, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json::<wire::ScopeAnswers>()?.scopes)
    }

    /// Returns the refresh tokens of a user.
    ///
    /// Needs the access `auth.users.{user_uuid}.tokens.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.token().list(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self, user_uuid: &wire::UserUuid) -> ListUserRefreshTokensRequest {
        ListUserRefreshTokensRequest {
            client: self.0.clone(),
            user_uuid: user_uuid.clone(),
            params: calls::ListUserRefreshTokensParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Deletes a refresh token of a user.
    ///
    /// Tokens that were created with it stay valid.
    ///
    /// Needs the access `auth.users.{user_uuid}.tokens.{client_id}.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such refresh token (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let login = vouchsafe_wazo_auth::NewUser::new().username("alice").password("s3cr3t");
    /// # let user = client.users().create(&login).await?;
    /// # let login = client.token().create().credentials("alice", "s3cr3t").offline("phone").send().await?;
    /// client.token().delete(&user.uuid, "phone").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(
        &self,
        user_uuid: &wire::UserUuid,
        client_id: &str,
    ) -> crate::Result<()> {
        let call = calls::delete_user_refresh_token(user_uuid, client_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the refresh tokens of the user of the client's token.
    ///
    /// Needs the access `auth.users.me.tokens.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.token().list_own().items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_own(&self) -> ListOwnRefreshTokensRequest {
        ListOwnRefreshTokensRequest {
            client: self.0.clone(),
            params: calls::ListOwnRefreshTokensParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Deletes a refresh token of the user of the client's token.
    ///
    /// Tokens that were created with it stay valid.
    ///
    /// Needs the access `auth.users.me.tokens.{client_id}.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such refresh token (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let login = vouchsafe_wazo_auth::NewUser::new().username("alice").password("s3cr3t");
    /// # let user = client.users().create(&login).await?;
    /// # client.users().add_policy(&user.uuid, &"wazo_default_user_policy".parse()?).await?;
    /// # let login = client.token().create().credentials("alice", "s3cr3t").offline("phone").send().await?;
    /// # let client = client.with_token(login.token.token);
    /// client.token().delete_own("phone").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_own(&self, client_id: &str) -> crate::Result<()> {
        let call = calls::delete_own_refresh_token(client_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on users, their passwords, addresses and relations.
#[derive(Clone, Copy, Debug)]
pub struct UsersApi<'c>(pub(crate) &'c crate::Client);

impl UsersApi<'_> {
    /// Returns users.
    ///
    /// The search looks at names and addresses.
    ///
    /// Needs the access `auth.users.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.users().list().items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_users")]
    pub fn list(&self) -> ListUsersRequest {
        ListUsersRequest {
            client: self.0.clone(),
            params: calls::ListUsersParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Creates a user.
    ///
    /// The user joins the group of all users of the tenant. The address counts as confirmed.
    ///
    /// Needs the access `auth.users.create`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `Conflict`: The name, an address or the id is taken (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.users().create(&vouchsafe_wazo_auth::NewUser::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "new")]
    #[doc(alias = "add_user")]
    pub async fn create(&self, body: &wire::NewUser) -> crate::Result<wire::User> {
        let call = calls::create_user(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Registers a user, in a new tenant.
    ///
    /// A message asks the user to confirm the address. Most installations do not permit this, which
    /// is answered with 404. After a conflict the tenant stays.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `NotFound`: The installation does not permit registration (404).
    /// - Of kind `Conflict`: The name, an address or the id is taken (409).
    /// - Of kind `Status`: The body lacks members that the service does not check (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let seed = vouchsafe_wazo_auth::mock::Seed::sample().settings(|settings| settings.registration = true);
    /// # let client = vouchsafe_wazo_auth::mock::Server::from_seed(&seed).client();
    /// let answer = client.users().register(&vouchsafe_wazo_auth::Registration::new("example", "example", "alice@example.com")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn register(
        &self,
        body: &wire::Registration,
    ) -> crate::Result<wire::User> {
        let call = calls::register_user(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns a user.
    ///
    /// Needs the access `auth.users.{user_uuid}.read`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.users().get(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_tenants")]
    pub async fn get(&self, user_uuid: &wire::UserUuid) -> crate::Result<wire::User> {
        let call = calls::get_user(user_uuid)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Replaces the data of a user.
    ///
    /// Values that are left out are removed, or get their default. Password and addresses stay.
    /// Disabling a user ends all of its sessions.
    ///
    /// Needs the access `auth.users.{user_uuid}.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Of kind `Conflict`: The name, an address or the id is taken (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.users().edit(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::UserEdit::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn edit(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::UserEdit,
    ) -> crate::Result<wire::User> {
        let call = calls::edit_user(user_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Deletes a user.
    ///
    /// Its refresh tokens, addresses and relations go with it. Tokens that were issued stay valid
    /// until they expire.
    ///
    /// Needs the access `auth.users.{user_uuid}.delete`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.users().delete(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "remove_user")]
    pub async fn delete(&self, user_uuid: &wire::UserUuid) -> crate::Result<()> {
        let call = calls::delete_user(user_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Changes a password, given the old one.
    ///
    /// Ends all sessions of the user. A wrong old password is answered with 401 too, and of kind
    /// `Invalid`.
    ///
    /// Needs the access `auth.users.{user_uuid}.password.update`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Of kind `Conflict`: the service's code is `password-managed-externally` (405).
    /// - Of kind `Status`: Another system, such as LDAP, has the password (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let user = client.users().create(&vouchsafe_wazo_auth::NewUser::new().username("alice").password("old").email_address("alice@example.com")).await?;
    /// client.users().change_password(&user.uuid, &vouchsafe_wazo_auth::PasswordChange::new("old", "new")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn change_password(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::PasswordChange,
    ) -> crate::Result<()> {
        let call = calls::change_password(user_uuid, body)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Sends a message with a token for resetting the password to a user.
    ///
    /// Exactly one of the values must be set. Succeeds whether or not there is such a user. The
    /// token is valid for two days.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.users().reset_password().login("alice").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reset_password(&self) -> RequestPasswordResetRequest {
        RequestPasswordResetRequest {
            client: self.0.clone(),
            params: calls::RequestPasswordResetParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Sets or removes the password of a user.
    ///
    /// Ends all sessions of the user. The client must have the token from the message, or a token
    /// with the access.
    ///
    /// Needs the access `auth.users.password.reset.{user_uuid}.create`.
    ///
    /// `user_uuid`: The user.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `MissingAccess`: The token is unknown or has expired, or does not cover the access;
    ///   the service does not say which (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.users().set_password(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::PasswordReset::new(None)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_password(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::PasswordReset,
    ) -> crate::Result<()> {
        let call = calls::reset_password(user_uuid, body)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Replaces the addresses of a user, and returns them.
    ///
    /// Addresses that the user has already keep their id and stay confirmed. If there are any,
    /// exactly one must be the main address.
    ///
    /// Needs the access `auth.users.{user_uuid}.emails.update`.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Of kind `Conflict`: The name, an address or the id is taken (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let answer = client.users().update_emails(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &vouchsafe_wazo_auth::EmailList::new([vouchsafe_wazo_auth::NewEmail::new("alice@example.com").main(true)])).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_emails(
        &self,
        user_uuid: &wire::UserUuid,
        body: &wire::EmailList,
    ) -> crate::Result<Vec<wire::Email>> {
        let call = calls::update_emails(user_uuid, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Sends a message for confirming an address to a user.
    ///
    /// Needs the access `auth.users.{user_uuid}.emails.{email_uuid}.confirm.read`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or address (404).
    /// - Of kind `Conflict`: The address is confirmed already (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// # let emails = vouchsafe_wazo_auth::EmailList::new([vouchsafe_wazo_auth::NewEmail::new("alice@example.com").main(true)]);
    /// # let emails = client.users().update_emails(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &emails).await?;
    /// client.users().request_confirmation_email(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &emails[0].uuid).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn request_confirmation_email(
        &self,
        user_uuid: &wire::UserUuid,
        email_uuid: &wire::EmailUuid,
    ) -> crate::Result<()> {
        let call = calls::request_confirmation(user_uuid, email_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the policies of a user, without those of the user's groups.
    ///
    /// Empty if there is no such user.
    ///
    /// Needs the access `auth.users.{user_uuid}.policies.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.users().get_policies(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_policies(&self, user_uuid: &wire::UserUuid) -> ListUserPoliciesRequest {
        ListUserPoliciesRequest {
            client: self.0.clone(),
            user_uuid: user_uuid.clone(),
            params: calls::ListUserPoliciesParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Adds a policy to a user.
    ///
    /// Succeeds also if the user has it already. The client's token must itself cover each access
    /// that is given or taken.
    ///
    /// Needs the access `auth.users.{user_uuid}.policies.{policy_id}.create`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such policy (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.users().add_policy(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &"wazo_default_admin_policy".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_policy(
        &self,
        user_uuid: &wire::UserUuid,
        policy_id: &wire::PolicyId,
    ) -> crate::Result<()> {
        let call = calls::add_user_policy(user_uuid, policy_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Removes a policy from a user.
    ///
    /// Succeeds also if the user does not have it. The client's token must itself cover each access
    /// that is given or taken.
    ///
    /// Needs the access `auth.users.{user_uuid}.policies.{policy_id}.delete`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user or no such policy (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.users().remove_policy(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &"wazo_default_admin_policy".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_policy(
        &self,
        user_uuid: &wire::UserUuid,
        policy_id: &wire::PolicyId,
    ) -> crate::Result<()> {
        let call = calls::remove_user_policy(user_uuid, policy_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the groups of a user.
    ///
    /// Needs the access `auth.users.{user_uuid}.groups.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.users().get_groups(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_groups(&self, user_uuid: &wire::UserUuid) -> ListUserGroupsRequest {
        ListUserGroupsRequest {
            client: self.0.clone(),
            user_uuid: user_uuid.clone(),
            params: calls::ListUserGroupsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns the sessions of a user.
    ///
    /// Unordered unless an order is set. A search has no effect.
    ///
    /// Needs the access `auth.users.{user_uuid}.sessions.read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// let mut items = client.users().get_sessions(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?).items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_sessions(&self, user_uuid: &wire::UserUuid) -> ListUserSessionsRequest {
        ListUserSessionsRequest {
            client: self.0.clone(),
            user_uuid: user_uuid.clone(),
            params: calls::ListUserSessionsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Ends a session of a user, and its token.
    ///
    /// Succeeds even if there is no such session.
    ///
    /// Needs the access `auth.users.{user_uuid}.sessions.{session_uuid}.delete`.
    ///
    /// # Errors
    ///
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client_as("admin");
    /// client.users().remove_session(&"8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702".parse()?, &"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_session(
        &self,
        user_uuid: &wire::UserUuid,
        session_uuid: &wire::SessionUuid,
    ) -> crate::Result<()> {
        let call = calls::delete_user_session(user_uuid, session_uuid)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// A request: returns a token.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct GetTokenRequest {
    client: crate::Client,
    token: Secret,
    params: calls::GetTokenParams,
    options: CallOptions,
}

impl GetTokenRequest {
    /// Checks that the token covers an access, such as `auth.users.read`.
    pub fn required_access(mut self, value: impl Into<String>) -> Self {
        self.params.required_access = Some(value.into());
        self
    }

    /// Checks that the tenant of the token's user is this tenant or above it.
    pub fn tenant(mut self, value: impl Into<String>) -> Self {
        self.params.tenant = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Forbidden`: The token does not cover the access, or is not of the tenant (403).
    /// - Of kind `NotFound`: The token is unknown or has expired (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::Token> {
        let call = calls::get_token(&self.token, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json::<wire::TokenAnswer>()?.data)
    }
}

/// A request: returns the refresh tokens of a user.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListUserRefreshTokensRequest {
    client: crate::Client,
    user_uuid: wire::UserUuid,
    params: calls::ListUserRefreshTokensParams,
    options: CallOptions,
}

impl ListUserRefreshTokensRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by time of creation.
    pub fn order(mut self, value: wire::RefreshTokenOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only the token of this client.
    pub fn client_id(mut self, value: impl Into<String>) -> Self {
        self.params.client_id = Some(value.into());
        self
    }

    /// Only tokens of mobile clients, or only others.
    pub fn mobile(mut self, value: bool) -> Self {
        self.params.mobile = Some(value);
        self
    }

    /// Only the token created at exactly this time.
    pub fn created_at(mut self, value: impl Into<String>) -> Self {
        self.params.created_at = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::RefreshTokenPage> {
        let call = calls::list_user_refresh_tokens(&self.user_uuid, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListUserRefreshTokensRequest {
    type Item = wire::RefreshToken;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(
        &self,
        at: page::Position,
    ) -> crate::Result<page::Page<wire::RefreshToken>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::RefreshToken) -> String {
        [item.user_uuid.to_string(), item.client_id.to_string()].join("\n")
    }
}

/// A request: returns the refresh tokens of the user of the client's token.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListOwnRefreshTokensRequest {
    client: crate::Client,
    params: calls::ListOwnRefreshTokensParams,
    options: CallOptions,
}

impl ListOwnRefreshTokensRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by time of creation.
    pub fn order(mut self, value: wire::RefreshTokenOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only the token of this client.
    pub fn client_id(mut self, value: impl Into<String>) -> Self {
        self.params.client_id = Some(value.into());
        self
    }

    /// Only tokens of mobile clients, or only others.
    pub fn mobile(mut self, value: bool) -> Self {
        self.params.mobile = Some(value);
        self
    }

    /// Only the token created at exactly this time.
    pub fn created_at(mut self, value: impl Into<String>) -> Self {
        self.params.created_at = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::RefreshTokenPage> {
        let call = calls::list_own_refresh_tokens(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListOwnRefreshTokensRequest {
    type Item = wire::RefreshToken;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(
        &self,
        at: page::Position,
    ) -> crate::Result<page::Page<wire::RefreshToken>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::RefreshToken) -> String {
        [item.user_uuid.to_string(), item.client_id.to_string()].join("\n")
    }
}

/// A request: returns the refresh tokens of all users of a tenant.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListRefreshTokensRequest {
    client: crate::Client,
    params: calls::ListRefreshTokensParams,
    options: CallOptions,
}

impl ListRefreshTokensRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by time of creation.
    pub fn order(mut self, value: wire::RefreshTokenOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only the token of this client.
    pub fn client_id(mut self, value: impl Into<String>) -> Self {
        self.params.client_id = Some(value.into());
        self
    }

    /// Only tokens of mobile clients, or only others.
    pub fn mobile(mut self, value: bool) -> Self {
        self.params.mobile = Some(value);
        self
    }

    /// Only the token created at exactly this time.
    pub fn created_at(mut self, value: impl Into<String>) -> Self {
        self.params.created_at = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::RefreshTokenPage> {
        let call = calls::list_refresh_tokens(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListRefreshTokensRequest {
    type Item = wire::RefreshToken;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(
        &self,
        at: page::Position,
    ) -> crate::Result<page::Page<wire::RefreshToken>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::RefreshToken) -> String {
        [item.user_uuid.to_string(), item.client_id.to_string()].join("\n")
    }
}

/// A request: returns policies.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListPoliciesRequest {
    client: crate::Client,
    params: calls::ListPoliciesParams,
    options: CallOptions,
}

impl ListPoliciesRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by name.
    pub fn order(mut self, value: wire::PolicyOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only policies that are read-only, or only others.
    pub fn read_only(mut self, value: bool) -> Self {
        self.params.read_only = Some(value);
        self
    }

    /// Only this policy.
    pub fn uuid(mut self, value: &wire::PolicyId) -> Self {
        self.params.uuid = Some(value.clone());
        self
    }

    /// Only the policy of this name.
    pub fn name(mut self, value: impl Into<String>) -> Self {
        self.params.name = Some(value.into());
        self
    }

    /// Only the policy with this slug.
    pub fn slug(mut self, value: impl Into<String>) -> Self {
        self.params.slug = Some(value.into());
        self
    }

    /// Only policies of this user.
    pub fn user_uuid(mut self, value: &wire::UserUuid) -> Self {
        self.params.user_uuid = Some(value.clone());
        self
    }

    /// Only policies of this group.
    pub fn group_uuid(mut self, value: &wire::GroupUuid) -> Self {
        self.params.group_uuid = Some(value.clone());
        self
    }

    /// Only policies of this tenant.
    pub fn tenant_uuid(mut self, value: &wire::TenantUuid) -> Self {
        self.params.tenant_uuid = Some(value.clone());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::PolicyPage> {
        let call = calls::list_policies(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListPoliciesRequest {
    type Item = wire::Policy;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::Policy>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        Ok(page)
    }

    fn key(item: &wire::Policy) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns users.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListUsersRequest {
    client: crate::Client,
    params: calls::ListUsersParams,
    options: CallOptions,
}

impl ListUsersRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by user name.
    pub fn order(mut self, value: wire::UserOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only this user.
    pub fn uuid(mut self, value: &wire::UserUuid) -> Self {
        self.params.uuid = Some(value.clone());
        self
    }

    /// Only the user of this name.
    pub fn username(mut self, value: impl Into<String>) -> Self {
        self.params.username = Some(value.into());
        self
    }

    /// Only users of this first name.
    pub fn firstname(mut self, value: impl Into<String>) -> Self {
        self.params.firstname = Some(value.into());
        self
    }

    /// Only users of this last name.
    pub fn lastname(mut self, value: impl Into<String>) -> Self {
        self.params.lastname = Some(value.into());
        self
    }

    /// Only users for this purpose.
    pub fn purpose(mut self, value: wire::UserPurpose) -> Self {
        self.params.purpose = Some(value);
        self
    }

    /// Only the user of this address.
    pub fn email_address(mut self, value: impl Into<String>) -> Self {
        self.params.email_address = Some(value.into());
        self
    }

    /// Only users of this group.
    pub fn group_uuid(mut self, value: &wire::GroupUuid) -> Self {
        self.params.group_uuid = Some(value.clone());
        self
    }

    /// Only users with this policy of their own.
    pub fn policy_uuid(mut self, value: &wire::PolicyId) -> Self {
        self.params.policy_uuid = Some(value.clone());
        self
    }

    /// Only users with this policy of their own.
    pub fn policy_slug(mut self, value: impl Into<String>) -> Self {
        self.params.policy_slug = Some(value.into());
        self
    }

    /// Only users with this policy, of their own or through a group.
    pub fn has_policy_uuid(mut self, value: &wire::PolicyId) -> Self {
        self.params.has_policy_uuid = Some(value.clone());
        self
    }

    /// Only users with this policy, of their own or through a group.
    pub fn has_policy_slug(mut self, value: impl Into<String>) -> Self {
        self.params.has_policy_slug = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::UserPage> {
        let call = calls::list_users(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListUsersRequest {
    type Item = wire::User;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::User>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::User) -> String {
        item.uuid.to_string()
    }
}

/// A request: sends a message with a token for resetting the password to a user.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct RequestPasswordResetRequest {
    client: crate::Client,
    params: calls::RequestPasswordResetParams,
    options: CallOptions,
}

impl RequestPasswordResetRequest {
    /// The name of the user.
    ///
    /// 1 to 256 characters.
    pub fn username(mut self, value: impl Into<String>) -> Self {
        self.params.username = Some(value.into());
        self
    }

    /// An address of the user, to which the message is sent.
    ///
    /// An e-mail address; 1 to 256 characters.
    pub fn email(mut self, value: impl Into<String>) -> Self {
        self.params.email = Some(value.into());
        self
    }

    /// The name or an address of the user, in upper or lower case.
    ///
    /// 1 to 256 characters.
    pub fn login(mut self, value: impl Into<String>) -> Self {
        self.params.login = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<()> {
        let call = calls::request_password_reset(&self.params)?;
        Service::call(&self.client, call, &(), &self.options).await?;
        Ok(())
    }
}

/// A request: returns the policies of a user, without those of the user's groups.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListUserPoliciesRequest {
    client: crate::Client,
    user_uuid: wire::UserUuid,
    params: calls::ListUserPoliciesParams,
    options: CallOptions,
}

impl ListUserPoliciesRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by name.
    pub fn order(mut self, value: wire::RelatedPolicyOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only this policy.
    pub fn uuid(mut self, value: &wire::PolicyId) -> Self {
        self.params.uuid = Some(value.clone());
        self
    }

    /// Only the policy of this name.
    pub fn name(mut self, value: impl Into<String>) -> Self {
        self.params.name = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: The id is not a UUID (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::RelatedPolicyPage> {
        let call = calls::list_user_policies(&self.user_uuid, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListUserPoliciesRequest {
    type Item = wire::Policy;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::Policy>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::Policy) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns the groups of a user.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListUserGroupsRequest {
    client: crate::Client,
    user_uuid: wire::UserUuid,
    params: calls::ListUserGroupsParams,
    options: CallOptions,
}

impl ListUserGroupsRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by name.
    pub fn order(mut self, value: wire::GroupOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only this group.
    pub fn uuid(mut self, value: &wire::GroupUuid) -> Self {
        self.params.uuid = Some(value.clone());
        self
    }

    /// Only the group of this name.
    pub fn name(mut self, value: impl Into<String>) -> Self {
        self.params.name = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::GroupPage> {
        let call = calls::list_user_groups(&self.user_uuid, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListUserGroupsRequest {
    type Item = wire::Group;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::Group>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::Group) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns the sessions of a user.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListUserSessionsRequest {
    client: crate::Client,
    user_uuid: wire::UserUuid,
    params: calls::ListUserSessionsParams,
    options: CallOptions,
}

impl ListUserSessionsRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: none.
    pub fn order(mut self, value: wire::SessionOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such user (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::SessionPage> {
        let call = calls::list_user_sessions(&self.user_uuid, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListUserSessionsRequest {
    type Item = wire::Session;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(
        &self,
        at: page::Position,
    ) -> crate::Result<page::Page<wire::Session>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::Session) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns groups.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListGroupsRequest {
    client: crate::Client,
    params: calls::ListGroupsParams,
    options: CallOptions,
}

impl ListGroupsRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by name.
    pub fn order(mut self, value: wire::GroupOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only groups that the system manages, or only others.
    pub fn read_only(mut self, value: bool) -> Self {
        self.params.read_only = Some(value);
        self
    }

    /// Only this group.
    pub fn uuid(mut self, value: &wire::GroupUuid) -> Self {
        self.params.uuid = Some(value.clone());
        self
    }

    /// Only the group of this name.
    pub fn name(mut self, value: impl Into<String>) -> Self {
        self.params.name = Some(value.into());
        self
    }

    /// Only the group with this slug.
    pub fn slug(mut self, value: impl Into<String>) -> Self {
        self.params.slug = Some(value.into());
        self
    }

    /// Only groups of this user.
    pub fn user_uuid(mut self, value: &wire::UserUuid) -> Self {
        self.params.user_uuid = Some(value.clone());
        self
    }

    /// Only groups with this policy.
    pub fn policy_uuid(mut self, value: &wire::PolicyId) -> Self {
        self.params.policy_uuid = Some(value.clone());
        self
    }

    /// Only groups with this policy.
    pub fn policy_slug(mut self, value: impl Into<String>) -> Self {
        self.params.policy_slug = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::GroupPage> {
        let call = calls::list_groups(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListGroupsRequest {
    type Item = wire::Group;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::Group>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::Group) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns the users of a group.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListGroupUsersRequest {
    client: crate::Client,
    group_uuid: wire::GroupUuid,
    params: calls::ListGroupUsersParams,
    options: CallOptions,
}

impl ListGroupUsersRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by user name.
    pub fn order(mut self, value: wire::MemberOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only this user.
    pub fn uuid(mut self, value: &wire::UserUuid) -> Self {
        self.params.uuid = Some(value.clone());
        self
    }

    /// Only the user of this name.
    pub fn username(mut self, value: impl Into<String>) -> Self {
        self.params.username = Some(value.into());
        self
    }

    /// Only users of this first name.
    pub fn firstname(mut self, value: impl Into<String>) -> Self {
        self.params.firstname = Some(value.into());
        self
    }

    /// Only users of this last name.
    pub fn lastname(mut self, value: impl Into<String>) -> Self {
        self.params.lastname = Some(value.into());
        self
    }

    /// Only users for this purpose.
    pub fn purpose(mut self, value: wire::UserPurpose) -> Self {
        self.params.purpose = Some(value);
        self
    }

    /// Only the user of this address.
    pub fn email_address(mut self, value: impl Into<String>) -> Self {
        self.params.email_address = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: The id is not a UUID (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::UserPage> {
        let call = calls::list_group_users(&self.group_uuid, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListGroupUsersRequest {
    type Item = wire::User;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::User>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::User) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns the policies of a group.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListGroupPoliciesRequest {
    client: crate::Client,
    group_uuid: wire::GroupUuid,
    params: calls::ListGroupPoliciesParams,
    options: CallOptions,
}

impl ListGroupPoliciesRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by name.
    pub fn order(mut self, value: wire::RelatedPolicyOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only this policy.
    pub fn uuid(mut self, value: &wire::PolicyId) -> Self {
        self.params.uuid = Some(value.clone());
        self
    }

    /// Only the policy of this name.
    pub fn name(mut self, value: impl Into<String>) -> Self {
        self.params.name = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such group (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::RelatedPolicyPage> {
        let call = calls::list_group_policies(&self.group_uuid, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListGroupPoliciesRequest {
    type Item = wire::Policy;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::Policy>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::Policy) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns sessions.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListSessionsRequest {
    client: crate::Client,
    params: calls::ListSessionsParams,
    options: CallOptions,
}

impl ListSessionsRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: none.
    pub fn order(mut self, value: wire::SessionOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::SessionPage> {
        let call = calls::list_sessions(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListSessionsRequest {
    type Item = wire::Session;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(
        &self,
        at: page::Position,
    ) -> crate::Result<page::Page<wire::Session>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::Session) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns the tenant and all tenants below it.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListTenantsRequest {
    client: crate::Client,
    params: calls::ListTenantsParams,
    options: CallOptions,
}

impl ListTenantsRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by name.
    pub fn order(mut self, value: wire::TenantOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only this tenant.
    pub fn uuid(mut self, value: &wire::TenantUuid) -> Self {
        self.params.uuid = Some(value.clone());
        self
    }

    /// Only these tenants.
    ///
    /// At most 25 items.
    pub fn uuids(mut self, values: impl IntoIterator<Item = wire::TenantUuid>) -> Self {
        self.params.uuids = values.into_iter().collect();
        self
    }

    /// Only tenants of this name.
    pub fn name(mut self, value: impl Into<String>) -> Self {
        self.params.name = Some(value.into());
        self
    }

    /// Only the tenant with this slug.
    pub fn slug(mut self, value: impl Into<String>) -> Self {
        self.params.slug = Some(value.into());
        self
    }

    /// Only the tenant with this domain.
    pub fn domain_name(mut self, value: impl Into<String>) -> Self {
        self.params.domain_name = Some(value.into());
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::TenantPage> {
        let call = calls::list_tenants(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListTenantsRequest {
    type Item = wire::Tenant;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::Tenant>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::Tenant) -> String {
        item.uuid.to_string()
    }
}

/// A request: returns the external services, and which of them a user is connected to.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListExternalRequest {
    client: crate::Client,
    user_uuid: wire::UserUuid,
    params: calls::ListExternalParams,
    options: CallOptions,
}

impl ListExternalRequest {
    /// Words that must occur in this order, in upper or lower case.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// The direction to sort in. Default: ascending.
    pub fn direction(mut self, value: wire::Direction) -> Self {
        self.params.direction = Some(value);
        self
    }

    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// The column to sort by. Default: by type.
    pub fn order(mut self, value: wire::ExternalOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Only this type.
    pub fn kind(mut self, value: impl Into<String>) -> Self {
        self.params.kind = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: The id is not a UUID (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::ExternalPage> {
        let call = calls::list_external(&self.user_uuid, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListExternalRequest {
    type Item = wire::ExternalService;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(
        &self,
        at: page::Position,
    ) -> crate::Result<page::Page<wire::ExternalService>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::ExternalService) -> String {
        item.r#type.to_string()
    }
}

/// A request: returns the users that are connected to an external service.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListConnectedUsersRequest {
    client: crate::Client,
    auth_type: String,
    params: calls::ListConnectedUsersParams,
    options: CallOptions,
}

impl ListConnectedUsersRequest {
    /// How many items to return at most. Default: all.
    ///
    /// At least 0.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// How many items to skip. Default: none.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Whether to include the tenants below. Default: false.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// Sets the tenant of the call: that of the client's token, or one below it. Default: the
    /// client's.
    pub fn tenant(mut self, value: &wire::TenantUuid) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("wazo-tenant"), value.as_str());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: A value is malformed or not permitted (400).
    /// - Of kind `InvalidToken`: The client's token is unknown or has expired (401).
    /// - Of kind `NotFound`: There is no such type, or it is not configured (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::ConnectedUserPage> {
        let call = calls::list_connected_users(&self.auth_type, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListConnectedUsersRequest {
    type Item = wire::ConnectedUser;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(100),
            largest: None,
        }
    }

    async fn page(
        &self,
        at: page::Position,
    ) -> crate::Result<page::Page<wire::ConnectedUser>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = match answer.filtered {
            Some(total) => page.total(u64::try_from(total).unwrap_or(0)),
            None => page,
        };
        Ok(page)
    }

    fn key(item: &wire::ConnectedUser) -> String {
        item.uuid.to_string()
    }
}
