//! The services: each method of Python by the method of ours.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use vouchsafe::cloud_credentials::{
    Client, Credentials, Error as Fault, NewQueryJob, ResultFormat,
};
use vouchsafe::core::call::Retry;

use super::any::{ClientObject, base_url};
use super::calls::{bound, known};
use super::expected::{Outcome, Recorded};
use super::machine::Machine;
use super::outcome::{Got, Walked};

/// Returns whether a step constructs a service.
pub(super) fn is_class(deed: &str) -> bool {
    matches!(
        deed,
        "LoggingService" | "EventService" | "DirectorySyncService" | "QueryService"
    )
}

/// A service, and the client that its methods use.
#[derive(Clone)]
pub(super) struct ServiceObject {
    class: String,
    /// What its credentials are called.
    credentials: Option<String>,
    refreshes: bool,
    client: Client,
}

impl ServiceObject {
    /// Constructs a service. Without credentials it uses those of the environment, or else of the
    /// file, as `Client::from_env` does.
    pub(super) fn new(
        machine: &Machine,
        session: Option<&ClientObject>,
        step: &Recorded,
    ) -> Result<Self, String> {
        let args = &step.args;
        let of_connection = [
            "cert",
            "force_trace",
            "max_retries",
            "pool_block",
            "pool_connections",
            "pool_maxsize",
            "proxies",
            "stream",
            "timeout",
            "trust_env",
            "verify",
        ];
        let own = [
            "url",
            "port",
            "credentials",
            "session",
            "headers",
            "auto_refresh",
            // No answer has such a status or body, so it is an error in any case.
            "enforce_json",
            "raise_for_status",
        ];
        known(args, &[&own[..], &of_connection].concat())?;
        let url = match session {
            Some(session) => session.base_url(machine)?,
            None => base_url(machine, args)?,
        };
        let builder = Client::builder()
            .base_url(url)
            .transport(machine.transport(session.map_or(args, ClientObject::args))?)
            .clock(Arc::clone(&machine.clock) as _)
            .observer(Arc::clone(&machine.stats) as _)
            .retry(Retry::none());
        let of_session = session.and_then(|session| session.credentials.clone());
        let name = bound(args.get("credentials")).or(of_session);
        let option = |name: &str| args.get(name).or_else(|| session?.args().get(name));
        let header = option("headers").and_then(|headers| headers["Authorization"].as_str());
        let refreshes = option("auto_refresh").is_none_or(|value| value == true);
        let builder = match (&name, header) {
            (Some(name), _) => {
                let credentials = credentials(machine, name)?;
                builder.credentials(&credentials.with_auto_refresh(refreshes))
            }
            (None, Some(header)) => {
                let token = header.strip_prefix("Bearer ").ok_or("not a bearer token")?;
                builder.token(token)
            }
            (None, None) => builder.credentials(&machine.build(&Map::new(), None)?),
        };
        Ok(Self {
            class: step.deed.clone(),
            credentials: name,
            refreshes,
            client: builder.build().map_err(|error| error.to_string())?,
        })
    }

    /// Calls the method of a step. `None` if the class has no such method.
    pub(super) async fn call(&self, machine: &Machine, step: &Recorded) -> Result<Got, String> {
        let mut given = Given(step.args.clone());
        // Of the request there, and of the client here.
        let headers = given.take("headers").unwrap_or_default();
        let token = headers["Authorization"].as_str();
        for name in [
            "timeout",
            "allow_redirects",
            "cookies",
            "raise_for_status",
            "enforce_json",
            "force_trace",
            "stream",
        ] {
            given.take(name);
        }
        let of_call = bound(given.take("credentials").as_ref());
        let refreshes = given.flag("auto_refresh");
        let is_own = of_call.is_some() || refreshes.is_some();
        let client = match of_call
            .or_else(|| self.credentials.clone())
            .filter(|_| is_own)
        {
            Some(name) => {
                let credentials = credentials(machine, &name)?;
                let refreshes = refreshes.unwrap_or(self.refreshes);
                let source = Arc::new(credentials.with_auto_refresh(refreshes));
                self.client.with_token_source(source)
            }
            // Credentials take precedence over a header.
            None => match token.filter(|_| self.credentials.is_none()) {
                Some(token) => {
                    let token = token.strip_prefix("Bearer ").ok_or("not a bearer token")?;
                    self.client.with_token(token)
                }
                None => self.client.clone(),
            },
        };
        let deed = (self.class.as_str(), step.deed.as_str());
        let got = match deed {
            ("LoggingService", _) => logging(&client, step, &mut given).await?,
            ("EventService", _) => events(&client, step, &mut given).await?,
            ("DirectorySyncService", _) => directory(&client, step, &mut given).await?,
            _ => queries(&client, step, &mut given).await?,
        };
        machine.stats.count(&got);
        match given.0.keys().next() {
            Some(name) => Err(format!("no runner for the argument {name}")),
            None => Ok(got),
        }
    }
}

