//! The locations of the service's parts: from its catalog, or at fixed paths.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;
use vouchsafe_core::BoxFuture;
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::call::Operation;
use vouchsafe_core::service::Base;
use vouchsafe_core::url::BaseUrl;

use crate::{Catalog, EndpointFilter, Error, ErrorKind, Result};

/// The paths of the parts under the base URL, for servers without a catalog. Leading and trailing
/// slashes are ignored.
///
/// The default is that of 0.14: `identity/v2.0`, `account/v1.0`, `ui` and `oauth2`. Servers before
/// mid-2013 used `astakos/api` for everything (protocol section 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Prefixes {
    identity: String,
    account: String,
    ui: String,
    oauth2: String,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self {
            identity: "identity/v2.0".to_owned(),
            account: "account/v1.0".to_owned(),
            ui: "ui".to_owned(),
            oauth2: "oauth2".to_owned(),
        }
    }
}

impl Prefixes {
    /// Uses one path for everything.
    pub fn all(path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            identity: path.clone(),
            account: path.clone(),
            ui: path.clone(),
            oauth2: path,
        }
    }

    /// Sets the path of `tokens`. Default: `identity/v2.0`.
    pub fn identity(mut self, path: impl Into<String>) -> Self {
        self.identity = path.into();
        self
    }

    /// Sets the path of quotas, commissions, catalogs. Default: `account/v1.0`.
    pub fn account(mut self, path: impl Into<String>) -> Self {
        self.account = path.into();
        self
    }

    /// Sets the path of `get_services`. Default: `ui`.
    pub fn ui(mut self, path: impl Into<String>) -> Self {
        self.ui = path.into();
        self
    }

    /// Sets the path of `token`. Default: `oauth2`.
    pub fn oauth2(mut self, path: impl Into<String>) -> Self {
        self.oauth2 = path.into();
        self
    }
}

/// Joins two parts of a path or URL with exactly one slash (protocol section 3.1).
///
/// ```
/// assert_eq!(vouchsafe_astakos::join_urls("/a/", "/b"), "/a/b");
/// ```
#[must_use]
pub fn join_urls(left: &str, right: &str) -> String {
    format!(
        "{}/{}",
        left.trim_end_matches('/'),
        right.trim_start_matches('/')
    )
}

/// Where the parts of the service are. All but the identity part are found when they are needed,
/// and then kept.
#[derive(Clone)]
pub(super) struct Parts {
    identity: Base<Error>,
    account: Base<Error>,
    ui: Base<Error>,
    oauth2: Base<Error>,
    places: Cache<(), Arc<Places>, Error>,
    fetch: Arc<Fetch>,
    /// Set if they are in a catalog.
    cataloged: Option<BaseUrl>,
}

type Fetch = dyn Fn() -> BoxFuture<'static, Result<Places>> + Send + Sync;

impl Parts {
    /// Finds the parts in the catalog, which the function fetches from the identity part.
    pub(super) fn cataloged<Fut>(
        identity: BaseUrl,
        fetch: impl Fn() -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<Option<Catalog>>> + Send + 'static,
    {
        let here = identity.clone();
        let fetch = move || -> BoxFuture<'static, Result<Places>> {
            let (here, fetched) = (here.clone(), fetch());
            Box::pin(async move { Ok(Places::of(&here, fetched.await?.as_ref())) })
        };
        Self {
            cataloged: Some(identity.clone()),
            ..Self::new(identity, Arc::new(fetch))
        }
    }

    /// Knows the identity part alone.
    pub(super) fn identity(at: BaseUrl) -> Self {
        Self::cataloged(at, || std::future::ready(Ok(None)))
    }

