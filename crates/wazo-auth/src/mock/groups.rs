//! Groups (protocol section 9.6).

use serde_json::{Value, json};
use vouchsafe_core::mock::respond;

use super::ask::{Ask, refuse};
use super::data::{Group, User};
use super::list::{Asked, Columns};
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::Text;
use super::{policies, users};

const NAME: Text = Text::required().length(1, 128);
const SLUG: Text = Text::optional()
    .length(1, 80)
    .slug("_-", "^[a-zA-Z0-9_-]+$");

fn taken(name: &str) -> Refusal {
    Refusal::reasons(409, format!("Group \"{name}\" already exists"))
}

fn has_slug(state: &State, tenant: &str, slug: &str) -> bool {
    let mut groups = state.data.groups.values();
    groups.any(|group| group.tenant == tenant && group.slug.eq_ignore_ascii_case(slug))
}

/// Returns whether a tenant has a group with exactly this slug.
fn has_exact_slug(state: &State, tenant: &str, slug: &str) -> bool {
    let mut groups = state.data.groups.values();
    groups.any(|group| group.tenant == tenant && group.slug == slug)
}

fn has_name(state: &State, tenant: &str, name: &str, except: Option<&str>) -> bool {
    let mut others = state
        .data
        .groups
        .values()
        .filter(|group| Some(group.uuid.as_str()) != except);
    others.any(|group| group.tenant == tenant && group.name == name)
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let body = ask.body("groups")?;
    let name = body
        .text("name", &NAME)
        .map_err(refuse("groups"))?
        .unwrap_or_default();
    let slug = body.text("slug", &SLUG).map_err(refuse("groups"))?;
    let tenant = ask.tenant(state)?;
    let slug = match slug {
        Some(slug) => slug,
        None => policies::derive(state, &name, 80, |state, slug| {
            has_exact_slug(state, &tenant, slug)
        }),
    };
    if has_name(state, &tenant, &name, None) || has_slug(state, &tenant, &slug) {
        return Err(taken(&name));
    }
    let group = Group {
        uuid: state.uuid(),
        name,
        slug,
        tenant,
        is_system: false,
    };
    let body = group.json();
    state.data.groups.insert(group.uuid.clone(), group);
    Ok(respond::json(200, &body))
}

const COLUMNS: Columns = Columns {
    unsortable: &["slug", "read_only"],
    search: &["name"],
    exact: &["uuid", "name", "slug", "read_only"],
    boolean: &["read_only"],
    ..Columns::new(&["name", "uuid"])
};

pub(super) fn list(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &COLUMNS)?;
    let scope = state.scope(&tenant, asked.recurse);
    let is_listed = |group: &&Group| scope.contains(&group.tenant);
    let listed: Vec<&Group> = state.data.groups.values().filter(is_listed).collect();
    let total = listed.len();
    let data = &state.data;
    let by = |name: &str, is_tied: &dyn Fn(&str) -> bool| ask.query.first(name).is_none_or(is_tied);
    let is_tied = |group: &&&Group| {
        let has = |is_it: &dyn Fn(&super::data::Policy) -> bool| {
            let policies = data.group_policies.of(&group.uuid);
            policies
                .filter_map(|uuid| data.policies.get(uuid))
                .any(is_it)
        };
        by("user_uuid", &|user| data.members.has(&group.uuid, user))
            && by("policy_uuid", &|uuid| has(&|policy| policy.uuid == uuid))
            && by("policy_slug", &|slug| has(&|policy| policy.slug == slug))
    };
    let mut items: Vec<Value> = listed
        .iter()
        .filter(is_tied)
        .map(|group| group.json())
        .collect();
    asked.filter(&ask.query, &COLUMNS, &mut items);
    let filtered = items.len();
    let body = super::ask::listed(total, filtered, asked.page(&COLUMNS, items));
    Ok(respond::json(200, &body))
}

pub(super) fn get(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let group = state.visible_group(ask.param(0), &tenant)?;
    Ok(respond::json(200, &group.json()))
}

fn check_changeable(group: &Group) -> Outcome<()> {
    if group.is_system {
        return Err(Refusal::object(
            403,
            "forbidden-group",
            "groups",
            format!("Forbidden group modification: \"{}\"", group.uuid),
            json!({ "uuid": group.uuid }),
        ));
    }
    Ok(())
}

pub(super) fn edit(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let group = state.visible_group(ask.param(0), &tenant)?;
    let name = ask
        .body("groups")?
        .text("name", &NAME)
        .map_err(refuse("groups"))?
        .unwrap_or_default();
    check_changeable(group)?;
    let (uuid, owner) = (group.uuid.clone(), group.tenant.clone());
    if has_name(state, &owner, &name, Some(&uuid)) {
        return Err(taken(&name));
    }
    let Some(group) = state.data.groups.get_mut(&uuid) else {
        return Err(Refusal::unknown("group", &uuid));
    };
    group.name = name;
    Ok(respond::json(200, &group.json()))
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let group = state.visible_group(ask.param(0), &tenant)?;
    check_changeable(group)?;
    let uuid = group.uuid.clone();
    remove(state, &uuid);
    Ok(respond::empty(204))
}

