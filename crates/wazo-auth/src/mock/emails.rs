//! E-mail addresses and their confirmation (protocol sections 9.5, 9.9 and 9.10).

use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};
use vouchsafe_core::mock::respond;

use super::ask::Ask;
use super::data::Email;
use super::logins::{check_login, taken};
use super::messages::confirmation;
use super::refusal::{Outcome, Refusal};
use super::state::State;

use super::validate::{Body, Text, Wrong};

struct Wanted {
    address: String,
    main: bool,
    confirmed: Option<bool>,
}

fn refused(tree: Value) -> Refusal {
    Refusal::object(400, "invalid-data", "emails", tree, json!({}))
}

fn wanted(ask: &Ask<'_>, is_admin: bool) -> Outcome<Vec<Wanted>> {
    let tree = |wrong: &Wrong| refused(json!({"emails": wrong.in_tree()}));
    let body = Body::read(ask.request)?;
    let body = body.map_err(|_| refused(json!({"_schema": ["Invalid input type."]})))?;
    let items = match body.get("emails") {
        None => return Err(tree(&Wrong::Missing)),
        Some(Value::Null) => return Err(tree(&Wrong::Null)),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(tree(&Wrong::Type("dict"))),
    };
    let mut faults = Map::new();
    let mut wanted = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match one(item, is_admin) {
            Ok(one) => wanted.push(one),
            Err(fault) => {
                faults.insert(at.to_string(), fault);
            }
        }
    }
    if !faults.is_empty() {
        return Err(refused(json!({ "emails": faults })));
    }
    let rule = |text: &str| refused(json!({"_schema": [text]}));
    let main = wanted.iter().filter(|one| one.main).count();
    let is_twice = |one: &Wanted| {
        wanted
            .iter()
            .filter(|other| other.address == one.address)
            .count()
            > 1
    };
    match main {
        0 if !wanted.is_empty() => return Err(rule("At least one address should be main")),
        0 | 1 => {}
        _ => return Err(rule("Only one address should be main")),
    }
    if wanted.iter().any(is_twice) {
        return Err(rule("The same address can only be used once"));
    }
    Ok(wanted)
}

fn one(item: &Value, is_admin: bool) -> Result<Wanted, Value> {
    let Value::Object(members) = item else {
        return Err(json!({"_schema": ["Invalid input type."]}));
    };
    let body = Body::of(members);
    let mut faults = Map::new();
    let mut note = |(member, wrong): (String, Wrong)| {
        faults.insert(member, wrong.in_tree());
    };
    let address = body.text("address", &Text::required().email());
    let address = address.map_err(&mut note).ok().flatten();
    let main = body.boolean("main").map_err(&mut note).ok().flatten();
    let confirmed = match body.get("confirmed") {
        Some(Value::Null) | None => None,
        Some(_) if !is_admin => None,
        Some(_) => body.boolean("confirmed").map_err(&mut note).ok().flatten(),
    };
    match address {
        Some(address) if faults.is_empty() => Ok(Wanted {
            address,
            main: main.unwrap_or_default(),
            confirmed,
        }),
        _ => Err(faults.into()),
    }
}

pub(super) fn update(state: &mut State, ask: &Ask<'_>, is_admin: bool) -> Outcome {
    let wanted = wanted(ask, is_admin)?;
    let user = state.user(ask.param(0))?;
    let (uuid, old) = (user.uuid.clone(), user.emails.clone());
    for (at, one) in wanted.iter().enumerate() {
        let is_same = |other: &Wanted| other.address.to_lowercase() == one.address.to_lowercase();
        if wanted[..at].iter().any(is_same) {
            return Err(taken("email_address", "email_address", "None"));
        }
        check_login(state, "email_address", &one.address, Some(&uuid))?;
    }
    let mut emails = Vec::new();
    let mut shown = Vec::new();
    for one in wanted {
        let kept = old.iter().find(|email| email.address == one.address);
        let confirmed = one.confirmed.or(kept.map(|email| email.confirmed));
        let email = Email {
            uuid: kept.map_or_else(|| state.uuid(), |email| email.uuid.clone()),
            address: one.address,
            main: one.main,
            confirmed: confirmed.unwrap_or_default(),
        };
        let mut json = email.json();
        if is_admin && confirmed.is_none() {
            json["confirmed"] = Value::Null;
        }
        shown.push(json);
        emails.push(email);
    }
    if let Some(user) = state.data.users.get_mut(&uuid) {
        user.emails = emails;
    }
    Ok(respond::json(200, &shown.into()))
}

fn unknown(uuid: &str) -> Refusal {
    Refusal::unknown("email", uuid)
}

pub(super) fn request_confirmation(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let user = state.user(ask.param(0))?;
    let wanted = ask.param(1);
    let email = user
        .emails
        .iter()
        .find(|email| email.uuid == wanted)
        .ok_or_else(|| unknown(wanted))?;
    if email.confirmed {
        let message = format!("This email already confirmed: \"{wanted}\"");
        return Err(Refusal::object(
            409,
            "conflict",
            "emails",
            message,
            json!({ "uuid": wanted }),
        ));
    }
    let (name, address) = (user.username.clone(), email.address.clone());
    confirmation(state, ask, name.as_deref(), &address, wanted);
    Ok(respond::empty(204))
}

fn confirm(state: &mut State, ask: &Ask<'_>) -> Outcome<()> {
    let wanted = ask.param(0);
    let users = state.data.users.values_mut();
    let mut emails = users.flat_map(|user| user.emails.iter_mut());
    let email = emails
        .find(|email| email.uuid == wanted)
        .ok_or_else(|| unknown(wanted))?;
    email.confirmed = true;
    Ok(())
}

pub(super) fn confirm_by_token(state: &mut State, ask: &Ask<'_>) -> Outcome {
    confirm(state, ask)?;
    Ok(respond::empty(204))
}

pub(super) fn confirm_by_link(state: &mut State, ask: &Ask<'_>) -> Outcome {
    confirm(state, ask)?;
    let mut response = respond::plain(200, "Email address confirmed");
    respond::put(
        &mut response.headers,
        CONTENT_TYPE,
        "text/html; charset=utf-8",
    );
    Ok(response)
}
