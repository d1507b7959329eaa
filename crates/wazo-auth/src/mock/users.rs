//! Users, their passwords and what they are tied to (protocol section 9.5).

use serde_json::{Value, json};
use vouchsafe_core::mock::form::header;
use vouchsafe_core::mock::respond;

use vouchsafe_core::Secret;

use super::ask::{Ask, refuse};
use super::data::{Email, Message, MessageKind, Policy, User};
use super::list::{Asked, Columns};
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Body, Fault, Text, uuid};
use super::{emails, groups, tenants, tokens};

const PURPOSES: &[&str] = &["user", "internal", "external_api"];

/// What a body says of a user.
struct Draft {
    username: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    purpose: String,
    method: Option<String>,
    enabled: bool,
}

impl Draft {
    fn of(body: &Body) -> Result<Self, Fault> {
        const NAME: Text = Text::optional().length(1, 256);
        const PURPOSE: Text = Text::optional().not_null().one_of(PURPOSES);
        Ok(Self {
            username: body.text("username", &NAME)?,
            firstname: body.text("firstname", &Text::optional())?,
            lastname: body.text("lastname", &Text::optional())?,
            purpose: body
                .text("purpose", &PURPOSE)?
                .unwrap_or_else(|| "user".to_owned()),
            method: body.text("authentication_method", &Text::optional().not_null())?,
            enabled: body.boolean("enabled")?.unwrap_or(true),
        })
    }

    /// Returns the method, which depends on the purpose if it is missing.
    fn method(&self, state: &State) -> Outcome<String> {
        let default = if self.purpose == "user" {
            "default"
        } else {
            "native"
        };
        let method = self.method.as_deref().unwrap_or(default);
        if !state.settings.methods().contains(&method) {
            return Err(Refusal::object(
                400,
                "invalid-data",
                "users",
                format!("Invalid authentication method {method}"),
                json!({ "authentication_method": method }),
            ));
        }
        Ok(method.to_owned())
    }
}

pub(super) fn taken(member: &str, what: &str, value: &str) -> Refusal {
    let message = format!("The {what} \"{value}\" is already used");
    Refusal::conflict(
        "users",
        json!({member: {"constraint_id": "unique", "message": message}}),
    )
}

/// Refuses a name or an address that another user has as either, in whichever case.
pub(super) fn check_login(
    state: &State,
    member: &str,
    login: &str,
    except: Option<&str>,
) -> Outcome<()> {
    let wanted = login.to_lowercase();
    let has_it = |user: &User| {
        let name = user.username.iter().map(String::as_str);
        let addresses = user.emails.iter().map(|email| email.address.as_str());
        name.chain(addresses)
            .any(|own| own.to_lowercase() == wanted)
    };
    let mut others = state
        .data
        .users
        .values()
        .filter(|user| Some(user.uuid.as_str()) != except);
    if others.any(has_it) {
        return Err(taken(member, "login", login));
    }
    Ok(())
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let body = ask.body("users")?;
    let refused = refuse("users");
    let draft = Draft::of(&body).map_err(&refused)?;
    let given = body
        .text("uuid", &Text::optional().not_null().uuid())
        .map_err(&refused)?;
    let password = body
        .text("password", &Text::optional().at_least(1))
        .map_err(&refused)?;
    let address = body
        .text("email_address", &Text::optional().email())
        .map_err(&refused)?;
    let tenant = ask.tenant(state)?;
    let method = draft.method(state)?;
    if let Some(username) = &draft.username {
        check_login(state, "username", username, None)?;
    }
    if let Some(address) = &address {
        check_login(state, "email_address", address, None)?;
    }
    if let Some(uuid) = given
        .as_ref()
        .filter(|uuid| state.data.users.contains_key(*uuid))
    {
        return Err(taken("uuid", "uuid", uuid));
    }
    let user = add(
        state,
        given,
        draft,
        method,
        tenant,
        password,
        address.map(|address| (address, true)),
    );
    Ok(respond::json(200, &user))
}

/// Adds a user, who joins the group of all users.
fn add(
    state: &mut State,
    given: Option<String>,
    draft: Draft,
    method: String,
    tenant: String,
    password: Option<String>,
    address: Option<(String, bool)>,
) -> Value {
    let uuid = given.unwrap_or_else(|| state.uuid());
    let emails = address.map(|(address, confirmed)| Email {
        uuid: state.uuid(),
        address,
        main: true,
        confirmed,
    });
    let password = password.map(|password| state.hash(&password));
    let user = User {
        uuid: uuid.clone(),
        username: draft.username,
        firstname: draft.firstname,
        lastname: draft.lastname,
        purpose: draft.purpose,
        enabled: draft.enabled,
        method,
        tenant: tenant.clone(),
        password,
        emails: emails.into_iter().collect(),
    };
    let body = user.json();
    let all = state
        .data
        .groups
        .values()
        .find(|group| group.is_system && group.tenant == tenant);
    if let Some(group) = all.map(|group| group.uuid.clone()) {
        state.data.members.add(&group, &uuid);
    }
    state.data.users.insert(uuid, user);
    body
}

