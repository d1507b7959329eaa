//! Changing and resetting passwords (protocol section 9.5).

use serde_json::{Value, json};
use vouchsafe_core::mock::respond;

use super::ask::{Ask, refuse};
use super::messages;
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Body, Text, uuid};

pub(super) fn change(state: &mut State, ask: &Ask<'_>) -> Outcome {
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
    messages::password_reset(state, ask, name.as_deref(), &address, &uuid);
    Ok(respond::empty(204))
}

pub(super) fn reset(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let wrong = |message: Value| Refusal::object(400, "invalid-data", "reset", message, json!({}));
    let given = ask.query.first("user_uuid").unwrap_or_default();
    let user = uuid(given).ok_or_else(|| wrong("Not a valid UUID.".into()))?;
    let token = ask.query.first("token").unwrap_or_else(|| ask.token());
    let access = format!("auth.users.password.reset.{user}.create");
    let found = state.token(token, ask.now());
    if !found.is_some_and(|found| state.acl(found).allows(&access)) {
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
