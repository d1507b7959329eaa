// Made by `cargo xtask codegen` from crates/userinfo/api/repertoire.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What is sent and received, as it stands on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_core::Secret;

/// The schema `ErrorItem`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ErrorItem {
    /// What went wrong.
    #[serde(rename = "msg")]
    pub(crate) message: String,
    /// The code of the fault.
    #[serde(rename = "type")]
    pub(crate) code: String,
    /// Where in the input.
    #[serde(default)]
    pub(crate) loc: Vec<LocationPart>,
    /// The key `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<serde_json::Value>,
}

/// The schema `LocationPart`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum LocationPart {
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
}

/// The schema `Error`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Error {
    /// A list as a rule; a string for unknown routes and methods.
    pub(crate) detail: ErrorDetail,
}

/// A list as a rule; a string for unknown routes and methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ErrorDetail {
    /// A list.
    List(Vec<ErrorItem>),
    /// Text.
    Text(String),
}

/// The schema `ApiVersion`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ApiVersion {
    /// The key `url`.
    pub(crate) url: String,
    /// Read if present; not sent by current servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ivoa_standard_id: Option<String>,
}

/// The schema `QuotaLabel`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct QuotaLabel {
    /// The key `title`.
    pub(crate) title: String,
    /// The key `internal`.
    #[serde(default)]
    pub(crate) internal: bool,
}

/// The schema `UiService`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UiService {
    /// The key `url`.
    pub(crate) url: String,
    /// The key `title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// The key `docs_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) docs_url: Option<String>,
    /// All of them are needed.
    #[serde(default)]
    pub(crate) required_scopes: Vec<String>,
}

/// The schema `ApiService`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ApiService {
    /// The key `url`.
    pub(crate) url: String,
    /// The key `title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// The key `docs_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) docs_url: Option<String>,
    /// All of them are needed.
    #[serde(default)]
    pub(crate) required_scopes: Vec<String>,
    /// The key `openapi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) openapi: Option<String>,
    /// The key `quota_labels`.
    #[serde(default)]
    pub(crate) quota_labels: BTreeMap<String, QuotaLabel>,
    /// The key `versions`.
    #[serde(default)]
    pub(crate) versions: BTreeMap<String, ApiVersion>,
}

/// The schema `Dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dataset {
    /// The key `butler_config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) butler_config: Option<String>,
    /// The key `description`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The key `docs_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) docs_url: Option<String>,
    /// A URL in practice; any text is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) obscore_config: Option<String>,
    /// The key `services`.
    #[serde(default)]
    pub(crate) services: BTreeMap<String, ApiService>,
}

/// The schema `Environment`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Environment {
    /// The key `name`.
    pub(crate) name: String,
    /// The key `label`.
    pub(crate) label: String,
    /// The key `title`.
    pub(crate) title: String,
    /// The key `title_long`.
    pub(crate) title_long: String,
    /// The key `description`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The key `docs_url`.
    pub(crate) docs_url: String,
}

/// The schema `InfluxDatabaseWithPointer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct InfluxDatabaseWithPointer {
    /// The key `url`.
    pub(crate) url: String,
    /// The key `database`.
    pub(crate) database: String,
    /// The key `description`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The key `schema_registry`.
    pub(crate) schema_registry: String,
    /// The key `local`.
    #[serde(default)]
    pub(crate) local: bool,
    /// The key `credentials_url`.
    pub(crate) credentials_url: String,
}

/// The schema `InfluxDatabaseWithCredentials`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct InfluxDatabaseWithCredentials {
    /// The key `url`.
    pub(crate) url: String,
    /// The key `database`.
    pub(crate) database: String,
    /// The key `description`.
    pub(crate) description: Option<String>,
    /// The key `schema_registry`.
    pub(crate) schema_registry: String,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Discovery {
    /// The key `applications`.
    #[serde(default)]
    pub(crate) applications: Vec<String>,
    /// The key `datasets`.
    #[serde(default)]
    pub(crate) datasets: BTreeMap<String, Dataset>,
    /// The key `environment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<Environment>,
    /// The key `environment_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment_name: Option<String>,
    /// The key `influxdb_databases`.
    #[serde(default)]
    pub(crate) influxdb_databases: BTreeMap<String, InfluxDatabaseWithPointer>,
    /// The key `services`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) services: Option<Services>,
}

/// The schema `Services`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Services {
    /// The key `internal`.
    #[serde(default)]
    pub(crate) internal: BTreeMap<String, ApiService>,
    /// The key `ui`.
    #[serde(default)]
    pub(crate) ui: BTreeMap<String, UiService>,
}

/// Reads a value that may be null but must be there.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}
