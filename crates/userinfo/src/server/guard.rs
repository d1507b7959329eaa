//! Guards: may this user in? They ask Gafaelfawr with the delegated token. Who the user is has
//! been found out before, in `layer.rs`.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use tower_layer::Layer;
use tower_service::Service;
use vouchsafe_core::BoxFuture;

use super::{Identity, Refusal, RefusalKind};
use crate::{Allowance, Error, ErrorKind, GroupName, Result, Token, UserInfo};

/// Lets in those users only that Gafaelfawr knows to be in a group, or to have quota left.
///
/// A tower layer for routes, and [`check`](Self::check) for use inside of a handler. Each
/// requirement narrows: all of them must hold. As a layer it stands behind an
/// [`IngressLayer`](super::IngressLayer), and leaves a [`CheckedUser`] and an `Arc<UserInfo>` in the
/// request's extensions.
///
/// | what is wrong | answer |
/// | --- | --- |
/// | the user is in none of the groups | 403 `not_in_group` |
/// | the user's API quota for the service is zero | 403 `quota_exceeded` |
/// | Gafaelfawr takes the token no more | 403 `token_refused` |
/// | Gafaelfawr cannot be asked, or fails | 503 `auth_unavailable` |
/// | the ingress delegates no token | 500 `delegation_missing` |
/// | the token is another user's | 500 `ingress_invalid` |
/// | no layer has found out who it is | 500 `layer_missing` |
///
/// What the user does too often is refused by the ingress already; here counts only whether
/// there is any quota at all. With the crate's `Client` the answers come out of its cache.
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
    /// Makes a guard that lets every user in whose token is good.
    #[must_use]
    pub fn new(users: impl UserLookup) -> Self {
        Self {
            users: Arc::new(users),
            rules: Vec::new(),
        }
    }

    /// Lets in only who is in this group.
    #[must_use]
    pub fn require_group(self, group: GroupName) -> Self {
        self.require_any_group([group])
    }

    /// Lets in only who is in at least one of these groups. Of no groups: nobody.
    #[must_use]
    pub fn require_any_group(mut self, groups: impl IntoIterator<Item = GroupName>) -> Self {
        self.rules
            .push(Rule::AnyGroup(groups.into_iter().collect()));
        self
    }

    /// Lets in only who has API quota for a service: no limit, or a limit above zero.
    #[must_use]
    pub fn require_quota(mut self, service: impl Into<String>) -> Self {
        self.rules.push(Rule::Quota(service.into()));
        self
    }

    /// Asks whether a user may in, and returns what is known of the user.
    ///
    /// # Errors
    ///
    /// As in the table above, logged already.
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

/// The user that a request is from, with a token that was found to be that user's own: what a
/// [`Guard`] leaves behind.
///
/// The name in one header and the token in another are two claims of the ingress, and only asking
/// Gafaelfawr shows that they agree. A handler that needs both takes this, so that it never shows
/// one user's name with another's data. With the feature `axum` an extractor; elsewhere
/// [`of`](Self::of) takes it out of a request's extensions.
#[derive(Clone, Debug)]
pub struct CheckedUser {
    info: Arc<UserInfo>,
    token: Token,
}

impl CheckedUser {
    /// Returns the user that a guard left in a request's extensions.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::LayerMissing`] if no guard has asked.
    pub fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
        extensions.get::<Self>().ok_or_else(|| {
            Refusal::new(
                RefusalKind::LayerMissing,
                "This route needs a checked user and is not behind userinfo::server::Guard",
            )
            .logged()
        })
    }

    /// Returns what Gafaelfawr says of the user. `Deref` leads there too.
    #[must_use]
    pub fn info(&self) -> &Arc<UserInfo> {
        &self.info
    }

    /// Returns the token to act for this user with.
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

/// Tells what a user's token says about the user: the crate's `Client`, or a double in tests.
///
/// ```
/// use std::sync::Arc;
///
/// use vouchsafe_core::BoxFuture;
/// use vouchsafe_userinfo::server::UserLookup;
/// use vouchsafe_userinfo::{Group, Result, Token, UserInfo};
///
/// #[derive(Debug)]
/// struct EverybodyIsStaff;
///
/// impl UserLookup for EverybodyIsStaff {
///     fn user_info<'a>(&'a self, _: &'a Token) -> BoxFuture<'a, Result<Arc<UserInfo>>> {
///         let mut user = UserInfo::new("ada");
///         user.groups.push(Group::new("staff", 1001));
///         Box::pin(std::future::ready(Ok(Arc::new(user))))
///     }
/// }
/// ```
pub trait UserLookup: fmt::Debug + Send + Sync + 'static {
    /// Returns the information about the user whose token it is.
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
        GuardService {
            inner,
            guard: Arc::new(self.clone()),
        }
    }
}

/// A service behind a [`Guard`].
#[derive(Clone, Debug)]
pub struct GuardService<S> {
    inner: S,
    guard: Arc<Guard>,
}

impl<S, A, B> Service<Request<A>> for GuardService<S>
where
    S: Service<Request<A>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    A: Send + 'static,
    B: From<Bytes> + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<B>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        // The one that was polled ready goes along, a fresh one stays.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let guard = self.guard.clone();
        Box::pin(async move {
            let identity = match Identity::of(request.extensions()) {
                Ok(identity) => identity.clone(),
                Err(refusal) => return Ok(refusal.to_response()),
            };
            let checked = async {
                let info = guard.check(&identity).await?;
                let token = identity.delegated()?.clone();
                Ok::<_, Refusal>(CheckedUser { info, token })
            };
            match checked.await {
                Ok(user) => {
                    let extensions = request.extensions_mut();
                    extensions.insert(Arc::clone(&user.info));
                    extensions.insert(user);
                }
                Err(refusal) => return Ok(refusal.to_response()),
            }
            inner.call(request).await
        })
    }
}

/// A refused token is the user's trouble, all else the service's: never 401, which would have
/// the user throw away good credentials, and never a pass.
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