fn credentials(machine: &Machine, name: &str) -> Result<Credentials, String> {
    let found = machine.credentials.get(name).cloned();
    found.ok_or_else(|| format!("nothing is called {name}"))
}

/// Arguments, of which none may be left.
struct Given(Map<String, Value>);

impl Given {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Returns whether there is such an argument that is not `None`, which is taken otherwise.
    fn has(&mut self, name: &str) -> bool {
        if self.0.get(name).is_some_and(Value::is_null) {
            self.0.remove(name);
        }
        self.0.contains_key(name)
    }

    fn text(&mut self, name: &str) -> Result<String, String> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            other => Err(format!("{name} is not text: {other:?}")),
        }
    }

    fn number(&mut self, name: &str) -> Option<i64> {
        self.take(name)?.as_i64()
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.take(name)?.as_bool()
    }

    fn read<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, String> {
        let value = self.take(name).unwrap_or_default();
        serde_json::from_value(value).map_err(|cause| format!("{name}: {cause}"))
    }

    /// Makes arguments of the members of `params`, by which they are sent there; an argument of its
    /// own takes precedence.
    fn spread_params(&mut self) -> Result<(), String> {
        let params = match self.take("params") {
            None => return Ok(()),
            Some(Value::Object(params)) => params,
            Some(other) => return Err(format!("no runner for params {other}")),
        };
        for (name, value) in params {
            let argument = match name.as_str() {
                "maxJobs" => "max_jobs",
                "createdAfter" => "created_after",
                "state" => "state",
                "type" => "job_type",
                "tenantId" => "tenant_id",
                "maxWait" => "max_wait",
                "offset" => "offset",
                "pageCursor" => "page_cursor",
                "pageNumber" => "page_number",
                "pageSize" => "page_size",
                "resultFormat" => "result_format",
                other => return Err(format!("no runner for the parameter {other}")),
            };
            if !self.has(argument) {
                self.0.insert(argument.to_owned(), value);
            }
        }
        Ok(())
    }

    /// Takes one member of a map, which must have no other.
    fn param(&mut self, name: &str) -> Result<Option<Value>, String> {
        let Some(Value::Object(mut params)) = self.take("params") else {
            return Ok(None);
        };
        let found = params.remove(name);
        match params.keys().next() {
            Some(other) => Err(format!("no runner for the parameter {other}")),
            None => Ok(found),
        }
    }
}

/// Reads a number, also one that is written as text.
fn whole(value: &Value) -> Result<i64, String> {
    let text = value.as_str().and_then(|text| text.parse().ok());
    let number = value.as_i64().or(text);
    number.ok_or_else(|| format!("not a whole number: {value}"))
}

fn shown<T: Serialize>(answer: Result<T, Fault>) -> Result<Got, String> {
    Ok(match answer {
        Ok(answer) => {
            let value = serde_json::to_value(answer).map_err(|cause| cause.to_string())?;
            Got::Value(json!({"answer": value}))
        }
        Err(fault) => Got::Fault(fault),
    })
}

/// Takes items from a walk, to its end or up to a number.
macro_rules! walked {
    ($walk:expr, $most:expr) => {{
        let mut items = Vec::new();
        let end = loop {
            if items.len() == $most {
                break None;
            }
            match $walk.next().await {
                Ok(Some(item)) => {
                    items.push(serde_json::to_value(item).map_err(|cause| cause.to_string())?);
                }
                Ok(None) => break None,
                Err(fault) => break Some(fault),
            }
        };
        Ok(Got::Walked(Walked { items, end }))
    }};
}

