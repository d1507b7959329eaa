//! Replays recorded calls with our client against a server that answers as recorded.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::{runtime, task};
use vouchsafe::astakos::{
    Access, ApplicationAction, Client, CommissionAction, CommissionRequest, DefaultProject,
    Dialect, EndpointFilter, Feedback, ListProjectsRequest, MembershipAction, ProjectAction,
    ProjectId, ProjectMode, ProjectSpec, ProjectState, Result, TokenGrant, UserInfo,
};
use vouchsafe::core::Secret;
use vouchsafe::core::transport::HttpTransport;

use super::arguments::{Arguments, Called, KEYS, NO_JSON, NOTHING, NUMBER, SPEC, WORD};
use super::case::{Answer, Case, Role};
use super::script::{Line, Script};
use super::signatures::signature;
use super::{outcome, requests};
use crate::vectors::report::{Judgement, Report};
use crate::vectors::schema::unknown_key;

/// Judges the cases of a file.
pub(super) fn run(file: &Value, cases: &[Value], report: &mut Report) {
    for case in cases {
        let mut judgement = Judgement::default();
        if let Err(why) = judge(file, case, &mut judgement) {
            judgement.differ(why);
        }
        report.add(case["id"].as_str().unwrap_or_default(), judgement);
    }
}

/// Judges a case, on its own thread.
///
/// There a connection that has delivered an answer is back in the pool before its caller continues.
/// With several threads the caller may be faster, and its next request then opens a second
/// connection, which says nothing about the client.
pub(super) fn judge(file: &Value, case: &Value, judgement: &mut Judgement) -> Result<(), String> {
    let replay = || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| cause.to_string())?;
        runtime.block_on(replay(file, case, judgement))
    };
    task::block_in_place(replay)
}

async fn replay(file: &Value, case: &Value, judgement: &mut Judgement) -> Result<(), String> {
    let text = |cause: std::io::Error| cause.to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(text)?;
    let origin = format!("http://{}", listener.local_addr().map_err(text)?);
    // A port that was free a moment ago, on which no server listens.
    let refused = {
        let gone = TcpListener::bind("127.0.0.1:0").await.map_err(text)?;
        format!("http://{}", gone.local_addr().map_err(text)?)
    };
    let placed = |value: &Value| {
        let text = value.to_string();
        let text = text
            .replace("{{base}}", &format!("{origin}/astakos"))
            .replace("{{origin}}", &origin)
            .replace("{{refused}}", &refused);
        serde_json::from_str::<Value>(&text).unwrap_or_default()
    };
    let case: Case = serde_json::from_value(placed(case)).map_err(|e| e.to_string())?;
    let case = case.continued()?;
    // A version with a third number is of the same generation.
    let numbers: Vec<_> = case.api.split('.').take(2).collect();
    if !["0.14", "0.15", "0.19", "0.21"].contains(&numbers.join(".").as_str()) {
        return Err(format!("no runner for the generation {:?}", case.api));
    }
    let answers: Vec<Answer> = case
        .exchanges
        .iter()
        .map(|exchange| {
            let answer = match exchange.response["use"].as_str() {
                Some(name) => {
                    if let Some(key) = unknown_key(&exchange.response, &["use"]) {
                        return Err(format!("unknown key {key:?} beside a shared answer"));
                    }
                    placed(&file["responses"][name])
                }
                None => exchange.response.clone(),
            };
            serde_json::from_value(answer).map_err(|e| e.to_string())
        })
        .collect::<Result<_, _>>()?;
    let lines = case
        .exchanges
        .iter()
        .zip(&answers)
        .map(|(exchange, answer)| Line {
            role: exchange.role,
            method: exchange.request.method.clone(),
            target: exchange.request.target.clone(),
            answer: answer.clone(),
            connection: exchange.connection,
        });
    let script = Script::start(listener, lines.collect());
    let result = match call(&case).await {
        Called::Made(result) => result,
        Called::Impossible(rule) => {
            judgement.waive(rule);
            return Ok(());
        }
        Called::Unknown(what) => return Err(what),
    };
    judgement.judged();
    requests::judge(&case, &script.arrived(), judgement);
    if !case.outcome_is_open {
        outcome::judge(&case, &answers, &result, judgement);
    }
    let missed = case
        .exchanges
        .iter()
        .any(|exchange| exchange.role == Role::Call);
    if missed && script.arrived().is_empty() {
        judgement.differ("nothing was sent");
    }
    Ok(())
}

