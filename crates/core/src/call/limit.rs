//! Per-authority state of a client: the retry budget and a bound on requests in flight.

use std::sync::Arc;

use http::uri::Authority;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::{Budget, Operation};
use crate::observe::Observer;
use crate::sync::ManyReaders;
use crate::{Error, ErrorKind, Result};

/// The authorities that a client has called.
#[derive(Debug)]
pub(crate) struct Authorities {
    known: ManyReaders<Vec<(Authority, Arc<AuthorityState>)>>,
    max_in_flight: usize,
    budget: Option<Budget>,
}

/// Budget and permits of one authority.
#[derive(Debug)]
pub(crate) struct AuthorityState {
    pub(crate) budget: Budget,
    permits: Arc<Semaphore>,
}

impl Authorities {
    /// A given budget is shared by all authorities; otherwise each has its own.
    pub(crate) fn new(max_in_flight: usize, budget: Option<Budget>) -> Self {
        Self {
            known: ManyReaders::new(Vec::new()),
            max_in_flight,
            budget,
        }
    }

    pub(crate) fn of(&self, authority: &Authority) -> Arc<AuthorityState> {
        let known = self.known.read();
        if let Some(state) = find(&known, authority) {
            return state;
        }
        drop(known);
        let mut known = self.known.write();
        if let Some(state) = find(&known, authority) {
            return state;
        }
        if known.len() == MAX_KNOWN {
            known.remove(0);
        }
        let state = Arc::new(AuthorityState {
            budget: self.budget.clone().unwrap_or_default(),
            permits: Arc::new(Semaphore::new(self.max_in_flight)),
        });
        known.push((authority.clone(), Arc::clone(&state)));
        state
    }
}

impl AuthorityState {
    /// Waits for a permit to send, until the deadline.
    pub(crate) async fn permit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        match timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::new(
                ErrorKind::Throttled,
                "too many requests are in flight: raise max_in_flight or the deadline",
            )
            .with_retryable(true)),
        }
    }
}

/// A request in flight, until it is dropped.
pub(crate) struct InFlight {
    _permit: OwnedSemaphorePermit,
    watched: Option<(Arc<dyn Observer>, &'static str)>,
}

impl InFlight {
    pub(crate) fn new(
        permit: OwnedSemaphorePermit,
        observer: Option<&Arc<dyn Observer>>,
        operation: &'static Operation,
    ) -> Self {
        let watched = observer.map(|observer| {
            observer.request_began(operation.id());
            (Arc::clone(observer), operation.id())
        });
        Self {
            _permit: permit,
            watched,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some((observer, operation)) = &self.watched {
            observer.request_ended(operation);
        }
    }
}

/// Compares the texts exactly: treating two spellings of a host as two authorities does no harm,
/// and a case-insensitive comparison took longer than everything else here.
fn find(
    known: &[(Authority, Arc<AuthorityState>)],
    authority: &Authority,
) -> Option<Arc<AuthorityState>> {
    let of = |(name, _): &&(Authority, _)| name.as_str() == authority.as_str();
    known.iter().find(of).map(|(_, state)| Arc::clone(state))
}

/// A client calls a handful of authorities. More than this come from outside, and their number must
/// stay bounded.
const MAX_KNOWN: usize = 64;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_gets_no_permit_in_time_is_throttled_and_unsent() {
        let authorities = Authorities::new(1, None);
        let state = authorities.of(&Authority::from_static("a:1"));
        let _held = state.permit(Instant::now()).await.unwrap();
        let error = state
            .permit(Instant::now() + Duration::from_secs(1))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert_eq!(error.sent(), crate::Sent::No);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_that_is_given_back_in_time_goes_to_the_call_that_waits() {
        let authorities = Authorities::new(1, None);
        let state = authorities.of(&Authority::from_static("a:1"));
        let deadline = Instant::now() + Duration::from_secs(1);
        let held = state.permit(deadline).await.unwrap();
        let waiting = state.permit(deadline);
        let give_back = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            drop(held);
        };
        let (permit, ()) = tokio::join!(waiting, give_back);
        assert!(permit.is_ok());
    }

    #[test]
    fn authorities_do_not_share_and_are_bounded() {
        let authorities = Authorities::new(1, None);
        let first = authorities.of(&Authority::from_static("a:1"));
        assert!(Arc::ptr_eq(
            &first,
            &authorities.of(&Authority::from_static("a:1"))
        ));
        for port in 0..100 {
            authorities.of(&format!("b:{port}").parse().unwrap());
        }
        assert_eq!(authorities.known.read().len(), MAX_KNOWN);
    }

    #[test]
    fn a_given_budget_is_shared() {
        let authorities = Authorities::new(1, Some(Budget::new(10)));
        assert!(
            authorities
                .of(&Authority::from_static("a:1"))
                .budget
                .pay(false)
                .is_some()
        );
        assert_eq!(
            authorities.of(&Authority::from_static("b:1")).budget.left(),
            0
        );
    }
}
