//! Calls of every operation that are given up at each of their awaits: nothing of them is left, what must
//! not be doubled was not, and the next call is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::mock::cancel::{at_each_await, cut};
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Result};

use super::cases::{fine, saying};
use super::line::{Act, Line, Route};
use super::services::{self, Service, requests_of};
use super::{Misses, ends, paused, tasks};

/// A network on which each answer takes a moment, so that there is an await at which to give up.
struct Slow(Arc<dyn Transport>);

fn slow(network: Arc<dyn Transport>) -> Arc<dyn Transport> {
    Arc::new(Slow(network))
}

impl fmt::Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slow").finish_non_exhaustive()
    }
}

impl Transport for Slow {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            tokio::time::sleep(MOMENT).await;
            let answer = self.0.send(request).await;
            tokio::time::sleep(MOMENT).await;
            answer
        })
    }
}

const MOMENT: Duration = Duration::from_millis(10);

/// What comes of the requests of an operation, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Course {
    Answered,
    /// After a refusal that passes.
    Repeated,
    /// With a token that is fetched, refused and fetched again.
    Renewed,
}

#[test]
fn a_call_that_is_given_up_at_any_await_leaves_nothing() {
    let services = services::all();
    let misses = Misses::default();
    let polls: usize = std::thread::scope(|scope| {
        let misses = &misses;
        let of_services = services
            .iter()
            .map(|service| scope.spawn(move || paused().block_on(of_service(service, misses))));
        let threads: Vec<_> = of_services.collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|polls| polls.unwrap_or_else(|why| std::panic::resume_unwind(why)))
            .sum()
    });
    misses.report();
    // Two for each request at least.
    let operations: usize = services
        .iter()
        .map(|service| service.operations.len())
        .sum();
    assert!(
        polls >= 6 * operations,
        "{polls} of {operations} operations"
    );
}

async fn of_service(service: &Service, misses: &Misses) -> usize {
    let emulator = slow((service.emulator)());
    let mut polls = 0;
    for &operation in &service.operations {
        for course in [Course::Answered, Course::Repeated, Course::Renewed] {
            let given_up = GivenUp {
                service,
                emulator: &emulator,
                operation,
                course,
                misses,
            };
            polls += at_each_await(async |polls| given_up.after(polls).await).await;
        }
    }
    polls
}

/// A call that takes a course, and is given up.
struct GivenUp<'a> {
    service: &'a Service,
    emulator: &'a Arc<dyn Transport>,
    operation: &'static Operation,
    course: Course,
    misses: &'a Misses,
}

impl GivenUp<'_> {
    /// Drops a call after a number of polls, and returns whether it was ready before.
    async fn after(&self, polls: usize) -> bool {
        let Self {
            operation,
            course,
            misses,
            ..
        } = self;
        let what = format!(
            "{} {course:?}, given up after {polls} polls",
            operation.id()
        );
        let act = |network| Act::new(&slow(network), true);
        let acts = match course {
            Course::Answered => vec![act(fine())],
            Course::Repeated => vec![act(saying(503, &[])), act(fine())],
            Course::Renewed => vec![act(saying(401, &[])), act(fine())],
        };
        let mut routes = vec![Route::new(requests_of(operation), acts)];
        let is_renewed = *course == Course::Renewed && !operation.is_open();
        let source = self.service.source.filter(|_| is_renewed);
        if let Some(source) = source {
            let issued = slow(source.issuer());
            routes.insert(0, Route::new(source.is_for(), [Act::new(&issued, true)]));
        }
        let before = tasks();
        let line = Line::new(routes, Arc::clone(self.emulator));
        let tokens = source.map(|source| (source.over)(line.clone()));
        let call = (self.service.connect)(operation, line.clone(), tokens);

        let cut = cut(polls, call()).await;
        // Longer than a call may take, and than any error is kept.
        tokio::time::sleep(Duration::from_secs(120)).await;
        misses.equal(
            line.in_flight(),
            0,
            format_args!("{what}: requests in flight"),
        );
        misses.equal(cut.wakers(), 0, format_args!("{what}: wakers"));
        let calls = line.routes.last().unwrap();
        let begun = calls.begun();
        let is_once = operation.repeatable() == Repeat::OnlyIfUnsent;
        let most = if *course == Course::Renewed { 2 } else { 1 };
        misses.check(!is_once || begun <= most, || {
            format!("{what}: sent {begun} times")
        });

        // There is one permit, and whatever was begun does not stand in the way.
        calls.now(Act::new(&fine(), true));
        let error = call().await.err().map(|failure| failure.core);
        // What was answered may have been kept.
        misses.check(calls.begun() > begun || error.is_none(), || {
            format!("{what}: the next call is not sent: {error:?}")
        });
        drop(call);
        ends(&line, before, &what, misses).await;
        cut.output().is_some()
    }
}
