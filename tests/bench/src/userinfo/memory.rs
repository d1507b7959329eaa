//! The memory of an entry, including its value, measured by a separate program.

use std::process::Command;

use super::cache::NAMES;
use crate::measure::Size;
use crate::table::Row;

pub fn run(size: Size) -> Vec<Row> {
    let entries = size.pick(20_000, 100_000);
    let program = std::env::current_exe().expect("this program has a path");
    let program = program.with_file_name("vouchsafe-bench-memory");
    let bytes: Vec<f64> = NAMES
        .iter()
        .map(|name| {
            let output = Command::new(&program)
                .args([name, entries.to_string().as_str()])
                .output()
                .expect("the other program is built too");
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim()
                .parse()
                .unwrap_or_else(|_| panic!("no number of bytes: {output:?}"))
        })
        .collect();
    Row::beside_all("memory/entry, value included", "bytes", &NAMES, &bytes).collect()
}