pub(super) const COLUMNS: Columns = Columns {
    search: &["firstname", "lastname", "username", "emails"],
    exact: &["uuid", "username", "firstname", "lastname", "purpose"],
    ..Columns::new(&["username", "firstname", "lastname"])
};

/// Writes a list of users, also by their addresses.
pub(super) fn answer(
    ask: &Ask<'_>,
    columns: &Columns,
    asked: &Asked,
    users: Vec<&User>,
    is_kept: impl Fn(&User) -> bool,
) -> Value {
    let total = users.len();
    let has_address = |user: &&User| {
        ask.query
            .first("email_address")
            .is_none_or(|given| user.emails.iter().any(|email| email.address == given))
    };
    let users = users
        .into_iter()
        .filter(has_address)
        .filter(|user| is_kept(user));
    let mut items = users.map(User::json).collect();
    asked.filter(&ask.query, columns, &mut items);
    json!({"total": total, "filtered": items.len(), "items": asked.page(columns, items)})
}

pub(super) fn list(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &COLUMNS)?;
    let is_listed = |user: &&User| {
        user.tenant == tenant || asked.recurse && state.is_within(&user.tenant, &tenant)
    };
    let users = state.data.users.values().filter(is_listed).collect();
    let data = &state.data;
    let is_tied = |user: &User| {
        let by =
            |name: &str, is_tied: &dyn Fn(&str) -> bool| ask.query.first(name).is_none_or(is_tied);
        let policies = |is_it: &dyn Fn(&Policy) -> bool, with_groups: bool| {
            let own = data.user_policies.of(&user.uuid);
            let groups = data.members.with(&user.uuid).filter(|_| with_groups);
            let by_group = groups.flat_map(|group| data.group_policies.of(group));
            own.chain(by_group)
                .filter_map(|uuid| data.policies.get(uuid))
                .any(is_it)
        };
        by("group_uuid", &|group| data.members.has(group, &user.uuid))
            && by("policy_uuid", &|uuid| {
                policies(&|policy| policy.uuid == uuid, false)
            })
            && by("policy_slug", &|slug| {
                policies(&|policy| policy.slug == slug, false)
            })
            && by("has_policy_uuid", &|uuid| {
                policies(&|policy| policy.uuid == uuid, true)
            })
            && by("has_policy_slug", &|slug| {
                policies(&|policy| policy.slug == slug, true)
            })
    };
    Ok(respond::json(
        200,
        &answer(ask, &COLUMNS, &asked, users, is_tied),
    ))
}

pub(super) fn get(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let user = state.visible_user(ask.param(0), &tenant)?;
    Ok(respond::json(200, &user.json()))
}

pub(super) fn edit(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let uuid = state.visible_user(ask.param(0), &tenant)?.uuid.clone();
    let body = ask.body("users")?;
    let draft = Draft::of(&body).map_err(refuse("users"))?;
    let method = draft.method(state)?;
    if let Some(username) = &draft.username {
        check_login(state, "username", username, Some(&uuid))?;
    }
    let Some(user) = state.data.users.get_mut(&uuid) else {
        return Err(Refusal::unknown("user", &uuid));
    };
    user.username = draft.username;
    user.firstname = draft.firstname;
    user.lastname = draft.lastname;
    user.purpose = draft.purpose;
    user.method = method;
    user.enabled = draft.enabled;
    let (body, enabled) = (user.json(), user.enabled);
    if !enabled {
        state.end_sessions(&uuid);
    }
    Ok(respond::json(200, &body))
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let uuid = state.visible_user(ask.param(0), &tenant)?.uuid.clone();
    remove(state, &uuid);
    Ok(respond::empty(204))
}

/// Removes a user; tokens and sessions stay (protocol section 10).
pub(super) fn remove(state: &mut State, uuid: &str) {
    let data = &mut state.data;
    data.users.remove(uuid);
    data.user_policies.forget(uuid);
    data.members.forget(uuid);
    data.refresh.retain(|_, refresh| refresh.user != uuid);
    data.external.retain(|(user, _), _| user != uuid);
    for tenant in data.tenants.values_mut() {
        tenant.contact.take_if(|contact| contact == uuid);
    }
}

