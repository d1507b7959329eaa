//! Classes of the engine: checks, keys, secrets, roles, small rules.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};
use vouchsafe::core::Secret;
use vouchsafe::ticket::{
    BlackboxEnv, CheckError, CheckedServiceTicket, CheckedUserTicket, Entity, Error, ErrorKind,
    KeyContainer, KeyId, Roles, ServiceContext, ServiceSecret, SubjectRoles, TicketStatus, TvmId,
    Uid, UserContext, mock, peek_expiration, query, redact,
};

use super::support::{
    Fixtures, contains, env, flag, id, known, now, same, status, text, tvm_id, uid,
};

pub(super) fn service_check(keys: &Fixtures, case: &Value) -> Result<(), String> {
    let context = service_context(keys, case);
    same(
        &service_outcome(context.check(text(case, "ticket"), now(case))),
        &case["expect"],
    )
}

pub(super) fn user_check(keys: &Fixtures, case: &Value) -> Result<(), String> {
    let context = UserContext::new(env(case, "env"), &keys.container(case)).unwrap();
    same(
        &user_outcome(context.check(text(case, "ticket"), now(case))),
        &case["expect"],
    )
}

pub(super) fn auto_role_check(keys: &Fixtures, case: &Value) -> Result<(), String> {
    let roles = Roles::parse(text(case, "document"), now(case)).unwrap();
    let ticket = text(case, "ticket");
    let error = if is_service(case, "kind") {
        let checked = service_context(keys, case).check(ticket, now(case));
        checked
            .and_then(|ticket| roles.require_source(ticket))
            .err()
    } else {
        let context = UserContext::new(env(case, "env"), &keys.container(case)).unwrap();
        let checked = context.check(ticket, now(case));
        checked
            .and_then(|ticket| roles.require_default_uid(ticket))
            .err()
    };
    if let Some(fragment) = case["error"].as_str() {
        return contains(&error.ok_or("no error")?.to_string(), fragment);
    }
    let status = error.map_or(TicketStatus::Ok, |error| error.status().unwrap());
    same(&status_json(status), &case["expect"])
}

pub(super) fn key_container(case: &Value) -> Result<(), String> {
    let keys = match KeyContainer::parse(text(case, "text")) {
        Ok(keys) => keys,
        Err(error) => return keys_error(&error, &case["expect"]),
    };
    let ids = |ids: &mut dyn Iterator<Item = KeyId>| {
        let ids: Vec<_> = ids.map(KeyId::get).collect();
        if ids.is_empty() {
            Value::Null
        } else {
            json!(ids)
        }
    };
    let service = match ServiceContext::new(TvmId::new(1), &keys) {
        Ok(context) => ids(&mut context.key_ids()),
        Err(error) => return keys_error(&error, &case["expect"]),
    };
    let mut users = BTreeMap::new();
    for env in BlackboxEnv::ALL {
        match UserContext::new(env, &keys) {
            Ok(context) => users.insert(env.name(), ids(&mut context.key_ids())),
            Err(error) => return keys_error(&error, &case["expect"]),
        };
    }
    same(
        &json!({"service_ids": service, "user_ids": users}),
        &case["expect"],
    )
}

pub(super) fn env_override(case: &Value) -> Result<(), String> {
    let (from, to) = (env(case, "original"), env(case, "override"));
    same(&json!(from.may_override_to(to)), &case["expect"])
}

pub(super) fn expiration_peek(case: &Value) -> Result<(), String> {
    same(
        &json!(peek_expiration(text(case, "ticket"))),
        &case["expect"],
    )
}

pub(super) fn redaction(case: &Value) -> Result<(), String> {
    same(&json!(redact(text(case, "input"))), &case["expect"])
}

pub(super) fn cgi_escape(case: &Value) -> Result<(), String> {
    let escaped = query::escape(text(case, "input"));
    same(&json!(query::unescape(&escaped)), &case["input"])?;
    same(&json!(escaped), &case["expect"])
}

pub(super) fn sign_params(case: &Value) -> Result<(), String> {
    match ServiceSecret::parse(&Secret::from(text(case, "secret"))) {
        Ok(secret) => {
            let part = |name| text(case, name);
            let signature = secret.sign_params(part("ts"), part("dst"), part("scopes"));
            same(&json!(signature.expose()), &case["expect"])
        }
        Err(error) => {
            same(&Value::Null, &case["expect"])?;
            same(
                &json!(error.kind() == ErrorKind::MalformedSecret),
                &json!(true),
            )?;
            same(&json!("MalformedTvmSecret"), &case["error"])?;
            contains(error.message(), text(case, "message"))
        }
    }
}

