//! A call of `summit.py`, by the command of the program that does the same.

use serde_json::{Map, Value};

use super::super::machine::is_of_session;
use super::Run;
use super::constructor;
use super::line::{Deed, Line};
use super::machine::{Machine, Order, Ran};
use super::other::Other;

/// The calls of one command line, each of which is a run of the program.
pub(super) struct Calls<'c> {
    pub(super) machine: &'c Machine,
    pub(super) run: &'c Run,
    pub(super) line: &'c Line,
    /// The answer to the last call of a service.
    last: Value,
    count: usize,
    /// Values that must not be shown, and what was.
    pub(super) hidden: Vec<String>,
    pub(super) told: String,
    /// Whether the program refuses what the older tool sends.
    pub(super) is_refused: bool,
    pub(super) has_logged_in: bool,
    /// The token that was revoked.
    pub(super) revoked: Option<&'static str>,
}

/// What came of a call.
pub(super) struct Called {
    pub(super) is_done: bool,
    pub(super) shown: Shown,
    pub(super) fault: Option<String>,
}

/// The result of a call, to compare with what the older tool printed.
pub(super) enum Shown {
    Same(Value),
    /// Whether a list has anything.
    Whether(bool),
    /// It is not comparable.
    Unknown,
}

impl<'c> Calls<'c> {
    pub(super) fn new(machine: &'c Machine, run: &'c Run, line: &'c Line) -> Self {
        Self {
            machine,
            run,
            line,
            last: Value::Null,
            count: 0,
            hidden: Vec::new(),
            told: String::new(),
            is_refused: false,
            has_logged_in: false,
            revoked: None,
        }
    }

    pub(super) async fn call(&mut self, deed: &Deed) -> Result<Called, Other> {
        match deed.class {
            'C' => self.of_credentials(deed).await,
            'H' => Err(Other::Waived(NO_COMMAND)),
            _ => self.of_service(deed).await,
        }
    }

    async fn of_credentials(&mut self, deed: &Deed) -> Result<Called, Other> {
        let name = deed.name.as_str();
        let mut order = self.credentials(name)?;
        match name {
            "get_credentials" | "access_token" | "client_id" | "client_secret"
            | "refresh_token" | "profile" => {
                let Some(values) = self.values(order).await? else {
                    let shown = Called::done(Shown::Unknown);
                    return Ok(Called {
                        is_done: false,
                        ..shown
                    });
                };
                let all = || VALUES.iter().map(|name| values[*name].clone()).collect();
                Ok(Called::done(Shown::Same(match name {
                    "get_credentials" => all(),
                    name => values[name].clone(),
                })))
            }
            "refresh" => {
                let ran = self.ran(order).await?;
                let given = self.line.of_class('C');
                let profile = given.and_then(|given| given.get("profile")?.as_str());
                let document = self.machine.document(profile.unwrap_or("default"));
                let token = document.unwrap_or_default().remove("access_token");
                Ok(ran.called(Shown::Same(token.unwrap_or_default())))
            }
            "revoke_access_token" | "revoke_refresh_token" => {
                let ran = self.ran(order).await?;
                if ran.code == Some(0) {
                    let is_access = name == "revoke_access_token";
                    let revoked = if is_access {
                        "access_token"
                    } else {
                        "refresh_token"
                    };
                    self.revoked = Some(revoked);
                }
                Ok(ran.called(Shown::Unknown))
            }
            "remove_profile" => {
                let profile = deed.args.get("profile").and_then(Value::as_str);
                let profile = profile.ok_or_else(|| "no profile to remove".to_owned())?;
                order
                    .arguments
                    .extend(["--yes", "--", profile].map(str::to_owned));
                let ran = self.ran(order).await?;
                // There it is an empty list.
                let is_missing = ran.code == Some(1) && ran.err.contains("\"not_found\"");
                Ok(Called {
                    is_done: ran.code == Some(0) || is_missing,
                    shown: Shown::Whether(!is_missing),
                    fault: None,
                })
            }
            "fetch_tokens" => self.exchange(deed, order).await,
            "get_authorization_url" => self.authorize(deed, order).await,
            "write_credentials" => self.write().await,
            name if OF_CREDENTIALS.contains(&name) => Err(Other::Waived(NO_COMMAND)),
            name => Err(format!("no runner for -m {name}").into()),
        }
    }

