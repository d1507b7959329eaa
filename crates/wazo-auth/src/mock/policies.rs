//! Policies and their accesses (protocol section 9.4).

use serde_json::Value;
use vouchsafe_core::mock::respond;

use super::ask::Ask;
use super::data::Policy;
use super::list::{Asked, Columns};
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Body, Fault, Text, Wrong, is_slug, uuid};

const SLUG: &str = "_-";

struct Draft {
    name: String,
    slug: Option<String>,
    description: Option<String>,
    acl: Vec<String>,
    is_shared: bool,
}

impl Draft {
    /// Reads the body of a request whose schema lacks some members.
    fn read(ask: &Ask<'_>, legacy: bool, lacking: &[&str]) -> Outcome<Self> {
        let refuse = |(member, _): Fault| {
            let member = member.split('.').next().unwrap_or_default().to_owned();
            Refusal::reasons(400, format!("Invalid value supplied for field: {member}"))
        };
        let body = Body::read(ask.request)?;
        let body = body.map_err(|wrong| refuse(("_schema".to_owned(), wrong)))?;
        Self::of(&body.without(lacking), legacy).map_err(refuse)
    }

    fn of(body: &Body, legacy: bool) -> Result<Self, Fault> {
        const NAME: Text = Text::required().length(1, 80);
        const SHORT: Text = Text::optional()
            .length(1, 80)
            .slug(SLUG, "^[a-zA-Z0-9_-]+$");
        let name = body.text("name", &NAME)?.unwrap_or_default();
        let slug = body.text("slug", &SHORT)?;
        let description = body.text("description", &Text::optional())?;
        let member = match legacy && body.get("acl_templates").is_some() {
            true => "acl_templates",
            false => "acl",
        };
        let acl = body.value(member, false, false, |value| {
            let items = value.as_array().ok_or(Wrong::Type("list"))?.iter();
            let text = |item: &Value| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or(Wrong::Type("string"))
            };
            items.map(text).collect::<Result<Vec<_>, _>>()
        })?;
        let mut unique: Vec<String> = Vec::new();
        for access in acl.unwrap_or_default() {
            if !unique.contains(&access) {
                unique.push(access);
            }
        }
        Ok(Self {
            name,
            slug,
            description,
            acl: unique,
            is_shared: body.boolean("shared")?.unwrap_or_default(),
        })
    }
}

/// Returns a slug for a name: its permitted characters, or random ones if that slug is taken.
pub(super) fn derive(
    state: &mut State,
    name: &str,
    longest: usize,
    is_taken: impl Fn(&State, &str) -> bool,
) -> String {
    let slug: String = name
        .chars()
        .filter(|c| is_slug(&c.to_string(), SLUG))
        .take(longest)
        .collect();
    if !is_taken(state, &slug) {
        return slug;
    }
    // Three characters as in the service, unless nearly all such slugs are taken.
    let mut tries = 0;
    loop {
        let slug = state.random_slug(3 + tries / 100);
        if !is_taken(state, &slug) {
            return slug;
        }
        tries += 1;
    }
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let draft = Draft::read(ask, state.settings.legacy, &[])?;
    let tenant = ask.tenant(state)?;
    ask.may_give(&draft.acl)?;
    // A slug that differs in case alone is derived all the same, and then clashes.
    let is_slug_taken = |state: &State, tenant: &str, slug: &str| {
        let mut policies = state.data.policies.values();
        policies.any(|policy| policy.tenant == tenant && policy.slug == slug)
    };
    let clashes = |state: &State, slug: &str| {
        let is_named =
            |policy: &&Policy| policy.name == draft.name || policy.slug.eq_ignore_ascii_case(slug);
        state.data.policies.values().filter(is_named).any(|policy| {
            policy.tenant == tenant
                || policy.is_shared && state.is_above(&policy.tenant, &tenant)
                || draft.is_shared && state.is_above(&tenant, &policy.tenant)
        })
    };
    let slug = match &draft.slug {
        Some(slug) => slug.clone(),
        None => derive(state, &draft.name, 80, |state, slug| {
            is_slug_taken(state, &tenant, slug)
        }),
    };
    if clashes(state, &slug) {
        return Err(Refusal::reasons(
            409,
            format!("Policy \"{}\" already exists", draft.name),
        ));
    }
    let policy = Policy {
        uuid: state.uuid(),
        name: draft.name,
        slug,
        tenant: tenant.clone(),
        description: draft.description,
        acl: draft.acl,
        is_shared: draft.is_shared,
        is_configured: false,
    };
    let body = state.policy_json(&policy, &state.scope(&tenant, false), &tenant);
    state.data.policies.insert(policy.uuid.clone(), policy);
    Ok(respond::json(200, &body))
}

const COLUMNS: Columns = Columns {
    unsortable: &["read_only"],
    search: &["name", "description"],
    exact: &["uuid", "name", "slug", "tenant_uuid"],
    boolean: &["read_only"],
    ..Columns::new(&["name", "slug", "description", "uuid"])
};