    /// Finds the parts under a base URL.
    pub(super) fn fixed(base_url: &str, prefixes: &Prefixes) -> Result<Self> {
        // The URL is parsed on its own first, so that errors concern it alone.
        BaseUrl::parse(base_url)?;
        let url = |prefix: &str| join_urls(base_url, prefix.trim_end_matches('/'));
        let base = |prefix: &str| BaseUrl::parse(&url(prefix));
        let places = Places {
            account: Some(base(&prefixes.account)?),
            ui: Some(base(&prefixes.ui)?),
            oauth2: Some(base(&prefixes.oauth2)?),
            oauth2_url: url(&prefixes.oauth2),
        };
        let fetch = move || -> BoxFuture<'static, Result<Places>> {
            Box::pin(std::future::ready(Ok(places.clone())))
        };
        Ok(Self::new(base(&prefixes.identity)?, Arc::new(fetch)))
    }

    fn new(identity: BaseUrl, fetch: Arc<Fetch>) -> Self {
        let forever = Cache::builder().capacity(1).ttl(Duration::MAX);
        let places = forever.error_ttl(Duration::ZERO).build();
        let base = |read: fn(&Places) -> Result<BaseUrl>| {
            let fetch = Arc::clone(&fetch);
            Base::found(places.clone(), move || fetched(fetch()), read)
        };
        Self {
            identity: Base::fixed(identity),
            account: base(Places::account),
            ui: base(Places::ui),
            oauth2: base(Places::oauth2),
            places,
            fetch,
            cataloged: None,
        }
    }

    /// Returns the part that has an operation.
    pub(super) fn base(&self, operation: &Operation) -> &Base<Error> {
        match operation.id().split('.').next() {
            Some("account") => &self.account,
            Some("ui") => &self.ui,
            Some("oauth2") => &self.oauth2,
            _ => &self.identity,
        }
    }

    /// Returns the address of the OAuth 2.0 part as the catalog states it.
    pub(super) async fn oauth2_url(&self) -> Result<String> {
        let fetch = || fetched((self.fetch)());
        let places = self.places.get_or_fetch(&(), fetch).await?;
        places.oauth2()?;
        Ok(places.oauth2_url.clone())
    }

    /// Learns the parts from a catalog, unless they are fixed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`] if it lacks the account part.
    pub(super) fn learn(&self, catalog: Option<&Catalog>) -> Result<()> {
        let Some(identity) = &self.cataloged else {
            return Ok(());
        };
        let places = Places::of(identity, catalog);
        places.account()?;
        self.places.insert((), Fetched::new(Arc::new(places)));
        Ok(())
    }

    /// Returns whether the parts are known without a request.
    pub(super) fn is_known(&self) -> bool {
        self.cataloged.is_none() || self.places.get(&()).is_some()
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("identity", &self.identity)
            .field("places", &self.places.get(&()))
            .finish_non_exhaustive()
    }
}

/// A catalog without the account part is used but not kept: the server may not be set up yet.
async fn fetched(places: BoxFuture<'static, Result<Places>>) -> Result<Fetched<Arc<Places>>> {
    let places = Arc::new(places.await?);
    let is_kept = places.account.is_some();
    let fetched = Fetched::new(places);
    Ok(if is_kept {
        fetched
    } else {
        fetched.ttl(Duration::ZERO)
    })
}

/// The locations of the parts.
#[derive(Clone, Debug)]
struct Places {
    account: Option<BaseUrl>,
    ui: Option<BaseUrl>,
    oauth2: Option<BaseUrl>,
    oauth2_url: String,
}

impl Places {
    /// Finds the parts in a catalog. Optional parts: a bad address is reported only when the part
    /// is used.
    fn of(identity: &BaseUrl, catalog: Option<&Catalog>) -> Self {
        let endpoint = |filter: EndpointFilter| catalog?.endpoint(&filter).ok();
        let account = EndpointFilter::new().name("astakos_account");
        let account = endpoint(account.version_id("v1.0"));
        let ui = account.as_ref().and_then(|account| account.ui_url());
        let account = account.as_ref().and_then(|it| it.public_url.as_deref());
        let oauth2 = endpoint(EndpointFilter::new().name("astakos_oauth2"));
        let oauth2 = oauth2.and_then(|it| it.public_url).unwrap_or_default();
        Self {
            account: account.and_then(|url| place(identity, url)),
            ui: ui.and_then(|url| place(identity, url)),
            oauth2: place(identity, &oauth2),
            oauth2_url: oauth2,
        }
    }

    fn account(&self) -> Result<BaseUrl> {
        found(&self.account, "address of astakos_account, version v1.0")
    }

    fn ui(&self) -> Result<BaseUrl> {
        found(&self.ui, "SNF:uiURL of astakos_account")
    }

    fn oauth2(&self) -> Result<BaseUrl> {
        found(&self.oauth2, "address of astakos_oauth2")
    }
}

fn found(base: &Option<BaseUrl>, what: &str) -> Result<BaseUrl> {
    base.clone().ok_or_else(|| {
        Error::lacks(
            ErrorKind::NoEndpoints,
            format!("the catalog lacks a usable {what}; is this the URL of the identity part?"),
        )
    })
}

/// Combines the path of an address with the host of the identity part: requests go only there
/// (protocol section 3.1). A path alone is sufficient.
fn place(identity: &BaseUrl, address: &str) -> Option<BaseUrl> {
    let scheme = if identity.is_https() { "https" } else { "http" };
    let origin = format!("{scheme}://{}", identity.authority());
    let parsed = match address.starts_with('/') {
        true => Url::parse(&origin).ok()?.join(address),
        false => Url::parse(address),
    };
    BaseUrl::parse(&format!("{origin}{}", parsed.ok()?.path())).ok()
}
