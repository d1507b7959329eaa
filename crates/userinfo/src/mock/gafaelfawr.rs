//! Gafaelfawr's routes: convert requests to queries on the state, and results to responses.

use std::collections::BTreeSet;

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, COOKIE, HeaderMap, ORIGIN};
use http::{HeaderName, Method};
use serde_json::{Value, json};
use vouchsafe_core::mock::form::Fields;
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_core::url::Absolute;

use super::answer::{self, Challenge, Scheme};
use super::ingress::{Check, Passed, Satisfy};
use super::quota::rules_without_nulls;
use super::refusal::Refusal;
use super::rules::{filter_authorization, filter_cookie};
use super::scalars::{boolean, python_integer};
use super::state::{Action, Bootstrap, State, need_admin};
use super::tokens::{Delegation, MINIMUM_LIFETIME, Record};
use super::validate::{At, Checked, Problem, fault, username};
use super::{basic, body, requests};
use crate::Token;
use crate::generated::gafaelfawr::routes::Op;

/// Answers a request to one of the routes; `params` are the parameters of its path.
pub(super) fn answer(
    state: &mut State,
    op: Op,
    request: &Request,
    params: &[String],
    now: i64,
) -> Result<Response, Refusal> {
    let mut ask = Ask {
        state,
        request,
        params,
        now,
    };
    match op {
        Op::GetOwnUserInfo => ask.own_user_info(),
        Op::ListUsers => ask.users(),
        Op::GetUserInfo => ask.user_info(),
        Op::ListGroups => ask.groups(),
        Op::CreateToken => ask.create_token(),
        Op::GetTokenInfo => {
            let caller = ask.caller(Bootstrap::Unknown)?;
            Ok(answer::json(200, &caller.info()))
        }
        Op::ListTokens => ask.tokens(),
        Op::CreateUserToken => ask.create_user_token(),
        Op::GetToken => ask.token(),
        Op::ModifyToken => ask.modify_token(),
        Op::RevokeToken => ask.revoke_token(),
        Op::GetQuotaOverrides => {
            ask.caller(Bootstrap::Unknown)?;
            let overrides = ask.state.quota_overrides()?;
            Ok(answer::json(200, &rules_without_nulls(overrides)))
        }
        Op::PutQuotaOverrides => ask.put_quota_overrides(),
        Op::DeleteQuotaOverrides => {
            need_admin(&ask.caller(Bootstrap::Allowed)?)?;
            ask.state.delete_quota_overrides()?;
            Ok(answer::no_content())
        }
        Op::IngressAuth => ask.ingress_auth(),
        Op::IngressAnonymous => {
            let mut response = answer::json(200, &json!({"status": "ok"}));
            put_filtered(&mut response.headers, &request.headers, None);
            Ok(response)
        }
    }
}

/// Returns the challenge for a refusal of this request.
pub(super) fn challenge<'s>(hostname: &'s str, op: Option<Op>, request: &Request) -> Challenge<'s> {
    let is_ingress = op == Some(Op::IngressAuth);
    let wants_basic = is_ingress && Fields::of_query(request).last("auth_type") == Some("basic");
    let sent_by = request.headers.get("x-requested-with");
    let is_script = sent_by.is_some_and(|by| by.as_bytes().eq_ignore_ascii_case(b"xmlhttprequest"));
    Challenge {
        realm: hostname,
        scheme: if wants_basic {
            Scheme::Basic
        } else {
            Scheme::Bearer
        },
        is_script: is_ingress && is_script,
    }
}

/// Returns the caller of a request.
pub(super) fn caller(
    state: &State,
    headers: &HeaderMap,
    bootstrap: Bootstrap,
    now: i64,
) -> Result<Record, Refusal> {
    let header = headers
        .get(AUTHORIZATION)
        .map(|value| latin1(value.as_bytes()));
    let token = basic::credential(header.as_deref().unwrap_or_default())
        .map_err(Refusal::InvalidRequest)?
        .ok_or(Refusal::NoCredentials)?;
    state.caller(&token, bootstrap, now)
}

