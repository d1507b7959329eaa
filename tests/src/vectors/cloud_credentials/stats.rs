//! The counters of the second generation of Python clients, by an observer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use vouchsafe::core::observe::{AttemptEvent, Observer};

use super::outcome::Got;

/// The methods that are counted there, by the operations that they are here.
const METHODS: [(&str, &str); 5] = [
    ("cancel_job", "cloud-credentials.cancelQueryJob"),
    ("create_query", "cloud-credentials.createQueryJob"),
    ("get_job", "cloud-credentials.getQueryJob"),
    ("list_jobs", "cloud-credentials.listQueryJobs"),
    ("get_job_results", "cloud-credentials.getQueryResults"),
];

/// Counts requests and rows.
#[derive(Debug, Default)]
pub(super) struct Stats(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    requests: BTreeMap<&'static str, u64>,
    records: u64,
}

impl Stats {
    /// Counts the rows that a call returned.
    pub(super) fn count(&self, got: &Got) {
        let rows = |item: &Value| item["rowsInPage"].as_u64().unwrap_or_default();
        let records = match got {
            Got::Value(value) => rows(&value["answer"]),
            Got::Walked(walked) => walked.items.iter().map(rows).sum(),
            Got::Fault(_) | Got::Nothing => 0,
        };
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.records += records;
    }

    /// Returns the counters as they are named there.
    pub(super) fn shown(&self) -> Value {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |id: &str| counted.requests.get(id).copied().unwrap_or_default();
        let mut shown = Map::new();
        shown.insert("records".to_owned(), counted.records.into());
        let all: u64 = counted.requests.values().sum();
        shown.insert("transactions".to_owned(), all.into());
        for (name, id) in METHODS {
            shown.insert(name.to_owned(), of(id).into());
        }
        Value::Object(shown)
    }
}

impl Observer for Stats {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.requests.entry(event.operation).or_default() += 1;
    }
}
