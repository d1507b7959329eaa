//! Runs the descriptions of services against the emulators: `schemathesis` makes requests from a
//! description, good and bad ones, and every answer must be one that the description has.

mod wazo_auth;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Uri};
use serde_json::Value;
use tokio::process::Command;
use vouchsafe::core::mock::{Handler, Host};
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response};

use crate::python;

const PACKAGES: &[&str] = &["schemathesis==4.32.5"];

/// The services whose descriptions can be run.
const SERVICES: &[&str] = &["wazo-auth"];

/// What must hold of every answer. That no operation answers 5xx of its own accord is part of it: the
/// descriptions name the few statuses of this kind that services have.
const CHECKS: &str = "status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,ignored_auth,\
                      unsupported_method,allow_header_conformance";

/// How long a run may take beyond its time, for the start and for making failures small.
const GRACE: Duration = Duration::from_secs(120);

/// How a description is run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The service.
    pub service: String,
    /// How long, in seconds.
    pub seconds: u64,
    /// Where chance begins: the same requests again.
    pub seed: u64,
}

impl Options {
    /// Creates options for a service.
    #[must_use]
    pub fn new(service: impl Into<String>, seconds: u64, seed: u64) -> Self {
        Self {
            service: service.into(),
            seconds,
            seed,
        }
    }
}

/// An emulator as it is run: with a world that stays usable, and with the answers it may give.
trait Subject: fmt::Debug + Send + Sync + 'static {
    /// Answers a request. A request may name [`TOKEN`] as its token.
    fn answer(&self, request: &Request) -> Response;

    /// Returns the operation that a request is for.
    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str>;

    /// Returns what exists, for the names of parameters and members.
    fn known(&self) -> &Value;

    /// Returns every operation that should be reached.
    fn operations(&self) -> Vec<&'static str>;

    /// Returns whether the service itself fails this way, by its protocol text.
    fn may_fail(&self, operation: &str, request: &Request) -> bool;
}

/// Stands in requests for a token that is valid whatever happened to the one before.
const TOKEN: &str = "00000000-0000-4000-8000-00000000a11d";

/// What went over the wire.
#[derive(Debug)]
struct Watched {
    subject: Box<dyn Subject>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: u64,
    /// How often each operation answered each status.
    statuses: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// Failures that the service does not have, one of each operation.
    failures: BTreeMap<String, String>,
}

impl Handler for Watched {
    fn handle(&self, request: &Request) -> Response {
        let response = self.subject.answer(request);
        let operation = self.subject.operation(&request.method, &request.uri);
        let status = response.status;
        let mut seen = lock(&self.seen);
        seen.requests += 1;
        if let Some(operation) = operation {
            let statuses = seen.statuses.entry(operation).or_default();
            *statuses.entry(status.as_u16()).or_default() += 1;
        }
        let name = operation.unwrap_or("no operation");
        if status.is_server_error() && !self.subject.may_fail(name, request) {
            let (method, uri) = (&request.method, &request.uri);
            let body = String::from_utf8_lossy(&request.body);
            let text = format!("{method} {uri} {body} was answered {status}");
            seen.failures.insert(name.to_owned(), text);
        }
        response
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        self.subject.operation(method, uri)
    }
}

/// What a run found. `Display` ends with one line of counts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Whether every answer was in order.
    pub is_good: bool,
    lines: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// Runs a description. `target` is the folder for what is built.