async fn logging(client: &Client, step: &Recorded, given: &mut Given) -> Result<Got, String> {
    let logging = client.logging();
    match step.deed.as_str() {
        "query" => shown(logging.query(&given.read("json")?).await),
        "poll" => {
            let page = given.number("sequence_no").ok_or("no page")?;
            let mut poll = logging.poll(given.text("query_id")?, page);
            if let Some(wait) = given.param("maxWaitTime")? {
                poll = poll.max_wait_time(whole(&wait)?);
            }
            shown(poll.send().await)
        }
        "delete" => shown(logging.delete(&given.text("query_id")?).await),
        "write" => {
            let (vendor, kind) = (given.text("vendor_id")?, given.text("log_type")?);
            let entries: Vec<Value> = given.read("json")?;
            shown(logging.write(&vendor, &kind, &entries).await)
        }
        deed @ ("iter_poll" | "xpoll") => {
            let id = given.text("query_id")?;
            let page = given.number("sequence_no").unwrap_or_default();
            let wait = given.param("maxWaitTime")?.map(|wait| whole(&wait));
            let wait = wait.transpose()?.map(i64::unsigned_abs);
            let wait = wait.map(Duration::from_millis);
            if deed == "iter_poll" {
                let pages = match logging.pages(id) {
                    Ok(pages) => pages,
                    Err(fault) => return Ok(Got::Fault(fault)),
                };
                // It removes nothing there.
                let mut pages = pages.from_page(page).keep_query();
                if let Some(wait) = wait {
                    pages = pages.max_wait(wait);
                }
                return walked!(pages, usize::MAX);
            }
            let hits = match logging.hits(id) {
                Ok(hits) => hits,
                Err(fault) => return Ok(Got::Fault(fault)),
            };
            let mut hits = hits.from_page(page);
            if let Some(wait) = wait {
                hits = hits.max_wait(wait);
            }
            if given.flag("delete_query") == Some(false) {
                hits = hits.keep_query();
            }
            let got = walked!(hits, usize::MAX);
            // After an error it removes nothing there.
            drop(hits.keep_query());
            got
        }
        _ => Err("no runner for this step".to_owned()),
    }
}

async fn events(client: &Client, step: &Recorded, given: &mut Given) -> Result<Got, String> {
    let events = client.events();
    let channel = given.text("channel_id")?;
    match step.deed.as_str() {
        "poll" => {
            let poll = events.poll(channel);
            match given.has("json") {
                true => shown(poll.body(&given.read("json")?).send().await),
                false => shown(poll.send().await),
            }
        }
        "ack" => shown(events.ack(&channel).await),
        "nack" => shown(events.nack(&channel).await),
        "flush" => shown(events.flush(&channel).await),
        "get_filters" => shown(events.filters(&channel).await),
        "set_filters" => shown(events.set_filters(&channel, &given.read("json")?).await),
        "xpoll" => {
            let mut walk = match events.walk(channel) {
                Ok(walk) => walk,
                Err(fault) => return Ok(Got::Fault(fault)),
            };
            if given.has("json") {
                walk = walk.poll(given.read("json")?);
            }
            if given.flag("ack") == Some(true) {
                walk = walk.acknowledge();
            }
            let pause = given.take("pause").and_then(|pause| pause.as_f64());
            let mut most = usize::MAX;
            if given.flag("follow") == Some(true) {
                walk = walk.follow(Duration::from_secs_f64(pause.unwrap_or_default()));
                // It has no end, so the recording took as many as it has.
                if let Outcome::Ok(items) = &step.outcome {
                    most = items.as_array().map_or(0, Vec::len);
                }
            }
            let got = walked!(walk, most);
            // After an error it gives nothing back there.
            walk.leave();
            got
        }
        _ => Err("no runner for this step".to_owned()),
    }
}