pub(super) fn change_password(state: &mut State, ask: &Ask<'_>) -> Outcome {
    const PASSWORD: Text = Text::required().at_least(1);
    let body = ask.body("users")?;
    let refused = refuse("users");
    let old = body
        .text("old_password", &PASSWORD)
        .map_err(&refused)?
        .unwrap_or_default();
    let new = body
        .text("new_password", &PASSWORD)
        .map_err(&refused)?
        .unwrap_or_default();
    let user = state.user(ask.param(0))?;
    if state.is_managed_externally(user) {
        return Err(Refusal::object(
            405,
            "password-managed-externally",
            "users",
            format!(
                "Unable to update externally managed password for user : \"{}\"",
                user.uuid
            ),
            json!({ "uuid": user.uuid }),
        ));
    }
    let has_login = user.username.is_some()
        || user
            .emails
            .iter()
            .any(|email| email.main && email.confirmed);
    let is_right = user
        .password
        .as_ref()
        .is_some_and(|password| password.is(&old));
    if !has_login || !is_right {
        return Err(Refusal::login_failed());
    }
    let uuid = user.uuid.clone();
    set(state, &uuid, Some(&new));
    Ok(respond::empty(204))
}

fn set(state: &mut State, uuid: &str, password: Option<&str>) {
    let hash = password.map(|password| state.hash(password));
    if let Some(user) = state.data.users.get_mut(uuid) {
        user.password = hash;
    }
    state.end_sessions(uuid);
}

pub(super) fn request_reset(state: &mut State, ask: &Ask<'_>) -> Outcome {
    const LOGIN: Text = Text::optional().length(1, 256);
    const ADDRESS: Text = Text::optional().length(1, 256).email();
    let given = ["username", "email", "login"].map(|name| (name, ask.query.first(name)));
    let mut given = given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let (Some((name, value)), None) = (given.next(), given.next()) else {
        let message = json!(["\"username\" or \"email\" or \"login\" should be used"]);
        return Err(Refusal::object(
            400,
            "invalid-data",
            "users",
            message,
            json!({}),
        ));
    };
    let rule = if name == "email" { ADDRESS } else { LOGIN };
    rule.read(&value.into())
        .map_err(|wrong| Refusal::invalid("users", name, &wrong))?;
    let found = state.data.users.values().find(|user| match name {
        "username" => user.username.as_deref() == Some(value),
        "email" => user.emails.iter().any(|email| email.address == value),
        _ => user.is_login(value),
    });
    let Some(user) = found.filter(|user| !state.is_managed_externally(user)) else {
        return Ok(respond::empty(204));
    };
    let mut confirmed = user.emails.iter().filter(|email| email.confirmed);
    let address = match name {
        "email" => Some(value.to_owned()),
        _ => {
            let main = confirmed.clone().find(|email| email.main);
            main.or_else(|| confirmed.next())
                .map(|email| email.address.clone())
        }
    };
    let Some(address) = address else {
        return Ok(respond::empty(204));
    };
    let (uuid, name) = (user.uuid.clone(), user.username.clone());
    let access = format!("auth.users.password.reset.{uuid}.create");
    let lifetime = state.settings.reset_lifetime;
    let token = tokens::own_token(state, ask.now(), access, lifetime);
    let host = header(ask.request, "host").unwrap_or_default();
    state.data.outbox.push(Message {
        to: emails::addressee(name.as_deref(), &address),
        kind: MessageKind::PasswordReset,
        link: format!(
            "https://app.wazo.io/reset-password?host={host}&token={token}&user_uuid={uuid}"
        ),
    });
    Ok(respond::empty(204))
}

pub(super) fn reset(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let wrong = |message: Value| Refusal::object(400, "invalid-data", "reset", message, json!({}));
    let given = ask.query.first("user_uuid").unwrap_or_default();
    let user = uuid(given).ok_or_else(|| wrong("Not a valid UUID.".into()))?;
    let token = ask.query.first("token").unwrap_or_else(|| ask.token());
    let access = format!("auth.users.password.reset.{user}.create");
    let found = state.token(token, ask.now());
    if !found.is_some_and(|found| found.acl().allows(&access)) {
        return Err(Refusal::unauthorized(json!({ "invalid_token": token })));
    }
    let body = Body::read(ask.request)?;
    let password = body
        .map_err(|wrong| ("_schema".to_owned(), wrong))
        .and_then(|body| {
            body.value("password", true, true, |value| {
                Text::required().at_least(1).read(value)
            })
        });
    let password = password.map_err(|(_, fault)| wrong(fault.message().into()))?;
    state.user(&user)?;
    set(state, &user, password.as_deref());
    Ok(respond::empty(204))
}

