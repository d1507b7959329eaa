//! The locations of the service's parts: from its catalog, or at fixed paths.

use std::fmt;
use std::sync::{Arc, Mutex};

use url::Url;
use vouchsafe_core::sync::lock;
use vouchsafe_core::url::BaseUrl;

use crate::{Catalog, Endpoint, EndpointFilter, Error, ErrorKind, Result};

/// A part of the service whose location must be found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Account,
    Ui,
    OAuth2,
}

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

/// How the parts are found.
#[derive(Debug)]
pub(crate) enum Layout {
    /// Under the base URL, always.
    Fixed(Box<Parts>),
    /// In the catalog of the identity part.
    Catalog(Discovered),
}

impl Layout {
    /// Returns whether the locations are known without a request.
    pub(crate) fn is_known(&self) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Catalog(discovered) => discovered.known().is_some(),
        }
    }

    /// Returns the location of the identity part, which is always known.
    pub(crate) fn identity(&self) -> &Place {
        match self {
            Self::Fixed(parts) => &parts.identity,
            Self::Catalog(discovered) => &discovered.identity,
        }
    }
}

/// The locations of the parts.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    identity: Arc<Place>,
    account: Option<Arc<Place>>,
    ui: Option<Arc<Place>>,
    oauth2: Option<Arc<Place>>,
}

/// The location of a part: the address for requests, and the one in the catalog.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) base: BaseUrl,
    pub(crate) url: String,
}

impl Parts {
    /// Derives the parts from a base URL.
    pub(crate) fn fixed(base_url: &str, prefixes: &Prefixes) -> Result<Self> {
        // The URL is parsed on its own first, so that errors concern it alone.
        let base_url = BaseUrl::parse(base_url).map(|_| base_url)?;
        let place = |prefix: &str| -> Result<Arc<Place>> {
            let url = join_urls(base_url, prefix.trim_end_matches('/'));
            Ok(Arc::new(Place {
                base: BaseUrl::parse(&url)?,
                url,
            }))
        };
        Ok(Self {
            identity: place(&prefixes.identity)?,
            account: Some(place(&prefixes.account)?),
            ui: Some(place(&prefixes.ui)?),
            oauth2: Some(place(&prefixes.oauth2)?),
        })
    }

    /// Finds the parts in a catalog. Only the paths of its addresses are used: requests go to the
    /// host of the configured URL (protocol section 3.1).
    fn of_catalog(identity: &Arc<Place>, catalog: &Catalog) -> Self {
        let account = EndpointFilter::new()
            .name("astakos_account")
            .version_id("v1.0");
        let account = catalog.endpoint(&account).ok();
        let oauth2 = catalog.endpoint(&EndpointFilter::new().name("astakos_oauth2"));
        let public = |endpoint: &Endpoint| endpoint.public_url.clone();
        // Optional parts: a bad URL is reported only when the part is used.
        Self {
            ui: account
                .as_ref()
                .and_then(|account| place(identity, account.ui_url()?).ok()),
            account: account
                .as_ref()
                .and_then(public)
                .and_then(|url| place(identity, &url).ok()),
            oauth2: oauth2
                .ok()
                .as_ref()
                .and_then(public)
                .and_then(|url| place(identity, &url).ok()),
            identity: identity.clone(),
        }
    }

    /// Returns the location of a part.
    pub(crate) fn get(&self, part: Part) -> Result<&Arc<Place>> {
        match part {
            Part::Account => self
                .account
                .as_ref()
                .ok_or_else(|| lacks("a usable address of astakos_account, version v1.0")),
            Part::Ui => self
                .ui
                .as_ref()
                .ok_or_else(|| lacks("a usable SNF:uiURL of astakos_account")),
            Part::OAuth2 => self
                .oauth2
                .as_ref()
                .ok_or_else(|| lacks("a usable address of astakos_oauth2")),
        }
    }
}

fn lacks(what: &str) -> Error {
    Error::lacks(
        ErrorKind::NoEndpoints,
        format!("the catalog lacks {what}; is this the URL of the identity part?"),
    )
}

/// Combines the path of a URL with the host of the identity part.
fn place(identity: &Place, url: &str) -> Result<Arc<Place>> {
    let told = || {
        Error::lacks(
            ErrorKind::NoEndpoints,
            "the catalog holds an address that is no URL",
        )
    };
    let scheme = if identity.base.is_https() {
        "https"
    } else {
        "http"
    };
    let origin = format!("{scheme}://{}", identity.base.authority());
    // A path alone is sufficient, since the host is ignored.
    let parsed = match url.starts_with('/') {
        true => Url::parse(&origin).and_then(|origin| origin.join(url)),
        false => Url::parse(url),
    };
    let parsed = parsed.map_err(|_| told())?;
    let base = BaseUrl::parse(&format!("{origin}{}", parsed.path())).map_err(|_| told())?;
    Ok(Arc::new(Place {
        base,
        url: url.to_owned(),
    }))
}

