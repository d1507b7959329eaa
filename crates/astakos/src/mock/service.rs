//! The operations: each checks the caller, reads the request, and answers.

use std::borrow::Cow;

use http::Method;
use serde_json::{Value, json};
use vouchsafe_core::mock::form::{self, Fields};
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::{Request, Response};

use super::answer::{self, Form};
use super::catalogs::Asking;
use super::commissions::{Wish, verdict};
use super::dates;
use super::model::{ApplicationAction, MembershipAction, ProjectAction};
use super::oauth2::Trade;
use super::projects::Filter;
use super::quota::Provision;
use super::reading;
use super::refusal::{Refusal, Ruled};
use super::routes::{Account, Identity, Op, Routes, Spot};
use super::state::State;
use crate::Dialect;

/// Answers a request.
pub(super) fn answer(state: &mut State, routes: &Routes, request: &Request, now: i64) -> Response {
    let mut response = respond(state, routes, request, now);
    answer::date(&mut response, now);
    if request.method == Method::HEAD {
        response.body.clear();
    }
    response
}

/// Returns the id of the operation that a request is for.
pub(super) fn operation(
    base: &str,
    routes: &Routes,
    method: &Method,
    path: &str,
) -> Option<&'static str> {
    match routes.at(method, below(base, &canonical(path))?) {
        Spot::Op(_, id, _) => Some(id),
        _ => None,
    }
}

fn respond(state: &mut State, routes: &Routes, request: &Request, now: i64) -> Response {
    let path = canonical(request.uri.path());
    let Some(path) = below(&state.base, &path) else {
        return answer::html(404, "not here");
    };
    let form = Form::of(request);
    let is_get = request.method == Method::GET;
    match path.strip_suffix('/').unwrap_or(path) {
        "" => return answer::redirect(301, &ui(state, request, "")),
        "/identity" if is_get => return form.document(200, &state.versions()),
        "/identity" => return form.wrong_method(&["GET"]),
        "/ui/get_menu" => {
            // No user is logged in.
            let sign_in = json!({"name": "Sign in", "url": ui(state, request, "")});
            return answer::for_pages(request, &json!([sign_in]));
        }
        "/oauth2/auth" if state.dialect != Dialect::V014 => {
            return authorize(state, request);
        }
        _ => {}
    }
    // A page for browsers, whatever the method, except that forms of other sites are refused.
    if matches!(path, "/ui/get_services" | "/ui/get_services/") && request.method != Method::GET {
        return match request.method {
            Method::HEAD | Method::OPTIONS => answer::for_pages(request, &services(state)),
            _ => answer::html(403, "the CSRF token is missing"),
        };
    }
    let is_api = ["/identity/", "/account/"]
        .iter()
        .any(|part| path.starts_with(part));
    match routes.at(&request.method, path) {
        Spot::Op(op, _, params) => match op {
            Op::Identity(op) => {
                let told = identity(state, op, request, &params, now);
                told.map_or_else(|refusal| form.refuse(&refusal), |told| form.identity(&told))
            }
            Op::Account(op) => {
                let told = Asked {
                    state,
                    request,
                    params: &params,
                    now,
                }
                .answer(op);
                match told {
                    Err(refusal) => form.refuse(&refusal),
                    Ok(Told::Done) => form.empty(200),
                    Ok(Told::Document(body)) => form.document(200, &body),
                    Ok(Told::Made(body)) => form.document(201, &body),
                }
            }
            Op::Services => answer::for_pages(request, &services(state)),
            Op::OAuth2Token => trade(state, request, now),
        },
        Spot::WrongMethod(allow) if is_api => form.wrong_method(&allow),
        Spot::WrongMethod(allow) => {
            let mut response = answer::html(405, "");
            respond::put(&mut response.headers, http::header::ALLOW, &allow.join(","));
            response
        }
        Spot::Nothing if is_api => form.refuse(&Refusal::bad("there is no such endpoint")),
        Spot::Nothing => answer::html(404, "not here"),
    }
}

/// Returns a path as the server sees it: it decodes the whole path before it splits it, so an
/// encoded slash separates segments.
fn canonical(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let parts = decoded.split('/').map(|part| {
        percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC).to_string()
    });
    // The characters that need no encoding in segments.
    let path = parts.collect::<Vec<_>>().join("/");
    let plain = [("%2D", "-"), ("%2E", "."), ("%5F", "_"), ("%7E", "~")];
    Cow::Owned(
        plain
            .into_iter()
            .fold(path, |path, (from, to)| path.replace(from, to)),
    )
}

