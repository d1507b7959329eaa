//! The results of a query on logs.

use std::time::Duration;
use std::vec;

use http::StatusCode;
use serde_json::Value;
use tokio::time::Instant;
use vouchsafe_core::call::{Answer, CallOptions};
use vouchsafe_core::service::Service as _;
use vouchsafe_core::{Error as Core, ErrorKind as Kind};

use super::{Left, Pace, bad, missing};
use crate::generated::cloud_credentials::{
    api::LoggingApi,
    calls,
    wire::{Deleted, LogPage},
};
use crate::{Client, Error, Result};

impl LoggingApi<'_> {
    /// Walks the pages of a query's results, from the first one.
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
    /// let mut pages = client.logging().pages("q-1")?;
    /// while let Some(page) = pages.next().await? {
    ///     println!("{:?}", page.result);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "iter_poll")]
    pub fn pages(&self, query_id: impl Into<String>) -> Result<LogPages> {
        let (client, query_id) = (self.0.clone(), query_id.into());
        let removal = calls::delete_log_query(&query_id)?;
        Ok(LogPages {
            pace: Pace::new(client.jitter()),
            left: Left {
                client: client.clone(),
                call: Some(removal),
            },
            client,
            query_id,
            sequence: 0,
            max_wait: None,
            is_over: false,
            has_tried_removal: false,
        })
    }

    /// Walks the log entries that a query finds, one by one.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the id is empty or not valid in a URL.
    #[doc(alias = "xpoll")]
    pub fn hits(&self, query_id: impl Into<String>) -> Result<LogHits> {
        Ok(LogHits {
            pages: self.pages(query_id)?,
            ready: Vec::new().into_iter(),
        })
    }
}

/// Walks the pages of a query's results; see [`LoggingApi::pages`].
///
/// While the query is running, it is polled every one to fifteen seconds; a service that waits
/// itself ([`max_wait`](Self::max_wait)) is polled immediately. At the end the query is removed; if
/// the walk is dropped before that, it is removed in the background, as long as a clone of the
/// client lives.
#[derive(Debug)]
#[must_use = "a walk does nothing until pages are taken"]
pub struct LogPages {
    client: Client,
    query_id: String,
    sequence: i64,
    max_wait: Option<i64>,
    pace: Pace,
    left: Left,
    is_over: bool,
    /// Whether the query may be gone because of a removal that failed.
    has_tried_removal: bool,
}

impl LogPages {
    /// Sets the first page. Default: 0.
    pub fn from_page(mut self, sequence: i64) -> Self {
        self.sequence = sequence;
        self
    }