async fn call(case: &Case) -> Called {
    let Some(signature) = signature(&case.call.method, &case.api) else {
        return Called::Unknown(format!("no runner for the method {}", case.call.method));
    };
    let arguments = match Arguments::bind(&signature, &case.call.args, &case.call.kwargs) {
        Ok(arguments) => arguments,
        Err(why) => return Called::Unknown(why),
    };
    if arguments.has_unserialisable() {
        return Called::Impossible(NO_JSON);
    }
    let client = match client(case, &arguments) {
        Ok(client) => client,
        Err(called) => return called,
    };
    let mut last = Called::Unknown("called no times".to_owned());
    for _ in 0..case.call.repeat {
        last = match made(case, &client, &arguments).await {
            Ok(result) => Called::Made(result),
            Err(called) => called,
        };
    }
    last
}

fn client(case: &Case, arguments: &Arguments<'_>) -> Result<Client, Called> {
    // The oldest calls take the token; without one they say what the client's is.
    let token = match arguments.optional("token")? {
        Some(token) => Some(token),
        None => case.client.token.as_deref(),
    };
    let retries = u32::try_from(case.client.retry).map_err(|_| Called::Impossible(NUMBER))?;
    let of = |fault: vouchsafe::core::Error| Called::Unknown(fault.to_string());
    let transport = HttpTransport::builder();
    let transport = match case.client.use_pool {
        true => transport,
        false => transport.max_idle_per_host(0),
    };
    let mut builder = Client::builder()
        .transport(Arc::new(transport.build().map_err(of)?))
        .retry_like_python(retries)
        .dialect(match case.api.get(..4) {
            Some("0.14") => Dialect::V014,
            Some("0.15") => Dialect::V015,
            _ => Dialect::V016,
        });
    builder = match (&case.client.astakos_url, &case.client.auth_url) {
        (Some(url), _) => builder.base_url(url),
        (None, Some(url)) => builder.auth_url(url),
        // Ours then looks into the environment, which says nothing here.
        (None, None) => builder,
    };
    if let Some(token) = token {
        builder = builder.token(token);
    }
    for (name, value) in &case.client.headers {
        let value = value.as_str().ok_or(Called::Impossible(WORD))?;
        builder = builder.header(name, value);
    }
    builder.build().map_err(|error| Called::Made(Err(error)))
}

