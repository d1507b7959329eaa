//! Guards decide whether a user may access a route. They ask Gafaelfawr with the delegated token.
//! The user has already been identified by the layer in `layer.rs`.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, Request, Response};
use tower_layer::Layer;
use vouchsafe_core::BoxFuture;
use vouchsafe_core::server::{AsyncCheck, AsyncCheckService};

use super::{Identity, Refusal, RefusalKind};
use crate::{Allowance, Error, ErrorKind, GroupName, Result, Token, UserInfo};

/// Admits only users who are in a group, or have quota left, according to Gafaelfawr.
///
/// Use it as a tower layer for routes, or call [`check`](Self::check) in a handler. All
/// requirements must hold. As a layer it must be inside an [`IngressLayer`](super::IngressLayer),
/// and adds a [`CheckedUser`] and an `Arc<UserInfo>` to the request's extensions.
///
/// | condition | answer |
/// | --- | --- |
/// | the user is in none of the groups | 403 `not_in_group` |
/// | the user's API quota for the service is zero | 403 `quota_exceeded` |
/// | Gafaelfawr no longer accepts the token | 401 `token_refused` |
/// | Gafaelfawr cannot be reached, or fails | 503 `auth_unavailable` |
/// | the ingress does not delegate a token | 500 `delegation_missing` |
/// | the token belongs to another user | 500 `ingress_invalid` |
/// | no layer has identified the user | 500 `layer_missing` |
///
/// The ingress already enforces rates; the guard only checks whether there is any quota at all.
/// With the crate's `Client` the information comes from its cache.
#[derive(Clone, Debug)]
pub struct Guard {
    users: Arc<dyn UserLookup>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
enum Rule {
    AnyGroup(Vec<GroupName>),
    Quota(String),
}

impl Guard {
    /// Creates a guard that admits every user with a valid token.
    #[must_use]
    pub fn new(users: impl UserLookup) -> Self {
        Self {
            users: Arc::new(users),
            rules: Vec::new(),
        }
    }

    /// Admits only members of this group.
    #[must_use]
    pub fn require_group(self, group: GroupName) -> Self {
        self.require_any_group([group])
    }

    /// Admits only members of at least one of these groups. With an empty list, no user is
    /// admitted.
    #[must_use]
    pub fn require_any_group(mut self, groups: impl IntoIterator<Item = GroupName>) -> Self {
        self.rules
            .push(Rule::AnyGroup(groups.into_iter().collect()));
        self
    }

    /// Admits only users with API quota for a service: no limit, or a limit above zero.
    #[must_use]
    pub fn require_quota(mut self, service: impl Into<String>) -> Self {
        self.rules.push(Rule::Quota(service.into()));
        self
    }

    /// Checks whether a user is admitted, and returns the information about the user.
    ///
    /// # Errors
    ///
    /// See the table above. The refusal has already been logged.
    pub async fn check(&self, identity: &Identity) -> Result<Arc<UserInfo>, Refusal> {
        let token = identity.delegated()?;
        let user = match self.users.user_info(token).await {
            Ok(user) => user,
            Err(error) => return Err(failed(error).logged()),
        };
        if user.username != identity.username.as_str() {
            return Err(Refusal::new(
                RefusalKind::IngressInvalid,
                "The ingress passes on a token of another user than it names",
            )
            .logged());
        }
        match self.rules.iter().find_map(|rule| rule.broken_by(&user)) {
            Some(refusal) => Err(refusal.logged()),
            None => Ok(user),
        }
    }
}

impl Rule {
    fn broken_by(&self, user: &UserInfo) -> Option<Refusal> {
        match self {
            Self::AnyGroup(groups) => {
                let is_in = |group: &GroupName| user.is_in_group(group.as_str());
                (!groups.iter().any(is_in)).then(|| {
                    let names: Vec<_> = groups.iter().map(GroupName::as_str).collect();
                    Refusal::new(
                        RefusalKind::NotInGroup,
                        format!("Only for members of: {}", names.join(", ")),
                    )
                })
            }
            Self::Quota(service) => match user.quota.api(service) {
                Allowance::Unlimited | Allowance::PerMinute(_) => None,
                Allowance::Blocked => Some(Refusal::new(
                    RefusalKind::NoQuota,
                    format!("The quota allows no requests to {service}"),
                )),
            },
        }
    }
}

/// The user who made a request, with a token that has been verified to belong to that user. A
/// [`Guard`] adds it to the request.
///
/// The ingress sends the name and the token in separate headers, and only Gafaelfawr can confirm
/// that they belong together. A handler that needs both uses this type, so that it never shows one
/// user's name with another's data. With the feature `axum` it is an extractor; otherwise
/// [`of`](Self::of) returns it from a request's extensions.
#[derive(Clone, Debug)]
pub struct CheckedUser {
    info: Arc<UserInfo>,
    token: Token,
}

impl CheckedUser {
    /// Returns the user that a guard added to a request's extensions.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::LayerMissing`] if no guard has checked the request.
    pub fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
        extensions.get::<Self>().ok_or_else(|| {
            Refusal::new(
                RefusalKind::LayerMissing,
                "This route needs a checked user and is not behind userinfo::server::Guard",
            )
            .logged()
        })
    }

