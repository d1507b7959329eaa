//! The reduced copy of the document that is given to notebooks (protocol section 8.3). Empty parts
//! are left out.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::HttpUrl;
use crate::generated::repertoire::wire::{self, ApiService};

/// The part of the document that clients inside notebooks read; meant to be serialized.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NubladoDict {
    /// Datasets by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub datasets: BTreeMap<String, NubladoDataset>,
    /// InfluxDB databases by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub influxdb_databases: BTreeMap<String, NubladoInflux>,
    /// Services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<NubladoServices>,
}

/// A dataset in a [`NubladoDict`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NubladoDataset {
    /// The URL of its Butler configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub butler_config: Option<HttpUrl>,
    /// Its services by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, NubladoService>,
}

/// An InfluxDB database in a [`NubladoDict`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NubladoInflux {
    /// The URL of the server.
    pub url: HttpUrl,
    /// The name of the database.
    pub database: String,
    /// A description of the contents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The URL of the schema registry.
    pub schema_registry: HttpUrl,
    /// Whether the database belongs to this environment.
    pub local: bool,
    /// The URL of its credentials.
    pub credentials_url: HttpUrl,
}

/// The services of a [`NubladoDict`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NubladoServices {
    /// Internal services by name.
    pub internal: BTreeMap<String, NubladoService>,
}

/// A service in a [`NubladoDict`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NubladoService {
    /// The URL of the service.
    pub url: HttpUrl,
    /// Its versions by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, NubladoVersion>,
}

/// A version of a service in a [`NubladoDict`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NubladoVersion {
    /// The URL of the version.
    pub url: HttpUrl,
}

impl NubladoDict {
    pub(super) fn new(wire: &wire::Discovery) -> Self {
        let dataset = |dataset: &wire::Dataset| NubladoDataset {
            butler_config: dataset.butler_config.clone(),
            services: services(&dataset.services),
        };
        let influx = |database: &wire::InfluxDatabaseWithPointer| NubladoInflux {
            url: database.url.clone(),
            database: database.database.clone(),
            description: database.description.clone(),
            schema_registry: database.schema_registry.clone(),
            local: database.local,
            credentials_url: database.credentials_url.clone(),
        };
        let internal = services(&wire.services.internal);
        Self {
            datasets: wire
                .datasets
                .iter()
                .map(|(name, one)| (name.clone(), dataset(one)))
                .collect(),
            influxdb_databases: wire
                .influxdb_databases
                .iter()
                .map(|(label, one)| (label.clone(), influx(one)))
                .collect(),
            services: (!internal.is_empty()).then_some(NubladoServices { internal }),
        }
    }
}

fn services(all: &BTreeMap<String, ApiService>) -> BTreeMap<String, NubladoService> {
    let version = |version: &wire::ApiVersion| NubladoVersion {
        url: version.url.clone(),
    };
    let reduced = |service: &ApiService| NubladoService {
        url: service.url.clone(),
        versions: service
            .versions
            .iter()
            .map(|(name, one)| (name.clone(), version(one)))
            .collect(),
    };
    all.iter()
        .map(|(name, service)| (name.clone(), reduced(service)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dataset_without_services_is_an_empty_object() {
        let wire = serde_json::from_value(json!({"datasets": {"d": {}}})).unwrap();
        assert_eq!(
            json!(NubladoDict::new(&wire)),
            json!({"datasets": {"d": {}}})
        );
    }
}
