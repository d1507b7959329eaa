//! tvmtool, both versions of its interface (protocol sections 15.2, 16.1 and 16.2).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::form::{Fields, header};
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::{Request, Response};

use super::answer::with_header;
use super::api::roles_answer;
use super::world::{Service, World};
use crate::client::protocol::Seconds;
use crate::client::protocol::tool::BIRTH_TIME;
use crate::engine::check::{CheckError, ServiceContext, UserContext};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::container::KeyContainer;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::engine::redact::redact;
use crate::engine::roles::{Roles, SubjectRoles};
use crate::engine::status::TicketStatus;
use crate::error::Result;
use crate::generated::tvmtool::routes::Op;

/// A request to tvmtool, with the data for its answer.
pub(super) struct Asked<'a> {
    pub(super) world: &'a World,
    pub(super) request: &'a Request,
    pub(super) now: Seconds,
}

impl Asked<'_> {
    /// Answers a request with the right token; the ping needs none.
    pub(super) fn answer(&self, op: Op) -> Response {
        if op != Op::Ping
            && let Some(refused) = self.refused()
        {
            return refused;
        }
        match op {
            Op::Ping => self.ping(),
            Op::GetMeta => self.meta(),
            Op::GetKeys => self.keys(),
            Op::GetTickets => self.tickets(),
            Op::CheckService => self.check_service(),
            Op::CheckUser => self.check_user(),
            Op::GetTicketsV2 => self.tickets_2(),
            Op::CheckV2 => self.check_2(),
            Op::GetRoles => self.roles(),
        }
    }

    /// Checks the token, and returns the refusal if it is wrong.
    fn refused(&self) -> Option<Response> {
        let given = header(self.request, "authorization").map(Secret::from);
        if given.as_ref() == Some(&self.world.tool_token) {
            return None;
        }
        let why = match given {
            None => "missing authorization header",
            Some(_) => "wrong authorization token",
        };
        Some(respond::plain(401, why))
    }

    fn ping(&self) -> Response {
        let (status, body) = &self.world.tool_ping;
        with_header(
            respond::plain(*status, body),
            "server",
            concat!("tvmtool/", env!("CARGO_PKG_VERSION")),
        )
    }

    fn meta(&self) -> Response {
        let tenants = self.world.services.iter().map(|service| {
            let destinations = service.destinations.iter();
            let destinations: Vec<Value> = destinations
                .map(|(alias, id)| json!({"alias": alias, "client_id": id}))
                .collect();
            let mut tenant = json!({
                "self": {"alias": service.alias, "client_id": service.id},
                "dsts": destinations,
            });
            if let Some(slug) = &service.slug {
                tenant["idm_slug"] = slug.as_str().into();
            }
            tenant
        });
        let env = self.world.env.meta_name();
        respond::json(
            200,
            &json!({"bb_env": env, "tenants": tenants.collect::<Vec<_>>()}),
        )
    }

    fn keys(&self) -> Response {
        self.born(respond::plain(200, self.world.authority.container_text()))
    }

    fn tickets(&self) -> Response {
        let query = self.query();
        let service = match self.service("src", &query) {
            Ok(service) => service,
            Err(why) => return respond::plain(400, why),
        };
        match self.tickets_of(service, &query, Version::One) {
            Ok(tickets) => self.born(respond::json(200, &tickets)),
            Err(why) => respond::plain(400, why),
        }
    }

    fn tickets_2(&self) -> Response {
        let query = self.query();
        let refuse = |why: String| respond::json(400, &json!({"status": "error", "error": why}));
        let Some(service) = self.tenant(&query) else {
            return refuse(unknown_self(&query));
        };
        match self.tickets_of(service, &query, Version::Two) {
            Ok(tickets) => self.born(respond::json(200, &tickets)),
            Err(why) => refuse(why),
        }
    }

    fn check_service(&self) -> Response {
        let query = self.query();
        let Some(ticket) = header(self.request, SERVICE) else {
            return respond::plain(400, "missing header X-Ya-Service-Ticket");
        };
        let service = match self.service("dst", &query) {
            Ok(service) => service,
            Err(why) => return respond::plain(400, why),
        };
        let (status, body) = match self.service_ticket(service, ticket, Version::One) {
            Ok((_, body)) => (200, body),
            Err(body) => (403, body),
        };
        respond::json(status, &body)
    }

    fn check_user(&self) -> Response {
        let Some(ticket) = header(self.request, USER) else {
            return respond::plain(400, "missing header X-Ya-User-Ticket");
        };
        let env = match self.env(&self.query()) {
            Ok(env) => env,
            Err(why) => return respond::plain(400, why),
        };
        let (status, body) = match self.user_ticket(env, ticket, Version::One) {
            Ok((_, body)) => (200, body),
            Err(body) => (403, body),
        };
        respond::json(status, &body)
    }

    fn roles(&self) -> Response {
        let query = self.query();
        let Some(service) = self.tenant(&query) else {
            return respond::json(
                400,
                &json!({"status": "error", "error": unknown_self(&query)}),
            );
        };
        match service
            .slug
            .as_ref()
            .and_then(|slug| self.world.roles.get(slug))
        {
            Some(document) => roles_answer(document, self.request),
            None => respond::json(
                400,
                &json!({"status": "error", "error": format!("roles are disabled for self={}", service.alias)}),
            ),
        }
    }

    /// A check of both tickets at once, with the requirements.
    fn check_2(&self) -> Response {
        let query = self.query();
        let refuse = |why: String| respond::json(400, &json!({"status": "error", "error": why}));
        let Some(tenant) = self.tenant(&query) else {
            return refuse(unknown_self(&query));
        };
        let env = match self.env(&query) {
            Ok(env) => env,
            Err(why) => return refuse(why),
        };
        let tickets = (header(self.request, SERVICE), header(self.request, USER));
        if tickets == (None, None) {
            return refuse("no ticket was given".to_owned());
        }
        if let Err(why) = well_asked(&query, tickets.0.is_some(), tickets.1.is_some()) {
            return refuse(why);
        }
        let roles = tenant
            .slug
            .as_ref()
            .and_then(|slug| self.world.roles.get(slug));
        let roles = roles.and_then(|document| Roles::parse(document, UNIX_EPOCH).ok());
        let show_roles = query.first("show_roles").is_none_or(|show| show != "no");
        let mut answer = Map::new();
        let mut error: Option<&str> = None;
        if let Some(ticket) = tickets.0 {
            let (mut body, fault) = match self.service_ticket(tenant, ticket, Version::Two) {
                Ok((checked, mut body)) => {
                    let of = roles.as_ref().map(|roles| roles.of_service(&checked));
                    if let Some(of) = of.filter(|_| show_roles) {
                        body["roles"] = shown(&of);
                    }
                    let lacking = lacks(
                        &query,
                        "required_service_roles",
                        "service_roles_op",
                        |role| of.is_some_and(|of| of.has(role)),
                    );
                    (
                        body,
                        lacking.map(|role| format!("service does not have role '{role}'")),
                    )
                }
                Err(body) => (body, Some(String::new())),
            };
            if let Some(fault) = fault {
                error = Some("invalid service ticket");
                if !fault.is_empty() {
                    body["error"] = fault.into();
                }
            }
            answer.insert("service".to_owned(), body);
        }
        if let Some(ticket) = tickets.1 {
            let (mut body, fault) = match self.user_ticket(env, ticket, Version::Two) {
                Ok((checked, mut body)) => {
                    let of = roles
                        .as_ref()
                        .and_then(|roles| roles.of_default_uid(&checked).ok());
                    if let Some(of) = of.filter(|_| show_roles) {
                        body["roles"] = shown(&of);
                    }
                    let role = lacks(&query, "required_user_roles", "user_roles_op", |role| {
                        of.is_some_and(|of| of.has(role))
                    });
                    let scope = lacks(&query, "required_user_scopes", "user_scopes_op", |scope| {
                        checked.has_scope(scope)
                    });
                    let fault =
                        role.map(|role| format!("user does not have role '{role}'"))
                            .or(scope
                                .map(|scope| format!("user ticket does not have scope '{scope}'")));
                    (body, fault)
                }
                Err(body) => (body, Some(String::new())),
            };
            if let Some(fault) = fault {
                error = error.or(Some("invalid user ticket"));
                if !fault.is_empty() {
                    body["error"] = fault.into();
                }
            }
            answer.insert("user".to_owned(), body);
        }
        let status = if let Some(error) = error {
            answer.insert("error".to_owned(), error.into());
            answer.insert("status".to_owned(), "error".into());
            403
        } else {
            answer.insert("status".to_owned(), "ok".into());
            200
        };
        respond::json(status, &Value::Object(answer))
    }

    fn query(&self) -> Fields {
        Fields::of_query(self.request)
    }

    /// Finds the client that a parameter names by alias or number. Without the parameter, the only
    /// client is meant.
    fn service(&self, parameter: &str, query: &Fields) -> std::result::Result<&Service, String> {
        let services = &self.world.services;
        match query.first(parameter) {
            Some(name) => services
                .iter()
                .find(|service| service.alias == name || service.id.to_string() == name)
                .ok_or_else(|| format!("can't find in config {parameter} = {name}")),
            None => match &services[..] {
                [only] => Ok(only),
                _ => Err(format!("missing parameter '{parameter}'")),
            },
        }
    }

    /// The second version accepts only names.
    fn tenant(&self, query: &Fields) -> Option<&Service> {
        let alias = query.first("self")?;
        self.world
            .services
            .iter()
            .find(|service| service.alias == alias)
    }

    fn tickets_of(
        &self,
        service: &Service,
        query: &Fields,
        version: Version,
    ) -> std::result::Result<Value, String> {
        let wanted = query.first("dsts").unwrap_or_default();
        if wanted.is_empty() {
            return Err("missing parameter 'dsts'".to_owned());
        }
        let mut tickets = Map::new();
        for name in wanted.split(',') {
            let id = destination(service, name).map_err(|how| {
                let (src, how) = match version {
                    Version::One => (service.id.to_string(), format!(" ({how})")),
                    Version::Two => (service.alias.clone(), String::new()),
                };
                format!(
                    "can't find in config destination tvmid for src = {src}, dstparam = {name}{how}"
                )
            })?;
            let entry = match self.world.ticket(service.id, id, self.now) {
                Ok(ticket) => json!({"ticket": ticket.expose(), "tvm_id": id}),
                Err(why) => json!({"error": why, "tvm_id": id}),
            };
            tickets.insert(name.to_owned(), entry);
        }
        Ok(Value::Object(tickets))
    }

    fn env(&self, query: &Fields) -> std::result::Result<BlackboxEnv, String> {
        match query.first("override_env") {
            None => Ok(self.world.env),
            Some(name) => {
                // The names in debug texts, not all accepted spellings.
                let env = BlackboxEnv::ALL.into_iter().find(|env| env.name() == name);
                let env = env.ok_or_else(|| format!("unknown env: {name}"))?;
                let allowed = self.world.env.override_to(env);
                allowed.map_err(|error| error.message().to_owned())
            }
        }
    }

    fn container(&self) -> Result<KeyContainer> {
        KeyContainer::parse(&self.world.authority.container_text())
    }

    fn time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.now.unsigned_abs())
    }

    fn service_ticket<'t>(
        &self,
        service: &Service,
        ticket: &'t str,
        version: Version,
    ) -> std::result::Result<(CheckedServiceTicket<'t>, Value), Value> {
        let keys = self.container();
        let context = keys.and_then(|keys| ServiceContext::for_any_destination(&keys));
        let context = context.map_err(|error| json!({"error": error.to_string()}))?;
        let checked = context
            .check(ticket, self.time())
            .map_err(|error| refused(&error, "service", ticket))?;
        let mut body = json!({
            "src": checked.src(),
            "debug_string": checked.debug_info(),
            "logging_string": checked.redacted(),
        });
        if let Version::One = version {
            body["dst"] = json!(checked.dst());
            body["issuer_uid"] = json!(checked.issuer_uid());
        }
        if checked.dst() != service.id {
            let (expected, got) = (service.id, checked.dst());
            body["error"] = format!("Wrong ticket dst, expected {expected}, got {got}").into();
            return Err(body);
        }
        Ok((checked, body))
    }

    fn user_ticket<'t>(
        &self,
        env: BlackboxEnv,
        ticket: &'t str,
        version: Version,
    ) -> std::result::Result<(CheckedUserTicket<'t>, Value), Value> {
        let context = self
            .container()
            .and_then(|keys| UserContext::new(env, &keys));
        let context = context.map_err(|error| json!({"error": error.to_string()}))?;
        let checked = context
            .check(ticket, self.time())
            .map_err(|error| refused(&error, "user", ticket))?;
        let uid = |uid: crate::Uid| match version {
            Version::One => json!(uid),
            Version::Two => json!(uid.to_string()),
        };
        let mut body = json!({
            "default_uid": uid(checked.default_uid()),
            "uids": checked.uids().map(uid).collect::<Vec<_>>(),
            "scopes": checked.scopes().collect::<Vec<_>>(),
            "env": checked.env().number(),
            "location": checked.location(),
            "device_type": checked.device_type(),
            "debug_string": checked.debug_info(),
            "logging_string": checked.redacted(),
        });
        if let Version::One = version {
            body["login_id"] = json!(checked.login_id());
        }
        Ok((checked, body))
    }

    fn born(&self, response: Response) -> Response {
        let born = self.now.saturating_sub(self.world.tool_data_age).max(0);
        with_header(response, BIRTH_TIME, &born.to_string())
    }
}