struct Ask<'a> {
    state: &'a mut State,
    request: &'a Request,
    params: &'a [String],
    now: i64,
}

impl Ask<'_> {
    fn own_user_info(&self) -> Result<Response, Refusal> {
        let caller = self.caller(Bootstrap::Unknown)?;
        self.state.fail_for(&caller.username, Action::UserInfo)?;
        let info = self.state.own_info(&caller)?;
        Ok(answer::json(200, &info.without_nulls()))
    }

    fn users(&self) -> Result<Response, Refusal> {
        let caller = self.caller(Bootstrap::Unknown)?;
        self.state.fail_for(&caller.username, Action::ListUsers)?;
        let users = self.state.users(&caller)?;
        let users = users.iter().map(|info| info.without_defaults()).collect();
        Ok(answer::json(200, &Value::Array(users)))
    }

    fn user_info(&self) -> Result<Response, Refusal> {
        let caller = self.caller(Bootstrap::Unknown)?;
        let username = self.username()?;
        self.state.fail_for(&username, Action::UserInfo)?;
        let info = self.state.info_of(&caller, &username)?;
        Ok(answer::json(200, &info.without_defaults()))
    }

    fn groups(&self) -> Result<Response, Refusal> {
        let caller = self.caller(Bootstrap::Unknown)?;
        self.state.fail_for(&caller.username, Action::ListGroups)?;
        let mut body = json!({});
        for (key, groups) in ["user", "system"]
            .into_iter()
            .zip(self.state.groups(&caller)?)
        {
            if !groups.is_empty() {
                body[key] = json!(groups);
            }
        }
        Ok(answer::json(200, &body))
    }

    fn create_token(&mut self) -> Result<Response, Refusal> {
        let body = self.body()?;
        let caller = self.caller(Bootstrap::Allowed)?;
        self.state.fail_for(&caller.username, Action::CreateToken)?;
        need_admin(&caller)?;
        let asked = requests::admin_token(&body::required(body)?)?;
        let username = asked.username.clone();
        let token = self.state.create_token(asked, self.now)?;
        Ok(made(&username, &token))
    }

    fn tokens(&self) -> Result<Response, Refusal> {
        let caller = self.caller(Bootstrap::Unknown)?;
        let username = self.username()?;
        let tokens = self.state.tokens_of(&caller, &username, self.now)?;
        let infos = tokens.iter().map(|record| record.info()).collect();
        Ok(answer::json(200, &Value::Array(infos)))
    }

    fn create_user_token(&mut self) -> Result<Response, Refusal> {
        let body = self.body()?;
        let caller = self.caller(Bootstrap::Unknown)?;
        let (username, asked) = both(self.username(), || {
            requests::user_token(&body::required(body)?).map_err(Refusal::from)
        })?;
        let token = self
            .state
            .create_user_token(&caller, &username, asked, self.now)?;
        Ok(made(&username, &token))
    }

    fn token(&self) -> Result<Response, Refusal> {
        let caller = self.caller(Bootstrap::Unknown)?;
        let (username, key) = both(self.username(), || self.key())?;
        let record = self.state.token_of(&caller, &username, &key, self.now)?;
        Ok(answer::json(200, &record.info()))
    }

    fn modify_token(&mut self) -> Result<Response, Refusal> {
        let body = self.body()?;
        let caller = self.caller(Bootstrap::Unknown)?;
        let path = both(self.username(), || self.key());
        let ((username, key), change) = both(path, || {
            requests::token_change(&body::required(body)?).map_err(Refusal::from)
        })?;
        let record = self
            .state
            .modify(&caller, &username, &key, change, self.now)?;
        Ok(answer::json(200, &record.info()))
    }

    fn revoke_token(&mut self) -> Result<Response, Refusal> {
        let caller = self.caller(Bootstrap::Unknown)?;
        let (username, key) = both(self.username(), || self.key())?;
        self.state.revoke_of(&caller, &username, &key, self.now)?;
        Ok(answer::no_content())
    }

    fn put_quota_overrides(&mut self) -> Result<Response, Refusal> {
        let body = self.body()?;
        need_admin(&self.caller(Bootstrap::Allowed)?)?;
        let overrides = requests::quota_config(&body::required(body)?)?;
        let shown = rules_without_nulls(&overrides);
        self.state.overrides = Some(overrides);
        Ok(answer::json(200, &shown))
    }

    fn ingress_auth(&mut self) -> Result<Response, Refusal> {
        let params = IngressParams::read(self.request, self.state.tokens.lifetime);
        let mut response = answer::json(200, &json!({"status": "ok"}));
        let method = self.request.headers.get("x-original-method");
        if method.is_some_and(|name| name == Method::OPTIONS.as_str()) {
            preflight(
                &self.request.headers,
                &self.state.hostname,
                params?.allow_options,
            )?;
            return Ok(response);
        }
        // The challenge must be known before the credentials are checked, and nothing else must.
        if !IngressParams::knows_auth_type(self.request) {
            params?;
            return Err(Refusal::Crash);
        }
        let caller = self.caller(Bootstrap::Unknown)?;
        let params = params?;
        let passed = self.state.check(&caller, &params.check, self.now)?;
        let headers = &mut response.headers;
        put_identity(headers, &passed);
        let replaced = passed
            .delegated
            .as_ref()
            .filter(|_| params.use_authorization);
        put_filtered(headers, &self.request.headers, replaced);
        Ok(response)
    }

    fn caller(&self, bootstrap: Bootstrap) -> Result<Record, Refusal> {
        caller(self.state, &self.request.headers, bootstrap, self.now)
    }

    fn username(&self) -> Result<String, Refusal> {
        self.param(0, "username", username)
    }

    fn key(&self) -> Result<String, Refusal> {
        self.param(1, "key", requests::token_key)
    }

    fn param(
        &self,
        index: usize,
        name: &str,
        check: fn(&Value, &At<'_>) -> Checked<String>,
    ) -> Result<String, Refusal> {
        let text = self
            .params
            .get(index)
            .map(String::as_str)
            .unwrap_or_default();
        Ok(check(&json!(text), &At::Key(&At::Root("path"), name))?)
    }

    fn body(&self) -> Result<Option<Value>, Refusal> {
        body::read(&self.request.headers, &self.request.body)
    }
}