    /// Begins a command for credentials.
    fn credentials(&mut self, name: &str) -> Result<Order, Other> {
        let command: &[&str] = match name {
            "refresh" => &["refresh"],
            "revoke_access_token" => &["revoke", "access"],
            "revoke_refresh_token" => &["revoke", "refresh"],
            "remove_profile" => &["remove"],
            "fetch_tokens" | "get_authorization_url" => &["login"],
            _ => &["get"],
        };
        let mut order = Order::default();
        let words = [&["credentials"], command, &["--json", "--retries", "0"]].concat();
        order.arguments.extend(words.into_iter().map(str::to_owned));
        let none = Map::new();
        let given = self.line.of_class('C').unwrap_or(&none);
        constructor::of_credentials(self.machine, given, &mut order)?;
        self.hide(given);
        Ok(order)
    }

    /// Notes the values that no command shows unless it is asked to.
    fn hide(&mut self, given: &Map<String, Value>) {
        let secrets = ["access_token", "client_secret", "refresh_token"];
        let documents = self.machine.documents();
        let answers = self.run.exchanges.iter();
        let answers = answers.filter_map(|exchange| exchange.response.body.as_deref());
        let answers = answers.filter_map(|body| serde_json::from_str(body).ok());
        let mut all: Vec<Map<String, Value>> = answers.collect();
        all.extend(documents);
        all.push(given.clone());
        let found = all.iter().flat_map(|members| {
            let found = secrets
                .iter()
                .filter_map(|name| members.get(*name)?.as_str());
            found.map(str::to_owned)
        });
        self.hidden.extend(found);
        let variables = constructor::VARIABLES.iter();
        let variables = variables.filter(|(name, _)| secrets.contains(name));
        let variables = variables.map(|(_, variable)| *variable);
        let names = variables.chain(["CLIENT_SECRET", "REFRESH_TOKEN", "ACCESS_TOKEN"]);
        let found = names.filter_map(|name| self.machine.variable(name));
        self.hidden.extend(found.map(str::to_owned));
    }

    /// Returns the current values, and makes sure that they are shown only if that is asked for.
    async fn values(&mut self, order: Order) -> Result<Option<Value>, Other> {
        let open = Order {
            arguments: [&order.arguments[..], &["--show".to_owned()]].concat(),
            variables: order.variables.clone(),
            input: None,
        };
        let masked = self.ran(order).await?;
        // Not among what must not show them.
        let shown = self.machine.run(&open).await?;
        if masked.code != shown.code {
            return Err(format!("get: {masked:?}, with --show: {shown:?}").into());
        }
        match shown.code {
            Some(0) => Ok(Some(serde_json::from_str(&shown.out).map_err(super::text)?)),
            Some(1) if shown.err.contains("there are no credentials") => Ok(Some(Value::Null)),
            Some(1) => Ok(None),
            _ => Err(format!("get --show: {shown:?}").into()),
        }
    }

    /// Writes the values beside other calls.
    async fn write(&mut self) -> Result<Called, Other> {
        let none = Map::new();
        let given = self.line.of_class('C').unwrap_or(&none);
        let name = "written.json";
        self.machine
            .write(name, &Value::from(given.clone()).to_string())?;
        let words = ["credentials", "-C", "--R0", name, "--write", "-j"];
        let order = Order {
            arguments: words.map(str::to_owned).to_vec(),
            ..Order::default()
        };
        let ran = self.ran(order).await?;
        let ids = serde_json::from_str(&ran.out).map_or(Shown::Unknown, Shown::Same);
        Ok(ran.called(ids))
    }

