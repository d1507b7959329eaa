//! Each method of the older client as a call of ours.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vouchsafe::wazo_auth::{
    AcsAnswer, AdminEmailList, CheckTokenRequest, Client, EmailList, ExternalToken, IdpUsers,
    PasswordReset, PolicyEdit, Result as Sent, SamlForm, SamlStart, ScopeCheck, Secret, Settings,
    TenantUuid, Token,
};

use super::{Done, Given, Kwargs, NOT_EXPRESSIBLE, REMOVED, is_parameter};

/// Why a call was not made: a value that no type can hold.
struct Odd;

/// Sets what keyword arguments give: texts, other values, and ids, which are borrowed.
macro_rules! set {
    ($request:expr, $kwargs:expr; $($text:ident),* ; $($value:ident),* ; $($id:ident),*) => {{
        let request = $request;
        $(let request = match take::<String>($kwargs, stringify!($text))? {
            Some(value) => request.$text(value),
            None => request,
        };)*
        $(let request = match take($kwargs, stringify!($value))? {
            Some(value) => request.$value(value),
            None => request,
        };)*
        $(let request = match take($kwargs, stringify!($id))? {
            Some(value) => request.$id(&value),
            None => request,
        };)*
        request
    }};
}

/// Sends a list with the common arguments of all lists, and its own.
macro_rules! list {
    ($request:expr, $kwargs:expr; $($text:ident),* ; $($value:ident),* ; $($id:ident),*) => {{
        let request = set!(
            $request, $kwargs; search $(, $text)* ;
            limit, offset, recurse, direction, order $(, $value)* ; $($id),*
        );
        value(request.send().await)
    }};
}

/// A call of the older client.
pub(super) struct Called<'c> {
    pub(super) client: &'c Client,
    /// The options of the older client.
    pub(super) options: &'c Value,
    pub(super) name: &'c str,
    pub(super) args: &'c [Value],
}

impl Called<'_> {
    /// Makes it with ours.
    pub(super) async fn make(&self, kwargs: Kwargs) -> Done {
        let mut kwargs = kwargs;
        let tenant = kwargs
            .remove("tenant_uuid")
            .or_else(|| kwargs.remove("parent_uuid"));
        let of_tenant = match tenant.filter(|tenant| !tenant.is_null()) {
            Some(tenant) => match serde_json::from_value::<TenantUuid>(tenant) {
                Ok(tenant) => Some(self.client.with_tenant(&tenant)),
                Err(_) => return Done::Waived(NOT_EXPRESSIBLE),
            },
            None => None,
        };
        let (name, args) = (self.name, self.args);
        let client = of_tenant.as_ref().unwrap_or(self.client);
        let made = match name {
            "token.new" => log_in(client, self.options, &mut kwargs).await,
            _ => make(client, name, args, &mut kwargs).await,
        };
        match made {
            // What is no parameter of the service is ignored by it.
            Ok(Some(_)) if kwargs.keys().any(|name| is_parameter(name)) && !is_body(name) => {
                Done::Waived(NOT_EXPRESSIBLE)
            }
            Ok(Some(given)) => Done::Called(given),
            Ok(None) if name.starts_with("tenants.") => Done::Waived(REMOVED),
            Ok(None) => Done::Unknown,
            Err(Odd) => Done::Waived(NOT_EXPRESSIBLE),
        }
    }
}

/// Puts arguments that are given by their place, and may be given by name, among the keyword
/// arguments (protocol section 9).
pub(super) fn named(name: &str, args: &[Value], mut kwargs: Kwargs) -> Kwargs {
    let (from, names): (usize, &[&str]) = match name {
        "token.new" => (
            0,
            &[
                "backend",
                "expiration",
                "session_type",
                "user_agent",
                "access_type",
                "client_id",
                "refresh_token",
                "username",
                "password",
                "tenant_id",
                "domain_name",
            ],
        ),
        "token.get" | "token.is_valid" | "token.check" => (1, &["required_acl", "tenant"]),
        "token.check_scopes" => (2, &["tenant"]),
        "token.list" => (0, &["user_uuid"]),
        "token.delete" => (2, &["tenant_uuid"]),
        "users.set_password" => (2, &["token"]),
        _ => return kwargs,
    };
    for (name, value) in names.iter().zip(args.iter().skip(from)) {
        kwargs.insert((*name).to_owned(), value.clone());
    }
    kwargs
}

