//! The fault matrix: every operation of every client meets every fault, at its first attempt, at a
//! later one and while its token is fetched, by HTTP/1.1 and by HTTP/2. What must come of it follows
//! from `rules`; what came of it is in `docs/faults.md`.

mod cases;
mod given_up;
mod line;
mod page;
mod rules;
mod services;
mod sockets;
mod ticket;

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Version;
use tokio::runtime;
use tokio::time::Instant;
use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::transport::Transport;
use vouchsafe::core::{ErrorKind, Sent};

use self::cases::{Case, Effect, Met};
use self::line::{Act, Line, Route};
use self::page::{Cell, Part, Row, Section};
use self::rules::{BARE, Facts, outcome, usual_kind};
use self::services::{Service, Source, requests_of};
use super::log::Log;
use super::shown::{Caller, Failure, search};
use super::{astakos, operations, userinfo};

/// What is not as it must be. All of it is collected, since one cause often shows in many places.
#[derive(Default)]
struct Misses(Mutex<Vec<String>>);

impl Misses {
    fn check(&self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.0.lock().unwrap().push(what());
        }
    }

    fn equal<T: Debug + PartialEq>(&self, found: T, expected: T, what: impl Display) {
        let is_right = found == expected;
        self.check(is_right, || {
            format!("{what}: {found:?} instead of {expected:?}")
        });
    }

    /// Panics if there is any.
    fn report(self) {
        let misses = self.0.into_inner().unwrap();
        let first = misses
            .iter()
            .take(40)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            misses.is_empty(),
            "{} misses, such as\n{first}",
            misses.len()
        );
    }
}

/// Where in a call a fault is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// At each attempt.
    First,
    /// At each attempt after one that no byte left.
    AfterUnsent,
    /// At each attempt after a 503.
    AfterRefusal,
    /// At the first request for a token.
    Token,
    /// At the request for another token after a 401.
    Renewal,
}

/// Where faults are, and by which version of HTTP they are met.
type Column = (Place, Version);

const OF_CALL: [Column; 4] = [
    (Place::First, Version::HTTP_11),
    (Place::First, Version::HTTP_2),
    (Place::AfterUnsent, Version::HTTP_11),
    (Place::AfterRefusal, Version::HTTP_11),
];
const OF_TOKEN: [Column; 3] = [
    (Place::Token, Version::HTTP_11),
    (Place::Token, Version::HTTP_2),
    (Place::Renewal, Version::HTTP_11),
];

const SAFE: Section = Section {
    heading: "Operations that may be repeated",
    columns: &[
        "each attempt",
        "each attempt, by HTTP/2",
        "after one of which no byte left",
        "after a 503",
    ],
};
const ONCE: Section = Section {
    heading: "Operations that must not be repeated",
    ..SAFE
};

#[test]
fn every_fault_of_every_operation_has_the_outcome_that_the_rules_say() {
    let recording = runtime::Builder::new_current_thread().enable_all().build();
    let cases = recording.unwrap().block_on(cases::all());
    let only = only();
    let services = services::all();
    let misses = Misses::default();
    let rows: Vec<Row> = std::thread::scope(|scope| {
        let (cases, misses) = (&cases, &misses);
        let of_services = services.iter().map(|service| {
            scope.spawn(move || paused().block_on(of_service(service, cases, misses)))
        });
        let mut threads: Vec<_> = of_services.collect();
        if only.is_none() {
            threads.push(scope.spawn(move || paused().block_on(ticket::rows(cases, misses))));
        }
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .flat_map(|rows| rows.unwrap_or_else(|why| std::panic::resume_unwind(why)))
            .collect()
    });

    misses.report();
    if only.is_some() {
        return;
    }

    let mut all: BTreeSet<&str> = rows.iter().map(|row| row.operation).collect();
    all.extend(astakos::NOT_ASKED.iter().chain(&userinfo::NOT_ASKED));
    all.extend(ticket::NOT_ASKED);
    let known: BTreeSet<&str> = operations()
        .iter()
        .map(|operation| operation.id())
        .collect();
    assert_eq!(all, known);

    let of_tokens = services
        .iter()
        .filter_map(|service| Some(service.source?.section));
    let mut sections = vec![SAFE, ONCE, ticket::OF_AUTHORITY, ticket::OF_DAEMON];
    sections.extend(of_tokens);
    sections.dedup();
    page::compare(&page::write(&rows, &sections));
}

/// Returns the name of the service that alone is tried, if not all are.
fn only() -> Option<String> {
    std::env::var("VOUCHSAFE_FAULTS_OF").ok()
}

