//! How long a check takes, at one and two threads.

use super::case::{self, Context, FLOORS, Kind, OURS, PEERS, Work};
use super::fixture::Fixture;
use crate::goals::Goals;
use crate::measure::{self, Cost, Size};
use crate::table::Row;
use vouchsafe_ticket::TicketStatus;

pub fn run(fixtures: &[Fixture], size: Size, goals: &mut Goals) -> Vec<Row> {
    measure::pin(0);
    let mut rows = Vec::new();
    for fixture in fixtures {
        for kind in Kind::ALL {
            rows.extend(one_thread(fixture, kind, size, goals));
        }
    }
    for fixture in fixtures {
        for kind in Kind::ALL {
            rows.extend(two_threads(fixture, kind, size, goals));
        }
    }
    rows
}

fn one_thread(fixture: &Fixture, kind: Kind, size: Size, goals: &mut Goals) -> Vec<Row> {
    let names: Vec<&str> = OURS.iter().chain(PEERS).chain(&FLOORS).copied().collect();
    let mut works: Vec<Work> = names
        .iter()
        .map(|name| case::work(fixture, kind, name))
        .collect();
    // A round of a case takes about half a millisecond, so many run without interruption.
    let counts: Vec<usize> = works
        .iter_mut()
        .map(|work| {
            work(100);
            let cost = Cost::of(|| work(100)).0.wall.as_nanos().max(1) as usize;
            (50_000_000 / cost).clamp(64, 20_000)
        })
        .collect();
    let costs = measure::rounds(works.len(), size.pick(20, 400), |case| {
        Cost::of(|| works[case](counts[case])).0
    });
    let time = |name: &str| -> f64 {
        let case = names.iter().position(|other| *other == name);
        let case = case.expect("a case");
        measure::least(&costs[case], |cost| cost.wall) / counts[case] as f64
    };
    let what = format!("{} {}", fixture.bits, kind.name());
    let mut rows = Vec::new();
    let mut beside = |ours: &str, peer: &str, theirs: f64| {
        let name = format!("{what}: {ours}");
        rows.push(Row::new(&name, "ns", time(ours), peer, theirs));
    };
    for peer in PEERS {
        beside("cold", peer, time(peer));
    }
    let floor = time("squaring") + time("hashing");
    beside("cold", "squaring", time("squaring"));
    beside("cold", "hashing", time("hashing"));
    beside("cold", "squaring and hashing", floor);
    for ours in &OURS[1..] {
        beside(ours, "cold", time("cold"));
    }
    if cfg!(feature = "openssl") {
        let ratio = time("OpenSSL") / time("cold");
        goals.at_least(&format!("{what}: OpenSSL / cold"), ratio, 3.0);
    }
    let rust = time("num-bigint").min(time("crypto-bigint"));
    goals.note(
        &format!("{what}: fastest Rust big numbers / cold"),
        rust / time("cold"),
    );
    let ratio = time("cold") / floor;
    goals.at_most(
        &format!("{what}: cold / squaring and hashing"),
        ratio,
        "times",
        1.5,
    );
    for (case, limit) in [("cached", 100.0), ("expired", 300.0), ("malformed", 300.0)] {
        goals.at_most(&format!("{what}: {case}"), time(case), "ns", limit);
    }
    rows
}

/// Two threads compared with one: with separate tickets, or the same one.
fn two_threads(fixture: &Fixture, kind: Kind, size: Size, goals: &mut Goals) -> Vec<Row> {
    let tickets = &kind.tickets(fixture).good;
    let cases = [
        ("cold", Some(0), &tickets[..]),
        ("cached", None, &tickets[..]),
        ("one cached", None, &tickets[..1]),
    ];
    let contexts: Vec<Context> = cases
        .iter()
        .map(|(_, cache, _)| Context::new(fixture, kind, *cache))
        .collect();
    let each = |case: usize| if case == 0 { 300 } else { 10_000 };
    let run = |case: usize, threads: usize| {
        let (context, texts) = (&contexts[case], cases[case].2);
        measure::together(threads, |thread| {
            let start = thread * texts.len() / 2;
            for text in texts.iter().cycle().skip(start).take(each(case)) {
                context.check(text, TicketStatus::Ok);
            }
        })
    };
    let costs = measure::rounds(2 * cases.len(), size.pick(10, 600), |at| {
        run(at / 2, 1 + at % 2)
    });
    let mut rows = Vec::new();
    for (case, (name, ..)) in cases.iter().enumerate() {
        let time = |threads: usize| {
            let costs = &costs[2 * case + threads - 1];
            measure::least(costs, |cost| cost.wall) / (threads * each(case)) as f64
        };
        let what = format!("{} {}: {name}, 2 threads", fixture.bits, kind.name());
        rows.push(Row::new(&what, "ns", time(2), "1 thread", time(1)));
        goals.at_least(&what, time(1) / time(2), 1.9);
    }
    rows
}