/// The parameters of the ingress check.
struct IngressParams {
    check: Check,
    use_authorization: bool,
    allow_options: bool,
}

impl IngressParams {
    fn read(request: &Request, token_lifetime: i64) -> Result<Self, Refusal> {
        let query = Fields::of_query(request);
        let mut problems = Vec::new();
        for name in ["x-original-method", "x-original-url"] {
            if !request.headers.contains_key(name) {
                let at = At::Root("header");
                problems.push(Problem::missing(&At::Key(&at, name), &Value::Null));
            }
        }
        let mut given = Given {
            query: &query,
            problems,
        };
        let satisfy = given.word("satisfy", &["all", "any"], 0);
        given.word("auth_type", AUTH_TYPES, 1);
        let notebook = given.flag("notebook", false);
        let use_authorization = given.flag("use_authorization", false);
        let user_domain = given.flag("user_domain", false);
        let allow_options = given.flag("allow_options", false);
        given.flag("allow_cookies", true);
        let minimum = given.one("minimum_lifetime", lifetime);
        let [service, delegate_to, username] =
            ["service", "delegate_to", "username"].map(|name| given.text(name));
        let [scopes, delegate_scopes, only_services] =
            ["scope", "delegate_scope", "only_service"].map(|name| given.set(name));
        if !given.problems.is_empty() {
            return Err(given.problems.into());
        }
        let refused =
            |kind, param, msg: &str| Err(Refusal::rule(422, kind, msg, Some(["query", param])));
        if notebook && delegate_to.is_some() {
            let msg = "delegate_to cannot be set for notebook tokens";
            return refused("invalid_delegate_to", "delegate_to", msg);
        }
        if service.is_some() && delegate_to.is_some() && service != delegate_to {
            let msg = "service must be the same as delegate_to";
            return refused("invalid_service", "delegate_to", msg);
        }
        let most = token_lifetime - MINIMUM_LIFETIME;
        if let Some(minimum) = minimum.filter(|minimum| *minimum > most) {
            let msg = format!("Requested lifetime {minimum}s longer than maximum lifetime {most}s");
            return refused("invalid_minimum_lifetime", "minimum_lifetime", &msg);
        }
        let delegation = match delegate_to {
            _ if notebook => Some(Delegation::Notebook),
            Some(service) => Some(Delegation::Internal {
                service,
                scopes: delegate_scopes,
            }),
            None => None,
        };
        Ok(Self {
            use_authorization,
            allow_options,
            check: Check {
                scopes,
                satisfy: if satisfy == 1 {
                    Satisfy::Any
                } else {
                    Satisfy::All
                },
                service,
                // A delegated token must live long enough to be useful.
                minimum_lifetime: minimum.or(delegation.as_ref().map(|_| MINIMUM_LIFETIME)),
                delegation,
                only_services,
                username,
                user_domain: user_domain.then(|| first_label(&request.headers)),
            },
        })
    }