fn below<'p>(base: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(base)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// A page of the service, at the host of the request.
fn ui(state: &State, request: &Request, page: &str) -> String {
    format!("{}{}/ui/{page}", reading::origin(request), state.base)
}

fn services(state: &State) -> Value {
    let mut shown: Vec<&Value> = state.components.iter().map(|c| &c.shown).collect();
    shown.sort_by_key(|component| component["order"].as_i64());
    if state.dialect == Dialect::V014 {
        // These servers leave out the URL of a component without a page; later ones say null.
        let without_null = |component: &Value| {
            let mut component = component.clone();
            if let Some(fields) = component.as_object_mut() {
                fields.retain(|_, value| !value.is_null());
            }
            component
        };
        return shown.into_iter().map(without_null).collect();
    }
    json!(shown)
}

fn identity(
    state: &mut State,
    op: Identity,
    request: &Request,
    params: &[String],
    now: i64,
) -> Ruled<Value> {
    match op {
        Identity::GetVersion => Ok(state.version()),
        Identity::Authenticate if request.body.is_empty() => Ok(state.catalog()),
        Identity::Authenticate => state.authenticate(&reading::json_body(request)?, now),
        Identity::ValidateToken => {
            let belongs_to = reading::query(request, "belongsTo");
            state.validate_token(first(params), belongs_to.as_deref(), now)
        }
    }
}

/// The page on which a user grants access. No user is logged in, so it redirects to the login.
fn authorize(state: &State, request: &Request) -> Response {
    if !reading::is_secure(request) {
        return oauth2_refusal(INSECURE);
    }
    let [response_type, client_id, redirect_uri] = ["response_type", "client_id", "redirect_uri"]
        .map(|parameter| reading::query(request, parameter));
    if response_type.as_deref() != Some("code") {
        return oauth2_refusal("Invalid response type");
    }
    if let Err(why) = state
        .oauth2
        .may_ask(client_id.as_deref(), redirect_uri.as_deref())
    {
        return oauth2_refusal(why);
    }
    let here = request
        .uri
        .path_and_query()
        .map_or("", |here| here.as_str());
    let here = format!("{}{here}", reading::origin(request));
    let next = form::escaped(&here);
    answer::redirect(302, &ui(state, request, &format!("login?next={next}")))
}

fn trade(state: &mut State, request: &Request, now: i64) -> Response {
    if !reading::is_secure(request) {
        return oauth2_refusal(INSECURE);
    }
    let content_type = form::header(request, "content-type");
    if content_type != Some("application/x-www-form-urlencoded") {
        return oauth2_refusal("Invalid Content-Type header");
    }
    let fields = Fields::parse(&request.body);
    let field = |name: &str| fields.last(name);
    let trade = Trade {
        credentials: reading::basic(request),
        client_id: field("client_id"),
        grant_type: field("grant_type"),
        code: field("code"),
        redirect_uri: field("redirect_uri"),
    };
    match state.oauth2.trade(&trade, now) {
        Err(why) => oauth2_refusal(why),
        Ok(token) => {
            let body = json!({
                "access_token": token.expose(),
                "token_type": "Bearer",
                "expires_in": state.oauth2.lifetime,
            });
            answer::html(200, body.to_string())
        }
    }
}

const INSECURE: &str = "Secure request required";

fn oauth2_refusal(why: &str) -> Response {
    let body = json!({"error": "generic_error", "exception": why});
    answer::html(400, body.to_string())
}

/// The outcome of an operation of the account service.
enum Told {
    Done,
    Document(Value),
    Made(Value),
}

/// A request to the account service.
struct Asked<'a> {
    state: &'a mut State,
    request: &'a Request,
    params: &'a [String],
    now: i64,
}