/// Returns whether all keyword arguments make up the body.
fn is_body(name: &str) -> bool {
    let ends = [".new", ".edit", ".register", ".change_password"];
    ends.iter().any(|end| name.ends_with(end)) && name != "token.new"
}

/// What a call gave; `None` if there is no such method.
type Made = Result<Option<Sent<Given>>, Odd>;

async fn make(client: &Client, name: &str, args: &[Value], kwargs: &mut Kwargs) -> Made {
    let at = |index: usize| args.get(index).cloned().unwrap_or_default();
    let text = |index: usize| args.get(index).and_then(Value::as_str).unwrap_or_default();
    let (command, _) = name.split_once('.').unwrap_or_default();
    if !["users", "groups", "policies", "token"].contains(&command) {
        return others(client, name, args, kwargs).await;
    }
    let given = match name {
        "token.get" => {
            let request = client.token().get(text(0));
            let access = take::<String>(kwargs, "required_acl")?.unwrap_or_default();
            let request = match access.is_empty() {
                true => request,
                false => request.required_access(access),
            };
            value(
                set!(request, kwargs; tenant ;;)
                    .send()
                    .await
                    .map(|token| token_json(&token)),
            )
        }
        "token.is_valid" => {
            let request = client.token().check(text(0));
            value(asked(request, kwargs)?.is_valid().await)
        }
        "token.check" => {
            let request = client.token().check(text(0));
            let sent = asked(request, kwargs)?.send().await;
            value(sent.map(|()| true))
        }
        "token.check_scopes" => {
            let token = Secret::from(text(0));
            let check = ScopeCheck::new(body::<Vec<String>>(at(1))?);
            let body = match take(kwargs, "tenant")? {
                Some(tenant) => check.tenant_uuid(&tenant),
                None => check,
            };
            let scopes = client.token().check_scopes(&token, &body).await;
            value(scopes.map(|scopes| json!({"scopes": scopes})))
        }
        "token.revoke" => nothing(client.token().revoke(&text(0).into()).await),
        "token.list" => match kwargs.remove("user_uuid") {
            Some(user) if user == "me" => {
                list!(client.token().list_own(), kwargs; client_id, created_at ; mobile ;)
            }
            Some(user) => {
                let request = client.token().list(&body(user)?);
                list!(request, kwargs; client_id, created_at ; mobile ;)
            }
            None => return Err(Odd),
        },
        "token.delete" if text(0) == "me" => nothing(client.token().delete_own(text(1)).await),
        "token.delete" => nothing(client.token().delete(&body(at(0))?, text(1)).await),

        "policies.new" => {
            name_of(args, kwargs);
            value(client.policies().create(&all(kwargs)?).await)
        }
        "policies.edit" => {
            name_of(args.get(1..).unwrap_or_default(), kwargs);
            let edit: PolicyEdit = all(kwargs)?;
            value(client.policies().edit(&body(at(0))?, &edit).await)
        }
        "policies.list" => list!(
            client.policies().list(), kwargs; name, slug ; read_only ; uuid, user_uuid, group_uuid
        ),
        "policies.get" => value(client.policies().get(&body(at(0))?).await),
        "policies.delete" => nothing(client.policies().delete(&body(at(0))?).await),
        "policies.add_access" => {
            nothing(client.policies().add_access(&body(at(0))?, text(1)).await)
        }
        "policies.remove_access" => nothing(
            client
                .policies()
                .remove_access(&body(at(0))?, text(1))
                .await,
        ),

        "users.new" => value(client.users().create(&all(kwargs)?).await),
        "users.register" => value(client.users().register(&all(kwargs)?).await),
        "users.list" => list!(
            client.users().list(), kwargs;
            username, firstname, lastname, email_address, policy_slug, has_policy_slug ;
            purpose ; uuid, group_uuid, policy_uuid, has_policy_uuid
        ),
        "users.get" => value(client.users().get(&body(at(0))?).await),
        "users.edit" => value(client.users().edit(&body(at(0))?, &all(kwargs)?).await),
        "users.delete" => nothing(client.users().delete(&body(at(0))?).await),
        "users.change_password" => {
            let change = all(kwargs)?;
            nothing(client.users().change_password(&body(at(0))?, &change).await)
        }
        "users.reset_password" => {
            let request = client.users().reset_password();
            nothing(
                set!(request, kwargs; username, email, login ;;)
                    .send()
                    .await,
            )
        }
        "users.set_password" => {
            let reset = PasswordReset::new(at(1).as_str().map(Into::into));
            let client = match kwargs.remove("token") {
                Some(token) => &client.with_token(token.as_str().unwrap_or_default()),
                None => client,
            };
            nothing(client.users().set_password(&body(at(0))?, &reset).await)
        }
        "users.update_emails" => {
            let list = EmailList::new(body::<Vec<_>>(at(1))?);
            value(client.users().update_emails(&body(at(0))?, &list).await)
        }
        "users.request_confirmation_email" => {
            let (user, email) = (body(at(0))?, body(at(1))?);
            nothing(
                client
                    .users()
                    .request_confirmation_email(&user, &email)
                    .await,
            )
        }
        "users.add_policy" => nothing(
            client
                .users()
                .add_policy(&body(at(0))?, &body(at(1))?)
                .await,
        ),
        "users.remove_policy" => nothing(
            client
                .users()
                .remove_policy(&body(at(0))?, &body(at(1))?)
                .await,
        ),
        "users.get_policies" => {
            list!(client.users().get_policies(&body(at(0))?), kwargs; name ;; uuid)
        }
        "users.get_groups" => list!(client.users().get_groups(&body(at(0))?), kwargs; name ;; uuid),
        "users.get_sessions" => list!(client.users().get_sessions(&body(at(0))?), kwargs; ;;),
        "users.remove_session" => {
            let (user, session) = (body(at(0))?, body(at(1))?);
            nothing(client.users().remove_session(&user, &session).await)
        }

        "groups.new" => value(client.groups().create(&all(kwargs)?).await),
        "groups.list" => list!(
            client.groups().list(), kwargs;
            name, slug, policy_slug ; read_only ; uuid, user_uuid, policy_uuid
        ),
        "groups.get" => value(client.groups().get(&body(at(0))?).await),
        "groups.edit" => value(client.groups().edit(&body(at(0))?, &all(kwargs)?).await),
        "groups.delete" => nothing(client.groups().delete(&body(at(0))?).await),
        "groups.add_user" => nothing(client.groups().add_user(&body(at(0))?, &body(at(1))?).await),
        "groups.remove_user" => nothing(
            client
                .groups()
                .remove_user(&body(at(0))?, &body(at(1))?)
                .await,
        ),
        "groups.get_users" => list!(
            client.groups().get_users(&body(at(0))?), kwargs;
            username, firstname, lastname, email_address ; purpose ; uuid
        ),
        "groups.add_policy" => nothing(
            client
                .groups()
                .add_policy(&body(at(0))?, &body(at(1))?)
                .await,
        ),
        "groups.remove_policy" => nothing(
            client
                .groups()
                .remove_policy(&body(at(0))?, &body(at(1))?)
                .await,
        ),
        "groups.get_policies" => {
            list!(client.groups().get_policies(&body(at(0))?), kwargs; name ;; uuid)
        }
        _ => return Ok(None),
    };
    Ok(Some(given))
}