///
/// # Errors
///
/// If it cannot be run: an unknown service, or what is needed is missing.
pub async fn run(target: &Path, options: &Options) -> Result<Report, String> {
    let service = options.service.as_str();
    let subject: Box<dyn Subject> = match service {
        "wazo-auth" => Box::new(wazo_auth::Subject::new()?),
        other => {
            let known = SERVICES.join(", ");
            return Err(format!(
                "no service is called {other:?}; there are: {known}"
            ));
        }
    };
    let text = |cause: std::io::Error| cause.to_string();
    let work = std::path::absolute(target.join("schemathesis")).map_err(text)?;
    let python = python::environment(&work, PACKAGES).await?;
    let watched = Arc::new(Watched {
        subject,
        seen: Mutex::default(),
    });
    let host = Host::new(Arc::clone(&watched) as Arc<dyn Handler>);
    let serving = host.serve((Ipv4Addr::LOCALHOST, 0).into()).await;
    let serving = serving.map_err(|fault| fault.to_string())?;

    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let description = format!("../crates/{service}/api/{service}.openapi.yaml");
    let mut process = Command::new(python.with_file_name("st"))
        .current_dir(&work)
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", here.join("schemathesis"))
        .env("VOUCHSAFE_KNOWN", watched.subject.known().to_string())
        .arg("run")
        .arg(here.join(description))
        .args(["--no-color", "--checks", CHECKS, "--continue-on-failure"])
        .args(["--url", &serving.url().to_string()])
        .args(["--max-time", &options.seconds.to_string()])
        .args(["--seed", &options.seed.to_string()])
        .args(["--header", &format!("X-Auth-Token: {TOKEN}")])
        .args([
            "--generation-database",
            "none",
            "--output-sanitize",
            "false",
        ])
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(text)?;
    let limit = Duration::from_secs(options.seconds) + GRACE;
    let status = match tokio::time::timeout(limit, process.wait()).await {
        Ok(status) => status.map_err(text)?,
        Err(_) => {
            process.kill().await.map_err(text)?;
            return Err(format!("it did not end within {limit:?}"));
        }
    };
    drop(serving);
    let seen = lock(&watched.seen);
    Ok(report(
        &seen,
        &watched.subject.operations(),
        status.success(),
    ))
}

fn report(seen: &Seen, operations: &[&'static str], is_like_description: bool) -> Report {
    let mut lines: Vec<String> = Vec::new();
    for (operation, failure) in &seen.failures {
        lines.push(format!("FAILED {operation}: {failure}"));
    }
    let reached: BTreeSet<&str> = seen.statuses.keys().copied().collect();
    let missed: Vec<_> = operations
        .iter()
        .filter(|name| !reached.contains(*name))
        .collect();
    if !missed.is_empty() {
        lines.push(format!(
            "FAILED operations that no request reached: {missed:?}"
        ));
    }
    for (operation, statuses) in &seen.statuses {
        let counts = statuses.iter();
        let counts: Vec<_> = counts
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        lines.push(format!("{operation}: {}", counts.join(", ")));
    }
    let is_good = is_like_description && seen.failures.is_empty() && missed.is_empty();
    let verdict = if is_good { "good" } else { "FAILED" };
    let (requests, count) = (seen.requests, reached.len());
    lines.push(format!(
        "schemathesis: {verdict}, {requests} requests to {count} operations"
    ));
    Report { is_good, lines }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    /// Answers each path with the status that it names.
    #[derive(Debug)]
    struct Named;

    impl Subject for Named {
        fn answer(&self, request: &Request) -> Response {
            let status = request.uri.path().trim_start_matches('/').parse::<u16>();
            let status = status.ok().and_then(|code| StatusCode::from_u16(code).ok());
            Response::new(status.unwrap_or(StatusCode::NOT_FOUND))
        }

        fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
            Some("ask")
        }

        fn known(&self) -> &Value {
            &Value::Null
        }

        fn operations(&self) -> Vec<&'static str> {
            vec!["ask"]
        }

        fn may_fail(&self, _: &str, request: &Request) -> bool {
            request.uri.path() == "/503"
        }
    }

    fn seen(paths: &[&'static str]) -> Seen {
        let watched = Watched {
            subject: Box::new(Named),
            seen: Mutex::default(),
        };
        for path in paths {
            watched.handle(&Request::new(Method::GET, Uri::from_static(path)));
        }
        watched.seen.into_inner().unwrap()
    }

    #[test]
    fn a_failure_that_the_service_does_not_have_fails_the_run() {
        let good = report(&seen(&["/200", "/404", "/503"]), &["ask"], true);
        assert!(good.is_good, "{good}");
        let bad = report(&seen(&["/200", "/500"]), &["ask"], true);
        assert!(!bad.is_good);
        assert!(bad.to_string().starts_with("FAILED ask: GET /500"), "{bad}");
    }

    #[test]
    fn an_answer_that_is_not_described_fails_the_run() {
        assert!(!report(&seen(&["/200"]), &["ask"], false).is_good);
    }

    #[test]
    fn an_operation_that_no_request_reaches_fails_the_run() {
        let report = report(&seen(&["/200"]), &["ask", "tell"], true);
        assert!(!report.is_good);
        assert!(report.to_string().contains("[\"tell\"]"), "{report}");
    }

    #[tokio::test]
    async fn an_unknown_service_is_refused_with_those_there_are() {
        let options = Options::new("nosuch", 1, 1);
        let why = run(Path::new("target"), &options).await.unwrap_err();
        assert!(why.contains("wazo-auth"), "{why}");
    }
}
