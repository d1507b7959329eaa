//! How long a check takes, at one and two threads.

use vouchsafe_bench_report::row::Row;

use super::case::{self, Context, FLOORS, Kind, OURS, PEERS, Work};
use super::fixture::Fixture;
use crate::measure::{self, Cost, Size};
use vouchsafe_ticket::TicketStatus;

pub fn run(fixtures: &[Fixture], size: Size) -> Vec<Row> {
    measure::pin(0);
    let mut rows = Vec::new();
    for fixture in fixtures {
        for kind in Kind::ALL {
            rows.extend(one_thread(fixture, kind, size));
        }
    }
    for fixture in fixtures {
        for kind in Kind::ALL {
            rows.extend(two_threads(fixture, kind, size));
        }
    }
    rows
}

fn one_thread(fixture: &Fixture, kind: Kind, size: Size) -> Vec<Row> {
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
    let time = |name: &str| {
        let case = names.iter().position(|other| *other == name);
        let case = case.expect("a case");
        measure::least(&costs[case], |cost| cost.wall, counts[case] as f64)
    };
    let what = format!("{} {}", fixture.bits, kind.name());
    let cold = time("cold");
    let beside = |peer: &&str| {
        let row = Row::beside(format!("{what}: cold"), "ns", &cold, peer, &time(peer));
        match *peer {
            "OpenSSL" => row.at_least(3.0),
            _ => row,
        }
    };
    let mut rows: Vec<Row> = PEERS.iter().map(beside).collect();
    rows.extend(FLOORS.map(|floor| Row::alone(format!("{what}: {floor}"), "ns", &time(floor))));
    let floor = time("squaring").with(&time("hashing"), |squaring, hashing| squaring + hashing);
    let above = floor.with(&cold, |floor, cold| cold / floor);
    let case = format!("{what}: cold / squaring and hashing");
    rows.push(Row::alone(case, "times", &above).at_most(1.5));
    for ours in OURS {
        let row = Row::alone(format!("{what}: {ours}"), "ns", &time(ours));
        rows.push(match ours {
            "cached" => row.at_most(100.0),
            "expired" | "malformed" => row.at_most(300.0),
            _ => row,
        });
    }
    rows
}

/// Two threads compared with one: with separate tickets, or the same one.
fn two_threads(fixture: &Fixture, kind: Kind, size: Size) -> Vec<Row> {
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
            measure::least(costs, |cost| cost.wall, (threads * each(case)) as f64)
        };
        let more = time(2).with(&time(1), |two, one| one / two);
        let case = format!("{} {}: {name}, 2 threads / 1", fixture.bits, kind.name());
        rows.push(Row::alone(case, "times", &more).at_least(1.9));
    }
    rows
}
