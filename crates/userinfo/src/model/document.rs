//! The document, and queries on it. Unknown names yield `None`, never an error.

use serde::Serialize;
use vouchsafe_core::Secret;

use super::nublado::NubladoDict;
use crate::HttpUrl;
use crate::generated::repertoire::wire::{self, ApiService, Environment};

/// The discovery document (protocol section 8.1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document(wire::Discovery);

/// Selects InfluxDB databases by location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "near, far, or both")]
pub enum InfluxLocation {
    /// All of them.
    #[default]
    Any,
    /// Those of this environment.
    Local,
    /// Those of other environments.
    Remote,
}

impl Document {
    pub(crate) fn new(wire: wire::Discovery) -> Self {
        Self(wire)
    }

    /// Returns the names of the applications, in the document's order.
    #[must_use]
    pub fn applications(&self) -> &[String] {
        &self.0.applications
    }

    /// Returns the names of the datasets, sorted.
    pub fn datasets(&self) -> impl Iterator<Item = &str> {
        self.0.datasets.keys().map(String::as_str)
    }

    /// Returns the description of this environment.
    #[must_use]
    pub fn environment(&self) -> Option<&Environment> {
        self.0.environment.as_ref()
    }

    /// Returns the name of this environment in the form of older servers.
    #[must_use]
    pub fn environment_name(&self) -> Option<&str> {
        self.0.environment_name.as_deref()
    }

    /// Returns the URL of a dataset's Butler configuration.
    #[must_use]
    pub fn butler_config_for(&self, dataset: &str) -> Option<&HttpUrl> {
        self.0.datasets.get(dataset)?.butler_config.as_ref()
    }

    /// Returns the Butler configurations of all datasets that have one.
    pub fn butler_repositories(&self) -> impl Iterator<Item = (&str, &HttpUrl)> {
        let all = self.0.datasets.iter();
        all.filter_map(|(name, dataset)| Some((name.as_str(), dataset.butler_config.as_ref()?)))
    }

    /// Returns a dataset's ObsCore configuration.
    #[must_use]
    pub fn obscore_config_for(&self, dataset: &str) -> Option<&str> {
        let config = self.0.datasets.get(dataset)?.obscore_config.as_deref();
        // The text is not validated, and an empty one is useless.
        config.filter(|text| !text.is_empty())
    }

    /// Returns the URL of a service of a dataset. With a version, returns the URL of that version
    /// only.
    #[must_use]
    pub fn url_for_data(
        &self,
        service: &str,
        dataset: &str,
        version: Option<&str>,
    ) -> Option<&HttpUrl> {
        url(self.data_service(service, dataset)?, version)
    }

    /// Returns the URL of an internal service. With a version, returns the URL of that version
    /// only.
    #[must_use]
    pub fn url_for_internal(&self, service: &str, version: Option<&str>) -> Option<&HttpUrl> {
        url(self.internal_service(service)?, version)
    }

    /// Returns the URL of a user interface.
    #[must_use]
    pub fn url_for_ui(&self, service: &str) -> Option<&HttpUrl> {
        self.0.services.ui.get(service).map(|service| &service.url)
    }

    /// Returns the versions of a dataset's service, sorted; `None` if it is unknown.
    #[must_use]
    pub fn versions_for_data(&self, service: &str, dataset: &str) -> Option<Vec<String>> {
        Some(
            self.data_service(service, dataset)?
                .versions
                .keys()
                .cloned()
                .collect(),
        )
    }

    /// Returns the versions of an internal service, sorted; `None` if it is unknown.
    #[must_use]
    pub fn versions_for_internal(&self, service: &str) -> Option<Vec<String>> {
        Some(
            self.internal_service(service)?
                .versions
                .keys()
                .cloned()
                .collect(),
        )
    }

    /// Returns the labels of the InfluxDB databases, sorted.
    pub fn influxdb_databases(&self, location: InfluxLocation) -> impl Iterator<Item = &str> {
        let is_meant = move |local| match location {
            InfluxLocation::Any => true,
            InfluxLocation::Local => local,
            InfluxLocation::Remote => !local,
        };
        let all = self.0.influxdb_databases.iter();
        all.filter(move |(_, database)| is_meant(database.local))
            .map(|(label, _)| label.as_str())
    }

    /// Returns the connection information of an InfluxDB database, without credentials.
    #[must_use]
    pub fn influxdb_connection_info(&self, label: &str) -> Option<InfluxDatabase> {
        let database = self.0.influxdb_databases.get(label)?;
        Some(InfluxDatabase {
            url: database.url.clone(),
            database: database.database.clone(),
            description: database.description.clone(),
            schema_registry: database.schema_registry.clone(),
            local: database.local,
        })
    }

    /// Returns the reduced copy of the document that is given to notebooks.
    #[must_use]
    pub fn build_nublado_dict(&self) -> NubladoDict {
        NubladoDict::new(&self.0)
    }

    /// Returns the description of a service of a dataset.
    #[must_use]
    pub fn data_service(&self, service: &str, dataset: &str) -> Option<&ApiService> {
        self.0.datasets.get(dataset)?.services.get(service)
    }

    /// Returns the description of an internal service.
    #[must_use]
    pub fn internal_service(&self, service: &str) -> Option<&ApiService> {
        self.0.services.internal.get(service)
    }

    pub(crate) fn credentials_url(&self, label: &str) -> Option<&HttpUrl> {
        self.0
            .influxdb_databases
            .get(label)
            .map(|database| &database.credentials_url)
    }
}

/// The connection information of an InfluxDB database, without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InfluxDatabase {
    /// The URL of the server.
    pub url: HttpUrl,
    /// The name of the database.
    pub database: String,
    /// A description of the contents.
    pub description: Option<String>,
    /// The URL of the schema registry.
    pub schema_registry: HttpUrl,
    /// Whether the database belongs to this environment.
    pub local: bool,
}

/// The connection information of an InfluxDB database, with credentials (protocol section 8.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InfluxCredentials {
    /// The database.
    pub database: InfluxDatabase,
    /// The user name, if one is needed.
    pub username: Option<String>,
    /// The password, if one is needed.
    pub password: Option<Secret>,
}

impl From<wire::InfluxDatabaseWithCredentials> for InfluxCredentials {
    fn from(wire: wire::InfluxDatabaseWithCredentials) -> Self {
        Self {
            database: InfluxDatabase {
                url: wire.url,
                database: wire.database,
                description: wire.description,
                schema_registry: wire.schema_registry,
                local: wire.local,
            },
            username: wire.username,
            password: wire.password,
        }
    }
}

fn url<'a>(service: &'a ApiService, version: Option<&str>) -> Option<&'a HttpUrl> {
    match version {
        None => Some(&service.url),
        Some(version) => service.versions.get(version).map(|version| &version.url),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_obscore_configuration_is_none() {
        let wire = json!({"datasets": {"d": {"obscore_config": ""}, "e": {"obscore_config": "x"}}});
        let document = Document::new(serde_json::from_value(wire).unwrap());
        assert_eq!(document.obscore_config_for("d"), None);
        assert_eq!(document.obscore_config_for("e"), Some("x"));
    }
}