    async fn of_service(&mut self, deed: &Deed) -> Result<Called, Other> {
        let number = self.count;
        self.count += 1;
        let recorded = self.run.exchanges.get(self.count_of_others());
        let (operation, method) = operation(deed)?;
        let mut order = Order::default();
        let words = ["cloud-credentials", operation, "--json", "--retries", "0"];
        order.arguments.extend(words.map(str::to_owned));
        let mut url = None;
        for letter in ['H', deed.class] {
            if let Some(given) = self.line.of_class(letter) {
                url = url.or(constructor::url(given)?);
            }
        }
        let url = url.ok_or_else(|| "no runner for a service without a URL".to_owned())?;
        order.arguments.extend(["--url".to_owned(), url]);
        match self.line.of_class('C') {
            Some(given) => {
                constructor::of_credentials(self.machine, given, &mut order)?;
                self.hide(given);
            }
            None if self.machine.variable("ACCESS_TOKEN").is_some() => {
                let token = ["--token-env", "ACCESS_TOKEN"].map(str::to_owned);
                order.arguments.extend(token);
            }
            // Not those of the file, which the older tool does not read without -C.
            None => {
                order
                    .arguments
                    .extend(["--file", "none.json"].map(str::to_owned));
                order
                    .variables
                    .extend(constructor::VARIABLES.map(|(_, name)| (name, None)));
            }
        }
        let own = self.own_arguments(deed, method, recorded.map(|one| &*one.request.target))?;
        self.is_refused |= own.is_none();
        order.arguments.extend(own.unwrap_or_default());
        let body = body(deed, method);
        if body.is_none() && matches!(method, Method::Body | Method::OfLog | Method::OfClass) {
            return Err(Other::Waived(
                "cli: the body is required by the description",
            ));
        }
        if let Some(body) = body {
            let name = format!("body-{number}.json");
            self.machine.write(&name, &body.to_string())?;
            order.arguments.extend(["--body".to_owned(), name]);
        }
        // Where the older tool sends no token or the text None (D32).
        let is_sent = |header: &(String, String)| {
            header.0.eq_ignore_ascii_case("authorization") && header.1 != "Bearer None"
        };
        self.is_refused |= recorded.is_some_and(|one| !one.request.headers.iter().any(is_sent));
        let ran = self.ran(order).await?;
        let value: Option<Value> = serde_json::from_str(&ran.out).ok();
        let is_json = recorded.and_then(|one| one.response.body.as_deref());
        let is_json = is_json.is_some_and(|body| serde_json::from_str::<Value>(body).is_ok());
        let shown = match value {
            Some(value) if is_json => {
                self.last.clone_from(&value);
                Shown::Same(value)
            }
            _ => Shown::Unknown,
        };
        Ok(ran.called(shown))
    }

    /// Returns how many recorded exchanges belong to earlier calls, or to tokens.
    fn count_of_others(&self) -> usize {
        let exchanges = self.run.exchanges.iter().enumerate();
        let mut of_services = exchanges.filter(|(_, exchange)| {
            !super::super::network::is_for_tokens(&exchange.request.target)
        });
        let found = of_services.nth(self.count - 1);
        found.map_or(self.run.exchanges.len(), |(at, _)| at)
    }

    /// Returns the arguments of an operation. `None` if one is missing that the older tool sends as the
    /// text None (D38).
    fn own_arguments(
        &self,
        deed: &Deed,
        method: Method,
        target: Option<&str>,
    ) -> Result<Option<Vec<String>>, Other> {
        for name in deed.options.keys() {
            if !matches!(*name, "--id" | "--seq") {
                return Err(Other::Waived(
                    "cli: times and repetition are computed by the older tool; here they are values of the body",
                ));
            }
        }
        let own = [
            "channel_id",
            "json",
            "log_type",
            "object_class",
            "params",
            "query_id",
            "sequence_no",
            "vendor_id",
        ];
        for (name, value) in &deed.args {
            let is_own = own.contains(&name.as_str()) || value.is_null();
            if !is_own && !constructor::is_session(name, value)? && !is_of_session(name, value) {
                return Err(format!("no runner for the argument {name} = {value}").into());
            }
        }
        let given = |name: &str| deed.args.get(name).and_then(plain);
        let id = |name: &str| deed.options.get("--id").cloned().or_else(|| given(name));
        let mut found = Vec::new();
        match method {
            Method::OfQuery | Method::Poll => {
                found.push(id("query_id").or_else(|| plain(&self.last["queryId"])));
            }
            Method::OfChannel | Method::PutChannel => found.push(id("channel_id")),
            Method::OfClass | Method::Count => found.push(id("object_class")),
            Method::OfLog => found.extend([given("vendor_id"), given("log_type")]),
            Method::Plain | Method::Body => {}
        }
        if method == Method::Poll {
            // Without one, the older tool takes a number from the call before.
            let carried = || Some(target?.split('?').next()?.rsplit('/').next()?.to_owned());
            let number = deed.options.get("--seq").cloned();
            let number = number.or_else(|| given("sequence_no")).or_else(carried);
            found.push(number.filter(|number| number != "None"));
        }
        let Some(mut words) = found.into_iter().collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let query = match method {
            Method::Poll => Some(("maxWaitTime", "--max-wait-time")),
            Method::Count => Some(("domain", "--domain")),
            _ => None,
        };
        let params = deed.body.as_ref().or_else(|| deed.args.get("params"));
        let params = params
            .and_then(Value::as_object)
            .filter(|_| query.is_some());
        for (name, value) in params.into_iter().flatten() {
            let known = query.filter(|(known, _)| known == name);
            let value = plain(value);
            let (Some((_, option)), Some(value)) = (known, value) else {
                return Err(format!("no runner for the query {name}").into());
            };
            words.extend([option.to_owned(), value]);
        }
        Ok(Some(words))
    }