pub(super) fn roles_parse(case: &Value) -> Result<(), String> {
    match Roles::parse(text(case, "document"), SystemTime::UNIX_EPOCH) {
        Ok(roles) => {
            let mut services: Vec<_> = roles.services().map(TvmId::get).collect();
            let mut users: Vec<_> = roles.users().map(Uid::get).collect();
            services.sort_unstable();
            users.sort_unstable();
            let actual = json!({
                "revision": roles.revision(), "born_time": roles.born_time(),
                "tvm": services, "user": users,
            });
            same(&actual, &case["expect"])
        }
        Err(error) => contains(error.message(), case["error"].as_str().ok_or("an error")?),
    }
}

pub(super) fn roles_check(case: &Value) -> Result<(), String> {
    let members = [
        "type",
        "status",
        "src",
        "default_uid",
        "uids",
        "env",
        "scopes",
    ];
    known(&case["ticket"], "a ticket", &members)?;
    match decide(case) {
        Ok(actual) if case["error"].is_null() => same(&actual, &case["expect"]),
        Ok(actual) => Err(format!("no error but {actual}")),
        Err(error) => contains(
            error.message(),
            case["error"].as_str().unwrap_or("no error"),
        ),
    }
}

pub(super) fn unittest_tickets(case: &Value) -> Result<(), String> {
    let status = status(case);
    let outcome = if is_service(case, "kind") {
        let mut ticket = mock::ServiceTicket::new(tvm_id(case, "src")).status(status);
        if !case["issuer_uid"].is_null() {
            ticket = ticket.issuer_uid(uid(&case["issuer_uid"]));
        }
        service_outcome(ticket.check())
    } else {
        match user_ticket(case).check() {
            Ok(checked) => user_outcome(checked),
            Err(error) => return contains(error.message(), text(case, "error")),
        }
    };
    let mut expected = case["expect"].clone();
    if status != TicketStatus::Ok {
        // An invalid ticket has no accessors, so its expiration cannot be compared.
        expected.as_object_mut().unwrap().remove("expiration_time");
    }
    same(&outcome, &expected)
}

/// Whether a case is about a ticket of a service; the other kind is that of a user.
fn is_service(case: &Value, field: &str) -> bool {
    match text(case, field) {
        "service" => true,
        "user" => false,
        other => panic!("unknown {field} {other}"),
    }
}

fn decide(case: &Value) -> Result<Value, Error> {
    let roles = Roles::parse(text(case, "document"), SystemTime::UNIX_EPOCH)?;
    let ticket = &case["ticket"];
    let subject = if is_service(ticket, "type") {
        let checked = mock::ServiceTicket::new(tvm_id(ticket, "src"))
            .status(status(ticket))
            .check();
        roles.of_service(&checked?)
    } else {
        let checked = user_ticket(ticket).check()??;
        match &case["selected_uid"] {
            Value::Null => roles.of_default_uid(&checked)?,
            selected => roles.of_selected_uid(&checked, uid(selected))?,
        }
    };
    let role = case["role"].as_str().unwrap_or_default();
    Ok(match text(case, "op") {
        "check_service_role" | "check_user_role" => match &case["exact_entity"] {
            Value::Null => json!(subject.has(role)),
            entity => json!(subject.has_entity(role, &pairs(entity))),
        },
        "entities_with_attrs" => {
            let attrs = pairs(&case["attrs"]);
            json!(
                subject
                    .entities_with(role, &attrs)
                    .into_iter()
                    .map(entity)
                    .collect::<Vec<_>>()
            )
        }
        "get_service_roles" | "get_user_roles" => all_roles(&subject),
        other => panic!("unknown operation {other}"),
    })
}

fn all_roles(subject: &SubjectRoles<'_>) -> Value {
    json!(
        subject
            .iter()
            .map(|(name, list)| (name, list.map(entity).collect::<Vec<_>>()))
            .collect::<BTreeMap<_, _>>()
    )
}

fn entity(entity: &Entity) -> Value {
    json!(entity.iter().collect::<BTreeMap<_, _>>())
}