/// The parts found in the catalog, once it has been fetched.
pub(crate) struct Discovered {
    identity: Arc<Place>,
    parts: Mutex<Option<Arc<Parts>>>,
    /// One caller fetches, the others wait.
    pub(crate) asking: tokio::sync::Mutex<()>,
}

impl Discovered {
    pub(crate) fn new(auth_url: &str) -> Result<Self> {
        Ok(Self {
            identity: Arc::new(Place {
                base: BaseUrl::parse(auth_url)?,
                url: auth_url.to_owned(),
            }),
            parts: Mutex::new(None),
            asking: tokio::sync::Mutex::new(()),
        })
    }

    /// Returns the known parts.
    pub(crate) fn known(&self) -> Option<Arc<Parts>> {
        lock(&self.parts).clone()
    }

    /// Learns the parts from a catalog. One without the account part is used but not remembered,
    /// since the server may not be set up yet.
    pub(crate) fn learn(&self, catalog: Option<&Catalog>) -> Arc<Parts> {
        let none = Catalog::default();
        let parts = Arc::new(Parts::of_catalog(&self.identity, catalog.unwrap_or(&none)));
        if parts.account.is_none() {
            return parts;
        }
        let mut known = lock(&self.parts);
        *known = Some(Arc::clone(&parts));
        parts
    }
}

impl fmt::Debug for Discovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovered")
            .field("identity", &self.identity)
            .field("parts", &self.known())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(account: &str) -> Catalog {
        serde_json::from_value(serde_json::json!([
            {"name": "astakos_account", "type": "account", "endpoints": [
                {"versionId": "v1.0", "region": "default", "publicURL": account}]},
        ]))
        .unwrap()
    }

    #[test]
    fn only_the_path_of_an_address_in_the_catalog_is_used() {
        let discovered = Discovered::new("https://a.example.com:8443/x/identity/v2.0/").unwrap();
        let parts = discovered.learn(Some(&catalog("http://evil.example.net:1/x/account/v1.0/")));
        let account = parts.get(Part::Account).unwrap();
        assert_eq!(account.base.authority().as_str(), "a.example.com:8443");
        assert_eq!(account.base.path(), "/x/account/v1.0");
        assert!(account.base.is_https());
        assert_eq!(account.url, "http://evil.example.net:1/x/account/v1.0/");
    }

    #[test]
    fn a_path_alone_is_an_address() {
        let discovered = Discovered::new("https://a.example.com/x/identity/v2.0").unwrap();
        let parts = discovered.learn(Some(&catalog("/x/account/v1.0")));
        let account = parts.get(Part::Account).unwrap();
        assert_eq!(account.base.path(), "/x/account/v1.0");
        assert_eq!(account.base.authority().as_str(), "a.example.com");
    }

    #[test]
    fn what_is_missing_is_missed_when_it_is_needed() {
        let discovered = Discovered::new("https://a.example.com/identity/v2.0").unwrap();
        let parts = discovered.learn(Some(&catalog("https://a/account")));
        for part in [Part::Ui, Part::OAuth2] {
            assert_eq!(parts.get(part).unwrap_err().kind(), ErrorKind::NoEndpoints);
        }
        let bad_ui: Catalog = serde_json::from_value(serde_json::json!([
            {"name": "astakos_account", "endpoints": [
                {"versionId": "v1.0", "publicURL": "https://a/account", "SNF:uiURL": ""}]},
            {"name": "astakos_oauth2", "endpoints": [{"publicURL": ""}]},
        ]))
        .unwrap();
        let parts = discovered.learn(Some(&bad_ui));
        assert!(parts.get(Part::Account).is_ok());
        for part in [Part::Ui, Part::OAuth2] {
            assert_eq!(parts.get(part).unwrap_err().kind(), ErrorKind::NoEndpoints);
        }
        // Without the account part, the others can be used.
        let only_oauth2: Catalog = serde_json::from_value(serde_json::json!([
            {"name": "astakos_account"},
            {"name": "astakos_account", "endpoints": []},
            {"name": "astakos_oauth2", "endpoints": [{"publicURL": "https://a/oauth2"}]},
        ]))
        .unwrap();
        let parts = discovered.learn(Some(&only_oauth2));
        assert!(parts.get(Part::OAuth2).is_ok());
        for catalog in [None, Some(&Catalog::default()), Some(&only_oauth2)] {
            let error = discovered.learn(catalog).get(Part::Account).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NoEndpoints);
            assert!(error.to_string().contains("astakos_account"), "{error}");
        }
    }

    #[test]
    fn fixed_parts_are_under_the_base_url() {
        let parts = Parts::fixed("https://a.example.com/astakos/", &Prefixes::default()).unwrap();
        assert_eq!(parts.get(Part::Ui).unwrap().base.path(), "/astakos/ui");
        let old = Prefixes::all("/astakos/api/");
        let parts = Parts::fixed("https://a.example.com", &old).unwrap();
        assert_eq!(
            parts.get(Part::Account).unwrap().base.path(),
            "/astakos/api"
        );
        assert!(Parts::fixed("ftp://a.example.com", &old).is_err());
    }
}
