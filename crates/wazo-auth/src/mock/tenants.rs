//! Tenants (protocol section 9.8).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vouchsafe_core::mock::respond;

use super::ask::{Ask, listed, refuse};
use super::data::{ADDRESS, Domain, Tenant};
use super::list::{Asked, Columns};
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Body, Fault, Text, Wrong};
use super::{groups, policies, users};

const HOST_PATTERN: &str =
    "^(?=.{1,253}\\.?$)(?:(?!(-|_)|[^.]+_)[A-Za-z0-9-_]{1,}(?<!-)(?:\\.|$)){2,63}$";

struct Draft {
    uuid: Option<String>,
    name: Option<String>,
    slug: Option<String>,
    contact: Option<String>,
    phone: Option<String>,
    method: String,
    domains: Vec<String>,
    address: BTreeMap<&'static str, Option<String>>,
}

impl Draft {
    /// Reads the body of a request whose schema lacks some members.
    fn read(state: &State, ask: &Ask<'_>, lacking: &[&str]) -> Outcome<Self> {
        let body = ask.body("tenants")?.without(lacking);
        if body
            .get("address")
            .is_some_and(|address| !address.is_object() && !address.is_null())
        {
            return Err(Refusal::broken());
        }
        let draft = Self::of(&body).map_err(refuse("tenants"))?;
        if !state.settings.methods().contains(&draft.method.as_str()) {
            let method = &draft.method;
            return Err(Refusal::object(
                400,
                "invalid-data",
                "tenants",
                format!("Invalid default authentication method {method}"),
                json!({ "default_authentication_method": method }),
            ));
        }
        Ok(draft)
    }

    fn of(body: &Body) -> Result<Self, Fault> {
        const ID: Text = Text::optional().uuid();
        let uuid = body.text("uuid", &ID)?;
        let name = body.text("name", &Text::optional().length(1, 128))?;
        let slug = body.text(
            "slug",
            &Text::optional().length(1, 10).slug("_", "^[a-zA-Z0-9_]+$"),
        )?;
        let contact = body.text("contact", &ID)?;
        let phone = body.text("phone", &Text::optional().length(1, 32))?;
        let method = body.text(
            "default_authentication_method",
            &Text::optional().not_null(),
        )?;
        Ok(Self {
            uuid,
            name,
            slug,
            contact,
            phone,
            method: method.unwrap_or_else(|| "native".to_owned()),
            domains: domains(body)?,
            address: address(body)?,
        })
    }
}

fn domains(body: &Body) -> Result<Vec<String>, Fault> {
    let items = body.value("domain_names", false, false, |value| {
        value.as_array().cloned().ok_or(Wrong::Type("list"))
    })?;
    let mut domains: Vec<String> = Vec::new();
    for (at, item) in items.unwrap_or_default().iter().enumerate() {
        let wrong = |wrong| (format!("domain_names.{at}"), wrong);
        let name = item.as_str().ok_or_else(|| wrong(Wrong::Type("string")))?;
        if !is_host(name) {
            return Err(wrong(Wrong::Pattern(HOST_PATTERN)));
        }
        if !domains.iter().any(|other| other == name) {
            domains.push(name.to_owned());
        }
    }
    Ok(domains)
}

/// Returns whether a text is a host name with a dot in it.
fn is_host(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        let is_plain = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        is_plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let labels = name.split('.').count();
    (1..=253).contains(&name.len()) && (2..=63).contains(&labels) && name.split('.').all(is_label)
}

fn address(body: &Body) -> Result<BTreeMap<&'static str, Option<String>>, Fault> {
    let given = body.value("address", false, false, |value| {
        value.as_object().map(Body::of).ok_or(Wrong::Type("dict"))
    })?;
    let Some(given) = given else {
        return Ok(BTreeMap::new());
    };
    let line = |(name, longest)| {
        let line = given.text(name, &Text::optional().length(1, longest));
        let line = line.map_err(|(_, wrong)| (format!("address.{name}"), wrong))?;
        Ok((name, line))
    };
    ADDRESS.into_iter().map(line).collect()
}

/// Refuses domain names that another tenant has.
fn check_domains(state: &State, names: &[String], except: Option<&str>) -> Outcome<()> {
    let others = state
        .data
        .tenants
        .values()
        .filter(|tenant| Some(tenant.uuid.as_str()) != except);
    let others: Vec<&Domain> = others.flat_map(|tenant| &tenant.domains).collect();
    let taken: Vec<&String> = names
        .iter()
        .filter(|name| others.iter().any(|other| other.name == **name))
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    let quoted: Vec<String> = taken.iter().map(|name| format!("'{name}'")).collect();
    let message = format!(
        "Domain name : \"[{}]\" is already in use, no duplicates allowed",
        quoted.join(", ")
    );
    Err(Refusal::conflict(
        "tenants",
        json!({"domain_names": {"constraint-id": "unique", "message": message}}),
    ))
}

fn has_slug(state: &State, slug: &str) -> bool {
    state
        .data
        .tenants
        .values()
        .any(|tenant| tenant.slug == slug)
}