    fn knows_auth_type(request: &Request) -> bool {
        let query = Fields::of_query(request);
        let last = query.last("auth_type");
        last.is_none_or(|kind| AUTH_TYPES.contains(&kind))
    }
}

const AUTH_TYPES: &[&str] = &["basic", "bearer"];

/// Returns the first label of the host that the user requested.
fn first_label(headers: &HeaderMap) -> String {
    let url = headers
        .get("x-original-url")
        .map(|url| latin1(url.as_bytes()));
    let url = url.and_then(|url| Absolute::parse(&url).ok());
    let host = url.as_ref().map(Absolute::host).unwrap_or_default();
    host.split('.').next().unwrap_or_default().to_owned()
}

/// Checks an `OPTIONS` request. A browser's preflight passes if it comes from the installation
/// itself; other requests pass only if the service wants them.
fn preflight(headers: &HeaderMap, hostname: &str, allow_options: bool) -> Result<(), Refusal> {
    const NOT_SUPPORTED: Refusal = Refusal::Preflight {
        meant: 404,
        kind: "options_not_supported",
        msg: "Non-CORS OPTIONS requests not supported",
    };
    let Some(origin) = headers.get(ORIGIN) else {
        return if allow_options {
            Ok(())
        } else {
            Err(NOT_SUPPORTED)
        };
    };
    if !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return Err(NOT_SUPPORTED);
    }
    let origin = Absolute::parse(&latin1(origin.as_bytes())).ok();
    let host = origin.as_ref().map(Absolute::host).unwrap_or_default();
    let is_own = host
        .strip_suffix(hostname)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if is_own {
        return Ok(());
    }
    Err(Refusal::Preflight {
        meant: 403,
        kind: "cors_preflight_rejected",
        msg: "CORS preflight request from a foreign origin rejected",
    })
}

/// The query as received: of repeated single values, the last one counts.
struct Given<'q> {
    query: &'q Fields,
    problems: Vec<Problem>,
}

impl Given<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let text = self.query.last(name).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    }

    fn set(&self, name: &str) -> BTreeSet<String> {
        self.query.all(name).map(str::to_owned).collect()
    }

    fn flag(&mut self, name: &str, default: bool) -> bool {
        self.one(name, boolean).unwrap_or(default)
    }

    fn one<T>(&mut self, name: &str, check: fn(&Value, &At<'_>) -> Checked<T>) -> Option<T> {
        let value = json!(self.query.last(name)?);
        check(&value, &At::Key(&At::Root("query"), name))
            .map_err(|problems| self.problems.extend(problems))
            .ok()
    }

    /// Parses one of several words; returns its index.
    fn word(&mut self, name: &str, words: &[&str], default: usize) -> usize {
        let Some(text) = self.query.last(name) else {
            return default;
        };
        if let Some(index) = words.iter().position(|word| *word == text) {
            return index;
        }
        let expected = format!("'{}'", words.join("' or '"));
        let (value, msg) = (json!(text), format!("Input should be {expected}"));
        let at = At::Key(&At::Root("query"), name);
        let problem = Problem::new("enum", &at, &value, msg);
        self.problems
            .push(problem.with_ctx(json!({"expected": expected})));
        default
    }
}