async fn others(client: &Client, name: &str, args: &[Value], kwargs: &mut Kwargs) -> Made {
    let at = |index: usize| args.get(index).cloned().unwrap_or_default();
    let text = |index: usize| args.get(index).and_then(Value::as_str).unwrap_or_default();
    let items = |items: Vec<Value>| json!({"items": items});
    let given = match name {
        "client.is_server_reachable" => value(Ok(client.is_server_reachable().await)),
        "status.check" => nothing(client.status().check().await),
        "backends.list" => value(client.backends().list().await),
        "refresh_tokens.list" => {
            list!(client.refresh_tokens().list(), kwargs; client_id, created_at ; mobile ;)
        }
        "sessions.list" => list!(client.sessions().list(), kwargs; ;;),
        "sessions.delete" => nothing(client.sessions().delete(&body(at(0))?).await),

        "tenants.new" => value(client.tenants().create(&all(kwargs)?).await),
        "tenants.list" => {
            let request = match take::<Vec<TenantUuid>>(kwargs, "uuids")? {
                Some(uuids) => client.tenants().list().uuids(uuids),
                None => client.tenants().list(),
            };
            list!(request, kwargs; name, slug, domain_name ;; uuid)
        }
        "tenants.get" => value(client.tenants().get(&body(at(0))?).await),
        "tenants.edit" => value(client.tenants().edit(&body(at(0))?, &all(kwargs)?).await),
        "tenants.delete" => nothing(client.tenants().delete(&body(at(0))?).await),
        "tenants.get_domains" => {
            let domains = client.tenants().get_domains(&body(at(0))?).await;
            value(domains.map(|domains| json!({"items": domains})))
        }

        "emails.confirm" => nothing(client.emails().confirm(&body(at(0))?).await),
        "admin.update_user_emails" => {
            let list = AdminEmailList::new(body::<Vec<_>>(at(1))?);
            value(
                client
                    .admin()
                    .update_user_emails(&body(at(0))?, &list)
                    .await,
            )
        }

        "idp.list" => {
            let names = client.idp().list().await;
            value(names.map(|names| items(names.into_iter().map(Value::from).collect())))
        }
        "idp.add_user" => nothing(client.idp().add_user(text(0), &body(at(1))?).await),
        "idp.remove_user" => nothing(client.idp().remove_user(text(0), &body(at(1))?).await),
        "idp.add_users" => {
            let users = IdpUsers::new(body::<Vec<_>>(at(1))?);
            nothing(client.idp().add_users(text(0), &users).await)
        }

        "ldap_config.get" => value(client.ldap_config().get().await),
        "ldap_config.update" => value(client.ldap_config().update(&body(at(0))?).await),
        "ldap_config.delete" => nothing(client.ldap_config().delete().await),
        "saml_config.get" => value(client.saml_config().get().await),
        "saml_config.delete" => nothing(client.saml_config().delete().await),
        "saml_config.get_acs_template" => {
            let url = client.saml_config().get_acs_template().await;
            value(url.map(|url| json!({"acs_url": url})))
        }
        "saml_config.get_metadata" => {
            let client = client.with_tenant(&body(at(0))?);
            let metadata = client.saml_config().get_metadata().await;
            value(metadata.map(|xml| String::from_utf8_lossy(xml.body()).into_owned()))
        }
        "saml_config.create" => value(client.saml_config().create(&form(kwargs)?).await),
        "saml_config.update" => nothing(client.saml_config().update(&form(kwargs)?).await),
        "saml.sso" => {
            let begun = client.saml().sso(&SamlStart::new(text(1), text(0))).await;
            value(begun.map(|begun| {
                let session = begun.saml_session_id.expose();
                json!({"location": begun.location, "saml_session_id": session})
            }))
        }
        "saml.acs" => value(client.saml().acs(&AcsAnswer::new(text(0), text(1))).await),
        "saml.logout" => value(client.saml().logout().await),

        "config.get" => value(client.config().get().await),
        "config.patch" => value(client.config().patch(&body::<Vec<_>>(at(0))?).await),
        _ if name.starts_with("external.") => return external(client, name, args, kwargs).await,
        _ => return Ok(None),
    };
    Ok(Some(given))
}