/// The version of the interface. Users are numbers in the first and texts in the second.
#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

fn refused(error: &CheckError, kind: &str, ticket: &str) -> Value {
    let why = match error.status() {
        Some(TicketStatus::Malformed | TicketStatus::UnsupportedVersion) => {
            "invalid ticket format".to_owned()
        }
        Some(TicketStatus::InvalidTicketType) => format!("wrong ticket type, {kind} is expected"),
        Some(status) => status.message().to_owned(),
        None => error.to_string(),
    };
    json!({
        "error": why,
        "debug_string": error.debug_info(),
        "logging_string": redact(ticket),
    })
}

/// Finds a destination by its name in the configuration or by its number.
fn destination(service: &Service, name: &str) -> std::result::Result<TvmId, &'static str> {
    if let Some(id) = service.destinations.get(name) {
        return Ok(*id);
    }
    match name.parse::<TvmId>() {
        Err(_) => Err("strconv"),
        Ok(id) if service.destinations.values().any(|other| *other == id) => Ok(id),
        Ok(_) => Err("by number"),
    }
}

fn unknown_self(query: &Fields) -> String {
    match query.first("self") {
        Some(alias) => format!("can't find in config client with alias = {alias}"),
        None => "missing parameter 'self'".to_owned(),
    }
}

