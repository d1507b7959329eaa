//! URLs of endpoints.

use std::fmt;

use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{Error as Core, ErrorKind as Kind};

use crate::{Error, Result};

/// A URL, split into the parts that a call needs.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// Scheme, host and port.
    base: BaseUrl,
    /// Path and query.
    target: Target,
}

impl Url {
    /// Splits the URL of an endpoint.
    pub(crate) fn whole(url: &str) -> Result<Self> {
        let after_scheme = url.find("://").map_or(0, |at| at + "://".len());
        let path = url[after_scheme..].find(['/', '?', '#']);
        let (base, rest) = url.split_at(path.map_or(url.len(), |at| after_scheme + at));
        let rest = if rest.starts_with('/') {
            rest.to_owned()
        } else {
            format!("/{rest}")
        };
        let config = |error: Core| error.with_kind(Kind::Config);
        Ok(Self {
            base: BaseUrl::parse(base)?,
            target: Target::encoded(&rest).map_err(config)?,
        })
    }

    /// Appends a path to a base URL.
    pub(crate) fn below(base: &str, path: &str) -> Result<Self> {
        BaseUrl::parse(base)?;
        Self::whole(&format!("{}{path}", base.trim_end_matches('/')))
    }

    /// Appends a path and query to this one, with exactly one slash between them.
    pub(crate) fn joined(&self, path: &str) -> Result<Self> {
        let (folder, path) = (
            self.path().trim_end_matches('/'),
            path.trim_start_matches('/'),
        );
        Ok(Self {
            base: self.base.clone(),
            target: Target::encoded(&format!("{folder}/{path}"))?,
        })
    }

    /// Puts a well-known path in front of the path (RFC 8414, section 3.1).
    pub(crate) fn well_known(&self, path: &str) -> Result<Self> {
        let own = self.path().trim_end_matches('/');
        Ok(Self {
            base: self.base.clone(),
            target: Target::encoded(&format!("{path}{own}"))?,
        })
    }

    /// Reads a reference relative to this URL (RFC 3986, section 4.2). Segments that lead upwards
    /// are refused.
    pub(crate) fn resolved(&self, reference: &str) -> Result<Self> {
        let reference = reference.split('#').next().unwrap_or_default();
        let scheme = if self.base.is_https() {
            "https"
        } else {
            "http"
        };
        if is_absolute(reference) {
            return Self::whole(reference);
        }
        if reference.starts_with("//") {
            return Self::whole(&format!("{scheme}:{reference}"));
        }
        let path = self.path();
        let target = match reference.chars().next() {
            Some('/') => reference.to_owned(),
            Some('?') => format!("{path}{reference}"),
            Some(_) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/{reference}")
            }
            None => self.target.as_str().to_owned(),
        };
        Ok(Self {
            base: self.base.clone(),
            target: Target::encoded(&target)?,
        })
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    fn path(&self) -> &str {
        let target = self.target.as_str();
        target.split('?').next().unwrap_or_default()
    }

    /// Returns whether scheme, host and port are those of another URL.
    pub(crate) fn has_origin_of(&self, other: &Self) -> bool {
        let origin = |url: &Self| {
            let authority = url.base.authority();
            let usual = if url.base.is_https() { 443 } else { 80 };
            let port = authority.port_u16().unwrap_or(usual);
            (
                url.base.is_https(),
                url.base.host().to_ascii_lowercase(),
                port,
            )
        };
        origin(self) == origin(other)
    }

    /// The error for a URL that must not be used.
    pub(crate) fn refused(&self, why: &str) -> Error {
        let base = &self.base;
        Core::new(
            Kind::Config,
            format!("no request may be sent to {base}: {why}"),
        )
        .into()
    }
}

/// Returns whether a reference begins with a scheme and a host: the path or the query of one that
/// does not may hold a URL too.
pub(crate) fn is_absolute(reference: &str) -> bool {
    let scheme = reference.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.contains(['/', '?', '#']))
}

/// Without the query, which may contain a secret.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({}{})", self.base, self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: Result<Url>) -> String {
        let url = url.unwrap();
        format!("{}{}", url.base(), url.target().as_str())
    }

    #[test]
    fn a_path_is_joined_with_one_slash_and_the_base_path_is_kept() {
        for (base, path, whole) in [
            ("https://h.example", "/x", "https://h.example/x"),
            ("https://h.example/", "x?a=1", "https://h.example/x?a=1"),
            ("https://h.example/base/", "/x", "https://h.example/base/x"),
            ("https://h.example:8443", "", "https://h.example:8443/"),
        ] {
            assert_eq!(shown(Url::whole(base).unwrap().joined(path)), whole);
        }
        let base = Url::whole("https://h.example/base/").unwrap();
        assert!(base.joined("/../x").is_err());
        let known = base.well_known("/.well-known/x");
        assert_eq!(shown(known), "https://h.example/.well-known/x/base");
    }

    #[test]
    fn references_are_resolved_as_in_the_standard() {
        let from = Url::whole("http://h.example:1/a/b?c=d").unwrap();
        for (reference, whole) in [
            ("https://other.example/x", "https://other.example/x"),
            ("//other.example/x", "http://other.example/x"),
            ("/x?y=z#f", "http://h.example:1/x?y=z"),
            ("x", "http://h.example:1/a/x"),
            ("?x", "http://h.example:1/a/b?x"),
            ("/x?y=z://q", "http://h.example:1/x?y=z://q"),
            ("x?y=z://q/", "http://h.example:1/a/x?y=z://q/"),
            ("?x=//y://z", "http://h.example:1/a/b?x=//y://z"),
            ("//o.example/x?y=z://q", "http://o.example/x?y=z://q"),
            ("", "http://h.example:1/a/b?c=d"),
        ] {
            assert_eq!(shown(from.resolved(reference)), whole, "{reference}");
        }
        assert!(from.resolved("../x").is_err());
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |one: &str, other: &str| {
            let other = Url::whole(other).unwrap();
            Url::whole(one).unwrap().has_origin_of(&other)
        };
        assert!(same("https://H.example/a", "https://h.example:443/b"));
        assert!(!same("https://h.example", "http://h.example"));
        assert!(!same("https://h.example", "https://h.example:8443"));
        assert!(!same("https://h.example", "https://h.example.org"));
    }

    #[test]
    fn no_text_of_a_url_shows_its_query() {
        let url = Url::whole("https://h.example/a?token=planted").unwrap();
        assert_eq!(format!("{url:?}"), "Url(https://h.example/a)");
    }
}
