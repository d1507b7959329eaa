//! Drives clients in other languages against `vouchsafe serve`, and checks that ours send the
//! same requests.

mod astakos;
mod python;
mod script;
mod server;
mod tvmtool;
mod userinfo;

use std::fmt;
use std::path::{Path, PathBuf};

/// What a run found. `Display` ends with one line of counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many checks held.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// How many could not be made.
    pub skipped: usize,
    /// What happened, line by line.
    pub lines: Vec<String>,
}

impl Report {
    fn pass(&mut self, name: &str) {
        self.passed += 1;
        self.lines.push(format!("ok     {name}"));
    }

    fn fail(&mut self, name: &str, why: impl fmt::Display) {
        self.failed += 1;
        self.lines.push(format!("FAILED {name}\n    {why}"));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        write!(
            f,
            "interop: {} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// The folders that a run works with.
#[derive(Clone, Debug)]
struct Places {
    /// The scripts and seeds.
    scripts: PathBuf,
    /// What is made once and kept: the virtual environment.
    work: PathBuf,
}

/// Runs everything. `target` is the folder for what is built.
pub async fn run(target: &Path) -> Report {
    let places = Places {
        scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("interop"),
        work: target.join("interop"),
    };
    let mut report = Report::default();
    userinfo::run(&places, &mut report).await;
    tvmtool::run(&places, &mut report).await;
    astakos::run(&places, &mut report).await;
    report
}