/// Returns a slug for a name: its permitted characters, or random ones.
fn slug_for(state: &mut State, name: Option<&str>) -> String {
    let is_good = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let name: String = name.unwrap_or_default().chars().filter(is_good).collect();
    policies::derive(state, &name, 10, |state, slug| {
        slug.is_empty() || has_slug(state, slug)
    })
}

/// Adds a tenant that has only a name, and its groups. Returns its UUID.
pub(super) fn add(state: &mut State, parent: &str, name: Option<&str>) -> String {
    let tenant = Tenant {
        uuid: state.uuid(),
        parent: parent.to_owned(),
        name: name.map(str::to_owned),
        slug: slug_for(state, name),
        contact: None,
        phone: None,
        method: "native".to_owned(),
        domains: Vec::new(),
        address: BTreeMap::new(),
    };
    let uuid = tenant.uuid.clone();
    state.data.tenants.insert(uuid.clone(), tenant);
    groups::add_defaults(state, &uuid);
    uuid
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let draft = Draft::read(state, ask, &[])?;
    let parent = ask.tenant(state)?;
    if let Some(uuid) = &draft.uuid {
        if *uuid == parent {
            let details = json!({"parent_uuid": {
                "constraint_id": "unique",
                "msg": "A master tenant already exist",
            }});
            return Err(Refusal::object(
                403,
                "conflict",
                "tenants",
                "Conflict detected",
                details,
            ));
        }
        if state.data.tenants.contains_key(uuid) {
            let message = format!("A tenant with identity uuid=\"{uuid}\" already exists");
            let details = json!({"uuid": {"constraint_id": "unique", "message": message}});
            return Err(Refusal::object(
                409,
                "tenant-identity-conflict",
                "tenants",
                "Tenant Conflict detected",
                details,
            ));
        }
    }
    if let Some(contact) = &draft.contact {
        state.user(contact)?;
    }
    if let Some(slug) = draft.slug.as_ref().filter(|slug| has_slug(state, slug)) {
        let message = format!("The slug \"{slug}\" is already used");
        let details = json!({"slug": {"constraint_id": "unique", "message": message}});
        return Err(Refusal::conflict("tenants", details));
    }
    check_domains(state, &draft.domains, None)?;
    let uuid = add(state, &parent, draft.name.as_deref());
    if let Some(chosen) = draft.uuid.clone() {
        rename(state, &uuid, &chosen);
        return fill(state, &chosen, draft);
    }
    fill(state, &uuid, draft)
}

/// Gives a new tenant the UUID that its creator chose.
fn rename(state: &mut State, made: &str, chosen: &str) {
    if let Some(mut tenant) = state.data.tenants.remove(made) {
        chosen.clone_into(&mut tenant.uuid);
        state.data.tenants.insert(chosen.to_owned(), tenant);
    }
    for group in state
        .data
        .groups
        .values_mut()
        .filter(|group| group.tenant == made)
    {
        chosen.clone_into(&mut group.tenant);
        if group.is_system {
            group.name = format!("wazo-all-users-tenant-{chosen}");
            group.slug.clone_from(&group.name);
        }
    }
}

/// Updates a tenant from a body.
fn fill(state: &mut State, uuid: &str, draft: Draft) -> Outcome {
    let old = state
        .data
        .tenants
        .get(uuid)
        .map(|tenant| tenant.domains.clone());
    let old = old.unwrap_or_default();
    let mut domains = Vec::new();
    for name in draft.domains {
        let kept = old.iter().find(|domain| domain.name == name).cloned();
        let domain = kept.unwrap_or_else(|| Domain {
            uuid: state.uuid(),
            name,
        });
        domains.push(domain);
    }
    let gone = old
        .iter()
        .filter(|domain| !domains.iter().any(|kept| kept.uuid == domain.uuid));
    let gone: Vec<&String> = gone.map(|domain| &domain.uuid).collect();
    state
        .data
        .saml
        .retain(|_, config| !gone.contains(&&config.domain));
    let Some(tenant) = state.data.tenants.get_mut(uuid) else {
        return Err(Refusal::unknown("tenant", uuid));
    };
    if let Some(slug) = draft.slug {
        tenant.slug = slug;
    }
    tenant.name = draft.name;
    tenant.contact = draft.contact;
    tenant.phone = draft.phone;
    tenant.method = draft.method;
    tenant.domains = domains;
    tenant.address = draft.address;
    Ok(respond::json(200, &tenant.json()))
}

const COLUMNS: Columns = Columns {
    search: &["name", "slug", "domain_names"],
    exact: &["uuid", "name", "slug"],
    ..Columns::new(&["name", "slug"])
};

