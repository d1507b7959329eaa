// Made by `cargo xtask codegen` from crates/userinfo/api/repertoire.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;

/// One version of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiVersion {
    /// Where it is.
    pub url: crate::HttpUrl,
}

/// One thing that a service's quota may limit; its label is the key in the quota.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuotaLabel {
    /// The name shown to people.
    pub title: String,
    /// Whether it is of no interest to users.
    #[serde(default)]
    pub internal: bool,
}

/// A user interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UiService {
    /// Where it is.
    pub url: crate::HttpUrl,
    /// The name shown to people.
    pub title: Option<String>,
    /// Where its documentation is.
    pub docs_url: Option<crate::HttpUrl>,
    /// All of them are needed.
    #[serde(default)]
    pub required_scopes: Vec<String>,
}

/// A service for programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiService {
    /// Where it is.
    pub url: crate::HttpUrl,
    /// The name shown to people.
    pub title: Option<String>,
    /// Where its documentation is.
    pub docs_url: Option<crate::HttpUrl>,
    /// All of them are needed.
    #[serde(default)]
    pub required_scopes: Vec<String>,
    /// Where its OpenAPI description is.
    pub openapi: Option<crate::HttpUrl>,
    /// What its quota may limit, by label.
    #[serde(default)]
    pub quota_labels: BTreeMap<String, QuotaLabel>,
    /// Its versions by name.
    #[serde(default)]
    pub versions: BTreeMap<String, ApiVersion>,
}

/// A dataset and its services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dataset {
    /// Where its Butler configuration is.
    pub butler_config: Option<crate::HttpUrl>,
    /// What it is.
    pub description: Option<String>,
    /// Where its documentation is.
    pub docs_url: Option<crate::HttpUrl>,
    /// A URL in practice; any text is accepted.
    pub obscore_config: Option<String>,
    /// Its services by name.
    #[serde(default)]
    pub services: BTreeMap<String, ApiService>,
}

/// The installation that a discovery document describes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Its short name.
    pub label: String,
    /// The name shown to people.
    pub title: String,
    /// The same at length.
    pub title_long: String,
    /// What it is.
    pub description: Option<String>,
    /// Where its documentation is.
    pub docs_url: crate::HttpUrl,
}

/// The schema `InfluxDatabaseWithPointer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct InfluxDatabaseWithPointer {
    /// The key `url`.
    pub(crate) url: crate::HttpUrl,
    /// The key `database`.
    pub(crate) database: String,
    /// The key `description`.
    pub(crate) description: Option<String>,
    /// The key `schema_registry`.
    pub(crate) schema_registry: crate::HttpUrl,
    /// The key `local`.
    #[serde(default)]
    pub(crate) local: bool,
    /// The key `credentials_url`.
    pub(crate) credentials_url: crate::HttpUrl,
}

/// The schema `InfluxDatabaseWithCredentials`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct InfluxDatabaseWithCredentials {
    /// The key `url`.
    pub(crate) url: crate::HttpUrl,
    /// The key `database`.
    pub(crate) database: String,
    /// The key `description`.
    pub(crate) description: Option<String>,
    /// The key `schema_registry`.
    pub(crate) schema_registry: crate::HttpUrl,
    /// The key `local`.
    #[serde(default)]
    pub(crate) local: bool,
    /// The key `username`.
    #[serde(deserialize_with = "present")]
    pub(crate) username: Option<String>,
    /// The key `password`.
    #[serde(deserialize_with = "present")]
    pub(crate) password: Option<Secret>,
}

/// The schema `Discovery`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Discovery {
    /// The key `applications`.
    #[serde(default)]
    pub(crate) applications: Vec<String>,
    /// The key `datasets`.
    #[serde(default)]
    pub(crate) datasets: BTreeMap<String, Dataset>,
    /// The key `environment`.
    pub(crate) environment: Option<Environment>,
    /// The key `environment_name`.
    pub(crate) environment_name: Option<String>,
    /// The key `influxdb_databases`.
    #[serde(default)]
    pub(crate) influxdb_databases: BTreeMap<String, InfluxDatabaseWithPointer>,
    /// The key `services`.
    #[serde(default)]
    pub(crate) services: Services,
}

/// The schema `Services`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Services {
    /// The key `internal`.
    #[serde(default)]
    pub(crate) internal: BTreeMap<String, ApiService>,
    /// The key `ui`.
    #[serde(default)]
    pub(crate) ui: BTreeMap<String, UiService>,
}

/// Reads a value that may be null but not absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}
