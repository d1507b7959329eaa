//! The operations of ticket's client, which makes them itself: when it starts and in the background.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use vouchsafe::core::call::Operation;
use vouchsafe::core::mock::ManualClock;
use vouchsafe::core::transport::Transport;
use vouchsafe::ticket::mock::Server;
use vouchsafe::ticket::{BlackboxEnv, Client, Result, TvmId};

use super::super::log::Log;
use super::super::shown::{search, shown};
use super::cases::{Case, Effect};
use super::line::{Line, Route};
use super::page::{Cell, Part, Row, Section};
use super::services::{USUAL, requests_of};
use super::{Misses, act, ends, tasks};

/// Only the emulators know them.
pub(super) const NOT_ASKED: [&str; 5] = [
    "tvm-api.getTicketsWithSlash",
    "tvmtool.checkService",
    "tvmtool.checkUser",
    "tvmtool.getTicketsV2",
    "tvmtool.checkV2",
];

pub(super) const OF_AUTHORITY: Section = Section {
    heading: "Starting a client of tickets",
    places: &["start"],
};
pub(super) const OF_DAEMON: Section = Section {
    heading: "Starting a client of tickets from tvmtool",
    places: &["start"],
};

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
        let mut cells = Vec::new();
        let server = server();
        for case in cases {
            cells.push(at_start(&server, operation, case, &mut all, misses).await);
        }
        let secret = server.service_secret(OWN).unwrap();
        let secrets = [TOKEN, secret.expose()];
        search(&all, &secrets, operation.id());
        search(&log.text(), &secrets, "the log");
        let section = match is_of_daemon(operation) {
            true => OF_DAEMON,
            false => OF_AUTHORITY,
        };
        rows.push(Row {
            operation: operation.id(),
            parts: vec![Part {
                section,
                cells: vec![cells],
            }],
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

/// Starts a client that cannot fetch something.
async fn at_start(
    server: &Server,
    operation: &'static Operation,
    case: &Case,
    all: &mut String,
    misses: &Misses,
) -> Cell {
    let what = format!("{} {}", operation.id(), case.name);
    let route = Route::new(requests_of(operation), [act(case)]);
    let line = Line::new(vec![route], server.host().transport());
    let before = tasks();
    let begun = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let error = connect(server, operation, line.clone(), folder.path()).await;
    let late = begun.elapsed().saturating_sub(USUAL.call);
    let second = Duration::from_secs(1);
    misses.check(late < second, || format!("{what}: {late:?} too late"));
    let asked = line.routes[0].begun();
    let cell = match &error {
        Ok(_) => {
            // What a ping says is not read.
            let is_right = operation.id() == "tvmtool.ping" && case.effect == Effect::Unreadable;
            misses.check(is_right, || format!("{what}: it starts"));
            Cell::new(&case.name, None, asked)
        }
        Err(error) => {
            *all += &format!("{}{error}{error:?}", shown(error.core()));
            let is_asked = attempts(operation, case);
            misses.equal(asked, is_asked, format_args!("{what}: {error}"));
            let may_help = match error.is_retryable() {
                true => "may be tried again",
                false => "will fail again",
            };
            Cell::of(
                &case.name,
                &format!("`{:?}`, {may_help}", error.kind()),
                asked,
            )
        }
    };
    drop(error);
    ends(&line, before, &what, misses).await;
    cell
}

/// How often something is asked for at the start (protocol section 11.3): of the authority three times
/// if that may help; of the daemon in three rounds, once it has been reached and has said what there
/// is.
fn attempts(operation: &Operation, case: &Case) -> usize {
    match operation.id() {
        "tvmtool.ping" | "tvmtool.getMeta" => return 1,
        id if id.starts_with("tvmtool.") => return 3,
        _ => {}
    }
    match case.effect {
        Effect::Refused(400..=499) | Effect::PutOff(400..=499) | Effect::Unreadable => 1,
        _ => 3,
    }
}
