//! The token of a source that fetches tokens, kept until it is refused.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Renewals, Token};
use crate::deadline::after;
use crate::sync::lock;
use crate::task::{MayHang, Turn};
use crate::{Error, ErrorKind, Result, Secret};

/// The token of a source that fetches tokens, until it is refused.
pub(super) struct Kept {
    renewals: Renewals,
    /// After how long another token may be there, although this one was not refused.
    interval: Option<Duration>,
    held: Mutex<Held>,
    /// One fetch at a time; the others wait. Two concurrent fetches could finish in the wrong order
    /// and leave the older token.
    pub(super) fetches: MayHang,
    /// What an error is about, if a fetch takes too long.
    origin: Option<String>,
}

/// What came of a fetch, and its turn, if the fetch did not lose it. A fetch that goes on without its
/// caller keeps its turn to the end.
pub(super) type Fetched = (Result<Secret>, Option<Turn>);

#[derive(Default)]
struct Held {
    token: Option<Token>,
    refused: bool,
    /// How many fetches have begun, and how many of them have ended.
    begun: u64,
    ended: u64,
    /// How many had begun when the token was refused: those may have read what was refused.
    stale: u64,
    /// When the next one begins, at the latest.
    due_at: Option<Instant>,
}

impl Held {
    fn good(&self) -> Option<Token> {
        self.token.clone().filter(|_| !self.refused)
    }
}

/// What counts if a refused token cannot be replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise {
    LastToken,
    Error,
}

impl Kept {
    pub(super) fn new(source: &'static str, interval: Option<Duration>, fetches: MayHang) -> Self {
        Self {
            renewals: Renewals::new(source),
            interval,
            held: Mutex::default(),
            fetches,
            origin: None,
        }
    }

    /// Sets what an error is about, if a fetch takes too long.
    pub(super) fn about(mut self, origin: String) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Returns the token in memory, if it is good, and whether another may be there.
    fn look(&self) -> (Option<Token>, bool) {
        let mut held = lock(&self.held);
        let is_due = held.due_at.is_some_and(|due_at| Instant::now() >= due_at);
        if is_due {
            held.due_at = self.due_after(Instant::now());
        }
        (held.good(), is_due)
    }

    /// Returns the number of the first fetch that may replace what is in memory.
    fn needed(&self) -> u64 {
        let held = lock(&self.held);
        match held.refused {
            true => held.stale + 1,
            false => held.ended + 1,
        }
    }

    fn due_after(&self, now: Instant) -> Option<Instant> {
        self.interval.map(|interval| after(now, interval))
    }

    pub(super) async fn get<F: Future<Output = Fetched>>(
        &self,
        fetch: impl FnOnce(Turn) -> F,
        otherwise: Otherwise,
    ) -> Result<Token> {
        match self.look() {
            (Some(token), false) => return Ok(token),
            // One caller looks for another token, and not for longer than until the next look.
            (Some(token), true) => {
                let Some(turn) = self.fetches.try_turn() else {
                    return Ok(token);
                };
                let longest = self.interval.unwrap_or_default();
                let looked = timeout(longest, self.fetched(turn, fetch, otherwise)).await;
                return looked.unwrap_or_else(|_| {
                    tracing::debug!("a token takes long to read; the last one is used");
                    Ok(token)
                });
            }
            (None, _) => {}
        }
        let needed = self.needed();
        let fetched = self.fetches.limited(async {
            let turn = self.fetches.turn().await?;
            {
                let held = lock(&self.held);
                if held.ended >= needed
                    && let Some(token) = held.good()
                {
                    return Ok(Ok(token));
                }
            }
            Ok(self.fetched(turn, fetch, otherwise).await)
        });
        match fetched.await {
            Ok(result) => result,
            Err(late) => self.late(late, otherwise),
        }
    }

