// Made by `cargo xtask codegen` from crates/cloud-credentials/api/cloud-credentials.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::{Call, limits};
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// Starts a query.
pub(crate) fn create_log_query(body: &wire::LogQuery) -> Result<Call> {
    let target = Target::new("/logging-service/v1/queries");
    Call::new(&operations::CREATE_LOG_QUERY, target).json(body)
}

/// The values of `pollLogQuery`.
#[derive(Clone, Debug, Default)]
pub(crate) struct PollLogQueryParams {
    /// How long the service waits for the page, in milliseconds.
    pub(crate) max_wait_time: Option<i64>,
}

/// Returns a page of the results of a query.
pub(crate) fn poll_log_query(
    query_id: &str,
    sequence: i64,
    params: &PollLogQueryParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("query_id", query_id, Some(1), None)?;
        if let Some(value) = &params.max_wait_time {
            limits::integer("maxWaitTime", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::POLL_LOG_QUERY.id()))?;
    let target = Target::new("/logging-service/v1/queries/")
        .segment("query_id", query_id)?
        .literal("/")
        .segment("sequence", &sequence.to_string())?;
    let target = target
        .query_opt(
            "maxWaitTime",
            params.max_wait_time.map(|value| value.to_string()).as_deref(),
        );
    Ok(Call::new(&operations::POLL_LOG_QUERY, target))
}

/// Removes a query and its results.
pub(crate) fn delete_log_query(query_id: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("query_id", query_id, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::DELETE_LOG_QUERY.id()))?;
    let target = Target::new("/logging-service/v1/queries/")
        .segment("query_id", query_id)?;
    Ok(Call::new(&operations::DELETE_LOG_QUERY, target))
}

/// Writes log entries.
pub(crate) fn write_logs(
    vendor: &str,
    log_type: &str,
    body: &[serde_json::Value],
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("vendor", vendor, Some(1), None)?;
        limits::text("log_type", log_type, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::WRITE_LOGS.id()))?;
    let target = Target::new("/logging-service/v1/logs/")
        .segment("vendor", vendor)?
        .literal("/")
        .segment("log_type", log_type)?;
    Call::new(&operations::WRITE_LOGS, target).json(body)
}

/// Returns events that no one has acknowledged.
pub(crate) fn poll_events(
    channel: &str,
    body: Option<&wire::EventPoll>,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("channel", channel, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::POLL_EVENTS.id()))?;
    let target = Target::new("/event-service/v1/channels/")
        .segment("channel", channel)?
        .literal("/poll");
    let call = Call::new(&operations::POLL_EVENTS, target);
    match body {
        Some(body) => call.json(body),
        None => Ok(call),
    }
}

/// Acknowledges the events that were polled last.
pub(crate) fn acknowledge_events(channel: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("channel", channel, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::ACKNOWLEDGE_EVENTS.id()))?;
    let target = Target::new("/event-service/v1/channels/")
        .segment("channel", channel)?
        .literal("/ack");
    Ok(Call::new(&operations::ACKNOWLEDGE_EVENTS, target))
}

/// Returns the events that were polled last to the channel.
pub(crate) fn refuse_events(channel: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("channel", channel, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::REFUSE_EVENTS.id()))?;
    let target = Target::new("/event-service/v1/channels/")
        .segment("channel", channel)?
        .literal("/nack");
    Ok(Call::new(&operations::REFUSE_EVENTS, target))
}

/// Drops all events of a channel.
pub(crate) fn flush_events(channel: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("channel", channel, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::FLUSH_EVENTS.id()))?;
    let target = Target::new("/event-service/v1/channels/")
        .segment("channel", channel)?
        .literal("/flush");
    Ok(Call::new(&operations::FLUSH_EVENTS, target))
}

/// Returns the filters of a channel.
pub(crate) fn get_event_filters(channel: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("channel", channel, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::GET_EVENT_FILTERS.id()))?;
    let target = Target::new("/event-service/v1/channels/")
        .segment("channel", channel)?
        .literal("/filters");
    Ok(Call::new(&operations::GET_EVENT_FILTERS, target))
}

/// Replaces the filters of a channel.
pub(crate) fn set_event_filters(
    channel: &str,
    body: &wire::EventFilters,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("channel", channel, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::SET_EVENT_FILTERS.id()))?;
    let target = Target::new("/event-service/v1/channels/")
        .segment("channel", channel)?
        .literal("/filters");
    Call::new(&operations::SET_EVENT_FILTERS, target).json(body)
}

/// Returns the attributes of each class of objects.
pub(crate) fn get_directory_attributes() -> Result<Call> {
    let target = Target::new("/directory-sync-service/v1/attributes");
    Ok(Call::new(&operations::GET_DIRECTORY_ATTRIBUTES, target))
}

/// Returns the domains that are synchronised.
pub(crate) fn get_directory_domains() -> Result<Call> {
    let target = Target::new("/directory-sync-service/v1/domains");
    Ok(Call::new(&operations::GET_DIRECTORY_DOMAINS, target))
}

