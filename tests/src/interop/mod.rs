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
    /// The number of checks that do not apply.
    pub skipped: usize,
    /// The number of clients or recordings that are not here, so that none of their checks was made.
    pub missing: usize,
    /// The report, line by line.
    pub lines: Vec<String>,
}

impl Report {
    /// Returns whether no check failed, and none is missing unless `may_miss`.
    #[must_use]
    pub fn is_good(&self, may_miss: bool) -> bool {
        self.failed == 0 && (may_miss || self.missing == 0)
    }

    fn pass(&mut self, name: &str) {
        self.passed += 1;
        self.lines.push(format!("ok     {name}"));
    }

    fn skip(&mut self, name: &str, why: impl fmt::Display) {
        self.skipped += 1;
        self.lines.push(format!("SKIPPED {name}: {why}"));
    }

    /// Notes that what all of some checks need is not here.
    fn miss(&mut self, name: &str, why: impl fmt::Display) {
        self.missing += 1;
        self.lines
            .push(format!("SKIPPED {name}, all checks: {why}"));
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
            "interop: {} passed, {} failed, {} skipped, {} missing",
            self.passed, self.failed, self.skipped, self.missing
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_and_may_be_refused() {
        let mut report = Report::default();
        report.pass("one");
        report.skip("another", "the service has no such route");
        assert!(report.is_good(true) && report.is_good(false));
        report.miss("a client", "no Python");
        assert!(report.is_good(true) && !report.is_good(false));
        let text = report.to_string();
        assert!(
            text.contains("SKIPPED a client, all checks: no Python"),
            "{text}"
        );
        assert!(
            text.ends_with("1 passed, 0 failed, 1 skipped, 1 missing"),
            "{text}"
        );
        report.fail("a third", "planted");
        assert!(!report.is_good(true));
    }
}
