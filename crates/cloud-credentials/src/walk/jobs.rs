//! The result of a job of the second generation of queries.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::call::page::Tokens;
use vouchsafe_core::service::Service as _;

use super::{Left, Pace, bad, missing};
use crate::generated::cloud_credentials::{
    api::QueriesApi,
    calls,
    wire::{QueryPage, ResultFormat},
};
use crate::{Client, Result};

impl QueriesApi<'_> {
    /// Walks the pages of the result of a job.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the id is empty or not valid in a URL.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> vouchsafe_cloud_credentials::Result<()> {
    /// let server = vouchsafe_cloud_credentials::mock::Server::new();
    /// let client = server.client()?;
    /// let mut pages = client.queries().pages("j1")?.page_size(100);
    /// while let Some(page) = pages.next().await? {
    ///     println!("{:?}", page.page);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "iter_job_results")]
    pub fn pages(&self, job_id: impl Into<String>) -> Result<QueryPages> {
        let (client, job_id) = (self.0.clone(), job_id.into());
        let cancelling = calls::cancel_query_job(&job_id)?;
        Ok(QueryPages {
            pace: Pace::new(client.jitter()),
            left: Left {
                client: client.clone(),
                call: Some(cancelling),
            },
            client,
            job_id,
            cursor: None,
            seen: Tokens::default(),
            max_wait: None,
            offset: None,
            page_number: None,
            page_size: None,
            format: None,
            is_over: false,
        })
    }
}

/// Walks the pages of the result of a job; see [`QueriesApi::pages`].
///
/// While the job is running, it is polled every one to fifteen seconds; a service that waits itself
/// ([`max_wait`](Self::max_wait)) is polled immediately. If the walk is dropped before the job is
/// done, the job is cancelled in the background, as long as a clone of the client lives.
#[derive(Debug)]
#[must_use = "a walk does nothing until pages are taken"]
pub struct QueryPages {
    client: Client,
    job_id: String,
    cursor: Option<String>,
    seen: Tokens,
    max_wait: Option<i64>,
    offset: Option<i64>,
    page_number: Option<i64>,
    page_size: Option<i64>,
    format: Option<ResultFormat>,
    pace: Pace,
    left: Left,
    is_over: bool,
}

impl QueryPages {
    /// Sets how long the service may wait for each page. An attempt must be allowed to take longer,
    /// see [`ClientBuilder::timeouts`](crate::ClientBuilder::timeouts). Default: up to the service.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self
    }

    /// Sets where the walk starts: the cursor of a page that another walk returned, in its
    /// `pageCursor`. Default: the first page.
    pub fn from_cursor(mut self, cursor: impl Into<String>) -> Self {
        let cursor = cursor.into();
        self.seen = Tokens::default();
        self.seen.add(&cursor);
        self.cursor = Some(cursor);
        self
    }

    /// Sets the number of the first row, from 0. It is sent with each page; once there is a cursor,
    /// what it means is up to the service. Default: up to the service.
    pub fn offset(mut self, row: i64) -> Self {
        self.offset = Some(row);
        self
    }

    /// Sets the number of the first page. It is sent with each page; once there is a cursor, what it
    /// means is up to the service. Default: up to the service.
    pub fn page_number(mut self, number: i64) -> Self {
        self.page_number = Some(number);
        self
    }

    /// Sets how many rows a page has. Default: up to the service.
    pub fn page_size(mut self, rows: i64) -> Self {
        self.page_size = Some(rows);
        self
    }

    /// Sets the format of rows. Default: up to the service.
    pub fn result_format(mut self, format: ResultFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// Leaves the job running if the walk is dropped.
    pub fn keep_job(mut self) -> Self {
        self.left.call = None;
        self
    }

    /// Returns the next page, or `None` after the last. A job that failed or was cancelled has one
    /// page, whose `state` says so. The future may be dropped, and `next` called again.
    ///
    /// # Errors
    ///
    /// - Those of [`QueriesApi::results`]; the next call requests the same page.
    /// - Of kind `Decode` if the state of the job is unknown, if the job is done and the answer has
    ///   no page, or if the service returns the same page again.
    pub async fn next(&mut self) -> Result<Option<QueryPage>> {
        while !self.is_over {
            self.pace.wait().await;
            let asked = Instant::now();
            let params = calls::GetQueryResultsParams {
                max_wait: self.max_wait,
                offset: self.offset,
                page_cursor: self.cursor.clone(),
                page_number: self.page_number,
                page_size: self.page_size,
                result_format: self.format.clone(),
            };
            let call = calls::get_query_results(&self.job_id, &params)?;
            let answer = self.client.call(call, &(), &CallOptions::new()).await?;
            let page: QueryPage = answer.json()?;
            match page.state.as_deref() {
                Some("RUNNING" | "PENDING") => {
                    self.pace.slower(asked);
                    continue;
                }
                Some("DONE") => {
                    let Some(Value::Object(rows)) = &page.page else {
                        return Err(missing(&answer, "page"));
                    };
                    let cursor = rows.get("pageCursor").and_then(Value::as_str);
                    let cursor = cursor.map(str::to_owned);
                    let cursor = cursor.filter(|cursor| !cursor.is_empty());
                    if cursor
                        .as_deref()
                        .is_some_and(|cursor| !self.seen.add(cursor))
                    {
                        return Err(bad(&answer, "pageCursor", cursor.as_deref()));
                    }
                    self.is_over = cursor.is_none();
                    self.cursor = cursor;
                }
                Some("FAILED" | "CANCELLED") => self.is_over = true,
                state => return Err(bad(&answer, "state", state)),
            }
            // There is nothing left to cancel.
            self.left.call = None;
            return Ok(Some(page));
        }
        Ok(None)
    }
}
