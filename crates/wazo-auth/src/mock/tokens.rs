//! Logins and tokens (protocol section 5).

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vouchsafe_core::mock::form::header;
use vouchsafe_core::mock::respond;
use vouchsafe_core::timestamp;
use vouchsafe_core::transport::Response;

use super::ask::{Ask, SERVICE};
use super::data::{Refresh, Tenant, Token, User};
use super::directory;
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Body, Fault, Text, Wrong, uuid};

/// The maximum lifetime of a token: ten years.
const LONGEST: i64 = 315_360_000;

/// The body of a login.
#[derive(Default)]
struct Login {
    expiration: Option<i64>,
    is_offline: bool,
    client_id: Option<String>,
    refresh_token: Option<String>,
    saml_session_id: Option<String>,
    /// Either of these selects the tenant whose directory is asked.
    tenant_id: Option<String>,
    domain_name: Option<String>,
}

impl Login {
    fn read(body: &Body) -> Result<Self, Fault> {
        const NAME: Text = Text::optional().not_null().length(1, 1024);
        const ACCESS: Text = Text::optional().not_null().one_of(&["online", "offline"]);
        const ANY: Text = Text::optional().not_null();
        let rule = |rule| Err(("_schema".to_owned(), Wrong::Rule(rule)));
        let expiration = body.integer("expiration", 1, Some(LONGEST))?;
        body.text("backend", &ANY)?;
        let access_type = body.text("access_type", &ACCESS)?;
        let login = Self {
            expiration,
            is_offline: access_type.as_deref() == Some("offline"),
            client_id: body.text("client_id", &NAME)?,
            refresh_token: body.text("refresh_token", &ANY)?,
            saml_session_id: body.text("saml_session_id", &NAME)?,
            domain_name: body.text("domain_name", &ANY)?,
            tenant_id: body.text("tenant_id", &ANY)?,
        };
        if login.is_offline && login.refresh_token.is_some() {
            return rule("cannot use the \"access_type\" \"offline\" with a refresh token");
        }
        if login.is_offline && login.client_id.is_none() {
            return rule(
                "\"client_id\" must be specified when using \"access_type\" is \"offline\"",
            );
        }
        if login.refresh_token.is_some() && login.client_id.is_none() {
            return rule("\"client_id\" must be specified when using a \"refresh_token\"");
        }
        if login.tenant_id.is_some() && login.domain_name.is_some() {
            return rule("\"tenant_id\" and \"domain_name\" must be mutually exclusive");
        }
        if login.saml_session_id.is_some() && login.refresh_token.is_some() {
            return rule(
                "Cannot use a \"saml_session_id\" and a \"refresh_token\" at the same time",
            );
        }
        Ok(login)
    }
}

impl Login {
    /// Returns the tenant whose directory is asked, if it exists and LDAP is enabled; `None` if no
    /// directory is to be asked.
    fn directory_of<'s>(&self, state: &'s State) -> Option<Option<&'s Tenant>> {
        let mut tenants = state.data.tenants.values();
        let found = match (&self.domain_name, &self.tenant_id) {
            (Some(name), _) => {
                tenants.find(|tenant| tenant.domains.iter().any(|domain| &domain.name == name))
            }
            (None, Some(uuid)) => state.data.tenants.get(uuid),
            (None, None) => return None,
        };
        let is_on = state
            .settings
            .backends
            .iter()
            .any(|name| name == "ldap_user");
        Some(found.filter(|_| is_on))
    }
}

/// A login that succeeded.
struct Entered {
    user: String,
    /// The name that was given.
    login: String,
    saml: bool,
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let body = Body::read(ask.request)?;
    let python = |(member, wrong): Fault| Refusal::reasons(400, wrong.in_python(&member));
    let body = body.map_err(|wrong| python(("_schema".to_owned(), wrong)))?;
    let login = Login::read(&body).map_err(python)?;
    let mobile =
        header(ask.request, "wazo-session-type").is_some_and(|t| t.eq_ignore_ascii_case("mobile"));

    if let (Some(secret), Some(client_id)) = (&login.refresh_token, &login.client_id) {
        let found = state.data.refresh.get(secret);
        let found = found.filter(|refresh| &refresh.client_id == client_id);
        let refresh = found.ok_or_else(Refusal::login_failed)?;
        let user = state.data.users.get(&refresh.user);
        // The user is looked up by the name that was given at the login.
        let user = user.filter(|user| user.enabled && user.is_login(&refresh.login));
        let user = user.ok_or_else(Refusal::login_failed)?.uuid.clone();
        let secret = secret.clone();
        check_ceiling(state, &user)?;
        let mut token = form(state, ask, &user, login.expiration, mobile);
        token.refresh = Some(secret);
        return Ok(issue(state, token, None, 0));
    }