pub(super) fn list(state: &State, ask: &Ask<'_>) -> Outcome {
    let acting = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &COLUMNS)?;
    let uuids: Vec<&str> = ask.query.all("uuids").collect();
    if uuids.len() > 25 {
        let wrong = Wrong::Length(1, Some(25));
        return Err(Refusal::invalid_list(json!({"uuids": wrong.in_tree()})));
    }
    let mut items: Vec<Value> = state
        .subtree(&acting)
        .iter()
        .filter_map(|uuid| state.data.tenants.get(uuid))
        .map(Tenant::json)
        .collect();
    let total = items.len();
    items.retain(|item| uuids.is_empty() || uuids.iter().any(|uuid| item["uuid"] == *uuid));
    if let Some(domain) = ask.query.first("domain_name") {
        let has_it = |item: &Value| {
            item["domain_names"]
                .as_array()
                .is_some_and(|names| names.iter().any(|name| name == domain))
        };
        items.retain(has_it);
    }
    asked.filter(&ask.query, &COLUMNS, &mut items);
    let filtered = items.len();
    let body = listed(total, filtered, asked.page(&COLUMNS, items));
    Ok(respond::json(200, &body))
}

pub(super) fn get(state: &State, ask: &Ask<'_>) -> Outcome {
    let acting = ask.tenant(state)?;
    let tenant = state.visible_tenant(ask.param(0), &acting)?;
    Ok(respond::json(200, &tenant.json()))
}

pub(super) fn edit(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let acting = ask.tenant(state)?;
    let uuid = state.visible_tenant(ask.param(0), &acting)?.uuid.clone();
    let draft = Draft::read(state, ask, &["uuid", "slug"])?;
    if let Some(contact) = &draft.contact {
        state.user(contact)?;
    }
    check_domains(state, &draft.domains, Some(&uuid))?;
    fill(state, &uuid, draft)
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let acting = ask.tenant(state)?;
    let uuid = ask.param(0).to_owned();
    if uuid == acting {
        return Err(Refusal::object(
            403,
            "deleting-own-tenant-forbidden",
            "tenants",
            format!("Deleting its own tenant is forbidden: \"{uuid}\""),
            json!({ "tenant_uuid": uuid }),
        ));
    }
    state.visible_tenant(&uuid, &acting)?;
    if state
        .data
        .tenants
        .values()
        .any(|tenant| tenant.parent == uuid)
    {
        let message =
            format!("Unauthorized delete of tenant : \"{uuid}\" ; since it has at least one child");
        return Err(Refusal::Object {
            status: 400,
            message: message.into(),
            error_id: json!({ "uuid": uuid }),
            details: "tenants".into(),
            resource: None,
        });
    }
    remove(state, &uuid);
    Ok(respond::empty(204))
}

/// Removes a tenant and everything in it (protocol section 10).
fn remove(state: &mut State, uuid: &str) {
    let of = |tenant: &str| tenant == uuid;
    let data = &state.data;
    let gone: Vec<String> = data
        .users
        .values()
        .filter(|user| of(&user.tenant))
        .map(|user| user.uuid.clone())
        .collect();
    gone.iter().for_each(|user| users::remove(state, user));
    let data = &state.data;
    let gone: Vec<String> = data
        .groups
        .values()
        .filter(|group| of(&group.tenant))
        .map(|group| group.uuid.clone())
        .collect();
    gone.iter().for_each(|group| groups::remove(state, group));
    let data = &state.data;
    let gone: Vec<String> = data
        .policies
        .values()
        .filter(|policy| of(&policy.tenant))
        .map(|policy| policy.uuid.clone())
        .collect();
    gone.iter()
        .for_each(|policy| policies::remove(state, policy));
    let data = &mut state.data;
    data.tokens
        .retain(|_, token| token.tenant.as_deref() != Some(uuid));
    data.external_config.retain(|(tenant, _), _| tenant != uuid);
    data.ldap.remove(uuid);
    data.saml.remove(uuid);
    data.tenants.remove(uuid);
}

pub(super) fn list_domains(state: &State, ask: &Ask<'_>) -> Outcome {
    ask.tenant(state)?;
    let tenant = state.data.tenants.get(ask.param(0));
    let tenant = tenant.ok_or_else(|| Refusal::unknown("tenant", ask.param(0)))?;
    let items = tenant
        .domains
        .iter()
        .map(|domain| json!({"uuid": domain.uuid, "name": domain.name}));
    let items: Vec<Value> = items.collect();
    Ok(respond::json(
        200,
        &json!({"total": items.len(), "items": items}),
    ))
}

pub(super) fn move_below(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let acting = ask.tenant(state)?;
    let uuid = state.visible_tenant(ask.param(0), &acting)?.uuid.clone();
    let parent = state.visible_tenant(ask.param(1), &acting)?.uuid.clone();
    let old = state
        .data
        .tenants
        .get(&uuid)
        .map(|tenant| tenant.parent.clone());
    state.visible_tenant(&old.unwrap_or_default(), &acting)?;
    if state.is_within(&parent, &uuid) {
        let details = json!({"uuid": uuid, "parent_uuid": parent});
        return Err(Refusal::conflict("tenants", details));
    }
    if let Some(tenant) = state.data.tenants.get_mut(&uuid) {
        tenant.parent = parent;
    }
    Ok(respond::empty(204))
}