async fn external(client: &Client, name: &str, args: &[Value], kwargs: &mut Kwargs) -> Made {
    let at = |index: usize| args.get(index).cloned().unwrap_or_default();
    let text = |index: usize| args.get(index).and_then(Value::as_str).unwrap_or_default();
    let api = client.external();
    let settings = |index: usize| Settings::from(at(index));
    let given = match (name, text(0)) {
        ("external.create", "mobile") => {
            value(api.create_mobile(&body(at(1))?, &body(at(2))?).await)
        }
        ("external.create", "google") => {
            value(api.create_google(&body(at(1))?, &body(at(2))?).await)
        }
        ("external.create", "microsoft") => {
            value(api.create_microsoft(&body(at(1))?, &body(at(2))?).await)
        }
        ("external.create", other) => value(api.create(&body(at(1))?, other, &settings(2)).await),
        ("external.get", "mobile") => value(api.get_mobile(&body(at(1))?).await),
        ("external.get", "google") => value(
            api.get_google(&body(at(1))?)
                .await
                .map(|data| account_json(&data)),
        ),
        ("external.get", "microsoft") => value(
            api.get_microsoft(&body(at(1))?)
                .await
                .map(|data| account_json(&data)),
        ),
        ("external.get", other) => value(api.get(&body(at(1))?, other).await),
        ("external.update", "mobile") => {
            value(api.update_mobile(&body(at(1))?, &body(at(2))?).await)
        }
        ("external.update", other) => value(api.update(&body(at(1))?, other, &settings(2)).await),
        ("external.delete", "mobile") => nothing(api.delete_mobile(&body(at(1))?).await),
        ("external.delete", "google") => nothing(api.delete_google(&body(at(1))?).await),
        ("external.delete", "microsoft") => nothing(api.delete_microsoft(&body(at(1))?).await),
        ("external.delete", other) => nothing(api.delete(&body(at(1))?, other).await),
        ("external.list_", _) => match take::<String>(kwargs, "type")? {
            Some(kind) => list!(api.list(&body(at(0))?).kind(kind), kwargs; ;;),
            None => list!(api.list(&body(at(0))?), kwargs; ;;),
        },
        ("external.list_connected_users", kind) => {
            let request = api.list_connected_users(kind);
            value(
                set!(request, kwargs; ; limit, offset, recurse ;)
                    .send()
                    .await,
            )
        }
        ("external.create_config", kind) => nothing(api.create_config(kind, &settings(1)).await),
        ("external.get_config", kind) => value(api.get_config(kind).await),
        ("external.update_config", kind) => nothing(api.update_config(kind, &settings(1)).await),
        ("external.delete_config", kind) => nothing(api.delete_config(kind).await),
        _ => return Ok(None),
    };
    Ok(Some(given))
}