/// Whether the ticket meets every requirement, and every rule is known: an unknown rule must not
/// pass.
fn well_asked(
    query: &Fields,
    has_service: bool,
    has_user: bool,
) -> std::result::Result<(), String> {
    for (required, op, is_there) in [
        ("required_service_roles", "service_roles_op", has_service),
        ("required_user_roles", "user_roles_op", has_user),
        ("required_user_scopes", "user_scopes_op", has_user),
    ] {
        if !is_there && query.first(required).is_some_and(|names| !names.is_empty()) {
            return Err(format!("{required} without such a ticket"));
        }
        if let Some(rule) = query.first(op).filter(|rule| !is_rule(rule)) {
            return Err(format!("unknown {op}: {rule}"));
        }
    }
    Ok(())
}

fn is_rule(name: &str) -> bool {
    name.is_empty() || name.eq_ignore_ascii_case("and") || name.eq_ignore_ascii_case("or")
}

/// Returns the first requirement that is not met. All must be met, or with `or` one.
fn lacks(query: &Fields, required: &str, op: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    let required = query.first(required).filter(|names| !names.is_empty())?;
    let is_or = query
        .first(op)
        .is_some_and(|op| op.eq_ignore_ascii_case("or"));
    if is_or && required.split(',').any(&has) {
        return None;
    }
    required
        .split(',')
        .find(|name| !has(name))
        .map(str::to_owned)
}

fn shown(roles: &SubjectRoles<'_>) -> Value {
    let entity = |entity: &crate::Entity| -> Value {
        let pairs = entity
            .iter()
            .map(|(key, value)| (key.to_owned(), value.into()));
        Value::Object(pairs.collect())
    };
    let roles = roles.iter();
    let roles = roles.map(|(name, entities)| (name.to_owned(), entities.map(entity).collect()));
    Value::Object(roles.collect())
}

const SERVICE: &str = "x-ya-service-ticket";
const USER: &str = "x-ya-user-ticket";
