//! The memory of an entry, including its value, measured by a separate program.

use std::process::Command;

use vouchsafe_bench_report::row::{Figure, Row};

use super::cache::NAMES;
use crate::measure::Size;

pub fn run(size: Size) -> Vec<Row> {
    let entries = size.pick(20_000, 100_000);
    let program = std::env::current_exe().expect("this program has a path");
    let program = program.with_file_name("vouchsafe-bench-memory");
    let bytes: Vec<Figure> = NAMES
        .iter()
        .map(|name| {
            let output = Command::new(&program)
                .args([name, entries.to_string().as_str()])
                .output()
                .expect("the other program is built too");
            let text = String::from_utf8_lossy(&output.stdout);
            let bytes = text.trim().parse();
            Figure::once(bytes.unwrap_or_else(|_| panic!("no number of bytes: {output:?}")))
        })
        .collect();
    let case = "memory/entry, value included";
    let mut rows = vec![Row::alone(case, "bytes", &bytes[0]).at_most(1000.0)];
    rows.extend(Row::beside_all(case, "bytes", &NAMES, &bytes));
    rows
}
