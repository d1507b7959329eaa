//! The operations of ticket's client, which makes them itself: when it starts and when it refreshes what
//! it has.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Version;
use tokio::time::Instant;
use vouchsafe::core::call::Operation;
use vouchsafe::core::mock::ManualClock;
use vouchsafe::core::transport::Transport;
use vouchsafe::ticket::mock::Server;
use vouchsafe::ticket::{BlackboxEnv, Client, Result, TvmId};

use super::super::log::Log;
use super::super::shown::{search, shown};
use super::cases::{Case, Effect, Met};
use super::line::{Act, Line, Route};
use super::page::{Cell, Part, Row, Section};
use super::services::{USUAL, requests_of};
use super::{Misses, act, column, ends, tasks, words};

/// Only the emulators know them.
pub(super) const NOT_ASKED: [&str; 5] = [
    "tvm-api.getTicketsWithSlash",
    "tvmtool.checkService",
    "tvmtool.checkUser",
    "tvmtool.getTicketsV2",
    "tvmtool.checkV2",
];

pub(super) const OF_AUTHORITY: Section = Section {
    heading: "A client of tickets",
    columns: COLUMNS,
};
pub(super) const OF_DAEMON: Section = Section {
    heading: "A client of tickets from tvmtool",
    columns: COLUMNS,
};
const COLUMNS: &[&str] = &["start", "start, by HTTP/2", "status after a refresh"];

/// When something is fetched.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Start,
    Refresh,
}

const MOMENTS: [(Moment, Version); 3] = [
    (Moment::Start, Version::HTTP_11),
    (Moment::Start, Version::HTTP_2),
    (Moment::Refresh, Version::HTTP_11),
];

const OWN: TvmId = TvmId::new(42);
const PEER: TvmId = TvmId::new(43);
const ROLES: &str = r#"{"revision":"r1","born_date":1,"tvm":{"43":{"/role/read/":[{}]}}}"#;
const TOKEN: &str = "planted-token/of+the-daemon";

pub(super) async fn rows(cases: &[Case], misses: &Misses) -> Vec<Row> {
    let mut rows = Vec::new();
    for operation in vouchsafe::ticket::mock::operations() {
        if NOT_ASKED.contains(&operation.id()) {
            continue;
        }
        let log = Log::start();
        let mut all = String::new();
        let server = server();
        let mut cells = Vec::new();
        for (moment, version) in MOMENTS {
            let filled = column(cases, version, async |case, met| {
                let tried = Tried {
                    server: &server,
                    operation,
                    fault: &case.name,
                    met,
                    what: format!("{} {moment:?} {version:?} {}", operation.id(), case.name),
                    misses,
                };
                match moment {
                    Moment::Start => tried.at_start(&mut all).await,
                    Moment::Refresh => tried.at_refresh(&mut all).await,
                }
            });
            cells.push(filled.await);
        }
        let secret = server.service_secret(OWN).unwrap();
        let secrets = [TOKEN, secret.expose()];
        search(&words(&all), &secrets, operation.id());
        search(&words(&log.text()), &secrets, "the log");
        let section = match is_of_daemon(operation) {
            true => OF_DAEMON,
            false => OF_AUTHORITY,
        };
        rows.push(Row {
            operation: operation.id(),
            parts: vec![Part { section, cells }],
        });
    }
    rows
}

fn is_of_daemon(operation: &Operation) -> bool {
    operation.id().starts_with("tvmtool.")
}

/// A server with something to fetch by each operation.
fn server() -> Server {
    let clock = Arc::new(ManualClock::at_unix(1_767_225_600));
    let server = Server::builder().clock(clock).start();
    let _ = server.add_service(OWN, "shop");
    let _ = server.add_service(PEER, "peer");
    server.add_tool_destination(OWN, "peer", PEER);
    server.set_tool_token(TOKEN.into());
    server.set_slug(OWN, Some("shop"));
    server.set_roles("shop", ROLES);
    server
}

async fn connect(
    server: &Server,
    operation: &Operation,
    network: Arc<dyn Transport>,
    folder: &Path,
) -> Result<Client> {
    let clock = Arc::<ManualClock>::clone(server.clock());
    if is_of_daemon(operation) {
        let client = Client::tvmtool("shop").auth_token(TOKEN.into());
        return client
            .port(1)
            .transport(network)
            .clock(clock)
            .connect()
            .await;
    }
    let secret = server.service_secret(OWN).unwrap();
    Client::tvm_api(OWN)
        .tvm_url("https://tvm.example")
        .tirole_url("https://tirole.example")
        .transport(network)
        .clock(clock)
        .secret(vouchsafe::ticket::ServiceSecret::parse(&secret).unwrap())
        .alias("peer", PEER)
        .check_service_tickets()
        .check_user_tickets(BlackboxEnv::Test)
        .roles("shop")
        .disk_cache(folder)
        .connect()
        .await
}

