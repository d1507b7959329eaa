//! Data of other services (protocol section 9.11).

use serde_json::{Map, Value, json};
use vouchsafe_core::mock::form::escaped;
use vouchsafe_core::mock::respond;

use super::ask::{Ask, refuse};
use super::body::json_of;
use super::list::{Asked, Columns};
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Fault, Text, Wrong};

/// The members of the data of a mobile application.
const MOBILE: [&str; 6] = [
    "token",
    "apns_token",
    "apns_voip_token",
    "apns_notification_token",
    "apns_call_topic",
    "apns_default_topic",
];

fn refused(status: u16, code: &str, resource: &str, kind: &str, message: String) -> Refusal {
    Refusal::object(status, code, resource, message, json!({ "type": kind }))
}

fn nothing_stored(kind: &str) -> Refusal {
    let message = format!("No such external auth: \"{kind}\"");
    refused(404, "unknown-external-auth", kind, kind, message)
}

fn no_config_here(kind: &str) -> Refusal {
    let message = format!("No config found for this external auth type: \"{kind}\"");
    refused(404, "unknown-external-auth", kind, kind, message)
}

fn no_config(kind: &str) -> Refusal {
    let message = format!("Configuration for this external auth type \"{kind}\" is not defined.");
    refused(404, "unknown-config", kind, kind, message)
}

fn unknown_type(kind: &str) -> Refusal {
    let message = format!("No such auth type: \"{kind}\"");
    refused(404, "unknown-external-auth-type", "external", kind, message)
}

fn already(what: &str, kind: &str) -> Refusal {
    let message = format!("This external authentication {what} has already been set: \"{kind}\"");
    refused(409, "conflict", kind, kind, message)
}

fn key(ask: &Ask<'_>, kind: &str) -> (String, String) {
    (ask.param(0).to_owned(), kind.to_owned())
}

fn mobile(ask: &Ask<'_>) -> Outcome<Value> {
    let body = ask.body("users")?;
    let mut data = Map::new();
    for name in MOBILE {
        let rule = match name {
            "token" => Text::optional().length(1, 512),
            _ => Text::optional().length(0, 512),
        };
        let value = body.text(name, &rule).map_err(refuse("users"))?;
        data.insert(name.to_owned(), value.into());
    }
    Ok(data.into())
}

pub(super) fn create_mobile(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let data = mobile(ask)?;
    state.user(ask.param(0))?;
    let key = key(ask, "mobile");
    if state.data.external.contains_key(&key) {
        return Err(already("method", "mobile"));
    }
    state.data.external.insert(key, data.clone());
    Ok(respond::json(201, &data))
}

pub(super) fn update_mobile(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let data = mobile(ask)?;
    state.user(ask.param(0))?;
    state.data.external.insert(key(ask, "mobile"), data.clone());
    Ok(respond::json(200, &data))
}

pub(super) fn get(state: &State, ask: &Ask<'_>, kind: &str) -> Outcome {
    state.user(ask.param(0))?;
    let data = state.data.external.get(&key(ask, kind));
    let data = data.ok_or_else(|| nothing_stored(kind))?;
    Ok(respond::json(200, data))
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>, kind: &str) -> Outcome {
    state.user(ask.param(0))?;
    let removed = state.data.external.remove(&key(ask, kind));
    removed.ok_or_else(|| nothing_stored(kind))?;
    Ok(respond::empty(204))
}

pub(super) fn get_sender(state: &State, ask: &Ask<'_>) -> Outcome {
    let user = state.user(ask.param(0))?;
    let config = state
        .data
        .external_config
        .get(&(user.tenant.clone(), "mobile".to_owned()));
    let config = config.ok_or_else(|| no_config_here("mobile"))?;
    Ok(respond::json(
        200,
        &json!({"sender_id": config["fcm_sender_id"]}),
    ))
}

/// Starts a consent. The rest needs the other service, or `consent` of the management.
pub(super) fn begin_consent(state: &mut State, ask: &Ask<'_>, kind: &str) -> Outcome {
    let body = ask.body("users")?;
    let scope = body.value("scope", false, false, |value| {
        value.as_array().cloned().ok_or(Wrong::Type("list"))
    });
    let scope = scope.map_err(refuse("users"))?;
    let mut scopes = Vec::new();
    for (at, item) in scopes_of(scope.as_ref(), kind).iter().enumerate() {
        let fault = |wrong| -> Fault { (format!("scope.{at}"), wrong) };
        let text = Text::required().length(1, 512).read(item).map_err(fault);
        scopes.push(text.map_err(refuse("users"))?);
    }
    let user = state.user(ask.param(0))?;
    let config = state
        .data
        .external_config
        .get(&(user.tenant.clone(), kind.to_owned()));
    let config = config.ok_or_else(|| no_config(kind))?;
    let client_id = config["client_id"].as_str().unwrap_or_default().to_owned();
    let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut letter = || char::from(letters[state.random.usize(..letters.len())]);
    let consent: String = (0..30).map(|_| letter()).collect();
    let (path, more) = match kind {
        "google" => ("o/oauth2/v2/auth", "&access_type=offline&prompt=consent"),
        _ => ("common/oauth2/v2.0/authorize", ""),
    };
    let url = format!(
        "https://idp.example.com/{path}?response_type=code&client_id={}&redirect_uri={}&scope={}&state={consent}{more}",
        escaped(&client_id),
        escaped(&format!("https://oauth.example.com/{kind}/authorize")),
        scopes
            .iter()
            .map(|scope| escaped(scope))
            .collect::<Vec<_>>()
            .join("+"),
    );
    Ok(respond::json(
        201,
        &json!({"authorization_url": url, "state": consent}),
    ))
}