    let entered = enter(state, ask, &login).ok_or_else(Refusal::login_failed)?;
    check_ceiling(state, &entered.user)?;
    let mut revoked = 0;
    let refresh = match (&login.client_id, login.is_offline) {
        (Some(client_id), true) => {
            let (secret, count) = keep(state, ask, &entered, client_id, mobile);
            revoked = count;
            Some(secret)
        }
        _ => None,
    };
    let mut token = form(state, ask, &entered.user, login.expiration, mobile);
    token.saml = entered.saml;
    token.refresh.clone_from(&refresh);
    Ok(issue(state, token, refresh, revoked))
}

/// Authenticates the user. All failures look the same to the caller.
fn enter(state: &mut State, ask: &Ask<'_>, login: &Login) -> Option<Entered> {
    let (user, name, method) = if let Some(session) = &login.saml_session_id {
        let done = state.data.saml_logins.get(session)?.login.clone()?;
        state.data.saml_logins.remove(session);
        let mut users = state.data.users.values();
        (
            users.find(|user| user.enabled && user.is_login(&done))?,
            done,
            "saml",
        )
    } else {
        let (name, password) = credentials(header(ask.request, "authorization")?)?;
        match login.directory_of(state) {
            Some(tenant) => {
                let tenant = tenant?;
                let config = state.data.ldap.get(&tenant.uuid)?;
                let address = directory::check(&state.directories, config, &name, &password)?;
                let is_it = |user: &&User| {
                    user.enabled && user.tenant == tenant.uuid && user.has_address(&address)
                };
                let user = state.data.users.values().find(is_it)?;
                // What the directory calls the user may be no login here.
                (user, address, "ldap")
            }
            None => {
                let is_it = |user: &&User| user.enabled && user.is_login(&name);
                let user = state.data.users.values().find(is_it)?;
                if !user.password.as_ref()?.is(&password) {
                    return None;
                }
                (user, name, "native")
            }
        }
    };
    (state.method_of(user) == method).then(|| Entered {
        user: user.uuid.clone(),
        login: name,
        saml: method == "saml",
    })
}

/// Reads Basic credentials as the service does: UTF-8 or else Latin-1, neither part empty.
fn credentials(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    let (name, password) = text.split_once(':')?;
    let is_given = !name.is_empty() && !password.is_empty();
    is_given.then(|| (name.to_owned(), password.to_owned()))
}

fn check_ceiling(state: &State, user: &str) -> Outcome<()> {
    let purpose = state.data.users.get(user).map(|user| user.purpose.as_str());
    let sessions = state.data.tokens.values();
    let count = sessions
        .filter(|token| token.user.as_deref() == Some(user))
        .count();
    if purpose != Some("internal") && count >= state.settings.max_sessions {
        let reason = format!("User {user} has exceeded the maximum number of active sessions");
        return Err(Refusal::reasons(429, reason));
    }
    Ok(())
}

/// Stores a refresh token for a client. Returns its secret, and how many sessions it ended.
fn keep(
    state: &mut State,
    ask: &Ask<'_>,
    entered: &Entered,
    client_id: &str,
    mobile: bool,
) -> (String, usize) {
    let of_user = |refresh: &Refresh| refresh.user == entered.user;
    if !mobile {
        let mut kept = state.data.refresh.values();
        if let Some(old) = kept.find(|old| of_user(old) && old.client_id == client_id) {
            return (old.secret.clone(), 0);
        }
    }
    let mut revoked = 0;
    if mobile {
        let ends = |old: &Refresh| of_user(old) && (old.client_id == client_id || old.mobile);
        let ended: Vec<String> = state
            .data
            .refresh
            .values()
            .filter(|old| ends(old))
            .map(|old| old.secret.clone())
            .collect();
        let before = state.data.tokens.len();
        state.data.tokens.retain(|_, token| {
            token
                .refresh
                .as_ref()
                .is_none_or(|secret| !ended.contains(secret))
        });
        revoked = before - state.data.tokens.len();
        state
            .data
            .refresh
            .retain(|secret, _| !ended.contains(secret));
    }
    let secret = state.uuid();
    let refresh = Refresh {
        secret: secret.clone(),
        client_id: client_id.to_owned(),
        user: entered.user.clone(),
        login: entered.login.clone(),
        created: ask.micros,
        mobile,
    };
    state.data.refresh.insert(secret.clone(), refresh);
    (secret, revoked)
}

