// Made by `cargo xtask codegen` from crates/cloud-credentials/api/cloud-credentials.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The schema `ResultFormat`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ResultFormat {
    /// `valuesArray`.
    ValuesArray,
    /// `valuesDictionary`.
    ValuesDictionary,
    /// A word that this version does not know; it is written as it was read.
    Unknown(String),
}

impl ResultFormat {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::ValuesArray => "valuesArray",
            Self::ValuesDictionary => "valuesDictionary",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ResultFormat {
    fn from(word: String) -> Self {
        match word.as_str() {
            "valuesArray" => Self::ValuesArray,
            "valuesDictionary" => Self::ValuesDictionary,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ResultFormat> for String {
    fn from(word: ResultFormat) -> Self {
        match word {
            ResultFormat::Unknown(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

/// A page of objects of a directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DirectoryPage {
    /// The objects.
    #[serde(default)]
    pub result: Vec<serde_json::Value>,
    /// The number of objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// The number of the page.
    #[serde(rename = "pageNumber", skip_serializing_if = "Option::is_none")]
    pub page_number: Option<i64>,
    /// Objects on a page.
    #[serde(rename = "pageSize", skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i64>,
    /// The number of objects on later pages.
    #[serde(rename = "unreadResults", skip_serializing_if = "Option::is_none")]
    pub unread_results: Option<i64>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// A job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueryJob {
    /// The id of the job.
    #[serde(rename = "jobId", skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// `PENDING`, `RUNNING`, `DONE`, `FAILED` or `CANCELLED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// A job to start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewQueryJob {
    /// The id of the job. Default: the service chooses one.
    #[serde(rename = "jobId", skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// What to do.
    pub params: serde_json::Value,
    /// The name of the program.
    #[serde(rename = "clientType")]
    pub client_type: String,
    /// Its version.
    #[serde(rename = "clientVersion")]
    pub client_version: String,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

impl NewQueryJob {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(
        params: serde_json::Value,
        client_type: impl Into<String>,
        client_version: impl Into<String>,
    ) -> Self {
        Self {
            job_id: None,
            params,
            client_type: client_type.into(),
            client_version: client_version.into(),
            rest: BTreeMap::new(),
        }
    }

    /// The id of the job. Default: the service chooses one.
    #[must_use]
    pub fn job_id(mut self, job_id: impl Into<String>) -> Self {
        self.job_id = Some(job_id.into());
        self
    }
}

/// A page of the result of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueryPage {
    /// `PENDING`, `RUNNING`, `DONE`, `FAILED` or `CANCELLED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The id of the job.
    #[serde(rename = "jobId", skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// Rows on this page.
    #[serde(rename = "rowsInPage", skip_serializing_if = "Option::is_none")]
    pub rows_in_page: Option<i64>,
    /// The page itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<serde_json::Value>,
    /// Why the job failed.
    #[serde(default)]
    pub errors: Vec<serde_json::Value>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// The query on the logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogQuery {
    /// The query, in the service's SQL.
    pub query: String,
    /// The earliest time, in seconds since 1970.
    #[serde(rename = "startTime", skip_serializing_if = "Option::is_none")]
    pub start_time: Option<i64>,
    /// The latest time, in seconds since 1970.
    #[serde(rename = "endTime", skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    /// How long the service waits for the first page, in milliseconds.
    #[serde(rename = "maxWaitTime", skip_serializing_if = "Option::is_none")]
    pub max_wait_time: Option<i64>,
    /// A value that comes back with each page.
    #[serde(rename = "clientParameters", skip_serializing_if = "Option::is_none")]
    pub client_parameters: Option<serde_json::Value>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

impl LogQuery {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            start_time: None,
            end_time: None,
            max_wait_time: None,
            client_parameters: None,
            rest: BTreeMap::new(),
        }
    }

    /// The earliest time, in seconds since 1970.
    #[must_use]
    pub fn start_time(mut self, start_time: i64) -> Self {
        self.start_time = Some(start_time);
        self
    }

    /// The latest time, in seconds since 1970.
    #[must_use]
    pub fn end_time(mut self, end_time: i64) -> Self {
        self.end_time = Some(end_time);
        self
    }

    /// How long the service waits for the first page, in milliseconds.
    #[must_use]
    pub fn max_wait_time(mut self, max_wait_time: i64) -> Self {
        self.max_wait_time = Some(max_wait_time);
        self
    }

    /// A value that comes back with each page.
    #[must_use]
    pub fn client_parameters(mut self, client_parameters: serde_json::Value) -> Self {
        self.client_parameters = Some(client_parameters);
        self
    }
}

/// A page of the results of a query.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogPage {
    /// The id of the query.
    #[serde(rename = "queryId", skip_serializing_if = "Option::is_none")]
    pub query_id: Option<String>,
    /// The number of the page.
    #[serde(rename = "sequenceNo", skip_serializing_if = "Option::is_none")]
    pub sequence_no: Option<i64>,
    /// `RUNNING`, `FINISHED` (the page, but not the query), `JOB_FINISHED` or `JOB_FAILED`.
    #[serde(rename = "queryStatus", skip_serializing_if = "Option::is_none")]
    pub query_status: Option<String>,
    /// The value from the client.
    #[serde(rename = "clientParameters", skip_serializing_if = "Option::is_none")]
    pub client_parameters: Option<serde_json::Value>,
    /// The page itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<serde_json::Value>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// The outcome of a removal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deleted {
    /// Whether it was removed.
    #[serde(default)]
    pub success: bool,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// The outcome for log entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Written {
    /// Whether they were written.
    #[serde(default)]
    pub success: bool,
    /// The ids of the entries.
    #[serde(default)]
    pub uuids: Vec<String>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// The parameters of a poll.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventPoll {
    /// How long the service waits for events, in milliseconds.
    #[serde(rename = "pollTimeout", skip_serializing_if = "Option::is_none")]
    pub poll_timeout: Option<i64>,
    /// The most events to return.
    #[serde(rename = "fetchCount", skip_serializing_if = "Option::is_none")]
    pub fetch_count: Option<i64>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

impl EventPoll {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            poll_timeout: None,
            fetch_count: None,
            rest: BTreeMap::new(),
        }
    }

    /// How long the service waits for events, in milliseconds.
    #[must_use]
    pub fn poll_timeout(mut self, poll_timeout: i64) -> Self {
        self.poll_timeout = Some(poll_timeout);
        self
    }

    /// The most events to return.
    #[must_use]
    pub fn fetch_count(mut self, fetch_count: i64) -> Self {
        self.fetch_count = Some(fetch_count);
        self
    }
}

/// Events of one type of log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventGroup {
    /// The type of the log.
    #[serde(rename = "logType", skip_serializing_if = "Option::is_none")]
    pub log_type: Option<String>,
    /// The events.
    #[serde(default)]
    pub event: Vec<serde_json::Value>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// The events of a type of log that a channel receives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventFilter {
    /// The query, in the service's SQL.
    pub filter: String,
    /// How long the service gathers events, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// The maximum number of events to gather.
    #[serde(rename = "batchSize", skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<i64>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

impl EventFilter {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(filter: impl Into<String>) -> Self {
        Self {
            filter: filter.into(),
            timeout: None,
            batch_size: None,
            rest: BTreeMap::new(),
        }
    }

    /// How long the service gathers events, in milliseconds.
    #[must_use]
    pub fn timeout(mut self, timeout: i64) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The maximum number of events to gather.
    #[must_use]
    pub fn batch_size(mut self, batch_size: i64) -> Self {
        self.batch_size = Some(batch_size);
        self
    }
}

/// The filters of a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventFilters {
    /// One for each type of log.
    #[serde(default)]
    pub filters: Vec<BTreeMap<String, EventFilter>>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

impl EventFilters {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            filters: Default::default(),
            rest: BTreeMap::new(),
        }
    }

    /// One for each type of log.
    #[must_use]
    pub fn filters(
        mut self,
        filters: impl IntoIterator<Item = BTreeMap<String, EventFilter>>,
    ) -> Self {
        self.filters = filters.into_iter().collect();
        self
    }
}

/// The schema `DirectoryCount`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DirectoryCount {
    /// The key `count`.
    pub(crate) count: i64,
}

/// Which objects to return.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DirectoryQuery {
    /// The domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<serde_json::Value>,
    /// The attributes to return; all if missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<String>>,
    /// The form of names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<serde_json::Value>,
    /// Whether attributes have the service's names.
    #[serde(rename = "useNormalizedAttributes", skip_serializing_if = "Option::is_none")]
    pub use_normalized_attributes: Option<String>,
    /// The number of the page.
    #[serde(rename = "pageNumber", skip_serializing_if = "Option::is_none")]
    pub page_number: Option<i64>,
    /// Objects on a page.
    #[serde(rename = "pageSize", skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i64>,
    /// Keys that are not in the description.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

impl DirectoryQuery {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            domain: None,
            filter: None,
            attributes: None,
            name: None,
            use_normalized_attributes: None,
            page_number: None,
            page_size: None,
            rest: BTreeMap::new(),
        }
    }

    /// The domain.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// The objects.
    #[must_use]
    pub fn filter(mut self, filter: serde_json::Value) -> Self {
        self.filter = Some(filter);
        self
    }

    /// The attributes to return; all if missing.
    #[must_use]
    pub fn attributes(
        mut self,
        attributes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.attributes = Some(attributes.into_iter().map(Into::into).collect());
        self
    }

    /// The form of names.
    #[must_use]
    pub fn name(mut self, name: serde_json::Value) -> Self {
        self.name = Some(name);
        self
    }

    /// Whether attributes have the service's names.
    #[must_use]
    pub fn use_normalized_attributes(
        mut self,
        use_normalized_attributes: impl Into<String>,
    ) -> Self {
        self.use_normalized_attributes = Some(use_normalized_attributes.into());
        self
    }

    /// The number of the page.
    #[must_use]
    pub fn page_number(mut self, page_number: i64) -> Self {
        self.page_number = Some(page_number);
        self
    }

    /// Objects on a page.
    #[must_use]
    pub fn page_size(mut self, page_size: i64) -> Self {
        self.page_size = Some(page_size);
        self
    }
}