pub(super) fn list(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &COLUMNS)?;
    let listed = state.scope(&tenant, asked.recurse);
    let read_only = ask.query.first("read_only");
    let read_only = read_only.and_then(|given| super::validate::boolean(&given.into()).ok());
    let top = state.top();
    let is_seen =
        |policy: &&Policy| listed.contains(&policy.tenant) || state.is_lent(policy, &tenant);
    let seen: Vec<&Policy> = state.data.policies.values().filter(is_seen).collect();
    let total = seen.len();
    let kept = seen.into_iter().filter(|policy| match read_only {
        None => true,
        // But not a policy of a tenant in between, although it is read-only too.
        Some(true) => policy.is_configured || policy.is_shared && policy.tenant == top,
        Some(false) => listed.contains(&policy.tenant),
    });
    let related = |policy: &&Policy| {
        let by =
            |name: &str, is_tied: &dyn Fn(&str) -> bool| ask.query.first(name).is_none_or(is_tied);
        by("user_uuid", &|user| {
            state.data.user_policies.has(user, &policy.uuid)
        }) && by("group_uuid", &|group| {
            state.data.group_policies.has(group, &policy.uuid)
        })
    };
    let kept = kept.filter(related);
    let mut items = kept
        .map(|policy| state.policy_json(policy, &listed, &tenant))
        .collect();
    let exact = Columns {
        boolean: &[],
        ..COLUMNS
    };
    asked.filter(&ask.query, &exact, &mut items);
    let items = asked.page(&COLUMNS, items);
    Ok(respond::json(
        200,
        &serde_json::json!({"total": total, "items": items}),
    ))
}

pub(super) fn get(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let policy = state.visible_policy(ask.param(0), &tenant)?;
    let body = state.policy_json(policy, &state.subtree(&tenant), &tenant);
    Ok(respond::json(200, &body))
}

/// Refuses to change a policy of the configuration or of a tenant above.
fn check_own(state: &State, policy: &Policy, tenant: &str) -> Outcome<()> {
    if policy.is_configured || policy.is_shared && !state.is_within(&policy.tenant, tenant) {
        let reason = format!("Forbidden policy deletion: \"{}\"", policy.uuid);
        return Err(Refusal::reasons(403, reason));
    }
    Ok(())
}

pub(super) fn edit(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let draft = Draft::read(ask, state.settings.legacy, &["slug", "shared"])?;
    let tenant = ask.tenant(state)?;
    if uuid(ask.param(0)).is_none() {
        state.visible_policy(ask.param(0), &tenant)?;
    }
    ask.may_give(&draft.acl)?;
    let old = state.visible_policy(ask.param(0), &tenant)?;
    ask.may_take(old.acl.iter().filter(|access| !draft.acl.contains(access)))?;
    check_own(state, old, &tenant)?;
    let (id, owner) = (old.uuid.clone(), old.tenant.clone());
    let mut others = state.data.policies.values();
    if others.any(|other| other.uuid != id && other.tenant == owner && other.name == draft.name) {
        return Err(Refusal::broken());
    }
    if let Some(policy) = state.data.policies.get_mut(&id) {
        policy.name = draft.name;
        policy.description = draft.description;
        policy.acl = draft.acl;
    }
    let policy = state.visible_policy(&id, &tenant)?;
    let body = state.policy_json(policy, &state.subtree(&tenant), &tenant);
    Ok(respond::json(200, &body))
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let policy = state.visible_policy(ask.param(0), &tenant)?;
    ask.may_take(&policy.acl)?;
    check_own(state, policy, &tenant)?;
    let uuid = policy.uuid.clone();
    remove(state, &uuid);
    Ok(respond::empty(204))
}

/// Removes a policy and its associations.
pub(super) fn remove(state: &mut State, uuid: &str) {
    state.data.policies.remove(uuid);
    state.data.user_policies.forget(uuid);
    state.data.group_policies.forget(uuid);
}

pub(super) fn change_access(state: &mut State, ask: &Ask<'_>, is_added: bool) -> Outcome {
    let tenant = ask.tenant(state)?;
    let access = ask.param(1).to_owned();
    if uuid(ask.param(0)).is_none() {
        state.visible_policy(ask.param(0), &tenant)?;
    }
    if is_added {
        ask.may_give([&access])?;
    } else {
        ask.may_take([&access])?;
    }
    let id = state.visible_policy(ask.param(0), &tenant)?.uuid.clone();
    if let Some(policy) = state.data.policies.get_mut(&id) {
        let has = policy.acl.contains(&access);
        match is_added {
            true if has => {
                let reason = format!("Policy already associated to {access}");
                return Err(Refusal::reasons(409, reason));
            }
            true => policy.acl.push(access),
            false => policy.acl.retain(|own| *own != access),
        }
    }
    Ok(respond::empty(204))
}