fn scopes_of(given: Option<&Vec<Value>>, kind: &str) -> Vec<Value> {
    match (given, kind) {
        (Some(given), _) => given.clone(),
        (None, "microsoft") => vec!["offline_access".into(), "Contacts.Read".into()],
        (None, _) => vec!["https://www.googleapis.com/auth/contacts.readonly".into()],
    }
}

const TYPES: Columns = Columns {
    search: &["type"],
    exact: &["type"],
    ..Columns::new(&["type"])
};

pub(super) fn list(state: &State, ask: &Ask<'_>) -> Outcome {
    let asked = Asked::read(&ask.query, &TYPES)?;
    let types = state.settings.external_types.iter();
    let items = types.map(|kind| {
        let enabled = state.data.external.contains_key(&key(ask, kind));
        json!({"type": kind, "enabled": enabled, "data": {}, "plugin_info": {}})
    });
    Ok(respond::json(
        200,
        &asked.answer(&ask.query, &TYPES, items.collect()),
    ))
}

const CONNECTED: Columns = Columns::new(&[]);

fn check_type(state: &State, kind: &str) -> Outcome<()> {
    let is_known = state.data.external_types.contains(kind)
        || state.data.external.keys().any(|(_, stored)| stored == kind)
        || state
            .settings
            .external_types
            .iter()
            .any(|known| known == kind);
    if is_known {
        Ok(())
    } else {
        Err(unknown_type(kind))
    }
}

pub(super) fn list_connected(state: &State, ask: &Ask<'_>) -> Outcome {
    let kind = ask.param(0);
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &CONNECTED)?;
    check_type(state, kind)?;
    let scope = state.scope(&tenant, asked.recurse);
    let is_listed = |user: &String| {
        let user = state.data.users.get(user);
        user.is_some_and(|user| scope.contains(&user.tenant))
    };
    let stored = state
        .data
        .external
        .keys()
        .filter(|(user, stored)| stored == kind && is_listed(user));
    let items = stored.map(|(user, _)| json!({ "uuid": user })).collect();
    Ok(respond::json(
        200,
        &asked.answer(&ask.query, &CONNECTED, items),
    ))
}

pub(super) fn get_config(state: &State, ask: &Ask<'_>) -> Outcome {
    let kind = ask.param(0);
    let tenant = ask.tenant(state)?;
    if let Some(config) = state.data.external_config.get(&(tenant, kind.to_owned())) {
        return Ok(respond::json(200, config));
    }
    let is_known = state.data.external_types.contains(kind);
    Err(if is_known {
        no_config_here(kind)
    } else {
        no_config(kind)
    })
}

pub(super) fn create_config(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let config = json_of(ask.request)?;
    let kind = ask.param(0).to_owned();
    let tenant = ask.tenant(state)?;
    if state
        .data
        .external_config
        .contains_key(&(tenant.clone(), kind.clone()))
    {
        return Err(already("config", &kind));
    }
    state.data.external_types.insert(kind.clone());
    state.data.external_config.insert((tenant, kind), config);
    Ok(respond::json(201, &json!("")))
}

fn config_mut<'s>(state: &'s mut State, ask: &Ask<'_>) -> Outcome<&'s mut Value> {
    let kind = ask.param(0).to_owned();
    let tenant = ask.tenant(state)?;
    if !state.data.external_types.contains(&kind) {
        return Err(unknown_type(&kind));
    }
    let config = state.data.external_config.get_mut(&(tenant, kind.clone()));
    config.ok_or_else(|| no_config_here(&kind))
}

pub(super) fn update_config(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let new = json_of(ask.request)?;
    *config_mut(state, ask)? = new;
    Ok(respond::empty(204))
}

pub(super) fn delete_config(state: &mut State, ask: &Ask<'_>) -> Outcome {
    config_mut(state, ask)?;
    let tenant = ask.tenant(state)?;
    state
        .data
        .external_config
        .remove(&(tenant, ask.param(0).to_owned()));
    Ok(respond::empty(204))
}
