//! The memory of a walk over the quotas of many users, measured by a separate program.

use std::process::Command;

use vouchsafe_bench_report::row::{Figure, Row};

use super::server::Server;
use crate::measure::Size;

pub fn run(size: Size) -> Vec<Row> {
    let program = std::env::current_exe().expect("this program has a path");
    let program = program.with_file_name("vouchsafe-bench-memory");
    let crowds = [10_000, size.pick(20_000, 100_000)];
    let mut rows = Vec::new();
    for way in ["walk", "whole"] {
        for crowd in crowds {
            let server = Server::start(crowd);
            let output = Command::new(&program)
                .args(["quotas", way, &server.auth_url, &server.service])
                .output()
                .expect("the other program is built too");
            let text = String::from_utf8_lossy(&output.stdout);
            let peak: f64 = text
                .trim()
                .parse()
                .unwrap_or_else(|_| panic!("no number of bytes: {output:?}"));
            let case = format!("memory/{way} of {crowd} users' quotas, most at a time");
            rows.push(Row::alone(case, "KiB", &Figure::once(peak / 1024.0)));
        }
    }
    rows
}