/// A time span in whole seconds, at least five minutes. The server parses it by Python's rules for
/// integers: white space around it, a sign, and underscores between digits are allowed.
fn lifetime(value: &Value, at: &At<'_>) -> Checked<i64> {
    let text = value.as_str().unwrap_or_default();
    let Some(seconds) = python_integer(text.trim()) else {
        let why = format!("invalid literal for int() with base 10: '{text}'");
        let problem = Problem::new("value_error", at, value, format!("Value error, {why}"));
        return Err(vec![problem.with_ctx(json!({"error": {}}))]);
    };
    if seconds.unsigned_abs() >= MOST_SECONDS {
        let why = "durations may not exceed 999,999,999 days";
        let msg = format!("Input should be a valid timedelta, {why}");
        return fault("time_delta_parsing", at, value, &msg);
    }
    if seconds >= MINIMUM_LIFETIME {
        return Ok(seconds);
    }
    let least = format!("datetime.timedelta(seconds={MINIMUM_LIFETIME})");
    let msg = format!("Input should be greater than or equal to {least}");
    let problem = Problem::new("greater_than_equal", at, value, msg);
    Err(vec![problem.with_ctx(json!({"ge": least}))])
}

/// The longest time span that the server supports.
const MOST_SECONDS: u64 = 1_000_000_000 * 24 * 3600;

/// Returns both values, or the faults of both.
fn both<A, B>(
    first: Result<A, Refusal>,
    second: impl FnOnce() -> Result<B, Refusal>,
) -> Result<(A, B), Refusal> {
    match (first, second()) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(Refusal::Invalid(mut all)), Err(Refusal::Invalid(more))) => {
            all.extend(more);
            Err(Refusal::Invalid(all))
        }
        (Err(refusal), _) | (_, Err(refusal)) => Err(refusal),
    }
}

fn made(username: &str, token: &Token) -> Response {
    let location = format!("/auth/api/v1/users/{username}/tokens/{}", token.key());
    answer::created(token.secret().expose(), &location)
}

fn put_identity(headers: &mut HeaderMap, passed: &Passed) {
    let token = passed
        .delegated
        .as_ref()
        .map(|token| token.secret().expose());
    for (name, value) in [
        ("x-auth-request-user", Some(passed.username.as_str())),
        ("x-auth-request-email", passed.email.as_deref()),
        ("x-auth-request-service", passed.service.as_deref()),
        ("x-auth-request-token", token),
    ] {
        if let Some(value) = value {
            answer::put(headers, HeaderName::from_static(name), value);
        }
    }
    if let Some(rate) = &passed.rate {
        answer::put_rate(headers, rate);
    }
}

/// Adds the filtered headers of the request itself, or the delegated token instead.
fn put_filtered(headers: &mut HeaderMap, given: &HeaderMap, replaced: Option<&Token>) {
    let lines = |name: HeaderName| {
        let values = given.get_all(name).into_iter();
        values
            .map(|value| latin1(value.as_bytes()))
            .collect::<Vec<_>>()
    };
    match replaced {
        Some(token) => {
            let text = format!("Bearer {}", token.secret().expose());
            answer::put(headers, AUTHORIZATION, &text);
        }
        None => {
            let lines = lines(AUTHORIZATION);
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            for line in filter_authorization(&lines) {
                answer::put(headers, AUTHORIZATION, line);
            }
        }
    }
    let lines = lines(COOKIE);
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    for line in filter_cookie(&lines) {
        answer::put(headers, COOKIE, &line);
    }
}

/// Decodes a header byte by byte, as the server does.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
