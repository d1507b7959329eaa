// Made by `cargo xtask codegen` from crates/cloud-credentials/api/cloud-credentials.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::example::Example;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::CreateLogQuery,
        operation: &operations::CREATE_LOG_QUERY,
        path: "/logging-service/v1/queries",
    },
    Route {
        op: Op::PollLogQuery,
        operation: &operations::POLL_LOG_QUERY,
        path: "/logging-service/v1/queries/{query_id}/{sequence}",
    },
    Route {
        op: Op::DeleteLogQuery,
        operation: &operations::DELETE_LOG_QUERY,
        path: "/logging-service/v1/queries/{query_id}",
    },
    Route {
        op: Op::WriteLogs,
        operation: &operations::WRITE_LOGS,
        path: "/logging-service/v1/logs/{vendor}/{log_type}",
    },
    Route {
        op: Op::PollEvents,
        operation: &operations::POLL_EVENTS,
        path: "/event-service/v1/channels/{channel}/poll",
    },
    Route {
        op: Op::AcknowledgeEvents,
        operation: &operations::ACKNOWLEDGE_EVENTS,
        path: "/event-service/v1/channels/{channel}/ack",
    },
    Route {
        op: Op::RefuseEvents,
        operation: &operations::REFUSE_EVENTS,
        path: "/event-service/v1/channels/{channel}/nack",
    },
    Route {
        op: Op::FlushEvents,
        operation: &operations::FLUSH_EVENTS,
        path: "/event-service/v1/channels/{channel}/flush",
    },
    Route {
        op: Op::GetEventFilters,
        operation: &operations::GET_EVENT_FILTERS,
        path: "/event-service/v1/channels/{channel}/filters",
    },
    Route {
        op: Op::SetEventFilters,
        operation: &operations::SET_EVENT_FILTERS,
        path: "/event-service/v1/channels/{channel}/filters",
    },
    Route {
        op: Op::GetDirectoryAttributes,
        operation: &operations::GET_DIRECTORY_ATTRIBUTES,
        path: "/directory-sync-service/v1/attributes",
    },
    Route {
        op: Op::GetDirectoryDomains,
        operation: &operations::GET_DIRECTORY_DOMAINS,
        path: "/directory-sync-service/v1/domains",
    },
    Route {
        op: Op::CountDirectoryObjects,
        operation: &operations::COUNT_DIRECTORY_OBJECTS,
        path: "/directory-sync-service/v1/{class}/count",
    },
    Route {
        op: Op::QueryDirectory,
        operation: &operations::QUERY_DIRECTORY,
        path: "/directory-sync-service/v1/{class}",
    },
    Route {
        op: Op::ListQueryJobs,
        operation: &operations::LIST_QUERY_JOBS,
        path: "/query/v2/jobs",
    },
    Route {
        op: Op::CreateQueryJob,
        operation: &operations::CREATE_QUERY_JOB,
        path: "/query/v2/jobs",
    },
    Route {
        op: Op::GetQueryJob,
        operation: &operations::GET_QUERY_JOB,
        path: "/query/v2/jobs/{job_id}",
    },
    Route {
        op: Op::CancelQueryJob,
        operation: &operations::CANCEL_QUERY_JOB,
        path: "/query/v2/jobs/{job_id}",
    },
    Route {
        op: Op::GetQueryResults,
        operation: &operations::GET_QUERY_RESULTS,
        path: "/query/v2/jobResults/{job_id}",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Starts a query.
    CreateLogQuery,
    /// Returns a page of the results of a query.
    PollLogQuery,
    /// Removes a query and its results.
    DeleteLogQuery,
    /// Writes log entries.
    WriteLogs,
    /// Returns events that no one has acknowledged.
    PollEvents,
    /// Acknowledges the events that were polled last.
    AcknowledgeEvents,
    /// Returns the events that were polled last to the channel.
    RefuseEvents,
    /// Drops all events of a channel.
    FlushEvents,
    /// Returns the filters of a channel.
    GetEventFilters,
    /// Replaces the filters of a channel.
    SetEventFilters,
    /// Returns the attributes of each class of objects.
    GetDirectoryAttributes,
    /// Returns the domains that are synchronised.
    GetDirectoryDomains,
    /// Returns the number of objects of a class.
    CountDirectoryObjects,
    /// Returns objects of a class.
    QueryDirectory,
    /// Returns the known jobs.
    ListQueryJobs,
    /// Starts a job.
    CreateQueryJob,
    /// Returns a job.
    GetQueryJob,
    /// Cancels a job.
    CancelQueryJob,
    /// Returns a page of the result of a job.
    GetQueryResults,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}

/// Returns the description's example of an operation's answer.
#[allow(
    dead_code,
    reason = "an emulator with rules of its own needs it for some at most"
)]
pub(crate) fn example(op: Op) -> Example {
    match op {
        Op::CreateLogQuery => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"queryId\":\"q-1\",\"queryStatus\":\"RUNNING\",\"sequenceNo\":0}",
            }
        }
        Op::PollLogQuery => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"queryId\":\"q-1\",\"queryStatus\":\"JOB_FINISHED\",\"result\":{\"esResult\":{\"hits\":{\"hits\":[{\"_id\":\"1\",\"_source\":{\"n\":1}}]},\"size\":1}},\"sequenceNo\":0}",
            }
        }
        Op::DeleteLogQuery => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"success\":true}",
            }
        }
        Op::WriteLogs => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"success\":true,\"uuids\":[\"a\"]}",
            }
        }
        Op::PollEvents => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "[{\"event\":[{\"n\":1}],\"logType\":\"panw.traffic\"}]",
            }
        }
        Op::AcknowledgeEvents => {
            Example {
                status: 200,
                content_type: "",
                body: "",
            }
        }
        Op::RefuseEvents => {
            Example {
                status: 200,
                content_type: "",
                body: "",
            }
        }
        Op::FlushEvents => {
            Example {
                status: 200,
                content_type: "",
                body: "",
            }
        }
        Op::GetEventFilters => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"filters\":[{\"panw.traffic\":{\"batchSize\":10,\"filter\":\"select * from panw.traffic\",\"timeout\":1000}}]}",
            }
        }
        Op::SetEventFilters => {
            Example {
                status: 200,
                content_type: "",
                body: "",
            }
        }
        Op::GetDirectoryAttributes => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"user\":{\"Name\":\"name\"}}",
            }
        }
        Op::GetDirectoryDomains => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"domains\":[\"example.org\"]}",
            }
        }
        Op::CountDirectoryObjects => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"count\":5}",
            }
        }
        Op::QueryDirectory => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"count\":1,\"pageNumber\":0,\"pageSize\":1,\"result\":[{\"Name\":\"alice\"}],\"unreadResults\":0}",
            }
        }
        Op::ListQueryJobs => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "[{\"jobId\":\"j1\",\"state\":\"DONE\"}]",
            }
        }
        Op::CreateQueryJob => {
            Example {
                status: 201,
                content_type: "application/json",
                body: "{\"jobId\":\"j1\"}",
            }
        }
        Op::GetQueryJob => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"jobId\":\"j1\",\"state\":\"DONE\"}",
            }
        }
        Op::CancelQueryJob => {
            Example {
                status: 200,
                content_type: "",
                body: "",
            }
        }
        Op::GetQueryResults => {
            Example {
                status: 200,
                content_type: "application/json",
                body: "{\"page\":{\"pageCursor\":null,\"result\":{\"data\":[{\"n\":1}]}},\"rowsInPage\":1,\"state\":\"DONE\"}",
            }
        }
    }
}
