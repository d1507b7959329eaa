//! Runs the descriptions of services against the emulators: `schemathesis` makes requests from a
//! description, good and bad ones, and every answer must be one that the description has.

mod astakos;
mod userinfo;
mod wazo_auth;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde_json::Value;
use tokio::process::Command;
use vouchsafe::core::mock::{Handler, Host};
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response};

use crate::bound::Bound;
use crate::python;

const PACKAGES: &[&str] = &["schemathesis==4.32.5"];

/// The services whose descriptions can be run.
const SERVICES: &[&str] = &["astakos", "userinfo", "wazo-auth"];

/// The requirements on every answer. One of them is that no operation answers 5xx by itself: the
/// descriptions name the few statuses of this kind that services have.
const CHECKS: [&str; 7] = [
    "allow_header_conformance",
    "content_type_conformance",
    "ignored_auth",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
];

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

/// An emulator with a world that can be reset, and its permitted answers.
trait World: fmt::Debug + Send + Sync + 'static {
    /// Returns the descriptions, as files below `crates`, with the path before theirs.
    fn descriptions(&self) -> Vec<(&'static str, String)>;

    /// Returns the header that all requests have. Here and in what is known, `bound-NAME` stands for
    /// what the beginning has bound to that name.
    fn header(&self) -> &'static str;

    /// Returns the checks that are not for this service.
    fn unchecked(&self) -> &'static [&'static str];

    /// Returns what exists, for the names of parameters and members.
    fn known(&self) -> &Value;

    /// Resets the world.
    fn begin(&self) -> Result<Bound, String>;

    /// Returns whether the requests so far have left what `bound` needs.
    fn is_whole(&self, bound: &Bound) -> bool;

    fn handler(&self) -> &Arc<dyn Handler>;

    /// Returns every operation that should be reached.
    fn operations(&self) -> Vec<&'static str>;

    /// Returns whether the service itself fails this way, by its protocol text. The request has been
    /// answered, and changed nothing.
    fn may_fail(&self, operation: &str, request: &Request) -> bool;
}

/// The number of requests after which the world is reset, so that lists do not grow forever, and
/// what was deleted is back.
const RENEWED: u64 = 200;

/// What goes over the wire.
#[derive(Debug)]
struct Watched {
    world: Box<dyn World>,
    bound: Mutex<(Bound, u64)>,
    seen: Mutex<Seen>,
}

impl Watched {
    fn new(world: Box<dyn World>) -> Result<Self, String> {
        Ok(Self {
            bound: Mutex::new((world.begin()?, 0)),
            world,
            seen: Mutex::default(),
        })
    }

    /// Prepares a request for the world, which is made whole before.
    fn fill(&self, request: &Request) -> Result<Request, String> {
        let mut guard = lock(&self.bound);
        let (bound, requests) = &mut *guard;
        *requests += 1;
        if *requests > RENEWED || !self.world.is_whole(bound) {
            (*bound, *requests) = (self.world.begin()?, 0);
        }
        filled(bound, request)
    }
}