async fn directory(client: &Client, step: &Recorded, given: &mut Given) -> Result<Got, String> {
    let directory = client.directory();
    match step.deed.as_str() {
        "attributes" => shown(directory.attributes().await),
        "domains" => shown(directory.domains().await),
        "count" => {
            let mut count = directory.count(given.text("object_class")?);
            if let Some(Value::String(domain)) = given.param("domain")? {
                count = count.domain(domain);
            }
            let counted = count.send().await;
            shown(counted.map(|count| json!({"count": count})))
        }
        "query" => {
            let class = given.text("object_class")?;
            shown(directory.query(&class, &given.read("json")?).await)
        }
        _ => Err("no runner for this step".to_owned()),
    }
}

async fn queries(client: &Client, step: &Recorded, given: &mut Given) -> Result<Got, String> {
    let queries = client.queries();
    given.spread_params()?;
    match step.deed.as_str() {
        "create_query" => {
            let sent = step
                .exchanges
                .first()
                .and_then(|one| one.request.body.as_deref());
            let sent: Value = serde_json::from_str(sent.ok_or("no request")?)
                .map_err(|cause| cause.to_string())?;
            let mut job: Map<String, Value> = match given.has("json") {
                true => given.read("json")?,
                false => Map::new(),
            };
            for (name, given) in [
                ("jobId", given.take("job_id")),
                ("params", given.take("query_params")),
                // Which program asks is up to the program.
                ("clientType", Some(sent["clientType"].clone())),
                ("clientVersion", Some(sent["clientVersion"].clone())),
            ] {
                if let Some(given) = given {
                    job.insert(name.to_owned(), given);
                }
            }
            let job = Value::Object(job);
            let job: NewQueryJob = serde_json::from_value(job).map_err(|e| e.to_string())?;
            shown(queries.create(&job).await)
        }
        "list_jobs" => {
            let mut list = queries.list();
            if let Some(most) = given.number("max_jobs") {
                list = list.max_jobs(most);
            }
            if let Some(after) = given.number("created_after") {
                list = list.created_after(after);
            }
            if given.has("state") {
                list = list.state(given.text("state")?);
            }
            if given.has("job_type") {
                list = list.job_type(given.text("job_type")?);
            }
            if given.has("tenant_id") {
                list = list.tenant_id(given.text("tenant_id")?);
            }
            shown(list.send().await)
        }
        "get_job" => shown(queries.get(&given.text("job_id")?).await),
        "cancel_job" => shown(queries.cancel(&given.text("job_id")?).await),
        "get_job_results" => {
            let mut results = queries.results(given.text("job_id")?);
            if let Some(wait) = given.number("max_wait") {
                results = results.max_wait(wait);
            }
            if let Some(offset) = given.number("offset") {
                results = results.offset(offset);
            }
            if given.has("page_cursor") {
                results = results.page_cursor(given.text("page_cursor")?);
            }
            if let Some(page) = given.number("page_number") {
                results = results.page_number(page);
            }
            if let Some(size) = given.number("page_size") {
                results = results.page_size(size);
            }
            if given.has("result_format") {
                results = results.result_format(given.read::<ResultFormat>("result_format")?);
            }
            shown(results.send().await)
        }
        "iter_job_results" => {
            let pages = match queries.pages(given.text("job_id")?) {
                Ok(pages) => pages,
                Err(fault) => return Ok(Got::Fault(fault)),
            };
            // It cancels nothing there.
            let mut pages = pages.keep_job();
            if let Some(wait) = given.number("max_wait") {
                pages = pages.max_wait(Duration::from_millis(wait.unsigned_abs()));
            }
            if let Some(row) = given.number("offset") {
                pages = pages.offset(row);
            }
            if given.has("page_cursor") {
                pages = pages.from_cursor(given.text("page_cursor")?);
            }
            if let Some(number) = given.number("page_number") {
                pages = pages.page_number(number);
            }
            if let Some(size) = given.number("page_size") {
                pages = pages.page_size(size);
            }
            if given.has("result_format") {
                pages = pages.result_format(given.read("result_format")?);
            }
            walked!(pages, usize::MAX)
        }
        _ => Err("no runner for this step".to_owned()),
    }
}