async fn log_in(client: &Client, options: &Value, kwargs: &mut Kwargs) -> Made {
    let request = client.token().create();
    let given = (take(kwargs, "username")?, take(kwargs, "password")?);
    let request = match given {
        (None, None) => request,
        // Each falls back to the client's separately; a missing one is empty.
        (username, password) => {
            let own = |name: &str| options[name].as_str().unwrap_or_default().to_owned();
            let or = |given: Option<String>, name: &str| given.unwrap_or_else(|| own(name));
            request.credentials(or(username, "username"), or(password, "password"))
        }
    };
    let client_id = take::<String>(kwargs, "client_id")?;
    let refresh = take::<String>(kwargs, "refresh_token")?;
    let access = take::<String>(kwargs, "access_type")?;
    let request = match (access.as_deref(), refresh, client_id) {
        (None | Some(""), None, None) => request,
        (Some("offline"), None, Some(id)) => request.offline(id),
        (None, Some(token), Some(id)) => request.refresh_token(id, token),
        _ => return Err(Odd),
    };
    let request = match take::<u64>(kwargs, "expiration")?.filter(|seconds| *seconds > 0) {
        Some(seconds) => request.expiration(Duration::from_secs(seconds)),
        None => request,
    };
    let request = match take::<String>(kwargs, "user_agent")? {
        Some(agent) => request.user_agent(&agent),
        None => request,
    };
    let request = set!(request, kwargs; session_type, backend, domain_name, tenant_id ;;);
    let created = request.send().await;
    Ok(Some(value(
        created.map(|created| token_json(&created.token)),
    )))
}