/// Creates the token of a user who logs in.
fn form(
    state: &mut State,
    ask: &Ask<'_>,
    user: &str,
    lifetime: Option<i64>,
    mobile: bool,
) -> Token {
    let mut token = for_user(state, user, lifetime, ask.micros);
    header(ask.request, "user-agent")
        .unwrap_or_default()
        .clone_into(&mut token.user_agent);
    token.remote_addr = remote_address(ask, state.settings.trusted_proxies);
    token.mobile = mobile;
    token
}

/// Creates a token of a user.
pub(super) fn for_user(state: &mut State, user: &str, lifetime: Option<i64>, micros: i64) -> Token {
    let (token, session) = (state.uuid(), state.uuid());
    let found = state.data.users.get(user);
    let tenant = found.map(|user| user.tenant.clone());
    let purpose = found.map(|user| user.purpose.clone()).unwrap_or_default();
    let metadata = json!({
        "uuid": user,
        "tenant_uuid": tenant,
        "auth_id": user,
        "pbx_user_uuid": (purpose == "user").then_some(user),
        "xivo_uuid": state.settings.xivo_uuid,
        "purpose": purpose,
    });
    Token {
        token,
        auth_id: user.to_owned(),
        user: Some(user.to_owned()),
        tenant,
        purpose,
        acl: acl_of(state, user),
        metadata,
        session,
        issued: micros,
        lifetime: lifetime.unwrap_or(state.settings.token_lifetime),
        user_agent: String::new(),
        remote_addr: String::new(),
        mobile: false,
        refresh: None,
        saml: false,
    }
}

/// Creates a token of the service itself with one access, for messages.
pub(super) fn own_token(state: &mut State, now: i64, access: String, lifetime: i64) -> String {
    let (token, session) = (state.uuid(), state.uuid());
    let own = Token {
        token: token.clone(),
        auth_id: SERVICE.to_owned(),
        user: None,
        tenant: None,
        purpose: String::new(),
        acl: vec![access],
        metadata: json!({}),
        session,
        issued: now * 1_000_000,
        lifetime,
        user_agent: "wazo-auth-email-reset".to_owned(),
        remote_addr: String::new(),
        mobile: false,
        refresh: None,
        saml: false,
    };
    state.data.tokens.insert(token.clone(), own);
    token
}

/// Returns the accesses of a user: from the default policy, the groups, and the user's own
/// policies.
fn acl_of(state: &State, user: &str) -> Vec<String> {
    let data = &state.data;
    let by_slug = |slug: &String| {
        let mut policies = data.policies.values();
        policies.find(|policy| policy.is_configured && &policy.slug == slug)
    };
    let default = state
        .settings
        .default_user_policy
        .as_ref()
        .and_then(by_slug);
    let groups = data
        .members
        .with(user)
        .flat_map(|group| data.group_policies.of(group));
    let policies = groups.chain(data.user_policies.of(user));
    let policies = policies.filter_map(|policy| data.policies.get(policy));
    default
        .into_iter()
        .chain(policies)
        .flat_map(|policy| policy.acl.iter().cloned())
        .collect()
}

/// Returns the address that the trusted proxies state.
fn remote_address(ask: &Ask<'_>, trusted: usize) -> String {
    let hops = header(ask.request, "x-forwarded-for").unwrap_or_default();
    let hops: Vec<&str> = hops
        .split(',')
        .map(str::trim)
        .filter(|hop| !hop.is_empty())
        .collect();
    let at = hops.len().checked_sub(trusted.max(1));
    let hop = at.filter(|_| trusted > 0).and_then(|at| hops.get(at));
    hop.map_or_else(|| "127.0.0.1".to_owned(), |&hop| hop.to_owned())
}

fn issue(state: &mut State, token: Token, refresh: Option<String>, revoked: usize) -> Response {
    let mut body = json(state, &token, true);
    if let Some(secret) = refresh {
        body["refresh_token"] = secret.into();
    }
    state.data.tokens.insert(token.token.clone(), token);
    let mut response = respond::json(200, &json!({ "data": body }));
    let name = http::HeaderName::from_static("wazo-sessions-revoked");
    respond::put(&mut response.headers, name, &revoked.to_string());
    response
}

