//! The catalog of services and their addresses.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// The services listed by the identity part (protocol section 3.3).
///
/// ```
/// use vouchsafe_astakos::{Catalog, EndpointFilter};
///
/// let catalog: Catalog = serde_json::from_str(
///     r#"[{"name": "cyclades_compute", "type": "compute", "endpoints": [
///         {"versionId": "v2.0", "publicURL": "https://compute.example.com/v2.0"}]}]"#,
/// )?;
/// let endpoint = catalog.endpoint(&EndpointFilter::new().service_type("compute"))?;
/// assert_eq!(endpoint.public_url.as_deref(), Some("https://compute.example.com/v2.0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Catalog(Vec<CatalogService>);

/// A service and its endpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CatalogService {
    /// Its name, such as `cyclades_compute`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its type, such as `compute`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    /// Its endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Vec<Endpoint>>,
    /// The other fields of its catalog entry.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// One address of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// The version of the API; some services have an empty one.
    #[serde(rename = "versionId", skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The region; `default` on all known servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The address for programs.
    #[serde(rename = "publicURL", skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// The other fields of the endpoint, such as `SNF:uiURL`, the address for people.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// Reads an object whose known keys have fields of their own. serde's `flatten` does the same but
/// builds a tree of everything, and every log-in returns a catalog.
macro_rules! read_with_rest {
    ($name:ident, $what:literal, {$($key:literal => $field:ident),+ $(,)?}) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl<'de> de::Visitor<'de> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }

                    fn visit_map<A: de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<$name, A::Error> {
                        let mut read = $name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $($key => read.$field = map.next_value()?,)+
                                _ => {
                                    read.rest.insert(key, map.next_value()?);
                                }
                            }
                        }
                        Ok(read)
                    }
                }

                from.deserialize_map(Visitor)
            }
        }
    };
}

read_with_rest!(CatalogService, "a service", {
    "name" => name,
    "type" => service_type,
    "endpoints" => endpoints,
});
read_with_rest!(Endpoint, "an endpoint", {
    "versionId" => version_id,
    "region" => region,
    "publicURL" => public_url,
});

impl Endpoint {
    /// Returns the address for people, if there is one.
    #[must_use]
    pub fn ui_url(&self) -> Option<&str> {
        self.rest.get("SNF:uiURL")?.as_str()
    }

    /// Returns the address for logging in with a browser, if this is such an endpoint.
    #[must_use]
    pub fn weblogin_url(&self) -> Option<&str> {
        self.rest.get("SNF:webloginURL")?.as_str()
    }

    /// Returns whether the address already includes the version. If it does not, the caller must
    /// append it (protocol section 3.3).
    #[must_use]
    pub fn has_version_in_url(&self) -> bool {
        self.rest.get("SNF:exposeVersion").and_then(Value::as_str) != Some("False")
    }
}

/// A filter for services and endpoints. Unset fields match everything; case matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct EndpointFilter {
    name: Option<String>,
    service_type: Option<String>,
    region: Option<String>,
    version_id: Option<String>,
}

impl EndpointFilter {
    /// Creates a filter that matches everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires a service of this name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Requires a service of this type.
    #[doc(alias = "type")]
    pub fn service_type(mut self, service_type: impl Into<String>) -> Self {
        self.service_type = Some(service_type.into());
        self
    }

    /// Requires an endpoint in this region.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Requires an endpoint of this API version.
    #[doc(alias = "versionId")]
    pub fn version_id(mut self, version: impl Into<String>) -> Self {
        self.version_id = Some(version.into());
        self
    }

    fn wants_endpoint(&self, endpoint: &Endpoint) -> bool {
        let fits = |wanted: &Option<String>, has: &Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| has.as_ref() == Some(wanted))
        };
        fits(&self.region, &endpoint.region) && fits(&self.version_id, &endpoint.version_id)
    }
}

/// Formats the filter as in `service named a, version v1.0`.
impl fmt::Display for EndpointFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("service")?;
        let parts = [
            (" named", &self.name),
            (" of type", &self.service_type),
            (" in region", &self.region),
            (" of version", &self.version_id),
        ];
        for (what, wanted) in parts {
            if let Some(wanted) = wanted {
                write!(f, "{what} `{wanted}`")?;
            }
        }
        Ok(())
    }
}

impl Catalog {
    /// Returns the services.
    #[must_use]
    pub fn services(&self) -> &[CatalogService] {
        &self.0
    }

    /// Returns the matching services with their matching endpoints. If the filter concerns
    /// endpoints, services without a matching one are left out (protocol section 3.3).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`] if nothing matches, or the catalog lacks the fields that the
    /// filter concerns.
    #[doc(alias = "parse_endpoints")]
    pub fn filter(&self, filter: &EndpointFilter) -> Result<Self> {
        let lacks = || {
            Error::lacks(
                ErrorKind::NoEndpoints,
                format!("the catalog has no {filter}"),
            )
        };
        let about_endpoints = filter.region.is_some() || filter.version_id.is_some();
        let mut found = Vec::new();
        for service in &self.0 {
            for (wanted, has) in [
                (&filter.name, &service.name),
                (&filter.service_type, &service.service_type),
            ] {
                // A catalog without the requested field cannot answer the query.
                if wanted.is_some() && has.is_none() {
                    return Err(lacks());
                }
            }
            let fits =
                |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
            if !fits(&filter.name, &service.name)
                || !fits(&filter.service_type, &service.service_type)
            {
                continue;
            }
            let mut service = service.clone();
            if about_endpoints {
                let endpoints = service.endpoints.take().ok_or_else(lacks)?;
                for endpoint in &endpoints {
                    if (filter.region.is_some() && endpoint.region.is_none())
                        || (filter.version_id.is_some() && endpoint.version_id.is_none())
                    {
                        return Err(lacks());
                    }
                }
                let left: Vec<_> = endpoints
                    .into_iter()
                    .filter(|endpoint| filter.wants_endpoint(endpoint))
                    .collect();
                if left.is_empty() {
                    continue;
                }
                service.endpoints = Some(left);
            }
            found.push(service);
        }
        if found.is_empty() {
            return Err(lacks());
        }
        Ok(Self(found))
    }

    /// Returns the first matching endpoint.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`] if there is none.
    #[doc(alias = "get_service_endpoints")]
    #[doc(alias = "get_endpoint_url")]
    pub fn endpoint(&self, filter: &EndpointFilter) -> Result<Endpoint> {
        let found = self.filter(filter)?;
        let endpoints = found.0.into_iter().flat_map(|service| service.endpoints);
        endpoints.flatten().next().ok_or_else(|| {
            Error::lacks(
                ErrorKind::NoEndpoints,
                format!("the catalog has no endpoint of the {filter}"),
            )
        })
    }
}

impl FromIterator<CatalogService> for Catalog {
    fn from_iter<I: IntoIterator<Item = CatalogService>>(services: I) -> Self {
        Self(services.into_iter().collect())
    }
}