    /// Returns Gafaelfawr's information about the user, which is also available through `Deref`.
    #[must_use]
    pub fn info(&self) -> &Arc<UserInfo> {
        &self.info
    }

    /// Returns the token for acting on behalf of this user.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }
}

impl Deref for CheckedUser {
    type Target = UserInfo;

    fn deref(&self) -> &UserInfo {
        &self.info
    }
}

/// Looks up the user of a token: the crate's `Client`, or a double in tests.
///
/// ```
/// use std::sync::Arc;
///
/// use vouchsafe_core::BoxFuture;
/// use vouchsafe_userinfo::server::UserLookup;
/// use vouchsafe_userinfo::{Group, Result, Token, UserInfo};
///
/// #[derive(Debug)]
/// struct AllAreStaff;
///
/// impl UserLookup for AllAreStaff {
///     fn user_info<'a>(&'a self, _: &'a Token) -> BoxFuture<'a, Result<Arc<UserInfo>>> {
///         let mut user = UserInfo::new("ada");
///         user.groups.push(Group::new("staff", 1001));
///         Box::pin(std::future::ready(Ok(Arc::new(user))))
///     }
/// }
/// ```
pub trait UserLookup: fmt::Debug + Send + Sync + 'static {
    /// Returns information about the user of a token.
    fn user_info<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<Arc<UserInfo>>>;
}

impl<L: UserLookup + ?Sized> UserLookup for Arc<L> {
    fn user_info<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<Arc<UserInfo>>> {
        (**self).user_info(token)
    }
}

impl UserLookup for crate::Client {
    fn user_info<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<Arc<UserInfo>>> {
        Box::pin(self.user_info(token))
    }
}

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
        let identity = Identity::of(request.extensions()).cloned();
        let checked = async {
            let identity = identity?;
            let info = Self::check(self, &identity).await?;
            let token = identity.delegated()?.clone();
            Ok::<_, Refusal>(CheckedUser { info, token })
        };
        let user = checked.await.map_err(|refusal| refusal.to_response())?;
        let extensions = request.extensions_mut();
        extensions.insert(Arc::clone(&user.info));
        extensions.insert(user);
        Ok(())
    }
}

/// A refused token concerns the user, who has to log in again: it is 401, as Gafaelfawr itself would
/// answer (protocol section 4.1). Everything else concerns the service, and is never 401, which
/// would make the user discard valid credentials.
fn failed(error: Error) -> Refusal {
    let is_refused = error.kind() == ErrorKind::Core(vouchsafe_core::ErrorKind::Credential)
        && error.status() == Some(http::StatusCode::UNAUTHORIZED);
    let refusal = if is_refused {
        Refusal::new(
            RefusalKind::TokenRefused,
            "The user's token is not valid any more",
        )
    } else {
        Refusal::new(
            RefusalKind::AuthUnavailable,
            "User information cannot be had at present",
        )
    };
    refusal.with_source(error)
}