async fn made(case: &Case, client: &Client, a: &Arguments<'_>) -> Result<Result<Value>, Called> {
    let is_old = case.api.starts_with("0.14");
    let is_newest = !is_old && !case.api.starts_with("0.15");
    let json = |value: Result<Value>| Ok(value);
    match case.call.method.as_str() {
        "authenticate" => json(access(
            client.authenticate(a.optional("tenant_name")?).await,
        )),
        "get_endpoints" if is_old => json(access(client.authenticate(a.optional("uuid")?).await)),
        "get_endpoints" => json(access(client.endpoints().await)),
        "validate_token" => {
            let token = Secret::from(a.text("token_id")?);
            let belongs_to = a.optional("belongs_to")?;
            let request = client.validate_token(token);
            let request = match belongs_to {
                Some(scope) => request.belongs_to(scope),
                None => request,
            };
            json(access(request.send().await))
        }
        "get_user_info" => json(user_info(client, a.flag("usage")?).await.map(|info| {
            json!({
                "id": info.id, "username": info.username, "uuid": info.uuid, "email": info.email,
                "name": info.name, "groups": info.groups, "usage": info.usage,
                "auth_token": info.auth_token.map(|token| token.expose().to_owned()),
                "auth_token_created": info.auth_token_created,
                "auth_token_expires": info.auth_token_expires,
            })
        })),
        property @ ("account_url" | "ui_url" | "oauth2_url") => {
            let part = property.trim_end_matches("_url");
            json(url_of(client, part).await.map(Value::from))
        }
        property if property.starts_with("api_") || property.ends_with("_prefix") => {
            json(path_of(client, property).await?)
        }
        "get_usernames" => {
            if a.get("uuids") == Some(&Value::Null) {
                return Err(Called::Impossible(NOTHING));
            }
            json(value(client.usernames(&a.texts("uuids")?).await))
        }
        "service_get_usernames" => match a.get("uuids") {
            None | Some(Value::Null) => json(value(client.all_usernames().await)),
            Some(_) => json(value(client.service_usernames(&a.texts("uuids")?).await)),
        },
        "get_username" => json(value(client.username(a.text("uuid")?).await)),
        "service_get_username" => json(value(client.service_username(a.text("uuid")?).await)),
        "get_uuids" => json(value(client.uuids(&a.texts("display_names")?).await)),
        "service_get_uuids" => json(value(
            client.service_uuids(&a.texts("display_names")?).await,
        )),
        "get_uuid" => json(value(client.uuid(a.text("display_name")?).await)),
        "service_get_uuid" => json(value(client.service_uuid(a.text("display_name")?).await)),
        "get_services" => json(value(client.services().await)),
        "get_resources" => json(value(client.resources().await)),
        "send_feedback" => {
            let (message, data) = (a.text("message")?, a.text("data")?);
            let feedback = Feedback::new(message, data);
            json(value(client.send_feedback(&feedback).await))
        }
        "set_default_project" => {
            let chosen = DefaultProject::new(a.project("project_id")?);
            json(value(client.set_default_project(&chosen).await))
        }
        "get_quotas" => json(value(client.quotas().await)),
        "service_get_quotas" => {
            let mut request = client.service_quotas();
            if let Some(users) = list(a, "user")? {
                request = request.users(users);
            }
            if let Some(projects) = list(a, "project_id")? {
                request = request.projects(projects);
            }
            json(value(request.send().await))
        }
        "service_get_project_quotas" => {
            let request = client.service_project_quotas();
            let request = match list(a, "project_id")? {
                Some(projects) => request.projects(projects),
                None => request,
            };
            json(value(request.send().await))
        }
        "issue_commission" => {
            let request = a.get("request").ok_or(Called::Impossible(NOTHING))?;
            json(value(client.issue_raw(request).await))
        }
        "issue_one_commission" if !is_newest => {
            let (holder, source) = (a.text("holder")?, a.text("source")?);
            let Some(Value::Object(entries)) = a.get("provisions") else {
                return Err(Called::Impossible(KEYS));
            };
            let entries: Vec<_> = entries
                .iter()
                .map(|(resource, quantity)| Some((resource, quantity.as_i64()?)))
                .collect::<Option<_>>()
                .ok_or(Called::Impossible(NUMBER))?;
            let request = options(CommissionRequest::one_legacy(holder, source, entries), a)?;
            json(value(client.issue(&request).await))
        }
        "issue_one_commission" => {
            let holder = a.text("holder")?;
            let entries = tuples::<2>(a.entries("provisions")?)?;
            let entries = entries
                .into_iter()
                .map(|([project, resource], n)| (project, resource, n));
            let request = options(CommissionRequest::one(holder, entries), a)?;
            json(value(client.issue(&request).await))
        }
        "issue_resource_reassignment" => {
            let holder = a.text("holder")?;
            let entries = tuples::<3>(a.entries("provisions")?)?;
            let entries = entries
                .into_iter()
                .map(|([from, to, resource], n)| (from, to, resource, n));
            let request = options(CommissionRequest::reassignment(holder, entries), a)?;
            json(value(client.issue(&request).await))
        }
        "issue_commission_generic" => {
            let users = tuples::<3>(a.entries("user_provisions")?)?;
            let users = users
                .into_iter()
                .map(|([user, project, resource], n)| (user, project, resource, n));
            let projects = tuples::<2>(a.entries("project_provisions")?)?;
            let projects = projects
                .into_iter()
                .map(|([project, resource], n)| (project, resource, n));
            let request = options(CommissionRequest::generic(users, projects), a)?;
            json(value(client.issue(&request).await))
        }
        "get_pending_commissions" => json(value(client.pending_commissions().await)),
        "get_commission_info" => json(value(client.commission(a.serial("serial")?).await)),
        "accept_commission" => json(value(client.accept(a.serial("serial")?).await.map(drop))),
        "reject_commission" => json(value(client.reject(a.serial("serial")?).await.map(drop))),
        "commission_action" => {
            let serial = a.serial("serial")?;
            let action = match a.text("action")? {
                "accept" => CommissionAction::Accept,
                "reject" => CommissionAction::Reject,
                _ => return Err(Called::Impossible(WORD)),
            };
            json(value(
                client.commission_action(serial, action).await.map(drop),
            ))
        }
        "resolve_commissions" => {
            let accept = a.serials("accept_serials")?;
            let reject = a.serials("reject_serials")?;
            json(value(client.resolve(&accept, &reject).await))
        }
        _ => projects(case, client, a).await,
    }
}

