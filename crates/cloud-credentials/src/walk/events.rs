//! The events of a channel.

use std::time::Duration;
use std::vec;

use http::StatusCode;
use tokio::time::Instant;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service as _;
use vouchsafe_core::{Error as Core, ErrorKind as Kind, deadline};

use super::Left;
use crate::generated::cloud_credentials::{
    api::EventsApi,
    calls,
    wire::{EventGroup, EventPoll},
};
use crate::{Client, Result};

impl EventsApi<'_> {
    /// Walks the events of a channel, until there are no more.
    ///
    /// Events stay in the channel until they are [acknowledged](EventWalk::acknowledge). Where they are not,
    /// the service returns them again: a page that is the same as the one before has nothing new, and
    /// counts as an empty one. If there are new events beside those, the page is returned as it is, with
    /// both. So a program that acknowledges by [`ack`](Self::ack) while it walks would miss a page of the
    /// same events: let the walk acknowledge them.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the channel's id is empty or not valid in a URL.
    #[doc(alias = "xpoll")]
    pub fn walk(&self, channel: impl Into<String>) -> Result<EventWalk> {
        let (client, channel) = (self.0.clone(), channel.into());
        calls::acknowledge_events(&channel)?;
        Ok(EventWalk {
            left: Left {
                client: client.clone(),
                call: None,
            },
            client,
            channel,
            poll: None,
            acknowledges: false,
            pause: None,
            next: None,
            ready: Vec::new().into_iter(),
            last: Vec::new(),
        })
    }
}

/// Walks the events of a channel; see [`EventsApi::walk`].
#[derive(Debug)]
#[must_use = "a walk does nothing until events are taken"]
pub struct EventWalk {
    client: Client,
    channel: String,
    poll: Option<EventPoll>,
    acknowledges: bool,
    pause: Option<Duration>,
    /// The time of the next poll, after the channel was empty.
    next: Option<Instant>,
    ready: vec::IntoIter<EventGroup>,
    /// The last page, which is returned again if nothing is acknowledged.
    last: Vec<EventGroup>,
    /// Returns the last events to the channel; set until they are acknowledged.
    left: Left,
}

impl EventWalk {
    /// Sets how the channel is polled. Default: the service's default.
    pub fn poll(mut self, poll: EventPoll) -> Self {
        self.poll = Some(poll);
        self
    }

    /// Acknowledges the events of a page once all of them were taken and the next one is requested.
    /// If the walk is dropped before that, the page is returned in the background, as long as a
    /// clone of the client lives. Default: nothing is acknowledged, and the service returns the same
    /// events again.
    pub fn acknowledge(mut self) -> Self {
        self.acknowledges = true;
        self
    }

    /// Continues when there are no new events, and polls again after a pause. Default: the walk ends.
    pub fn follow(mut self, pause: Duration) -> Self {
        self.pause = Some(pause);
        self
    }

    /// Returns the next events of one type of log; `None` if there are none and the walk does not
    /// [follow](Self::follow). The future may be dropped, and `next` called again.
    ///
    /// # Errors
    ///
    /// Those of [`EventsApi::poll`] and [`EventsApi::ack`]; of kind `Status` if the service does
    /// not confirm what was acknowledged. The next call tries again.
    pub async fn next(&mut self) -> Result<Option<EventGroup>> {
        loop {
            if let Some(group) = self.ready.next() {
                return Ok(Some(group));
            }
            if self.left.call.is_some() {
                self.acknowledge_last().await?;
            }
            if let Some(next) = self.next {
                tokio::time::sleep_until(next).await;
                self.next = None;
            }
            let poll = self.client.events().poll(self.channel.as_str());
            let poll = match &self.poll {
                Some(body) => poll.body(body),
                None => poll,
            };
            let groups = poll.send().await?;
            let is_known = !self.acknowledges && groups == self.last;
            if groups.is_empty() || is_known {
                self.last = groups;
                let Some(pause) = self.pause else {
                    return Ok(None);
                };
                self.next = Some(deadline::after(Instant::now(), pause));
                continue;
            }
            match self.acknowledges {
                true => self.left.call = Some(calls::refuse_events(&self.channel)?),
                false => self.last.clone_from(&groups),
            }
            self.ready = groups.into_iter();
        }
    }

    /// Ends the walk without giving back a page that was not acknowledged. The service returns its
    /// events again later.
    pub fn leave(mut self) {
        self.left.call = None;
    }

    async fn acknowledge_last(&mut self) -> Result<()> {
        let call = calls::acknowledge_events(&self.channel)?;
        let answer = self.client.call(call, &(), &CallOptions::new()).await?;
        if answer.status() != StatusCode::OK {
            let what = format!("the events were not acknowledged: {}", answer.status());
            let error = Core::new(Kind::Status, what).with_status(answer.status());
            return Err(error.with_operation("acknowledgeEvents").into());
        }
        self.left.call = None;
        Ok(())
    }
}
