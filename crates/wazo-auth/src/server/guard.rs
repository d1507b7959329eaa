//! Guards of routes. The caller has already been identified by the layer in `layer.rs`.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, Request, Response};
use tower_layer::Layer;
use vouchsafe_core::server::{AsyncCheck, AsyncCheckService};

use super::Refusal;
use super::caller::Seen;
use super::path::Path;
use crate::acl::AccessTemplate;

/// Admits only callers whose token covers an access. As a layer it must be inside a
/// [`TokenLayer`](super::TokenLayer).
///
/// | condition | answer |
/// | --- | --- |
/// | the token does not cover the access | 401 `unauthorized`, reason `missing_permission_or_invalid_tenant` |
/// | the token's user belongs to a tenant other than that of [`only_tenant`](Self::only_tenant) | 401 `unauthorized` |
/// | there is no token, or the layer has left it to the guard to refuse an unknown one | 401 `unauthorized`, reason `not_found_or_expired` |
/// | the layer has left it to the guard to refuse a tenant | 401 `unauthorized-tenant` |
/// | the server must decide and cannot be reached | 503 `authentication-server-unreachable` |
/// | no layer has identified the caller | 500 `layer-missing` |
/// | the request has another path than the guard is for | 500 `path-mismatch` |
///
/// Each 401 `unauthorized` except the second has the access as `required_access`. If several
/// conditions apply, the first in this order counts, as in the service: token, access, tenant.
#[derive(Clone, Debug)]
pub struct Guard {
    access: AccessTemplate,
    path: Option<Path>,
    tenant: Option<String>,
}

impl Guard {
    /// Creates a guard for an access without parameters, such as `confd.status.read`.
    ///
    /// # Errors
    ///
    /// If it is not an access, or has parameters: [`for_path`](Self::for_path) says where they are.
    pub fn new(access: &str) -> Result<Self, GuardError> {
        Self::build(None, access)
    }

    /// Creates a guard for an access with parameters of the path, such as
    /// `confd.users.{user_uuid}.read` for `/users/{user_uuid}`. The path is the one that the route
    /// sees, without the prefix that an outer router removes.
    ///
    /// # Errors
    ///
    /// If one of them is malformed, or a parameter of the access is not in the path.
    pub fn for_path(path: &str, access: &str) -> Result<Self, GuardError> {
        let malformed = |why: &str| GuardError(format!("{path:?} is not a path of a route: {why}"));
        Self::build(Some(path.parse().map_err(malformed)?), access)
    }

    fn build(path: Option<Path>, access: &str) -> Result<Self, GuardError> {
        let malformed = |error: crate::acl::AccessTemplateError| GuardError(error.to_string());
        let access: AccessTemplate = access.parse().map_err(malformed)?;
        let is_known = |name: &&str| {
            let mut known = path.iter().flat_map(Path::parameters);
            known.any(|known| known == *name)
        };
        if let Some(name) = access.parameters().find(|name| !is_known(name)) {
            let why = format!("the path of the route has no {{{name}}}, which {access} needs");
            return Err(GuardError(why));
        }
        Ok(Self {
            access,
            path,
            tenant: None,
        })
    }

    /// Admits only callers of this tenant, as the service does for its own configuration. The
    /// tenant that they act in does not matter.
    #[must_use]
    pub fn only_tenant(mut self, uuid: impl Into<String>) -> Self {
        self.tenant = Some(uuid.into());
        self
    }

    /// Refuses a request unless its caller is admitted, for servers that do not use tower.
    ///
    /// # Errors
    ///
    /// See the table above. The refusal has already been logged.
    pub async fn check(&self, extensions: &Extensions, path: &str) -> Result<(), Refusal> {
        let seen = Seen::of(extensions)?.clone();
        self.admit(seen, path).await
    }

    /// Decides in the order of the service: token, access, tenant of the user, tenant to act in
    /// (protocol section 3.1).
    async fn admit(&self, seen: Seen, path: &str) -> Result<(), Refusal> {
        let values = match &self.path {
            None => Some(Vec::new()),
            Some(known) => known.read(path),
        };
        let value = |name: &str| {
            let mut values = values.as_ref()?.iter();
            values.find_map(|(known, value)| (*known == name).then_some(&**value))
        };
        let access = self.access.fill(value).filter(|_| values.is_some());
        let Some(access) = access else {
            return Err(Refusal::path_mismatch().logged());
        };
        let (Seen::Caller(caller) | Seen::HiddenTenant(caller)) = &seen else {
            return Err(Refusal::unknown_token(Some(&access), seen.now()).logged());
        };
        caller.require(&access).await?;
        let own = caller.info().metadata.tenant_uuid.as_ref();
        match &self.tenant {
            Some(tenant) if own.is_none_or(|own| own.as_str() != tenant) => {
                Err(caller.other_tenant().logged())
            }
            _ => seen.caller().map(drop),
        }
    }
}

/// Why a [`Guard`] cannot be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardError(String);

impl fmt::Display for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GuardError {}

impl<S> Layer<S> for Guard {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService::new(inner, Arc::new(self.clone()))
    }
}

/// A service behind a [`Guard`].
pub type GuardService<S> = AsyncCheckService<S, Guard>;

impl AsyncCheck for Guard {
    async fn check<A: Send, B: From<Bytes>>(
        &self,
        request: &mut Request<A>,
    ) -> Result<(), Response<B>> {
        let admitted = match Seen::of(request.extensions()).cloned() {
            Ok(seen) => self.admit(seen, request.uri().path()).await,
            Err(refusal) => Err(refusal),
        };
        admitted.map_err(|refusal| refusal.to_response())
    }
}