fn paused() -> runtime::Runtime {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

async fn of_service(service: &Service, cases: &[Case], misses: &Misses) -> Vec<Row> {
    let emulator = (service.emulator)();
    let mut rows = Vec::new();
    for &operation in &service.operations {
        let log = Log::start();
        let mut shown = BTreeSet::new();
        let section = match operation.repeatable() {
            Repeat::Safe => SAFE,
            Repeat::OnlyIfUnsent => ONCE,
        };
        let mut sections = vec![(section, &OF_CALL[..], None)];
        // An operation without a credential needs no token.
        let source = service.source.filter(|_| !operation.is_open());
        sections.extend(source.map(|source| (source.section, &OF_TOKEN[..], Some(source))));
        let mut parts = Vec::new();
        for (section, columns, source) in sections {
            let mut cells = Vec::new();
            for &(place, version) in columns {
                let filled = column(cases, version, async |case, met| {
                    let tried = Tried {
                        service,
                        emulator: &emulator,
                        operation,
                        place,
                        fault: &case.name,
                        met,
                        what: format!("{} {place:?} {version:?} {}", operation.id(), case.name),
                        tasks: tasks(),
                        misses,
                    };
                    match source {
                        None => tried.of_call(cases, &mut shown).await,
                        Some(source) => tried.of_token(source, &mut shown).await,
                    }
                });
                cells.push(filled.await);
            }
            parts.push(Part { section, cells });
        }
        let secrets: Vec<&str> = service.secrets.iter().map(String::as_str).collect();
        let shown: Vec<String> = shown.into_iter().collect();
        search(&words(&shown.join("\n")), &secrets, operation.id());
        let log = log.text();
        // Each line once, without the times at its end.
        let lines = log
            .lines()
            .map(|line| line.split(" time.busy=").next().unwrap());
        let lines: BTreeSet<&str> = lines.collect();
        let lines: Vec<&str> = lines.into_iter().collect();
        search(&words(&lines.join("\n")), &secrets, "the log");
        rows.push(Row {
            operation: operation.id(),
            parts,
        });
    }
    rows
}

/// Returns each word once. Errors differ by few of them, and all of them would take most of the test's time
/// to search. No secret here has a space.
fn words(text: &str) -> String {
    let words: BTreeSet<&str> = text.split_ascii_whitespace().collect();
    words.into_iter().collect::<Vec<_>>().join("\n")
}

/// Fills a column of the page.
async fn column(
    cases: &[Case],
    version: Version,
    mut meet: impl AsyncFnMut(&Case, &Met) -> Cell,
) -> Vec<Cell> {
    let mut cells = Vec::new();
    for case in cases {
        cells.push(match case.by(version) {
            Some(met) => meet(case, met).await,
            None => Cell::none(&case.name),
        });
    }
    cells
}

/// One call of an operation that meets a fault at a place.
struct Tried<'a> {
    service: &'a Service,
    emulator: &'a Arc<dyn Transport>,
    operation: &'static Operation,
    place: Place,
    fault: &'a str,
    met: &'a Met,
    /// All of this in words.
    what: String,
    /// How many tasks there were before.
    tasks: usize,
    misses: &'a Misses,
}

