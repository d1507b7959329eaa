//! Drives clients in other languages against `vouchsafe serve`, and checks that ours send the
//! same requests.

mod astakos;
mod cloud_credentials;
mod recorder;
mod script;
mod server;
mod tvmtool;
mod userinfo;
mod wazo_auth;

use std::fmt;
use std::path::{Path, PathBuf};

/// The services that have clients in other languages.
const SERVICES: &[&str] = &[
    "userinfo",
    "ticket",
    "astakos",
    "wazo-auth",
    "cloud-credentials",
];

/// The result of a run. `Display` ends with one line of counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The number of passed checks.
    pub passed: usize,
    /// The number of failed checks.
    pub failed: usize,
    /// The number of checks that could not be made.
    pub skipped: usize,
    /// The report, line by line.
    pub lines: Vec<String>,
}

impl Report {
    fn pass(&mut self, name: &str) {
        self.passed += 1;
        self.lines.push(format!("ok     {name}"));
    }

    fn skip(&mut self, name: &str, why: impl fmt::Display) {
        self.skipped += 1;
        self.lines.push(format!("SKIPPED {name}: {why}"));
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
    /// The recorded vectors, if available.
    vectors: Option<PathBuf>,
}

/// Runs the checks of one service, or of all. `target` is the folder for what is built, `vectors`
/// that of the recorded vectors, which show that a client written from a protocol text is like the
/// real one.
///
/// # Errors
///
/// If no service has that name.
pub async fn run(
    target: &Path,
    service: Option<&str>,
    vectors: Option<PathBuf>,
) -> Result<Report, String> {
    if let Some(unknown) = service.filter(|name| !SERVICES.contains(name)) {
        let known = SERVICES.join(", ");
        return Err(format!(
            "no service is called {unknown:?}; there are: {known}"
        ));
    }
    let places = Places {
        scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("interop"),
        work: target.join("interop"),
        vectors,
    };
    let mut report = Report::default();
    for name in SERVICES {
        if service.is_some_and(|wanted| wanted != *name) {
            continue;
        }
        match *name {
            "userinfo" => userinfo::run(&places, &mut report).await,
            "ticket" => tvmtool::run(&places, &mut report).await,
            "astakos" => astakos::run(&places, &mut report).await,
            "wazo-auth" => wazo_auth::run(&places, &mut report).await,
            "cloud-credentials" => cloud_credentials::run(&places, &mut report).await,
            other => report.fail(other, "it has no checks"),
        }
    }
    Ok(report)
}