impl Asked<'_> {
    fn answer(self, op: Account) -> Ruled<Told> {
        match op {
            Account::GetResources => Ok(Told::Document(self.state.resource_list())),
            Account::ServiceUserCatalogs
            | Account::ServiceQuotas
            | Account::ServiceProjectQuotas
            | Account::PendingCommissions
            | Account::IssueCommission
            | Account::ResolveCommissions
            | Account::CommissionInfo
            | Account::CommissionAction => self.for_component(op),
            _ => {
                let token = reading::token(self.request)?;
                let user = self.state.user_of(&token, self.now)?.uuid.clone();
                self.for_user(op, &user)
            }
        }
    }

    fn for_component(self, op: Account) -> Ruled<Told> {
        let token = reading::token(self.request)?;
        let component = self.state.component_of(&token, self.now)?.clone();
        let own = component.name.as_str();
        let serial = number(self.params);
        let State {
            commissions,
            holdings,
            ..
        } = &mut *self.state;
        match op {
            Account::ServiceUserCatalogs => {
                let body = reading::json(&self.request.body)?;
                let told = self.state.user_catalogs(&body, Asking::Service)?;
                Ok(Told::Document(told))
            }
            Account::ServiceQuotas => {
                let users = reading::query_list(self.request, "user");
                let projects = reading::query_list(self.request, "project");
                let users = users
                    .as_ref()
                    .map(|list| list.iter().map(String::as_str).collect());
                let projects = projects
                    .as_ref()
                    .map(|list| list.iter().map(String::as_str).collect());
                let told =
                    self.state
                        .service_quotas(&component, users.as_ref(), projects.as_ref())?;
                Ok(Told::Document(told))
            }
            Account::ServiceProjectQuotas => {
                let projects = reading::query_list(self.request, "project");
                let projects = projects
                    .as_ref()
                    .map(|list| list.iter().map(String::as_str).collect());
                let told = self
                    .state
                    .service_project_quotas(&component, projects.as_ref())?;
                Ok(Told::Document(told))
            }
            Account::PendingCommissions => Ok(Told::Document(json!(commissions.pending_of(own)))),
            Account::IssueCommission => {
                let wish = Wish::read(&reading::json_body(self.request)?)?;
                let serial = commissions.issue(holdings, Some(own), wish, self.now)?;
                Ok(Told::Made(json!({"serial": serial})))
            }
            Account::ResolveCommissions => {
                let body = reading::json_body(self.request)?;
                let told = commissions.resolve_many(holdings, own, &body)?;
                Ok(Told::Document(told))
            }
            Account::CommissionInfo => {
                let issued = commissions.info(own, serial)?;
                let provisions = issued.provisions.iter().map(Provision::to_json);
                Ok(Told::Document(json!({
                    "serial": serial,
                    "name": issued.name,
                    "issue_time": dates::shown(issued.time),
                    "provisions": provisions.collect::<Vec<_>>(),
                })))
            }
            _ => {
                let verdict = verdict(&reading::json_body(self.request)?)?;
                commissions.resolve(holdings, Some(own), serial, verdict)?;
                Ok(Told::Done)
            }
        }
    }

    fn for_user(self, op: Account, user: &str) -> Ruled<Told> {
        let Self {
            state,
            request,
            params,
            now,
        } = self;
        let is_legacy = state.dialect == Dialect::V015;
        match op {
            Account::LegacyUserInfo => {
                let user = state.users.get(user).ok_or(Refusal::Crash)?;
                Ok(Told::Document(state.legacy_user_info(user)))
            }
            Account::UserCatalogs => {
                let body = reading::json(&request.body)?;
                Ok(Told::Document(state.user_catalogs(&body, Asking::User)?))
            }
            Account::SendFeedback => {
                feedback(state, request)?;
                Ok(Told::Done)
            }
            Account::SetDefaultProject => {
                state.set_default_project(user, &reading::json_body(request)?)?;
                Ok(Told::Done)
            }
            Account::GetQuotas => Ok(Told::Document(state.quotas_of_user(user))),
            Account::ListProjects if is_legacy => {
                let body = reading::json_of_get(request)?;
                Ok(Told::Document(state.list_legacy_projects(user, &body)?))
            }
            Account::ListProjects => {
                let [name, owner, wanted, mode] = ["name", "owner", "state", "mode"]
                    .map(|parameter| reading::query(request, parameter));
                let filter = Filter {
                    name: name.as_deref(),
                    owner: owner.as_deref(),
                    state: wanted.as_deref(),
                    mode: mode.as_deref(),
                };
                Ok(Told::Document(state.list_projects(user, filter)?))
            }
            Account::CreateProject => {
                let body = reading::json_body(request)?;
                Ok(Told::Made(state.apply_for_project(user, &body, now)?))
            }
            Account::GetProject if is_legacy => {
                let told = state.read_legacy_project(user, first(params))?;
                Ok(Told::Document(told))
            }
            Account::GetProject => Ok(Told::Document(state.read_project(user, first(params))?)),
            Account::ModifyProject | Account::LegacyModifyProject => {
                let body = reading::json_body(request)?;
                let told = state.apply_for_change(user, first(params), &body, now)?;
                Ok(Told::Made(told))
            }
            Account::ProjectAction => {
                act_on_project(
                    state,
                    user,
                    first(params),
                    &reading::json_body(request)?,
                    now,
                )?;
                Ok(Told::Done)
            }
            Account::ListMemberships => {
                let project = if is_legacy {
                    match reading::json_of_get(request)?.get("project") {
                        None => None,
                        Some(id) if id.is_u64() => Some(id.to_string()),
                        Some(_) => return Err(Refusal::bad("'project' should be a number")),
                    }
                } else {
                    reading::query(request, "project")
                };
                let told = state.list_memberships(user, project.as_deref());
                Ok(Told::Document(told))
            }
            Account::CreateMembership => {
                let body = reading::json_body(request)?;
                let id = come_in(state, user, &body, now)?;
                Ok(Told::Document(json!({"id": id})))
            }
            Account::GetMembership => {
                let told = state.read_membership(user, number(params))?;
                Ok(Told::Document(told))
            }
            Account::MembershipAction => {
                let body = reading::json_body(request)?;
                let (action, _) = reading::action(&body, &MembershipAction::ALL)?;
                state.act_on_membership(user, number(params), action, now)?;
                Ok(Told::Done)
            }
            Account::LegacyApplications => {
                let body = reading::json_of_get(request)?;
                Ok(Told::Document(state.list_legacy_applications(user, &body)?))
            }
            Account::LegacyApplication => {
                let told = state.read_legacy_application(user, number(params))?;
                Ok(Told::Document(told))
            }
            Account::LegacyApplicationAction => {
                let body = reading::json_body(request)?;
                let (action, _) = reading::action(&body, &ApplicationAction::ALL)?;
                state.act_on_legacy_application(user, number(params), action, now)?;
                Ok(Told::Done)
            }
            // The other operations are for components, or public.
            _ => Err(Refusal::bad("there is no such endpoint")),
        }
    }
}

