//! Runs benchmarks, and writes what they found. `cargo xtask bench` runs it.

mod build;
mod groups;

use std::path::Path;
use std::process::ExitCode;

// What the library has is the program's too.
use vouchsafe_bench_report::{plot, results, row, table};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: vouchsafe-bench-report ROOT [--quick] [--times N] [GROUP...]");
        return ExitCode::FAILURE;
    };
    let wanted = groups::Wanted::read(rest);
    match wanted.and_then(|wanted| groups::run(Path::new(root), &wanted)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