/// Puts what is bound into a request, and replaces its credential by the one that is named.
fn filled(bound: &Bound, request: &Request) -> Result<Request, String> {
    let fill = |mut text: String| {
        for (name, value) in bound.texts() {
            text = text.replace(&format!("bound-{name}"), value);
        }
        text
    };
    let mut request = request.clone();
    let uri = fill(request.uri.to_string());
    request.uri = uri.parse().map_err(|_| format!("no address: {uri}"))?;
    if let Some(line) = request.headers.remove("x-credential")
        && let Some((name, value)) = line.to_str().ok().and_then(|line| line.split_once(": "))
        && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
    {
        request.headers.insert(name, value);
    }
    for value in request.headers.values_mut() {
        if let Ok(text) = value.to_str() {
            *value = HeaderValue::try_from(fill(text.to_owned())).map_err(|e| e.to_string())?;
        }
    }
    // A body that is no text holds no name.
    if let Ok(text) = String::from_utf8(request.body.to_vec()) {
        request.body = fill(text).into();
    }
    Ok(request)
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
        let handler = self.world.handler();
        let filled = self.fill(request);
        let (response, why) = match &filled {
            Ok(request) => (handler.handle(request), String::new()),
            Err(why) => (Response::new(StatusCode::NOT_IMPLEMENTED), why.clone()),
        };
        // A route may take only what is of a form that a bound name is not, as a UUID.
        let request = filled.as_ref().unwrap_or(request);
        let operation = handler.operation(&request.method, &request.uri);
        let status = response.status;
        let mut seen = lock(&self.seen);
        seen.requests += 1;
        if let Some(operation) = operation {
            let statuses = seen.statuses.entry(operation).or_default();
            *statuses.entry(status.as_u16()).or_default() += 1;
        }
        let name = operation.unwrap_or("no operation");
        let is_failure = || filled.is_err() || !self.world.may_fail(name, request);
        if status.is_server_error() && is_failure() {
            let (method, uri) = (&request.method, &request.uri);
            let body = String::from_utf8_lossy(&request.body);
            let text = format!("{method} {uri} {body} was answered {status} {why}");
            seen.failures.insert(name.to_owned(), text);
        }
        response
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        self.world.handler().operation(method, uri)
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

/// Runs the descriptions of a service. `target` is the folder for what is built.
///
/// # Errors
///
/// If they cannot be run: an unknown service, or what is needed is missing.
pub async fn run(target: &Path, options: &Options) -> Result<Report, String> {
    let world: Box<dyn World> = match options.service.as_str() {
        "astakos" => Box::new(astakos::World::new()),
        "userinfo" => Box::new(userinfo::World::new()),
        "wazo-auth" => Box::new(wazo_auth::World::new()?),
        other => {
            let known = SERVICES.join(", ");
            let text = format!("no service is called {other:?}; there are: {known}");
            return Err(text);
        }
    };
    let work = std::path::absolute(target.join("schemathesis")).map_err(|e| e.to_string())?;
    let python = python::environment(&work, PACKAGES).await?;
    let watched = Arc::new(Watched::new(world)?);
    let host = Host::new(Arc::clone(&watched) as Arc<dyn Handler>);
    let serving = host.serve((Ipv4Addr::LOCALHOST, 0).into()).await;
    let serving = serving.map_err(|fault| fault.to_string())?;
    let descriptions = watched.world.descriptions();
    let seconds = options.seconds / u64::try_from(descriptions.len()).unwrap_or(1).max(1);
    let unchecked = watched.world.unchecked();
    let checks = CHECKS
        .into_iter()
        .filter(|check| !unchecked.contains(check));
    let checks = checks.collect::<Vec<_>>().join(",");
    let mut is_like_description = true;
    for (file, base) in descriptions {
        let url = format!("{}{base}", serving.url());
        let mut command = Command::new(python.with_file_name("st"));
        command
            .current_dir(&work)
            .env("VOUCHSAFE_KNOWN", watched.world.known().to_string())
            .args(["run", "--checks", &checks])
            .args(["--seed", &options.seed.to_string()])
            .args(["--header", watched.world.header()]);
        is_like_description &= run_one(command, file, &url, seconds).await?;
    }
    drop(serving);
    let seen = lock(&watched.seen);
    let operations = watched.world.operations();
    Ok(report(&seen, &operations, is_like_description))
}

/// Runs one description, and returns whether all answers were like it.
async fn run_one(
    mut command: Command,
    file: &str,
    url: &str,
    seconds: u64,
) -> Result<bool, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    command
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", here.join("schemathesis"))
        .args(["--url", url, "--max-time", &seconds.max(1).to_string()])
        .args(["--no-color", "--continue-on-failure"])
        .args([
            "--generation-database",
            "none",
            "--output-sanitize",
            "false",
        ])
        // What only servers of other generations have.
        .args(["--exclude-tag", "legacy"])
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .arg(here.join("../crates").join(file))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let text = |cause: std::io::Error| cause.to_string();
    let mut process = command.spawn().map_err(text)?;
    let limit = Duration::from_secs(seconds) + GRACE;
    match tokio::time::timeout(limit, process.wait()).await {
        Ok(status) => Ok(status.map_err(text)?.success()),
        Err(_) => {
            process.kill().await.map_err(text)?;
            Err(format!("{file}: it did not end within {limit:?}"))
        }
    }
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

    impl Handler for Named {
        fn handle(&self, request: &Request) -> Response {
            let status = request.uri.path().trim_start_matches('/').parse::<u16>();
            let status = status.ok().and_then(|code| StatusCode::from_u16(code).ok());
            Response::new(status.unwrap_or(StatusCode::NOT_FOUND))
        }

        fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
            Some("ask")
        }
    }

    #[derive(Debug)]
    struct Small(Arc<dyn Handler>);

    impl World for Small {
        fn descriptions(&self) -> Vec<(&'static str, String)> {
            Vec::new()
        }

        fn header(&self) -> &'static str {
            ""
        }

        fn unchecked(&self) -> &'static [&'static str] {
            &[]
        }

        fn known(&self) -> &Value {
            &Value::Null
        }

        fn begin(&self) -> Result<Bound, String> {
            let mut bound = Bound::default();
            bound.set("status", "503");
            Ok(bound)
        }

        fn is_whole(&self, _: &Bound) -> bool {
            true
        }

        fn handler(&self) -> &Arc<dyn Handler> {
            &self.0
        }

        fn operations(&self) -> Vec<&'static str> {
            vec!["ask"]
        }

        fn may_fail(&self, _: &str, request: &Request) -> bool {
            request.uri.path() == "/503"
        }
    }

    fn seen(paths: &[&'static str]) -> Seen {
        let watched = Watched::new(Box::new(Small(Arc::new(Named)))).unwrap();
        for path in paths {
            watched.handle(&Request::new(Method::GET, Uri::from_static(path)));
        }
        watched.seen.into_inner().unwrap()
    }

    #[test]
    fn what_the_world_has_bound_is_put_into_requests() {
        let statuses = seen(&["/bound-status"]).statuses;
        assert_eq!(statuses["ask"], BTreeMap::from([(503, 1)]));
    }

    #[test]
    fn a_credential_that_a_request_names_takes_the_place_of_another() {
        let mut request = Request::new(Method::GET, Uri::from_static("/"));
        for (name, value) in [
            ("authorization", "Bearer a"),
            ("x-credential", "Authorization: Basic bound-login"),
        ] {
            request
                .headers
                .insert(name, HeaderValue::from_static(value));
        }
        let mut bound = Bound::default();
        bound.set("login", "YTpi");
        let headers = filled(&bound, &request).unwrap().headers;
        assert_eq!(headers["authorization"], "Basic YTpi");
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn a_failure_that_the_service_does_not_have_fails_the_run() {
        let good = report(&seen(&["/200", "/404", "/bound-status"]), &["ask"], true);
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