/// Asks for what the keyword arguments say; what counts as nothing in Python is not asked for.
fn asked(request: CheckTokenRequest, kwargs: &mut Kwargs) -> Result<CheckTokenRequest, Odd> {
    let access = take::<String>(kwargs, "required_acl")?.unwrap_or_default();
    let request = match access.is_empty() {
        true => request,
        false => request.required_access(access),
    };
    Ok(set!(request, kwargs; tenant ;;))
}

fn form(kwargs: &mut Kwargs) -> Result<SamlForm, Odd> {
    let fields = kwargs.remove("data").unwrap_or_default();
    let files = kwargs.remove("files").unwrap_or_default();
    let mut form = SamlForm::new();
    for (name, value) in fields.as_object().into_iter().flatten() {
        let text = value.as_str().ok_or(Odd)?;
        form = match name.as_str() {
            "domain_uuid" => form.domain_uuid(&body(value.clone())?),
            "entity_id" => form.entity_id(text),
            "acs_url" => form.acs_url(text),
            _ => return Err(Odd),
        };
    }
    match &files["metadata"] {
        Value::Null => Ok(form),
        Value::String(xml) => Ok(form.metadata(xml.as_bytes())),
        file if file["content"].is_string() => {
            let xml = file["content"].as_str().unwrap_or_default();
            Ok(form.metadata(xml.as_bytes()))
        }
        _ => Err(Odd),
    }
}

/// Takes a keyword argument; one that is null counts as absent.
fn take<T: DeserializeOwned>(kwargs: &mut Kwargs, name: &str) -> Result<Option<T>, Odd> {
    match kwargs.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => body(value).map(Some),
    }
}

/// Reads a value as one of the client's types.
fn body<T: DeserializeOwned>(value: Value) -> Result<T, Odd> {
    serde_json::from_value(value).map_err(|_| Odd)
}

/// Reads all keyword arguments as a body.
fn all<T: DeserializeOwned>(kwargs: &mut Kwargs) -> Result<T, Odd> {
    body(Value::Object(std::mem::take(kwargs)))
}

/// Puts the name, which is given by its place, among the keyword arguments.
fn name_of(args: &[Value], kwargs: &mut Kwargs) {
    if let Some(name) = args.first() {
        kwargs.insert("name".to_owned(), name.clone());
    }
}

fn value<T: Serialize>(given: Sent<T>) -> Sent<Given> {
    given.map(|value| Given::Value(serde_json::to_value(value).unwrap_or_default()))
}

fn account_json(account: &ExternalToken) -> Value {
    json!({
        "access_token": account.access_token.expose(),
        "token_expiration": account.token_expiration,
        "scope": account.scope,
    })
}

/// Writes a token, which ours does not write as JSON, since it is a secret.
fn token_json(token: &Token) -> Value {
    json!({
        "token": token.token.expose(),
        "auth_id": token.auth_id,
        "session_uuid": token.session_uuid,
        "acl": token.acl,
        "metadata": token.metadata,
        "utc_issued_at": token.utc_issued_at,
        "utc_expires_at": token.utc_expires_at,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "refresh_token": token.refresh_token.as_ref().map(Secret::expose),
        "user_agent": token.user_agent,
        "remote_addr": token.remote_addr,
        "xivo_user_uuid": token.xivo_user_uuid,
        "xivo_uuid": token.xivo_uuid,
    })
}

fn nothing(given: Sent<()>) -> Sent<Given> {
    given.map(|()| Given::Nothing)
}
