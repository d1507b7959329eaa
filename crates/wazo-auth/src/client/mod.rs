//! The client for one server, with one credential and one tenant.

mod builder;
mod legacy;

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};
use vouchsafe_core::auth::HeaderToken;
use vouchsafe_core::call::{Answer, Call, CallOptions, Operation, Repeat};
use vouchsafe_core::service::{Service, Session};
use vouchsafe_core::url::Target;
use vouchsafe_core::{CoreClient, Secret};

pub use self::builder::ClientBuilder;
use crate::{Error, Result, TenantUuid};

/// A client for wazo-auth.
///
/// Operations are grouped as in the older clients: `client.users().get(&uuid)`,
/// `client.policies().list()`. A method without optional parameters sends its request directly;
/// others return a request builder, whose [`send`](crate::ListUsersRequest::send) sends it. Lists
/// can also be read item by item, across pages.
///
/// # Tenants
///
/// A call acts in the tenant of the client's token, or in one below it: for all calls of a client
/// by [`with_tenant`](Self::with_tenant), for one call by `tenant` of its request.
///
/// # Pooling and cloning
///
/// Cheap to clone; clones and clients with another token or tenant share connections and budgets.
/// Create one client and clone it. Nothing runs in the background.
#[derive(Clone, Debug)]
pub struct Client {
    session: Session,
    login: Option<Login>,
    dialect: Dialect,
}

/// The generation of servers that a client sends requests to. Answers of all generations are
/// understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Servers since 20.16.
    #[default]
    Current,
    /// Servers before 21.05, for which the original Python client was written: accesses of policies
    /// are called `acl_templates`, in bodies and in paths.
    Legacy,
}

/// The user name and password of a client.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) username: Arc<str>,
    pub(crate) password: Secret,
}

impl Client {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    vouchsafe_core::session_methods!(session);

    /// Returns the client with another tenant for its calls.
    #[doc(alias = "set_default_tenant")]
    #[doc(alias = "set_tenant")]
    #[doc(alias = "tenant")]
    #[doc(alias = "tenant_uuid")]
    #[must_use]
    pub fn with_tenant(&self, tenant: &TenantUuid) -> Self {
        self.with_options(CallOptions::new().plain_header(TENANT, tenant.as_str()))
    }

    /// Returns the client with another user name and password to log in with. Only
    /// [`create`](crate::TokenApi::create) of tokens sends them.
    #[must_use]
    pub fn with_credentials(
        &self,
        username: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        let login = Login::new(username.into(), password.into());
        Self {
            login: Some(login),
            ..self.clone()
        }
    }

    /// Returns whether a server answers at the client's URL, with any status.
    pub async fn is_server_reachable(&self) -> bool {
        static ROOT: Operation = Operation::new("wazo-auth.isServerReachable", Method::HEAD, "")
            .repeat(Repeat::Safe)
            .open();
        let call = Call::new(&ROOT, Target::new(""));
        match self.session.send(call, &CallOptions::new()).await {
            Ok(_) => true,
            Err(error) => error.status().is_some(),
        }
    }

    pub(crate) fn core(&self) -> &CoreClient {
        self.session.client()
    }

    pub(crate) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }
}

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, (): &(), options: &CallOptions) -> Result<Answer> {
        let call = match self.dialect {
            Dialect::Current => call,
            Dialect::Legacy => legacy::translated(call)?,
        };
        let is_check = call.operation().id() == CHECK;
        let answer = self.session.send(call, options).await?;
        // There is no body that would show whether it is the service that answers.
        if is_check && answer.status() != StatusCode::NO_CONTENT {
            let status = answer.status().as_u16();
            let why =
                format!("{status} says nothing of a token, 204 does: is the URL wazo-auth's?");
            return Err(answer.decode_error(why).into());
        }
        Ok(answer)
    }
}

impl Login {
    pub(crate) fn new(username: String, password: Secret) -> Self {
        Self {
            username: username.into(),
            password,
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Login").field(&self.username).finish()
    }
}

/// The scheme of the client's token.
fn scheme() -> Arc<HeaderToken> {
    Arc::new(HeaderToken::new(TOKEN))
}

const CHECK: &str = "wazo-auth.checkToken";
const TENANT: http::HeaderName = http::HeaderName::from_static("wazo-tenant");
const TOKEN: http::HeaderName = http::HeaderName::from_static("x-auth-token");