fn pairs(attrs: &Value) -> Vec<(&str, &str)> {
    let attrs = attrs.as_object().unwrap();
    attrs
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap()))
        .collect()
}

fn user_ticket(case: &Value) -> mock::UserTicket {
    let uids = case["uids"].as_array().unwrap().iter().map(uid);
    let scopes = case["scopes"].as_array().into_iter().flatten();
    mock::UserTicket::new(uid(&case["default_uid"]))
        .status(status(case))
        .uids(uids)
        .scopes(scopes.map(|scope| scope.as_str().unwrap()))
        .env(env(case, "env"))
}

fn service_outcome(checked: Result<CheckedServiceTicket<'_>, CheckError>) -> Value {
    let ticket = match checked {
        Ok(ticket) => ticket,
        Err(error) => return refusal(&error),
    };
    // A scope that is not UTF-8 is shown with replacements, and cannot be asked for.
    let is_whole = |scope: &Cow<'_, str>| !scope.contains(char::REPLACEMENT_CHARACTER);
    for scope in ticket.scopes().filter(is_whole) {
        assert!(ticket.has_scope(&scope));
    }
    let mut outcome = status_json(TicketStatus::Ok);
    outcome["debug_info"] = json!(ticket.debug_info());
    outcome["src"] = json!(ticket.src());
    outcome["dst"] = json!(ticket.dst());
    outcome["scopes"] = json!(ticket.scopes().collect::<Vec<_>>());
    outcome["issuer_uid"] = json!(ticket.issuer_uid());
    outcome["expiration_time"] = json!(ticket.expiration_time());
    outcome["key_id"] = json!(ticket.key_id());
    outcome
}

fn user_outcome(checked: Result<CheckedUserTicket<'_>, CheckError>) -> Value {
    let ticket = match checked {
        Ok(ticket) => ticket,
        Err(error) => return refusal(&error),
    };
    let users = ticket.users().map(|user| {
        json!({
            "uid": user.uid, "current_porg_id": user.current_porg_id,
            "current_muid": user.current_muid,
        })
    });
    let mut outcome = status_json(TicketStatus::Ok);
    outcome["debug_info"] = json!(ticket.debug_info());
    outcome["default_uid"] = json!(ticket.default_uid());
    outcome["uids"] = json!(ticket.uids().collect::<Vec<_>>());
    outcome["users_ext"] = json!(users.collect::<Vec<_>>());
    outcome["scopes"] = json!(ticket.scopes().collect::<Vec<_>>());
    outcome["env"] = json!(ticket.env().name());
    outcome["entry_point"] = json!(ticket.entry_point());
    outcome["login_id"] = json!(ticket.login_id());
    outcome["location"] = json!(ticket.location());
    outcome["device_type"] = json!(ticket.device_type());
    outcome["expiration_time"] = json!(ticket.expiration_time());
    outcome["key_id"] = json!(ticket.key_id());
    outcome
}

fn refusal(error: &CheckError) -> Value {
    let Some(status) = error.status() else {
        return json!({"error": format!("{:?}", error.kind()), "message": error.to_string()});
    };
    let mut outcome = status_json(status);
    outcome["debug_info"] = json!(error.debug_info());
    outcome
}

fn status_json(status: TicketStatus) -> Value {
    json!({"status": status.name(), "status_code": status.code(), "message": status.message()})
}

fn keys_error(error: &Error, expected: &Value) -> Result<(), String> {
    let name = match error.kind() {
        ErrorKind::MalformedKeys => "MalformedTvmKeys",
        ErrorKind::EmptyKeys => "EmptyTvmKeys",
        other => panic!("{other:?}"),
    };
    known(expected, "what is expected", &["error", "message"])?;
    contains(name, text(expected, "error"))?;
    contains(error.message(), text(expected, "message"))
}

fn service_context(keys: &Fixtures, case: &Value) -> ServiceContext {
    let container = keys.container(case);
    if !flag(case, "need_dst_check", true) {
        return ServiceContext::for_any_destination(&container).unwrap();
    }
    let more = case["additional_self_tvm_ids"]
        .as_array()
        .into_iter()
        .flatten();
    ServiceContext::new(tvm_id(case, "self_tvm_id"), &container)
        .unwrap()
        .also_for(more.map(id))
}