impl Tried<'_> {
    /// Makes the call, and compares what comes of it with the rules.
    async fn of_call(&self, cases: &[Case], shown: &mut BTreeSet<String>) -> Cell {
        let Self {
            operation,
            met,
            what,
            misses,
            ..
        } = self;
        let named = |name: &str| {
            let case = cases.iter().find(|case| case.name == name).unwrap();
            case.by(Version::HTTP_11).unwrap()
        };
        let faults = match self.place {
            Place::AfterUnsent => vec![named("connection refused"), met],
            Place::AfterRefusal => vec![named("503"), met],
            _ => vec![*met],
        };
        let route = Route::new(requests_of(operation), faults.iter().map(|met| act(met)));
        let line = Line::new(vec![route], Arc::clone(self.emulator));
        let call = (self.service.connect)(operation, line.clone(), None);
        let found = self.made(&call, &line, Duration::ZERO, shown).await;

        let limits = self.service.limits;
        let facts = Facts::of(operation, limits);
        let expected = outcome(&facts, &faults, limits.call);
        let (begun, left) = (line.routes[0].begun(), line.routes[0].left());
        misses.equal(begun, expected.attempts, format_args!("{what}: requests"));
        let is_once = operation.repeatable() == Repeat::OnlyIfUnsent;
        misses.check(!is_once || left <= 1, || {
            format!("{what}: sent {left} times")
        });
        if let Some(failure) = found.as_ref().err().filter(|_| operation.id() != BARE) {
            let core = &failure.core;
            misses.equal(
                core.attempts() as usize,
                begun,
                format_args!("{what}: attempts"),
            );
            let sent = match left {
                0 => Sent::No,
                _ => Sent::Maybe,
            };
            // Of a request that changes nothing, a connection that is not made in time is not told
            // from an answer that does not come.
            if is_once || !operation.method().is_safe() || met.effect != Effect::Unconnected {
                misses.equal(core.sent(), sent, format_args!("{what}: sent"));
            }
        }
        let kind = kind(&found);
        // Nothing is read where a method returns nothing.
        let is_unread = kind.is_none() && expected.kind == Some(ErrorKind::Decode);
        let is_right = kind == expected.kind || is_unread;
        misses.check(is_right, || {
            format!("{what}: {kind:?} instead of {expected:?}")
        });
        if let Effect::Refused(status) | Effect::PutOff(status) = met.effect {
            let (usual, told) = (usual_kind(status), (facts.kind_of)(status));
            let is_own = self.service.has_own_kinds || operation.id() == "oauth2.token";
            let is_right = told == usual || is_own;
            misses.check(is_right, || format!("{what}: described as {told:?}"));
        }
        self.ended(call, &line).await;
        Cell::new(self.fault, kind, begun)
    }

    /// Makes the call with a source whose request for a token meets the fault.
    async fn of_token(&self, source: Source, shown: &mut BTreeSet<String>) -> Cell {
        let Self {
            operation,
            met,
            what,
            misses,
            ..
        } = self;
        let is_renewal = self.place == Place::Renewal;
        let (tokens, answer) = match is_renewal {
            true => (vec![source.issue(), act(met)], cases::saying(401, &[])),
            false => (vec![act(met)], cases::fine()),
        };
        let of_tokens = Route::new(source.is_for(), tokens);
        let of_calls = Route::new(requests_of(operation), [Act::new(&answer, true)]);
        let line = Line::new(vec![of_tokens, of_calls], Arc::clone(self.emulator));
        let tokens = (source.over)(line.clone());
        let call = (self.service.connect)(operation, line.clone(), Some(tokens));
        // The request for a token is not that of one call, and may go on.
        let of_source = (source.facts)();
        let longer = of_source.limits.call;
        let longer = longer.saturating_sub(self.service.limits.call);
        let found = self.made(&call, &line, longer, shown).await;

        let limits = self.service.limits;
        let limit = limits.call.min(of_source.limits.call);
        let of_source = outcome(&of_source, &[*met], limit);
        let refused = (Facts::of(operation, limits).kind_of)(401);
        let (expected, calls, asked) = match is_renewal {
            false => (of_source.kind, 0, of_source.attempts),
            true if refused == ErrorKind::Credential => (Some(refused), 1, 1 + of_source.attempts),
            // Where 401 means something else, no other token would help.
            true => (Some(refused), 1, 1),
        };
        let (of_tokens, of_calls) = (&line.routes[0], &line.routes[1]);
        let kind = kind(&found);
        misses.equal(kind, expected, what);
        misses.equal(of_calls.begun(), calls, format_args!("{what}: calls"));
        let requests = of_tokens.begun();
        misses.equal(requests, asked, format_args!("{what}: requests for tokens"));
        of_tokens.now(source.issue());
        self.ended(call, &line).await;
        Cell::new(self.fault, kind, requests)
    }

    /// Makes a call within its time. Its requests must be over after that, or so much longer.
    async fn made(
        &self,
        call: &Caller,
        line: &Line,
        longer: Duration,
        shown: &mut BTreeSet<String>,
    ) -> Result<(), Failure> {
        let (what, misses) = (&self.what, self.misses);
        let begun = Instant::now();
        let result = call().await;
        let late = begun.elapsed().saturating_sub(self.service.limits.call);
        // Timers are as coarse as this.
        let coarse = Duration::from_millis(10);
        misses.check(late < coarse, || format!("{what}: {late:?} too late"));
        tokio::time::sleep(longer + coarse).await;
        let left = line.in_flight();
        misses.equal(left, 0, format_args!("{what}: requests in flight"));
        if let Err(failure) = &result {
            shown.insert(failure.shown.clone());
        }
        result
    }

    /// Makes the call once more after the fault is gone, and ends its client: a client has one permit,
    /// which must not be lost, and no call may wait for a request that is over.
    async fn ended(&self, call: Caller, line: &Line) {
        // Longer than any error is kept.
        tokio::time::sleep(Duration::from_secs(120)).await;
        let calls = line.routes.last().unwrap();
        calls.now(Act::new(&cases::fine(), true));
        let before = calls.begun();
        let error = call().await.err().map(|failure| failure.core);
        let what = &self.what;
        let is_sent = calls.begun() > before;
        let why = || format!("{what}: the next call is not sent: {error:?}");
        self.misses.check(is_sent, why);
        drop(call);
        ends(line, self.tasks, what, self.misses).await;
    }
}

fn act(met: &Met) -> Act {
    Act::new(&met.network, met.effect.leaves())
}

fn kind(result: &Result<(), Failure>) -> Option<ErrorKind> {
    result.as_ref().err().map(|failure| failure.core.kind())
}

fn tasks() -> usize {
    runtime::Handle::current().metrics().num_alive_tasks()
}

/// Waits until nothing goes on.
async fn ends(line: &Line, before: usize, what: &str, misses: &Misses) {
    for _ in 0..100 {
        if tasks() <= before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    misses.equal(tasks(), before, format_args!("{what}: tasks"));
    let left = line.in_flight();
    misses.equal(
        left,
        0,
        format_args!("{what}: requests in flight at the end"),
    );
}
