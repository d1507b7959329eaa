//! Walks over results that arrive page by page. Each polls with growing waits, ends by itself, and
//! cleans up.

mod cleanup;
mod events;
mod jobs;
mod logs;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use vouchsafe_core::call::{Answer, Backoff, Call, Jitter};
use vouchsafe_core::deadline;

pub(crate) use self::cleanup::Cleanup;
pub use self::events::EventWalk;
pub use self::jobs::QueryPages;
pub use self::logs::{LogHits, LogPages};
use crate::{Client, Error};

/// The time of a walk's next poll.
#[derive(Debug)]
struct Pace {
    waits: Backoff,
    next: Option<Instant>,
}

impl Pace {
    fn new(jitter: Jitter) -> Self {
        Self {
            waits: Backoff::new(FIRST, LONGEST, jitter).at_least_half(),
            next: None,
        }
    }

    /// Waits until it is time. Dropping the future changes nothing.
    async fn wait(&mut self) {
        if let Some(next) = self.next {
            sleep_until(next).await;
            self.next = None;
        }
    }

    /// Records that there was nothing new. A server that waited itself is polled sooner.
    fn slower(&mut self, asked: Instant) {
        let wait = self.waits.next_wait();
        self.next = Some(deadline::after(asked, wait));
    }

    /// Records that there was something new.
    fn reset(&mut self) {
        self.waits.reset();
    }
}

/// The call to send when a walk is dropped before its end.
#[derive(Debug)]
struct Left {
    client: Client,
    call: Option<Call>,
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.client.clean_up(call);
        }
    }
}

/// The error for an unknown state.
fn bad(answer: &Answer, what: &str, state: Option<&str>) -> Error {
    let state = state.unwrap_or("none");
    answer.decode_error(format!("Bad {what}: {state}")).into()
}

/// The error for an answer without the member that has its content.
fn missing(answer: &Answer, member: &str) -> Error {
    answer
        .decode_error(format!("no {member:?} in response"))
        .into()
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);