    pub(super) async fn ran(&mut self, order: Order) -> Result<Ran, Other> {
        let ran = self.machine.run(&order).await?;
        self.told.push_str(&ran.out);
        self.told.push_str(&ran.err);
        Ok(ran)
    }
}

impl Called {
    pub(super) fn done(shown: Shown) -> Self {
        Self {
            is_done: true,
            shown,
            fault: None,
        }
    }
}

impl Ran {
    pub(super) fn called(&self, shown: Shown) -> Called {
        let fault = match self.code {
            // All of them are asked for JSON.
            Some(0) => {
                let is_json = serde_json::from_str::<Value>(&self.out).is_ok();
                (!is_json).then(|| format!("it does not print JSON: {self:?}"))
            }
            Some(code) if code > 0 && self.out.is_empty() => None,
            _ => Some(format!("unexpected exit: {self:?}")),
        };
        Called {
            is_done: self.code == Some(0),
            shown,
            fault,
        }
    }
}

/// What arguments a method has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Plain,
    Body,
    Poll,
    OfQuery,
    OfLog,
    OfChannel,
    PutChannel,
    OfClass,
    Count,
}

/// Returns the operation of a method.
fn operation(deed: &Deed) -> Result<(&'static str, Method), Other> {
    Ok(match (deed.class, deed.name.as_str()) {
        ('L', "query") => ("create-log-query", Method::Body),
        ('L', "poll") => ("poll-log-query", Method::Poll),
        ('L', "delete") => ("delete-log-query", Method::OfQuery),
        ('L', "write") => ("write-logs", Method::OfLog),
        ('E', "poll") => ("poll-events", Method::PutChannel),
        ('E', "ack") => ("acknowledge-events", Method::OfChannel),
        ('E', "nack") => ("refuse-events", Method::OfChannel),
        ('E', "flush") => ("flush-events", Method::OfChannel),
        ('E', "get" | "get_filters") => ("get-event-filters", Method::OfChannel),
        ('E', "set" | "set_filters") => ("set-event-filters", Method::PutChannel),
        ('D', "attributes") => ("get-directory-attributes", Method::Plain),
        ('D', "domains") => ("get-directory-domains", Method::Plain),
        ('D', "count") => ("count-directory-objects", Method::Count),
        ('D', "query") => ("query-directory", Method::OfClass),
        (_, "xpoll" | "iter_poll") => {
            return Err(Other::Waived(
                "cli: a command is one request; xpoll is many (section 16)",
            ));
        }
        (_, "url" | "session" | "kwargs") => return Err(Other::Waived(NO_COMMAND)),
        (class, name) => return Err(format!("no runner for {name} of -{class}").into()),
    })
}

fn body(deed: &Deed, method: Method) -> Option<Value> {
    let body = || deed.body.clone().or_else(|| deed.args.get("json").cloned());
    match method {
        Method::Body | Method::OfLog | Method::PutChannel | Method::OfClass => body(),
        _ => None,
    }
}

/// Returns a text or a number as an argument.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

const VALUES: [&str; 4] = [
    "access_token",
    "client_id",
    "client_secret",
    "refresh_token",
];

/// The other members of `Credentials`.
const OF_CREDENTIALS: &[&str] = &[
    "adapter",
    "auth_base_url",
    "cache_token",
    "decode_jwt_payload",
    "developer_token",
    "developer_token_url",
    "environ",
    "fetch_credential",
    "get_credential",
    "instance_id",
    "jwt_exp",
    "jwt_is_expired",
    "redirect_uri",
    "region",
    "scope",
    "session",
    "state",
    "storage",
    "storage_params",
    "token_lock",
    "token_revoke_url",
    "token_url",
];

const NO_COMMAND: &str =
    "cli: no command calls that member of a class of Python (D40 lists the commands)";