/// A client that cannot fetch something.
struct Tried<'a> {
    server: &'a Server,
    operation: &'static Operation,
    fault: &'a str,
    met: &'a Met,
    /// All of this in words.
    what: String,
    misses: &'a Misses,
}

impl Tried<'_> {
    fn line(&self, act: Act) -> Arc<Line> {
        let route = Route::new(requests_of(self.operation), [act]);
        Line::new(vec![route], self.server.host().transport())
    }

    /// Starts the client.
    async fn at_start(&self, all: &mut String) -> Cell {
        let (what, misses) = (&self.what, self.misses);
        let line = self.line(act(self.met));
        let before = tasks();
        let begun = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let error = connect(self.server, self.operation, line.clone(), folder.path()).await;
        let late = begun.elapsed().saturating_sub(USUAL.call);
        let second = Duration::from_secs(1);
        misses.check(late < second, || format!("{what}: {late:?} too late"));
        let asked = line.routes[0].begun();
        let cell = match &error {
            Ok(_) => {
                // What a ping says is not read.
                let is_ping = self.operation.id() == "tvmtool.ping";
                let is_right = is_ping && self.met.effect == Effect::Unreadable;
                misses.check(is_right, || format!("{what}: it starts"));
                Cell::new(self.fault, None, asked)
            }
            Err(error) => {
                *all += &format!("{}{error}{error:?}", shown(error.core()));
                let expected = self.requests(Moment::Start);
                misses.equal(asked, expected, format_args!("{what}: {error}"));
                let may_help = match error.is_retryable() {
                    true => "may be tried again",
                    false => "will fail again",
                };
                let text = format!("`{:?}`, {may_help}", error.kind());
                Cell::of(self.fault, &text, asked)
            }
        };
        drop(error);
        ends(&line, before, what, misses).await;
        cell
    }

    /// Has a client refresh what it has, of which all stays usable. While it is fresh, so is the status.
    /// The next refresh gets what this one did not.
    async fn at_refresh(&self, all: &mut String) -> Cell {
        let (what, misses) = (&self.what, self.misses);
        let fine = || Act::new(&self.server.host().transport(), true);
        let line = self.line(fine());
        let before = tasks();
        let folder = tempfile::tempdir().unwrap();
        let client = connect(self.server, self.operation, line.clone(), folder.path()).await;
        let client = client.unwrap();
        let at_start = line.routes[0].begun();
        line.routes[0].now(act(self.met));
        let begun = Instant::now();
        let status = client.refresh().await.unwrap();
        let late = begun.elapsed().saturating_sub(2 * USUAL.call);
        let second = Duration::from_secs(1);
        misses.check(late < second, || format!("{what}: {late:?} too late"));
        let asked = line.routes[0].begun() - at_start;
        let expected = self.requests(Moment::Refresh);
        misses.equal(asked, expected, format_args!("{what}: requests"));
        *all += status.last_error();
        let held = client.service_ticket("peer").map(drop);
        misses.check(held.is_ok(), || format!("{what}: no ticket: {held:?}"));
        line.routes[0].now(fine());
        let so_far = line.routes[0].begun();
        client.refresh().await.unwrap();
        let again = line.routes[0].begun() - so_far;
        misses.equal(again, asked.min(1), format_args!("{what}: afterwards"));
        drop(client);
        ends(&line, before, what, misses).await;
        match asked {
            0 => Cell::of(self.fault, "not asked", 0),
            _ => Cell::of(self.fault, &format!("`{:?}`", status.code()), asked),
        }
    }

    /// How often something is asked for (protocol section 11.3): of the authority three times at the
    /// start and twice later, if that may help; of the daemon in three rounds, once it has been reached
    /// and has said what there is, and once later.
    fn requests(&self, moment: Moment) -> usize {
        let is_final = matches!(
            self.met.effect,
            Effect::Refused(400..=499) | Effect::PutOff(400..=499) | Effect::Unreadable
        );
        let is_late = matches!(self.met.effect, Effect::Unconnected | Effect::Unanswered);
        match (self.operation.id(), moment) {
            ("tvmtool.ping", Moment::Refresh) => 0,
            // It takes as long as a client sleeps, so that the next wake-up is due.
            ("tvmtool.getMeta", Moment::Refresh) if is_late => 2,
            ("tvmtool.ping" | "tvmtool.getMeta", _) => 1,
            (id, Moment::Refresh) if id.starts_with("tvmtool.") => 1,
            (id, Moment::Start) if id.starts_with("tvmtool.") => 3,
            _ if is_final => 1,
            (_, Moment::Start) => 3,
            (_, Moment::Refresh) => 2,
        }
    }
}