/// Writes a token. Only its first answer has fractions of seconds, which are not stored.
fn json(state: &State, token: &Token, is_first: bool) -> Value {
    let micros = if is_first {
        token.issued.rem_euclid(1_000_000)
    } else {
        0
    };
    let issued = token.issued.div_euclid(1_000_000);
    let utc = |at: i64| format!("{}.{micros:06}", seconds(at));
    let local = |at: i64| if micros == 0 { seconds(at) } else { utc(at) };
    let is_users = token.purpose == "user";
    let mut json = json!({
        "token": token.token,
        "auth_id": token.auth_id,
        "xivo_user_uuid": is_users.then_some(&token.auth_id),
        "xivo_uuid": token.user.as_ref().and(state.settings.xivo_uuid.as_ref()),
        "issued_at": local(issued),
        "expires_at": local(token.expires()),
        "utc_issued_at": utc(issued),
        "utc_expires_at": utc(token.expires()),
        "acl": token.acl,
        "metadata": token.metadata,
        "session_uuid": token.session,
        "user_agent": token.user_agent,
        "remote_addr": token.remote_addr,
    });
    if state.settings.legacy {
        json["acls"] = json["acl"].clone();
    }
    json
}

/// The last second of the year 9999, which is the last that the service can write.
const LAST: i64 = 253_402_300_799;

/// Writes a time in whole seconds, in UTC, without an offset.
pub(super) fn seconds(at: i64) -> String {
    let at = u64::try_from(at.min(LAST)).unwrap_or_default();
    let at = UNIX_EPOCH + Duration::from_secs(at);
    timestamp::format(at).chars().take(19).collect()
}

/// Finds the token in a path, and checks a scope and a tenant.
fn checked<'s>(
    state: &'s State,
    ask: &Ask<'_>,
    scope: Option<&str>,
    tenant: Option<&str>,
) -> Outcome<&'s Token> {
    let token = uuid(ask.param(0)).ok_or_else(Refusal::no_such_token)?;
    let token = state
        .token(&token, ask.now())
        .ok_or_else(Refusal::no_such_token)?;
    if let Some(scope) = scope
        && !state.acl(token).allows(scope)
    {
        return Err(Refusal::reasons(
            403,
            format!("Unauthorized for {}", ascii(scope)),
        ));
    }
    if let Some(tenant) = tenant.filter(|tenant| !tenant.is_empty())
        && token.auth_id != SERVICE
    {
        let user = token.user.as_deref().unwrap_or(&token.auth_id);
        let own = &state.user(user)?.tenant;
        if !state.is_within(tenant, own) {
            return Err(Refusal::reasons(
                403,
                format!("Unauthorized for tenant {tenant}"),
            ));
        }
    }
    Ok(token)
}

/// Writes an access without its non-ASCII characters; the service transliterates those it knows.
fn ascii(text: &str) -> String {
    let plain = |c: char| match c {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        other => other,
    };
    text.chars().map(plain).filter(char::is_ascii).collect()
}

pub(super) fn get(state: &State, ask: &Ask<'_>) -> Outcome {
    let (scope, tenant) = (ask.query.first("scope"), ask.query.first("tenant"));
    let token = checked(state, ask, scope, tenant)?;
    Ok(respond::json(
        200,
        &json!({"data": json(state, token, false)}),
    ))
}

pub(super) fn check(state: &State, ask: &Ask<'_>) -> Outcome {
    let (scope, tenant) = (ask.query.first("scope"), ask.query.first("tenant"));
    checked(state, ask, scope, tenant)?;
    Ok(respond::empty(204))
}

pub(super) fn check_scopes(state: &State, ask: &Ask<'_>) -> Outcome {
    let body = Body::read(ask.request)?;
    let python = |(member, wrong): Fault| Refusal::reasons(400, wrong.in_python(&member));
    let body = body.map_err(|wrong| python(("_schema".to_owned(), wrong)))?;
    let scopes = body.value("scopes", false, false, |value| {
        let items = value.as_array().ok_or(Wrong::Type("list"))?.iter();
        items
            .map(|item| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or(Wrong::Type("string"))
            })
            .collect::<Result<Vec<_>, _>>()
    });
    let scopes = scopes.map_err(python)?;
    let tenant = body
        .text("tenant_uuid", &Text::optional())
        .map_err(python)?;
    let token = checked(state, ask, None, tenant.as_deref())?;
    let scopes = scopes.ok_or_else(Refusal::broken)?;
    let acl = state.acl(token);
    let scopes: serde_json::Map<String, Value> = scopes
        .into_iter()
        .map(|scope| {
            let allowed = acl.allows(&scope);
            (scope, allowed.into())
        })
        .collect();
    Ok(respond::json(200, &json!({ "scopes": scopes })))
}

pub(super) fn revoke(state: &mut State, ask: &Ask<'_>) -> Outcome {
    if let Some(token) = uuid(ask.param(0)) {
        state.data.tokens.remove(&token);
    }
    Ok(respond::json(200, &json!({"data": {"message": "success"}})))
}