fn feedback(state: &mut State, request: &Request) -> Ruled<()> {
    let fields = reading::form(request, state.dialect == Dialect::V014);
    let field = |name: &str| fields.last(name).unwrap_or_default().to_owned();
    let message = field("feedback_msg");
    if message.is_empty() {
        return Err(Refusal::bad("there is no message"));
    }
    state.feedback.push((message, field("feedback_data")));
    Ok(())
}

/// An action on a project or on its application, depending on the body.
fn act_on_project(state: &mut State, user: &str, uuid: &str, body: &Value, now: i64) -> Ruled<()> {
    #[derive(Clone, Copy)]
    enum Either {
        Project(ProjectAction),
        Application(ApplicationAction),
    }
    let on_project = ProjectAction::ALL.map(|(name, action)| (name, Either::Project(action)));
    let on_application = ApplicationAction::ALL;
    let on_application = on_application.map(|(name, action)| (name, Either::Application(action)));
    let known = [on_project, on_application].concat();
    if state.dialect == Dialect::V015 {
        // Applications have their own path, and the argument is the reason.
        let (action, _) = reading::action(body, &ProjectAction::ALL)?;
        return state.act_on_project(user, uuid, action, now);
    }
    let (action, given) = reading::action(body, &known)?;
    let given = given.as_object().ok_or(Refusal::Crash)?;
    match action {
        Either::Project(action) => state.act_on_project(user, uuid, action, now),
        Either::Application(action) => {
            let id = given.get("app_id").ok_or(Refusal::Crash)?;
            let id = match id {
                Value::Null => return Err(Refusal::not_found("there is no application")),
                Value::Bool(flag) => u64::from(*flag),
                // The database truncates the fraction.
                Value::Number(number) => match number.as_u64() {
                    Some(id) => id,
                    None => number.as_f64().map_or(0, |id| id as u64),
                },
                Value::String(text) => text.trim().parse().map_err(|_| Refusal::Crash)?,
                Value::Array(_) | Value::Object(_) => return Err(Refusal::Crash),
            };
            state.act_on_application(user, uuid, id, action, now)
        }
    }
}

/// Joins a project or enrolls a user, depending on the body.
fn come_in(state: &mut State, user: &str, body: &Value, now: i64) -> Ruled<u64> {
    let known = [("join", true), ("enroll", false)];
    let (is_join, given) = reading::action(body, &known)?;
    let given = given.as_object().ok_or(Refusal::Crash)?;
    // A missing value is looked up too, and not found.
    let text = |name: &str| match given.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => Err(Refusal::Crash),
        None | Some(Value::Null | Value::Bool(_)) => Ok(String::new()),
    };
    let project = &text("project")?;
    if is_join {
        return state.join(user, project, now);
    }
    state.enroll(user, project, &text("user")?, now)
}

fn first(params: &[String]) -> &str {
    params.first().map(String::as_str).unwrap_or_default()
}

/// A number of digits only; one that is too large matches nothing.
fn number(params: &[String]) -> u64 {
    first(params).parse().unwrap_or(u64::MAX)
}