async fn projects(
    case: &Case,
    client: &Client,
    a: &Arguments<'_>,
) -> Result<Result<Value>, Called> {
    let reason = || a.optional("reason").map(Option::unwrap_or_default);
    let joined = |result: Result<i64>| result.map(|id| json!({"id": id}));
    Ok(match case.call.method.as_str() {
        "get_projects" => value(filtered(client.projects(), a)?.send().await),
        "get_project" => value(client.project(a.project("project_id")?).await),
        "create_project" => value(client.create_project(&spec(a)?).await),
        "modify_project" => {
            let id = a.project("project_id")?;
            value(client.modify_project(id, &spec(a)?).await)
        }
        "project_action" => {
            let id = a.project("project_id")?;
            let action = match a.text("action")? {
                "suspend" => ProjectAction::Suspend,
                "unsuspend" => ProjectAction::Unsuspend,
                "terminate" => ProjectAction::Terminate,
                "reinstate" => ProjectAction::Reinstate,
                _ => return Err(Called::Impossible(WORD)),
            };
            value(client.project_action(id, action, reason()?).await)
        }
        "application_action" => {
            // Older clients name the application alone, and the project does not go out.
            let id = match a.get("project_id") {
                None => ProjectId::from(String::new()),
                Some(_) => a.project("project_id")?,
            };
            let application = a.number("app_id")?;
            let action = match a.text("action")? {
                "approve" => ApplicationAction::Approve,
                "deny" => ApplicationAction::Deny,
                "dismiss" => ApplicationAction::Dismiss,
                "cancel" => ApplicationAction::Cancel,
                _ => return Err(Called::Impossible(WORD)),
            };
            value(
                client
                    .application_action(id, application, action, reason()?)
                    .await,
            )
        }
        "get_memberships" => {
            let request = client.memberships();
            let request = match a.optional_project("project_id")? {
                Some(project) => request.project(project),
                None => request,
            };
            value(request.send().await)
        }
        "get_membership" => value(client.membership(a.number("memb_id")?).await),
        "membership_action" => {
            let id = a.number("memb_id")?;
            let action = MembershipAction::from(a.text("action")?.to_owned());
            value(client.membership_action(id, &action, reason()?).await)
        }
        "join_project" => joined(client.join_project(a.project("project_id")?).await),
        "enroll_member" => {
            let email = a.text("email")?;
            joined(client.enroll_member(a.project("project_id")?, email).await)
        }
        "get_applications" => {
            let project = a.optional_project("project_id")?;
            value(client.legacy_applications(project.as_ref()).await)
        }
        "get_application" => value(client.legacy_application(a.number("app_id")?).await),
        "get_token" => {
            let mut grant = TokenGrant::new(a.text("grant_type")?);
            for (name, value) in &a.more {
                let text = value.as_str().ok_or(Called::Impossible(NOTHING))?;
                grant = match *name {
                    "code" => grant.code(text),
                    "redirect_uri" => grant.redirect_uri(text),
                    "scope" => grant.scope(text),
                    // The types have those of the protocol (section 7.7).
                    _ => return Err(Called::Impossible(WORD)),
                };
            }
            let secret = Secret::from(a.text("client_secret")?);
            let result = client
                .oauth2_token(a.text("client_id")?, &secret, &grant)
                .await;
            result.map(|token| {
                json!({
                    "access_token": token.access_token.expose(),
                    "token_type": token.token_type,
                    "expires_in": token.expires_in,
                })
            })
        }
        other => return Err(Called::Unknown(format!("no runner for the method {other}"))),
    })
}

async fn user_info(client: &Client, usage: bool) -> Result<UserInfo> {
    match usage {
        true => client.user_info_with_usage().await,
        false => client.user_info().await,
    }
}

/// Returns the address of a part as the catalog states it.
async fn url_of(client: &Client, part: &str) -> Result<String> {
    let access = client.endpoints().await?;
    let account = EndpointFilter::new().name("astakos_account");
    let filter = match part {
        "oauth2" => EndpointFilter::new().name("astakos_oauth2"),
        _ => account.version_id("v1.0"),
    };
    let endpoint = access.catalog()?.endpoint(&filter)?;
    Ok(match part {
        "ui" => endpoint.ui_url().map(str::to_owned),
        _ => endpoint.public_url,
    }
    .unwrap_or_default())
}