    /// Sets how long the service may wait for each page. An attempt must be allowed to take longer,
    /// see [`ClientBuilder::timeouts`](crate::ClientBuilder::timeouts). Default: up to the service.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self
    }

    /// Leaves the query and its results on the server.
    pub fn keep_query(mut self) -> Self {
        self.left.call = None;
        self
    }

    /// Returns the next page as the service sends it, including pages that only say that the query
    /// is running; `None` after the last. The future may be dropped, and `next` called again.
    ///
    /// # Errors
    ///
    /// - Those of [`LoggingApi::poll`]; the next call requests the same page.
    /// - Of kind `Decode` if the state of the query is unknown.
    /// - Those of [`LoggingApi::delete`] after the last page: the results may still be on the
    ///   server, and the next call tries again. To that one, it is no error if the query is gone.
    pub async fn next(&mut self) -> Result<Option<LogPage>> {
        Ok(self.turn().await?.map(|(page, _)| page))
    }

    /// Returns the next page, and the answer that it was read from.
    async fn turn(&mut self) -> Result<Option<(LogPage, Answer)>> {
        if self.is_over {
            self.remove().await?;
            return Ok(None);
        }
        self.pace.wait().await;
        let asked = Instant::now();
        let params = calls::PollLogQueryParams {
            max_wait_time: self.max_wait,
        };
        let call = calls::poll_log_query(&self.query_id, self.sequence, &params)?;
        let answer = self.client.call(call, &(), &CallOptions::new()).await?;
        let page: LogPage = answer.json()?;
        match page.query_status.as_deref() {
            Some("RUNNING") => self.pace.slower(asked),
            Some("FINISHED") => {
                self.pace.reset();
                self.sequence = self.sequence.saturating_add(1);
            }
            Some("JOB_FINISHED") => self.is_over = true,
            Some("JOB_FAILED") => {
                // The service has the reason.
                self.left.call = None;
                self.is_over = true;
            }
            state => return Err(bad(&answer, "queryStatus", state)),
        }
        Ok(Some((page, answer)))
    }

    async fn remove(&mut self) -> Result<()> {
        if self.left.call.is_none() {
            return Ok(());
        }
        let call = calls::delete_log_query(&self.query_id)?;
        let removed = self.client.call(call, &(), &CallOptions::new()).await;
        let has_tried = std::mem::replace(&mut self.has_tried_removal, true);
        let is_gone = |error: &Error| {
            let may_be_ours = has_tried || error.core().has_lost_attempt();
            may_be_ours && error.status() == Some(StatusCode::NOT_FOUND)
        };
        match removed {
            Err(error) if !is_gone(&error) => return Err(error),
            // It was accepted, and may not have been done.
            Ok(answer) if answer.status() != StatusCode::OK => {
                let what = format!("the query was not removed: {}", answer.status());
                let error = Core::new(Kind::Status, what).with_status(answer.status());
                return Err(error.with_operation("deleteLogQuery").into());
            }
            Ok(answer) => drop(answer.json::<Deleted>()?),
            Err(_) => {}
        }
        self.left.call = None;
        Ok(())
    }
}

/// Walks the log entries that a query finds, one by one; see [`LoggingApi::hits`]. It waits and
/// cleans up as [`LogPages`] does.
#[derive(Debug)]
#[must_use = "a walk does nothing until entries are taken"]
pub struct LogHits {
    pages: LogPages,
    ready: vec::IntoIter<Value>,
}

impl LogHits {
    /// Sets the first page. Default: 0.
    pub fn from_page(mut self, sequence: i64) -> Self {
        self.pages = self.pages.from_page(sequence);
        self
    }

    /// Sets how long the service may wait for each page, as [`LogPages::max_wait`] does.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.pages = self.pages.max_wait(wait);
        self
    }

    /// Leaves the query and its results on the server.
    pub fn keep_query(mut self) -> Self {
        self.pages = self.pages.keep_query();
        self
    }

    /// Returns the next entry, or `None` after the last. The future may be dropped, and `next`
    /// called again.
    ///
    /// # Errors
    ///
    /// - Those of [`LogPages::next`].
    /// - With the code `JOB_FAILED` if the query failed.
    /// - Of kind `Decode` if a page that is finished has no list of entries. The walk goes on with
    ///   the page after it.
    pub async fn next(&mut self) -> Result<Option<Value>> {
        loop {
            if let Some(hit) = self.ready.next() {
                return Ok(Some(hit));
            }
            let Some((mut page, answer)) = self.pages.turn().await? else {
                return Ok(None);
            };
            match page.query_status.as_deref() {
                Some("JOB_FAILED") => return Err(failed(&page, &answer)),
                // The same page is requested again, so that its entries would come twice.
                Some("RUNNING") => continue,
                _ => {}
            }
            let result = page.result.as_mut();
            let hits = result.and_then(|result| result.pointer_mut("/esResult/hits/hits"));
            match hits {
                Some(Value::Array(hits)) => self.ready = std::mem::take(hits).into_iter(),
                _ => return Err(missing(&answer, "hits")),
            }
        }
    }
}

/// The error for a query that failed.
fn failed(page: &LogPage, answer: &Answer) -> Error {
    let result = page.result.as_ref();
    let why = result.and_then(|result| result.pointer("/esResult/error"));
    let what = match why {
        None | Some(Value::Null) => "JOB_FAILED".to_owned(),
        Some(Value::String(why)) => format!("JOB_FAILED: {why}"),
        Some(why) => format!("JOB_FAILED: {why}"),
    };
    let what = answer.without_secrets(&what);
    Core::new(Kind::Status, what).with_code("JOB_FAILED").into()
}
