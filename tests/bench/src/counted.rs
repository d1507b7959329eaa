//! Instructions of a service's call compared with the same call by hand.

use vouchsafe_bench_report::row::{Figure, Row};

use crate::measure::{self, Size};
use crate::server::Server;
use crate::{astakos, credentials, instructions, userinfo, wazo_auth};

/// Calls of userinfo: answered from the cache, and by the server.
const USERINFO: [(&str, &[&str]); 2] = [
    ("hit", &["vouchsafe", "moka", "quick_cache"]),
    ("miss", &["vouchsafe", "hyper-util"]),
];

/// Counts the calls of userinfo.
pub fn userinfo(size: Size) -> Vec<Row> {
    if !instructions::can_count() {
        return Vec::new();
    }
    let server = Server::start();
    let mut rows = Vec::new();
    for (call, names) in USERINFO {
        let (few, many) = match call {
            "hit" => (1_000, size.pick(3_000, 20_000)),
            _ => (200, size.pick(300, 1_200)),
        };
        rows.extend(beside("userinfo", call, names, &server.http, few, many));
    }
    rows
}

/// Counts the calls of Astakos.
pub fn astakos(size: Size) -> Vec<Row> {
    if !instructions::can_count() {
        return Vec::new();
    }
    let server = astakos::server::Server::start(0);
    let place = server.place().join(" ");
    let (few, many) = (200, size.pick(300, 1_200));
    let calls = astakos::calls::CALLS.into_iter();
    calls
        .flat_map(|call| beside("astakos", call, &astakos::calls::NAMES, &place, few, many))
        .collect()
}

/// Counts the calls of wazo-auth.
pub fn wazo_auth(size: Size) -> Vec<Row> {
    if !instructions::can_count() {
        return Vec::new();
    }
    let server = Server::start();
    let place = format!("{} {}", server.https, server.ca);
    let (few, many) = (200, size.pick(300, 1_200));
    let calls = wazo_auth::calls::CALLS.into_iter();
    calls
        .flat_map(|call| {
            beside(
                "wazo-auth",
                call,
                &wazo_auth::calls::NAMES,
                &place,
                few,
                many,
            )
        })
        .collect()
}

/// Counts what credentials hand out, and calls with it.
pub fn credentials(size: Size) -> Vec<Row> {
    if !instructions::can_count() {
        return Vec::new();
    }
    let server = Server::start();
    let mut rows = Vec::new();
    for (call, names, many) in [
        (
            "token",
            credentials::tokens::NAMES,
            size.pick(3_000, 20_000),
        ),
        ("get", credentials::calls::NAMES, size.pick(300, 1_200)),
    ] {
        rows.extend(beside("credentials", call, &names, &server.http, 200, many));
    }
    rows
}

/// The difference of two runs leaves out start and warm-up.
fn beside(
    service: &str,
    call: &str,
    names: &[&str],
    place: &str,
    few: usize,
    many: usize,
) -> Vec<Row> {
    let count = |name: &str, calls: usize| {
        let calls = calls.to_string();
        let case = format!("{service} {call} {name}");
        instructions::count(&[
            "as-caller",
            "--case",
            &case,
            "--place",
            place,
            "--count",
            &calls,
        ])
    };
    let counts: Vec<Figure> = names
        .iter()
        .map(|name| (count(name, many) - count(name, few)) / (many - few) as f64)
        .map(|each| Figure::once(each.round()))
        .collect();
    let case = format!("instructions/{service} {call}");
    Row::beside_all(&case, "instructions", names, &counts)
}

/// The process `as-caller`: makes only sequential calls.
pub fn run_alone(case: &str, place: &str, count: usize) {
    // The name of a peer may have several words.
    let words: Vec<&str> = case.splitn(3, ' ').collect();
    let runtime = measure::runtime();
    match words[..] {
        ["userinfo", "hit", name] => userinfo::counted::hits(&runtime, name, count),
        ["userinfo", "miss", name] => userinfo::counted::misses(&runtime, name, place, count),
        ["astakos", call, name] => {
            let call = astakos::calls::CALLS
                .into_iter()
                .find(|known| *known == call);
            let call = call.expect("a call that is measured");
            let place: Vec<&str> = place.split(' ').collect();
            let place = place.try_into().expect("four words");
            astakos::calls::run_alone(&runtime, call, name, place, count);
        }
        ["wazo-auth", call, name] => {
            let call = wazo_auth::calls::CALLS
                .into_iter()
                .find(|known| *known == call);
            let call = call.expect("a call that is measured");
            let place = place.split_once(' ').expect("two words");
            wazo_auth::calls::run_alone(&runtime, call, name, place, count);
        }
        ["credentials", "token", name] => credentials::tokens::run_alone(&runtime, name, count),
        ["credentials", _, name] => credentials::calls::run_alone(&runtime, name, place, count),
        _ => panic!("no case is called {case}"),
    }
}
