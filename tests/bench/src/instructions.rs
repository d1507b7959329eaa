//! Instructions in user space, counted by callgrind. Unlike times, they are repeatable on a busy
//! machine.

use std::process::Command;

use vouchsafe_bench_report::row::{Figure, Row};

use crate::client::NAMES;
use crate::measure::Size;
use crate::server::Server;

pub fn run(size: Size) -> Vec<Row> {
    if !can_count() {
        return Vec::new();
    }
    let server = Server::start();
    let mut rows = Vec::new();
    for scheme in ["http", "https"] {
        let counts: Vec<Figure> = NAMES
            .iter()
            .map(|name| {
                // The difference of two runs leaves out start and warm-up.
                let (few, many) = (200, size.pick(300, 1200));
                let more = calls(&server, scheme, name, many) - calls(&server, scheme, name, few);
                Figure::once((more / (many - few) as f64).round())
            })
            .collect();
        let case = format!("instructions/request {scheme} x1");
        if scheme == "http" {
            rows.push(Row::alone(&case, "instructions", &counts[0]).at_most(38_000.0));
        }
        rows.extend(Row::beside_all(&case, "instructions", &NAMES, &counts));
    }
    rows
}

fn calls(server: &Server, scheme: &str, name: &str, requests: usize) -> f64 {
    let requests = requests.to_string();
    let (url, ca) = (server.base(scheme), server.ca.as_str());
    let mut arguments = vec!["as-client", "--client", name, "--url", url];
    arguments.extend(["--count", &requests]);
    if scheme == "https" {
        arguments.extend(["--ca", ca]);
    }
    count(&arguments)
}

/// Prints a message if valgrind is missing.
pub fn can_count() -> bool {
    let found = Command::new("valgrind").arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: instructions; valgrind is not installed");
    }
    found
}

/// Counts the instructions of this program with these arguments.
pub fn count(arguments: &[&str]) -> f64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .output()
        .expect("valgrind runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the case failed:\n{text}");
    text.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .unwrap_or_else(|| panic!("callgrind counted nothing:\n{text}"))
}