/// The values of `countDirectoryObjects`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CountDirectoryObjectsParams {
    /// The domain to count in.
    pub(crate) domain: Option<String>,
}

/// Returns the number of objects of a class.
pub(crate) fn count_directory_objects(
    object_class: &str,
    params: &CountDirectoryObjectsParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("class", object_class, Some(1), None)?;
        Ok(())
    };
    check()
        .map_err(|fault| {
            fault.with_operation(operations::COUNT_DIRECTORY_OBJECTS.id())
        })?;
    let target = Target::new("/directory-sync-service/v1/")
        .segment("class", object_class)?
        .literal("/count");
    let target = target.query_opt("domain", params.domain.as_deref());
    Ok(Call::new(&operations::COUNT_DIRECTORY_OBJECTS, target))
}

/// Returns objects of a class.
pub(crate) fn query_directory(
    object_class: &str,
    body: &wire::DirectoryQuery,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("class", object_class, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::QUERY_DIRECTORY.id()))?;
    let target = Target::new("/directory-sync-service/v1/")
        .segment("class", object_class)?;
    Call::new(&operations::QUERY_DIRECTORY, target).json(body)
}

/// The values of `listQueryJobs`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListQueryJobsParams {
    /// The most jobs to return.
    pub(crate) max_jobs: Option<i64>,
    /// Jobs created after this time, in seconds since 1970.
    pub(crate) created_after: Option<i64>,
    /// Jobs in this state.
    pub(crate) state: Option<String>,
    /// Jobs of this type.
    pub(crate) job_type: Option<String>,
    /// Jobs of this tenant.
    pub(crate) tenant_id: Option<String>,
}

/// Returns the known jobs.
pub(crate) fn list_query_jobs(params: &ListQueryJobsParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.max_jobs {
            limits::integer("maxJobs", *value, Some(1), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_QUERY_JOBS.id()))?;
    let target = Target::new("/query/v2/jobs");
    let target = target
        .query_opt("maxJobs", params.max_jobs.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt(
            "createdAfter",
            params.created_after.map(|value| value.to_string()).as_deref(),
        );
    let target = target.query_opt("state", params.state.as_deref());
    let target = target.query_opt("type", params.job_type.as_deref());
    let target = target.query_opt("tenantId", params.tenant_id.as_deref());
    Ok(Call::new(&operations::LIST_QUERY_JOBS, target))
}

/// Starts a job.
pub(crate) fn create_query_job(body: &wire::NewQueryJob) -> Result<Call> {
    let target = Target::new("/query/v2/jobs");
    Call::new(&operations::CREATE_QUERY_JOB, target).json(body)
}

/// Returns a job.
pub(crate) fn get_query_job(job_id: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("job_id", job_id, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::GET_QUERY_JOB.id()))?;
    let target = Target::new("/query/v2/jobs/").segment("job_id", job_id)?;
    Ok(Call::new(&operations::GET_QUERY_JOB, target))
}

/// Cancels a job.
pub(crate) fn cancel_query_job(job_id: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("job_id", job_id, Some(1), None)?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CANCEL_QUERY_JOB.id()))?;
    let target = Target::new("/query/v2/jobs/").segment("job_id", job_id)?;
    Ok(Call::new(&operations::CANCEL_QUERY_JOB, target))
}

/// The values of `getQueryResults`.
#[derive(Clone, Debug, Default)]
pub(crate) struct GetQueryResultsParams {
    /// How long the service waits for the page, in milliseconds.
    pub(crate) max_wait: Option<i64>,
    /// The number of the first row.
    pub(crate) offset: Option<i64>,
    /// The start of the page, from the answer of the previous page.
    pub(crate) page_cursor: Option<String>,
    /// The number of the page.
    pub(crate) page_number: Option<i64>,
    /// Rows on a page.
    pub(crate) page_size: Option<i64>,
    /// The format of rows.
    pub(crate) result_format: Option<wire::ResultFormat>,
}

/// Returns a page of the result of a job.
pub(crate) fn get_query_results(
    job_id: &str,
    params: &GetQueryResultsParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("job_id", job_id, Some(1), None)?;
        if let Some(value) = &params.max_wait {
            limits::integer("maxWait", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        if let Some(value) = &params.page_number {
            limits::integer("pageNumber", *value, Some(0), None)?;
        }
        if let Some(value) = &params.page_size {
            limits::integer("pageSize", *value, Some(1), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::GET_QUERY_RESULTS.id()))?;
    let target = Target::new("/query/v2/jobResults/").segment("job_id", job_id)?;
    let target = target
        .query_opt("maxWait", params.max_wait.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target.query_opt("pageCursor", params.page_cursor.as_deref());
    let target = target
        .query_opt(
            "pageNumber",
            params.page_number.map(|value| value.to_string()).as_deref(),
        );
    let target = target
        .query_opt(
            "pageSize",
            params.page_size.map(|value| value.to_string()).as_deref(),
        );
    let target = target
        .query_opt(
            "resultFormat",
            params.result_format.as_ref().map(|value| value.as_str()),
        );
    Ok(Call::new(&operations::GET_QUERY_RESULTS, target))
}