/// Returns the path that an attribute of the recorded client holds.
async fn path_of(client: &Client, property: &str) -> Result<Result<Value>, Called> {
    let (part, rest) = match property {
        "account_prefix" => ("account", ""),
        "ui_prefix" => ("ui", ""),
        "oauth2_prefix" => ("oauth2", ""),
        "api_usercatalogs" => ("account", "user_catalogs"),
        "api_service_usercatalogs" => ("account", "service/user_catalogs"),
        "api_resources" => ("account", "resources"),
        "api_quotas" => ("account", "quotas"),
        "api_service_quotas" => ("account", "service_quotas"),
        "api_service_project_quotas" => ("account", "service_project_quotas"),
        "api_commissions" => ("account", "commissions"),
        "api_commissions_action" => ("account", "commissions/action"),
        "api_feedback" => ("account", "feedback"),
        "api_projects" => ("account", "projects"),
        "api_applications" => ("account", "projects/apps"),
        "api_memberships" => ("account", "projects/memberships"),
        "api_default_project" => ("account", "myaccount/default_project"),
        "api_getservices" => ("ui", "get_services"),
        "api_oauth2" => ("oauth2", ""),
        "api_oauth2_auth" => ("oauth2", "auth"),
        "api_oauth2_token" => ("oauth2", "token"),
        other => {
            return Err(Called::Unknown(format!(
                "no runner for the attribute {other}"
            )));
        }
    };
    Ok(url_of(client, part).await.map(|address| {
        let uri: http::Uri = address.parse().unwrap_or_default();
        match rest {
            "" => uri.path().into(),
            rest => vouchsafe::astakos::join_urls(uri.path(), rest).into(),
        }
    }))
}

fn value<T: serde::Serialize>(result: Result<T>) -> Result<Value> {
    result.map(|value| serde_json::to_value(value).unwrap_or(Value::String("unwritable".into())))
}

/// Writes an access document as the recorded client returns it; ours hides tokens.
fn access(result: Result<Access>) -> Result<Value> {
    let access = result?;
    let token = access.token.map(
        |token| json!({"id": token.id.expose(), "expires": token.expires, "tenant": token.tenant}),
    );
    Ok(json!({"access": {
        "token": token, "user": access.user, "serviceCatalog": access.service_catalog,
    }}))
}

fn list(a: &Arguments<'_>, name: &str) -> Result<Option<Vec<String>>, Called> {
    match a.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => a.texts(name).map(Some),
    }
}

fn tuples<const N: usize>(
    entries: Vec<(Vec<String>, i64)>,
) -> Result<Vec<([String; N], i64)>, Called> {
    let sized = |(key, value): (Vec<String>, i64)| {
        let key = <[String; N]>::try_from(key).ok()?;
        Some((key, value))
    };
    let entries: Option<Vec<_>> = entries.into_iter().map(sized).collect();
    entries.ok_or(Called::Impossible(KEYS))
}

fn options(request: CommissionRequest, a: &Arguments<'_>) -> Result<CommissionRequest, Called> {
    let request = request
        .force(a.flag("force")?)
        .auto_accept(a.flag("auto_accept")?);
    Ok(match a.optional("name")? {
        Some(name) => request.name(name),
        None => request,
    })
}

fn filtered(
    mut filter: ListProjectsRequest,
    a: &Arguments<'_>,
) -> Result<ListProjectsRequest, Called> {
    if let Some(name) = a.optional("name")? {
        filter = filter.name(name);
    }
    if let Some(state) = a.optional("state")? {
        filter = filter.state(ProjectState::from(state.to_owned()));
    }
    if let Some(owner) = a.optional("owner")? {
        filter = filter.owner(owner);
    }
    if let Some(mode) = a.optional("mode")? {
        filter = filter.mode(match mode {
            "default" => ProjectMode::Default,
            "related" => ProjectMode::Related,
            "member" => ProjectMode::Member,
            "active" => ProjectMode::Active,
            _ => return Err(Called::Impossible(WORD)),
        });
    }
    Ok(filter)
}

fn spec(a: &Arguments<'_>) -> Result<ProjectSpec, Called> {
    let given = a.get("specs").ok_or(Called::Impossible(NOTHING))?;
    let spec: ProjectSpec =
        serde_json::from_value(given.clone()).map_err(|_| Called::Impossible(SPEC))?;
    match serde_json::to_value(&spec) {
        Ok(written) if written == *given => Ok(spec),
        _ => Err(Called::Impossible(SPEC)),
    }
}
