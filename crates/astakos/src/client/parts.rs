//! The locations of the service's parts: from its catalog, or at fixed paths.

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::BoxFuture;
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::call::Operation;
use vouchsafe_core::service::Base;
use vouchsafe_core::url::{Absolute, BaseUrl, Given};

use crate::{Catalog, EndpointFilter, Error, ErrorKind, Result};

/// Writes the setters, and the defaults that their documentation states.
macro_rules! prefixes {
    ($($part:ident, $default:literal, $what:literal;)*) => {
        /// The paths of the parts under the base URL, for servers without a catalog. Leading and
        /// trailing slashes are ignored.
        ///
        /// The defaults are those of 0.14. Servers before mid-2013 used `astakos/api` for
        /// everything (protocol section 3.2).
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[must_use]
        pub struct Prefixes {
            $($part: Given,)*
        }

        impl Default for Prefixes {
            fn default() -> Self {
                Self { $($part: Given::path($default),)* }
            }
        }

        impl Prefixes {
            /// Uses one path for everything.
            pub fn all(path: impl Into<String>) -> Self {
                let path = path.into();
                Self { $($part: Given::path(path.clone()),)* }
            }

            $(
                #[doc = concat!("Sets the path of ", $what, ". Default: `", $default, "`.")]
                pub fn $part(mut self, path: impl Into<String>) -> Self {
                    self.$part = Given::path(path);
                    self
                }
            )*
        }
    };
}

prefixes! {
    identity, "identity/v2.0", "`tokens`";
    account, "account/v1.0", "quotas, commissions, catalogs";
    ui, "ui", "`get_services`";
    oauth2, "oauth2", "`token`";
}

/// Joins two parts of a path or URL with exactly one slash (protocol section 3.1).
///
/// ```
/// assert_eq!(vouchsafe_astakos::join_urls("/a/", "/b"), "/a/b");
/// ```
#[must_use]
pub fn join_urls(left: &str, right: &str) -> String {
    let (left, right) = (left.trim_end_matches('/'), right.trim_start_matches('/'));
    format!("{left}/{right}")
}

/// The locations of the parts of the service. All but the identity part are looked up when they are
/// needed, and then kept.
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

type Fetching = BoxFuture<'static, Result<Fetched<Arc<Places>>>>;
type Fetch = dyn Fn() -> Fetching + Send + Sync;

impl Parts {
    /// Finds the parts in the catalog, which the function fetches from the identity part.
    pub(super) fn cataloged<Fut: Future<Output = Result<Option<Catalog>>> + Send + 'static>(
        identity: BaseUrl,
        fetch: impl Fn() -> Fut + Send + Sync + 'static,
    ) -> Self {
        let here = identity.clone();
        let fetch = move || -> Fetching {
            let (here, catalog) = (here.clone(), fetch());
            Box::pin(async move { Ok(Places::of(&here, catalog.await?.as_ref()).fetched()) })
        };
        Self::new(identity.clone(), Some(identity), Arc::new(fetch))
    }

    /// Finds the parts under a base URL.
    pub(super) fn fixed(base_url: &str, prefixes: &Prefixes) -> Result<Self> {
        // The URL is parsed on its own first, so that errors concern it alone.
        BaseUrl::parse(base_url)?;
        let url = |prefix: &str| join_urls(base_url, prefix.trim_end_matches('/'));
        let base = |prefix: &str| BaseUrl::parse(&url(prefix));
        let places = Places {
            account: Ok(base(&prefixes.account)?),
            ui: Ok(base(&prefixes.ui)?),
            oauth2: Ok(base(&prefixes.oauth2)?),
            oauth2_url: url(&prefixes.oauth2).into(),
        };
        let fetch = move || -> Fetching { Box::pin(ready(Ok(places.clone().fetched()))) };
        Ok(Self::new(base(&prefixes.identity)?, None, Arc::new(fetch)))
    }

    fn new(identity: BaseUrl, cataloged: Option<BaseUrl>, fetch: Arc<Fetch>) -> Self {
        let forever = Cache::builder().capacity(1).ttl(Duration::MAX);
        let forever = forever.error_ttl(Duration::ZERO).fetch_again(true);
        let places = forever.build();
        let base = |read: fn(&Places) -> Result<BaseUrl>| {
            let fetch = Arc::clone(&fetch);
            Base::found(places.clone(), move || fetch(), read)
        };
        Self {
            identity: Base::fixed(identity),
            account: base(|places| places.account.clone()),
            ui: base(|places| places.ui.clone()),
            oauth2: base(|places| places.oauth2.clone()),
            places,
            fetch,
            cataloged,
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
        let places = self.places.get_or_fetch(&(), || (self.fetch)()).await?;
        places.oauth2.clone()?;
        Ok(places.oauth2_url.to_string())
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
        places.account.clone()?;
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

/// The locations of the parts. A fault in one is reported only when it is used.
#[derive(Clone, Debug)]
struct Places {
    account: Result<BaseUrl>,
    ui: Result<BaseUrl>,
    oauth2: Result<BaseUrl>,
    oauth2_url: Given,
}

impl Places {
    /// Finds the parts in a catalog.
    fn of(identity: &BaseUrl, catalog: Option<&Catalog>) -> Self {
        let endpoint = |filter: EndpointFilter| catalog?.endpoint(&filter).ok();
        let account = endpoint(
            EndpointFilter::new()
                .name("astakos_account")
                .version_id("v1.0"),
        );
        let oauth2 = endpoint(EndpointFilter::new().name("astakos_oauth2"));
        let oauth2 = oauth2.and_then(|it| it.public_url);
        let find =
            |url: Option<&str>, what: &str| {
                url.and_then(|url| place(identity, url)).ok_or_else(|| {
                Error::lacks(ErrorKind::NoEndpoints, format!(
                    "the catalog lacks a usable {what}; is this the URL of the identity part?"
                ))
            })
            };
        let url = account.as_ref().and_then(|it| it.public_url.as_deref());
        let ui = account.as_ref().and_then(|it| it.ui_url());
        Self {
            account: find(url, "address of astakos_account, version v1.0"),
            ui: find(ui, "SNF:uiURL of astakos_account"),
            oauth2: find(oauth2.as_deref(), "address of astakos_oauth2"),
            oauth2_url: oauth2.unwrap_or_default().into(),
        }
    }

    /// Without the account part they are used but not kept: the server may not be set up yet.
    fn fetched(self) -> Fetched<Arc<Self>> {
        match self.account {
            Ok(_) => Fetched::new(Arc::new(self)),
            Err(_) => Fetched::new(Arc::new(self)).ttl(Duration::ZERO),
        }
    }
}

/// Combines the path of an address with the host of the identity part: requests go only there
/// (protocol section 3.1). A path alone is sufficient.
fn place(identity: &BaseUrl, address: &str) -> Option<BaseUrl> {
    // Only the path is used, so it does not matter where a path alone would lead.
    let whole = match address {
        _ if address.starts_with("//") => format!("http:{address}"),
        _ if address.starts_with('/') => format!("http://any{address}"),
        _ => address.to_owned(),
    };
    identity
        .with_path(Absolute::parse(&whole).ok()?.path())
        .ok()
}
