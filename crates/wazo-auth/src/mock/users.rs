//! Users and their policies (protocol section 9.5).

use serde_json::{Value, json};
use vouchsafe_core::mock::respond;

use super::ask::{Ask, refuse};
use super::data::{Email, Policy, User};
use super::list::{Asked, Columns};
use super::logins::{check_login, taken};
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Body, Fault, Text};

pub(super) const PURPOSES: &[&str] = &["user", "internal", "external_api"];

/// The user in a body.
pub(super) struct Draft {
    pub(super) username: Option<String>,
    pub(super) firstname: Option<String>,
    pub(super) lastname: Option<String>,
    pub(super) purpose: String,
    pub(super) method: Option<String>,
    pub(super) enabled: bool,
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

/// Adds a user, also to the group of all users.
pub(super) fn add(
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

/// Writes a list of users, which can also be searched by address.
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
    let scope = state.scope(&tenant, asked.recurse);
    let is_listed = |user: &&User| scope.contains(&user.tenant);
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

/// Removes a user; tokens and sessions are kept (protocol section 10).
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
