// Made by `cargo xtask codegen` from crates/cloud-credentials/api/cloud-credentials.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Returns the operations on users, groups and computers.
    #[must_use]
    pub fn directory(&self) -> DirectoryApi<'_> {
        DirectoryApi(self)
    }

    /// Returns the operations on channels of events.
    #[must_use]
    pub fn events(&self) -> EventsApi<'_> {
        EventsApi(self)
    }

    /// Returns the operations on logs and the queries on them.
    #[must_use]
    pub fn logging(&self) -> LoggingApi<'_> {
        LoggingApi(self)
    }

    /// Returns the operations on jobs of the second generation of queries.
    #[must_use]
    pub fn queries(&self) -> QueriesApi<'_> {
        QueriesApi(self)
    }
}

/// The operations on users, groups and computers.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryApi<'c>(pub(crate) &'c crate::Client);

impl DirectoryApi<'_> {
    /// Returns the attributes of each class of objects.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.directory().attributes().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DirectorySyncService")]
    pub async fn attributes(
        &self,
    ) -> crate::Result<std::collections::BTreeMap<String, serde_json::Value>> {
        let call = calls::get_directory_attributes()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns the domains that are synchronised.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.directory().domains().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn domains(&self) -> crate::Result<serde_json::Value> {
        let call = calls::get_directory_domains()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns the number of objects of a class.
    ///
    /// `object_class`: The class of objects, such as `users`. Not empty.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.directory().count("example").send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn count(
        &self,
        object_class: impl Into<String>,
    ) -> CountDirectoryObjectsRequest {
        CountDirectoryObjectsRequest {
            client: self.0.clone(),
            object_class: object_class.into(),
            params: calls::CountDirectoryObjectsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns objects of a class.
    ///
    /// `object_class`: The class of objects, such as `users`. Not empty.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.directory().query("example", &vouchsafe_cloud_credentials::DirectoryQuery::new()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query(
        &self,
        object_class: &str,
        body: &wire::DirectoryQuery,
    ) -> crate::Result<wire::DirectoryPage> {
        let call = calls::query_directory(object_class, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// The operations on channels of events.
#[derive(Clone, Copy, Debug)]
pub struct EventsApi<'c>(pub(crate) &'c crate::Client);

impl EventsApi<'_> {
    /// Returns events that no one has acknowledged.
    ///
    /// `channel`: The id of the channel. Not empty.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.events().poll("example").send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "EventService")]
    pub fn poll(&self, channel: impl Into<String>) -> PollEventsRequest {
        PollEventsRequest {
            client: self.0.clone(),
            channel: channel.into(),
            body: None,
            options: CallOptions::new(),
        }
    }

    /// Acknowledges the events that were polled last.
    ///
    /// `channel`: The id of the channel. Not empty.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// client.events().ack("example").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ack(&self, channel: &str) -> crate::Result<()> {
        let call = calls::acknowledge_events(channel)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the events that were polled last to the channel.
    ///
    /// `channel`: The id of the channel. Not empty.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// client.events().nack("example").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn nack(&self, channel: &str) -> crate::Result<()> {
        let call = calls::refuse_events(channel)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Drops all events of a channel.
    ///
    /// `channel`: The id of the channel. Not empty.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// client.events().flush("example").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn flush(&self, channel: &str) -> crate::Result<()> {
        let call = calls::flush_events(channel)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the filters of a channel.
    ///
    /// `channel`: The id of the channel. Not empty.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.events().filters("example").await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_filters")]
    pub async fn filters(&self, channel: &str) -> crate::Result<wire::EventFilters> {
        let call = calls::get_event_filters(channel)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Replaces the filters of a channel.
    ///
    /// `channel`: The id of the channel. Not empty.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// client.events().set_filters("example", &vouchsafe_cloud_credentials::EventFilters::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_filters(
        &self,
        channel: &str,
        body: &wire::EventFilters,
    ) -> crate::Result<()> {
        let call = calls::set_event_filters(channel, body)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on logs and the queries on them.
#[derive(Clone, Copy, Debug)]
pub struct LoggingApi<'c>(pub(crate) &'c crate::Client);

impl LoggingApi<'_> {
    /// Starts a query.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.logging().query(&vouchsafe_cloud_credentials::LogQuery::new("example")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "LoggingService")]
    pub async fn query(&self, body: &wire::LogQuery) -> crate::Result<wire::LogPage> {
        let call = calls::create_log_query(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns a page of the results of a query.
    ///
    /// `query_id`: The id of the query. Not empty.
    ///
    /// `sequence`: The number of the page, from 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.logging().poll("q-1", 0).send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll(
        &self,
        query_id: impl Into<String>,
        sequence: i64,
    ) -> PollLogQueryRequest {
        PollLogQueryRequest {
            client: self.0.clone(),
            query_id: query_id.into(),
            sequence,
            params: calls::PollLogQueryParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Removes a query and its results.
    ///
    /// `query_id`: The id of the query. Not empty.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.logging().delete("q-1").await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, query_id: &str) -> crate::Result<wire::Deleted> {
        let call = calls::delete_log_query(query_id)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Writes log entries.
    ///
    /// `vendor`: The vendor of the log. Not empty.
    ///
    /// `log_type`: The type of the log. Not empty.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.logging().write("example", "example", &serde_json::from_str::<Vec<_>>("[{}]").expect("it is JSON")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write(
        &self,
        vendor: &str,
        log_type: &str,
        body: &[serde_json::Value],
    ) -> crate::Result<wire::Written> {
        let call = calls::write_logs(vendor, log_type, body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// The operations on jobs of the second generation of queries.
#[derive(Clone, Copy, Debug)]
pub struct QueriesApi<'c>(pub(crate) &'c crate::Client);

impl QueriesApi<'_> {
    /// Returns the known jobs.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.queries().list().send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "list_jobs")]
    pub fn list(&self) -> ListQueryJobsRequest {
        ListQueryJobsRequest {
            client: self.0.clone(),
            params: calls::ListQueryJobsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Starts a job.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.queries().create(&serde_json::from_str("{\"clientType\":\"example\",\"clientVersion\":\"example\",\"params\":{}}").expect("it is JSON")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "create_query")]
    #[doc(alias = "QueryService")]
    pub async fn create(
        &self,
        body: &wire::NewQueryJob,
    ) -> crate::Result<wire::QueryJob> {
        let call = calls::create_query_job(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns a job.
    ///
    /// `job_id`: The id of the job. Not empty.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.queries().get("j1").await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_job")]
    pub async fn get(&self, job_id: &str) -> crate::Result<wire::QueryJob> {
        let call = calls::get_query_job(job_id)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Cancels a job.
    ///
    /// `job_id`: The id of the job. Not empty.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// client.queries().cancel("j1").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "cancel_job")]
    pub async fn cancel(&self, job_id: &str) -> crate::Result<()> {
        let call = calls::cancel_query_job(job_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns a page of the result of a job.
    ///
    /// `job_id`: The id of the job. Not empty.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let answer = client.queries().results("j1").send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_job_results")]
    pub fn results(&self, job_id: impl Into<String>) -> GetQueryResultsRequest {
        GetQueryResultsRequest {
            client: self.0.clone(),
            job_id: job_id.into(),
            params: calls::GetQueryResultsParams::default(),
            options: CallOptions::new(),
        }
    }
}

/// A request: returns a page of the results of a query.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct PollLogQueryRequest {
    client: crate::Client,
    query_id: String,
    sequence: i64,
    params: calls::PollLogQueryParams,
    options: CallOptions,
}

impl PollLogQueryRequest {
    /// How long the service waits for the page, in milliseconds.
    ///
    /// At least 0.
    pub fn max_wait_time(mut self, value: i64) -> Self {
        self.params.max_wait_time = Some(value);
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::LogPage> {
        let call = calls::poll_log_query(&self.query_id, self.sequence, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }
}

/// A request: returns events that no one has acknowledged.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct PollEventsRequest {
    client: crate::Client,
    channel: String,
    body: Option<wire::EventPoll>,
    options: CallOptions,
}

impl PollEventsRequest {
    /// Sets the body. Default: none.
    pub fn body(mut self, body: &wire::EventPoll) -> Self {
        self.body = Some(body.clone());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<Vec<wire::EventGroup>> {
        let call = calls::poll_events(&self.channel, self.body.as_ref())?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }
}

/// A request: returns the number of objects of a class.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CountDirectoryObjectsRequest {
    client: crate::Client,
    object_class: String,
    params: calls::CountDirectoryObjectsParams,
    options: CallOptions,
}

impl CountDirectoryObjectsRequest {
    /// The domain to count in.
    pub fn domain(mut self, value: impl Into<String>) -> Self {
        self.params.domain = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<i64> {
        let call = calls::count_directory_objects(&self.object_class, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json::<wire::DirectoryCount>()?.count)
    }
}

/// A request: returns the known jobs.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListQueryJobsRequest {
    client: crate::Client,
    params: calls::ListQueryJobsParams,
    options: CallOptions,
}

impl ListQueryJobsRequest {
    /// The most jobs to return.
    ///
    /// At least 1.
    pub fn max_jobs(mut self, value: i64) -> Self {
        self.params.max_jobs = Some(value);
        self
    }

    /// Jobs created after this time, in seconds since 1970.
    pub fn created_after(mut self, value: i64) -> Self {
        self.params.created_after = Some(value);
        self
    }

    /// Jobs in this state.
    pub fn state(mut self, value: impl Into<String>) -> Self {
        self.params.state = Some(value.into());
        self
    }

    /// Jobs of this type.
    pub fn job_type(mut self, value: impl Into<String>) -> Self {
        self.params.job_type = Some(value.into());
        self
    }

    /// Jobs of this tenant.
    pub fn tenant_id(mut self, value: impl Into<String>) -> Self {
        self.params.tenant_id = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (400).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<Vec<wire::QueryJob>> {
        let call = calls::list_query_jobs(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }
}

/// A request: returns a page of the result of a job.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct GetQueryResultsRequest {
    client: crate::Client,
    job_id: String,
    params: calls::GetQueryResultsParams,
    options: CallOptions,
}

impl GetQueryResultsRequest {
    /// How long the service waits for the page, in milliseconds.
    ///
    /// At least 0.
    pub fn max_wait(mut self, value: i64) -> Self {
        self.params.max_wait = Some(value);
        self
    }

    /// The number of the first row.
    ///
    /// At least 0.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// The start of the page, from the answer of the previous page.
    pub fn page_cursor(mut self, value: impl Into<String>) -> Self {
        self.params.page_cursor = Some(value.into());
        self
    }

    /// The number of the page.
    ///
    /// At least 0.
    pub fn page_number(mut self, value: i64) -> Self {
        self.params.page_number = Some(value);
        self
    }

    /// Rows on a page.
    ///
    /// At least 1.
    pub fn page_size(mut self, value: i64) -> Self {
        self.params.page_size = Some(value);
        self
    }

    /// The format of rows.
    pub fn result_format(mut self, value: wire::ResultFormat) -> Self {
        self.params.result_format = Some(value);
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: Refused (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::QueryPage> {
        let call = calls::get_query_results(&self.job_id, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }
}