    /// Ends a call whose fetch takes too long, as if the fetch had failed.
    fn late(&self, late: Error, otherwise: Otherwise) -> Result<Token> {
        let late = late.with_kind(ErrorKind::Credential);
        let late = match &self.origin {
            Some(origin) => late.with_origin(origin),
            None => late,
        };
        self.renewals.record(Some(&late));
        let mut held = lock(&self.held);
        match held.token.clone() {
            Some(old) if otherwise == Otherwise::LastToken => {
                held.refused = false;
                held.due_at = self.due_after(Instant::now());
                Ok(old)
            }
            _ => Err(late),
        }
    }

    async fn fetched<F: Future<Output = Fetched>>(
        &self,
        turn: Turn,
        fetch: impl FnOnce(Turn) -> F,
        otherwise: Otherwise,
    ) -> Result<Token> {
        let number = {
            let mut held = lock(&self.held);
            held.begun += 1;
            held.begun
        };
        let (fetched, _turn) = fetch(turn).await;
        self.renewals.record(fetched.as_ref().err());
        let mut held = lock(&self.held);
        // A later one, which did not wait for this, has ended before: this may have fetched what that replaced.
        if number < held.ended
            && let Some(token) = held.good()
        {
            return Ok(token);
        }
        held.ended = held.ended.max(number);
        held.due_at = self.due_after(Instant::now());
        // A refusal during the fetch is of what it may have read.
        let is_newer = number > held.stale;
        match (fetched, held.token.clone()) {
            (Ok(secret), Some(old)) if *old.secret() == secret => {
                held.refused &= !is_newer;
                Ok(old)
            }
            (Ok(secret), old) => {
                let generation = old.as_ref().map_or(0, Token::generation) + 1;
                let token = Token::new(secret).of_generation(generation);
                held.refused = false;
                held.token = Some(token.clone());
                Ok(token)
            }
            (Err(_), Some(old)) if otherwise == Otherwise::LastToken => {
                held.refused &= !is_newer;
                Ok(old)
            }
            (Err(error), _) => Err(error),
        }
    }

    pub(super) fn forget(&self, generation: u64) {
        let mut held = lock(&self.held);
        let is_current = |token: &Token| token.generation() == generation;
        // What was begun since the first refusal is as good for the others.
        if !held.refused && held.token.as_ref().is_some_and(is_current) {
            held.refused = true;
            held.stale = held.begun;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_was_overtaken_does_not_replace_the_newer_token() {
        for old in [
            Ok(Secret::from("old")),
            Err(Error::new(ErrorKind::Credential, "away")),
        ] {
            let kept = Kept::new("test", None, MayHang::new("reading", LIMIT));
            let (answer, answered) = oneshot::channel();
            let fetch = async |turn| (answered.await.unwrap(), Some(turn));
            let mut first = Box::pin(kept.get(fetch, Otherwise::LastToken));
            assert!((&mut first).now_or_never().is_none());
            // It is done within the limit, but its task is polled again only later.
            assert!(answer.send(old).is_ok());
            advance(LIMIT).await;
            let fetch = async |turn| (Ok(Secret::from("new")), Some(turn));
            let second = kept.get(fetch, Otherwise::LastToken).await.unwrap();
            for token in [first.await, kept.get(never, Otherwise::LastToken).await] {
                let token = token.unwrap();
                assert_eq!(token.secret().expose(), "new");
                assert_eq!(token.generation(), second.generation());
            }
            assert_eq!(lock(&kept.held).ended, 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_was_overtaken_by_one_that_failed_counts() {
        let kept = Kept::new("test", None, MayHang::new("reading", LIMIT));
        let (answer, answered) = oneshot::channel();
        let fetch = async |turn| (answered.await.unwrap(), Some(turn));
        let mut first = Box::pin(kept.get(fetch, Otherwise::LastToken));
        assert!((&mut first).now_or_never().is_none());
        assert!(answer.send(Ok(Secret::from("only"))).is_ok());
        advance(LIMIT).await;
        let away = || Err(Error::new(ErrorKind::Credential, "away"));
        let fetch = async |turn| (away(), Some(turn));
        assert!(kept.get(fetch, Otherwise::LastToken).await.is_err());
        assert_eq!(first.await.unwrap().secret().expose(), "only");
    }

    async fn never(_: Turn) -> Fetched {
        unreachable!("there is a good token")
    }
}
