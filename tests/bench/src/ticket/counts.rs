//! Instructions and allocations of a check. Both are repeatable on a busy machine.

use std::path::Path;
use std::process::{Command, ExitCode};

use vouchsafe_bench_report::row::{Figure, Row};

use super::case::{self, Kind, OURS, PEERS};
use super::fixture::{Fixture, SIZES};
use crate::instructions;
use crate::measure::Size;

pub fn instructions(fixtures: &Path, sizes: &[usize], size: Size) -> Vec<Row> {
    if !instructions::can_count() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for (at, bits) in sizes.iter().enumerate() {
        for kind in Kind::ALL {
            let count = |name: &str| {
                // The difference of two runs leaves out start and warm-up; whole rounds of the
                // tickets, so that each counts alike.
                let (few, many) = (64, size.pick(128, 640));
                let run = |count: usize| {
                    let number = |number: usize| number.to_string();
                    let (at, user) = (number(at), number(usize::from(kind == Kind::User)));
                    let path = fixtures.to_str().expect("a plain path");
                    let count = number(count);
                    instructions::count(&[
                        "as-checker",
                        "--fixtures",
                        path,
                        "--at",
                        &at,
                        "--user",
                        &user,
                        "--case",
                        name,
                        "--count",
                        &count,
                    ])
                };
                Figure::once(((run(many) - run(few)) / (many - few) as f64).round())
            };
            let what = format!("instructions/{bits} {}", kind.name());
            let cold = count("cold");
            for peer in PEERS {
                let case = format!("{what}: cold");
                rows.push(Row::beside(case, "instructions", &cold, peer, &count(peer)));
            }
            for ours in &OURS[1..] {
                let case = format!("{what}: {ours}");
                rows.push(Row::alone(case, "instructions", &count(ours)));
            }
        }
    }
    rows
}

/// The process `as-checker`.
pub fn run_alone(fixtures: &str, at: usize, user: bool, case: &str, count: usize) -> ExitCode {
    let fixtures = read(fixtures);
    let kind = if user { Kind::User } else { Kind::Service };
    case::work(&fixtures[at], kind, case)(count);
    ExitCode::SUCCESS
}

/// The process `as-authority`, for profiling by hand.
pub fn write(fixtures: &str) {
    let text = serde_json::to_string(&SIZES.map(Fixture::new)).expect("fixtures are plain");
    std::fs::write(fixtures, text).expect("a file to write to");
}

pub fn read(fixtures: &str) -> Vec<Fixture> {
    let text = std::fs::read_to_string(fixtures).expect("fixtures");
    serde_json::from_str(&text).expect("fixtures")
}

/// A separate program counts allocations.
pub fn allocations(fixtures: &Path) -> Vec<Row> {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program.with_file_name("vouchsafe-bench-memory"))
        .arg("tickets")
        .arg(fixtures)
        .output()
        .expect("the other program is built too");
    let text = String::from_utf8_lossy(&output.stdout);
    let counts: Vec<(String, f64)> = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("no counts of allocations: {output:?}"));
    let row = |(name, count): (String, f64)| {
        let is_good = ["cold", "new", "cached"]
            .iter()
            .any(|good| name.ends_with(good));
        let case = format!("allocations/{name}");
        let row = Row::alone(case, "allocations", &Figure::once(count));
        row.at_most(if is_good { 0.0 } else { 1.0 })
    };
    counts.into_iter().map(row).collect()
}
