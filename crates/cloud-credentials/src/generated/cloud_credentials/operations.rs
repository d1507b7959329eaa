// Made by `cargo xtask codegen` from crates/cloud-credentials/api/cloud-credentials.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

/// Starts a query.
pub(crate) static CREATE_LOG_QUERY: Operation = Operation::new(
        "cloud-credentials.createLogQuery",
        Method::POST,
        "/logging-service/v1/queries",
    )
    .repeat(Repeat::OnlyIfUnsent);

/// Returns a page of the results of a query.
pub(crate) static POLL_LOG_QUERY: Operation = Operation::new(
        "cloud-credentials.pollLogQuery",
        Method::GET,
        "/logging-service/v1/queries/{query_id}/{sequence}",
    )
    .repeat(Repeat::Safe);

/// Removes a query and its results.
pub(crate) static DELETE_LOG_QUERY: Operation = Operation::new(
        "cloud-credentials.deleteLogQuery",
        Method::DELETE,
        "/logging-service/v1/queries/{query_id}",
    )
    .repeat(Repeat::Safe);

/// Writes log entries.
pub(crate) static WRITE_LOGS: Operation = Operation::new(
        "cloud-credentials.writeLogs",
        Method::POST,
        "/logging-service/v1/logs/{vendor}/{log_type}",
    )
    .repeat(Repeat::OnlyIfUnsent);

/// Returns events that no one has acknowledged.
pub(crate) static POLL_EVENTS: Operation = Operation::new(
        "cloud-credentials.pollEvents",
        Method::POST,
        "/event-service/v1/channels/{channel}/poll",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .response_limit(8 << 20);

/// Acknowledges the events that were polled last.
pub(crate) static ACKNOWLEDGE_EVENTS: Operation = Operation::new(
        "cloud-credentials.acknowledgeEvents",
        Method::POST,
        "/event-service/v1/channels/{channel}/ack",
    )
    .repeat(Repeat::OnlyIfUnsent);

/// Returns the events that were polled last to the channel.
pub(crate) static REFUSE_EVENTS: Operation = Operation::new(
        "cloud-credentials.refuseEvents",
        Method::POST,
        "/event-service/v1/channels/{channel}/nack",
    )
    .repeat(Repeat::OnlyIfUnsent);

/// Drops all events of a channel.
pub(crate) static FLUSH_EVENTS: Operation = Operation::new(
        "cloud-credentials.flushEvents",
        Method::POST,
        "/event-service/v1/channels/{channel}/flush",
    )
    .repeat(Repeat::OnlyIfUnsent);

/// Returns the filters of a channel.
pub(crate) static GET_EVENT_FILTERS: Operation = Operation::new(
        "cloud-credentials.getEventFilters",
        Method::GET,
        "/event-service/v1/channels/{channel}/filters",
    )
    .repeat(Repeat::Safe);

/// Replaces the filters of a channel.
pub(crate) static SET_EVENT_FILTERS: Operation = Operation::new(
        "cloud-credentials.setEventFilters",
        Method::PUT,
        "/event-service/v1/channels/{channel}/filters",
    )
    .repeat(Repeat::Safe);

/// Returns the attributes of each class of objects.
pub(crate) static GET_DIRECTORY_ATTRIBUTES: Operation = Operation::new(
        "cloud-credentials.getDirectoryAttributes",
        Method::GET,
        "/directory-sync-service/v1/attributes",
    )
    .repeat(Repeat::Safe);

/// Returns the domains that are synchronised.
pub(crate) static GET_DIRECTORY_DOMAINS: Operation = Operation::new(
        "cloud-credentials.getDirectoryDomains",
        Method::GET,
        "/directory-sync-service/v1/domains",
    )
    .repeat(Repeat::Safe);

/// Returns the number of objects of a class.
pub(crate) static COUNT_DIRECTORY_OBJECTS: Operation = Operation::new(
        "cloud-credentials.countDirectoryObjects",
        Method::GET,
        "/directory-sync-service/v1/{class}/count",
    )
    .repeat(Repeat::Safe);

/// Returns objects of a class.
pub(crate) static QUERY_DIRECTORY: Operation = Operation::new(
        "cloud-credentials.queryDirectory",
        Method::POST,
        "/directory-sync-service/v1/{class}",
    )
    .repeat(Repeat::Safe)
    .response_limit(8 << 20);

/// Returns the known jobs.
pub(crate) static LIST_QUERY_JOBS: Operation = Operation::new(
        "cloud-credentials.listQueryJobs",
        Method::GET,
        "/query/v2/jobs",
    )
    .repeat(Repeat::Safe)
    .response_limit(8 << 20);

/// Starts a job.
pub(crate) static CREATE_QUERY_JOB: Operation = Operation::new(
        "cloud-credentials.createQueryJob",
        Method::POST,
        "/query/v2/jobs",
    )
    .repeat(Repeat::OnlyIfUnsent);

/// Returns a job.
pub(crate) static GET_QUERY_JOB: Operation = Operation::new(
        "cloud-credentials.getQueryJob",
        Method::GET,
        "/query/v2/jobs/{job_id}",
    )
    .repeat(Repeat::Safe);

/// Cancels a job.
pub(crate) static CANCEL_QUERY_JOB: Operation = Operation::new(
        "cloud-credentials.cancelQueryJob",
        Method::DELETE,
        "/query/v2/jobs/{job_id}",
    )
    .repeat(Repeat::Safe);

/// Returns a page of the result of a job.
pub(crate) static GET_QUERY_RESULTS: Operation = Operation::new(
        "cloud-credentials.getQueryResults",
        Method::GET,
        "/query/v2/jobResults/{job_id}",
    )
    .repeat(Repeat::Safe)
    .response_limit(8 << 20);

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[
    &CREATE_LOG_QUERY,
    &POLL_LOG_QUERY,
    &DELETE_LOG_QUERY,
    &WRITE_LOGS,
    &POLL_EVENTS,
    &ACKNOWLEDGE_EVENTS,
    &REFUSE_EVENTS,
    &FLUSH_EVENTS,
    &GET_EVENT_FILTERS,
    &SET_EVENT_FILTERS,
    &GET_DIRECTORY_ATTRIBUTES,
    &GET_DIRECTORY_DOMAINS,
    &COUNT_DIRECTORY_OBJECTS,
    &QUERY_DIRECTORY,
    &LIST_QUERY_JOBS,
    &CREATE_QUERY_JOB,
    &GET_QUERY_JOB,
    &CANCEL_QUERY_JOB,
    &GET_QUERY_RESULTS,
];