/// Removes a group and its associations.
pub(super) fn remove(state: &mut State, uuid: &str) {
    state.data.groups.remove(uuid);
    state.data.group_policies.forget(uuid);
    state.data.members.forget(uuid);
}

const USERS: Columns = Columns {
    order: &["username"],
    ..users::COLUMNS
};

pub(super) fn list_users(state: &State, ask: &Ask<'_>) -> Outcome {
    ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &USERS)?;
    let members = state.data.members.of(ask.param(0));
    let members: Vec<&User> = members
        .filter_map(|uuid| state.data.users.get(uuid))
        .collect();
    let body = users::answer(ask, &USERS, &asked, members, |_| true);
    Ok(respond::json(200, &body))
}

pub(super) fn tie_user(state: &mut State, ask: &Ask<'_>, is_added: bool) -> Outcome {
    let tenant = ask.tenant(state)?;
    let group = state.visible_group(ask.param(0), &tenant)?;
    let user = state.visible_user(ask.param(1), &tenant)?;
    if is_added && group.tenant != user.tenant {
        return Err(Refusal::object(
            400,
            "missmatching-tenant",
            "groups",
            "Ressources are not in the same tenant",
            json!({"user_tenant_uuid": user.tenant, "group_tenant_uuid": group.tenant}),
        ));
    }
    check_changeable(group)?;
    let (group, user) = (group.uuid.clone(), user.uuid.clone());
    if is_added {
        state.data.members.add(&group, &user);
    } else {
        state.data.members.remove(&group, &user);
    }
    Ok(respond::empty(204))
}

pub(super) fn list_policies(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &users::POLICIES)?;
    let group = state.visible_group(ask.param(0), &tenant)?;
    let subtree = state.subtree(&tenant);
    let policies = state.data.group_policies.of(&group.uuid);
    let policies = policies.filter_map(|uuid| state.data.policies.get(uuid));
    let items = policies
        .map(|policy| state.policy_json(policy, &subtree, &tenant))
        .collect();
    Ok(respond::json(
        200,
        &asked.answer(&ask.query, &users::POLICIES, items),
    ))
}

pub(super) fn tie_policy(state: &mut State, ask: &Ask<'_>, is_added: bool) -> Outcome {
    let tenant = ask.tenant(state)?;
    let policy = state.visible_policy(ask.param(1), &tenant)?;
    if is_added {
        ask.may_give(&policy.acl)?;
    } else {
        ask.may_take(&policy.acl)?;
    }
    let policy = policy.uuid.clone();
    let group = state.visible_group(ask.param(0), &tenant)?.uuid.clone();
    if is_added {
        state.data.group_policies.add(&group, &policy);
    } else {
        state.data.group_policies.remove(&group, &policy);
    }
    Ok(respond::empty(204))
}

/// Adds the groups of a new tenant (protocol section 7).
pub(super) fn add_defaults(state: &mut State, tenant: &str) {
    let all = format!("wazo-all-users-tenant-{tenant}");
    let mut wanted = vec![(all, true, state.settings.all_users_policies.clone())];
    let defaults = state.settings.default_groups.iter();
    wanted.extend(defaults.map(|(name, policies)| (name.clone(), false, policies.clone())));
    for (name, is_system, policies) in wanted {
        let uuid = state.uuid();
        for slug in policies {
            let mut known = state.data.policies.values();
            let found = known.find(|policy| policy.is_configured && policy.slug == slug);
            if let Some(policy) = found.map(|policy| policy.uuid.clone()) {
                state.data.group_policies.add(&uuid, &policy);
            }
        }
        let group = Group {
            uuid: uuid.clone(),
            slug: name.clone(),
            name,
            tenant: tenant.to_owned(),
            is_system,
        };
        state.data.groups.insert(uuid, group);
    }
}

const OF_USER: Columns = Columns {
    search: &["name"],
    exact: &["uuid", "name"],
    ..Columns::new(&["name", "uuid"])
};

pub(super) fn list_of_user(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &OF_USER)?;
    let user = state.visible_user(ask.param(0), &tenant)?;
    let items = state
        .data
        .members
        .with(&user.uuid)
        .filter_map(|uuid| state.data.groups.get(uuid))
        .map(Group::json)
        .collect();
    Ok(respond::json(
        200,
        &asked.answer(&ask.query, &OF_USER, items),
    ))
}