pub(super) fn register(state: &mut State, ask: &Ask<'_>) -> Outcome {
    const NAME: Text = Text::optional().not_null().length(1, 256);
    if !state.settings.registration {
        return Err(Refusal::Page);
    }
    let body = ask.body("users")?;
    let refused = refuse("users");
    let username = body.text("username", &NAME).map_err(&refused)?;
    let password = body
        .text("password", &Text::required().at_least(1))
        .map_err(&refused)?;
    let firstname = body
        .text("firstname", &Text::optional())
        .map_err(&refused)?;
    let lastname = body.text("lastname", &Text::optional()).map_err(&refused)?;
    let address = body
        .text("email_address", &Text::required().email())
        .map_err(&refused)?;
    let (Some(username), Some(address)) = (username, address) else {
        return Err(Refusal::broken());
    };
    // It stays even if the user is refused.
    let top = state.top().to_owned();
    let tenant = tenants::add(state, &top, Some(&username));
    check_login(state, "username", &username, None)?;
    check_login(state, "email_address", &address, None)?;
    let draft = Draft {
        username: Some(username.clone()),
        firstname,
        lastname,
        purpose: "user".to_owned(),
        method: None,
        enabled: true,
    };
    let email = Some((address.clone(), false));
    let user = add(
        state,
        None,
        draft,
        "default".to_owned(),
        tenant,
        password,
        email,
    );
    let uuid = user["emails"][0]["uuid"].as_str().unwrap_or_default();
    emails::confirmation(state, ask, Some(&username), &address, uuid);
    Ok(respond::json(200, &user))
}

/// Takes the first user, protocol section 9.18.
pub(super) fn initialize(state: &mut State, ask: &Ask<'_>) -> Outcome {
    const PURPOSE: Text = Text::optional().not_null().one_of(PURPOSES);
    let body = ask.body("users")?;
    let refused = refuse("users");
    let username = Text::required().length(1, 256);
    let username = body.text("username", &username).map_err(&refused)?;
    let password = body
        .text("password", &Text::required().at_least(1))
        .map_err(&refused)?;
    let key = body
        .text("key", &Text::required().length(20, 20))
        .map_err(&refused)?;
    let purpose = body.text("purpose", &PURPOSE).map_err(&refused)?;
    let given = Secret::from(key.unwrap_or_default());
    if state.settings.init_key.as_ref() != Some(&given) {
        return Err(Refusal::login_failed());
    }
    if let Some(username) = &username {
        check_login(state, "username", username, None)?;
    }
    let draft = Draft {
        username,
        firstname: None,
        lastname: None,
        purpose: purpose.unwrap_or_else(|| "internal".to_owned()),
        method: None,
        enabled: true,
    };
    let top = state.top().to_owned();
    let user = add(state, None, draft, "native".to_owned(), top, password, None);
    state.settings.init_key = None;
    Ok(respond::json(200, &user))
}

pub(super) const POLICIES: Columns = Columns {
    search: &["name", "description"],
    exact: &["uuid", "name"],
    ..Columns::new(&["name", "description", "uuid"])
};

pub(super) fn list_policies(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &POLICIES)?;
    let subtree = state.subtree(&tenant);
    let policies = state.data.user_policies.of(ask.param(0));
    let policies = policies.filter_map(|uuid| state.data.policies.get(uuid));
    let items = policies
        .map(|policy| state.policy_json(policy, &subtree, &tenant))
        .collect();
    Ok(respond::json(
        200,
        &asked.answer(&ask.query, &POLICIES, items),
    ))
}

pub(super) fn tie_policy(state: &mut State, ask: &Ask<'_>, is_added: bool) -> Outcome {
    let tenant = ask.tenant(state)?;
    let policy = state.visible_policy(ask.param(1), &tenant)?;
    let uuid = policy.uuid.clone();
    if is_added {
        ask.may_give(&policy.acl)?;
    } else {
        ask.may_take(&policy.acl)?;
    }
    let user = state.user(ask.param(0))?.uuid.clone();
    if is_added {
        state.data.user_policies.add(&user, &uuid);
    } else {
        state.data.user_policies.remove(&user, &uuid);
    }
    Ok(respond::empty(204))
}

const GROUPS: Columns = Columns {
    search: &["name"],
    exact: &["uuid", "name"],
    ..Columns::new(&["name", "uuid"])
};

pub(super) fn list_groups(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &GROUPS)?;
    let user = state.visible_user(ask.param(0), &tenant)?;
    let items = groups::of_user(state, &user.uuid);
    Ok(respond::json(
        200,
        &asked.answer(&ask.query, &GROUPS, items),
    ))
}
