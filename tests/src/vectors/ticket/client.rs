//! Classes of the client: its rules, its files, its requests and what comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use vouchsafe::core::Secret;
use vouchsafe::ticket::protocol::blob::{
    append_json_array, join_roles, join_tickets, split_roles, split_tickets,
};
use vouchsafe::ticket::protocol::requests::{
    ProcInfo, if_none_match, keys_path, ticket_body, tirole_path, tool_roles_path,
    tool_tickets_path,
};
use vouchsafe::ticket::protocol::tool::{Meta, ToolEnv, birth_time};
use vouchsafe::ticket::protocol::{
    Backoff, Blob, Fetched, Health, LastError, Mode, Retriability, RetrySettings, Scope, TicketSet,
    Tickets, Verdict, parse_tool, parse_tvm_api, python_url, roles_codec,
};
use vouchsafe::ticket::{
    Client, ClientStatus, Destination, ErrorKind, ServiceSecret, StatusCode, TvmId, base64url,
};

use super::support::{
    code, contains, env, flag, hex, id, ids, known, optional, same, text, tvm_id, whole,
};

pub(super) fn backoff(case: &Value) -> Result<(), String> {
    let millis = |name: &str| Duration::from_millis(case[name].as_u64().unwrap());
    let number = |name: &str| case[name].as_f64().unwrap();
    let backoff = Backoff::new(
        millis("min_ms"),
        millis("max_ms"),
        number("factor"),
        number("jitter"),
    );
    let mut backoff = backoff.map_err(|error| error.to_string())?;
    let expected = case["expect_ms"].as_array().unwrap();
    let ops = case["ops"].as_array().unwrap();
    same(&json!(ops.len()), &json!(expected.len()))?;
    for (op, expected) in ops.iter().zip(expected) {
        known(op, "an operation", &["increase_normal", "decrease"])?;
        match (op["increase_normal"].as_f64(), op["decrease"].as_bool()) {
            (Some(draw), None) => backoff.fail(draw),
            (None, Some(true)) => backoff.succeed(),
            _ => return Err(format!("unknown operation {op}")),
        }
        let (actual, expected) = (
            backoff.current().as_secs_f64() * 1e3,
            expected.as_f64().unwrap(),
        );
        if (actual - expected).abs() > 1.0 {
            return Err(format!(
                "expected {expected} ms, got {actual} ms after {op}"
            ));
        }
    }
    Ok(())
}

pub(super) fn client_status(case: &Value) -> Result<(), String> {
    const NOW: i64 = 1_700_000_000;
    let state = &case["state"];
    let is = |name: &str| flag(state, name, false);
    let since = |name: &str| {
        let since = &state[name];
        (!since.is_null()).then(|| NOW.saturating_sub(whole(since)))
    };
    let members = [
        "mode",
        "fetch",
        "check",
        "roles",
        "incomplete_is_error",
        "tickets",
        "dsts",
        "since_tickets",
        "since_keys",
        "since_roles",
        "since_config",
    ];
    known(state, "a state", &members)?;
    let wanted = usize::try_from(state["dsts"].as_u64().unwrap()).unwrap();
    let is_tool = match text(state, "mode") {
        "tool" => true,
        "api" => false,
        other => return Err(format!("unknown mode {other}")),
    };
    let tickets = (!state["tickets"].is_null()).then(|| state["tickets"].as_array().unwrap());
    let tickets = tickets.map(|tickets| TicketSet {
        count: tickets.len(),
        invalid_at: tickets
            .iter()
            .map(|to_end| NOW.saturating_add(whole(to_end)))
            .min(),
    });
    let health = Health {
        mode: if is_tool {
            Mode::Tool {
                config_updated: since("since_config"),
            }
        } else {
            Mode::TvmApi {
                incomplete_is_error: is("incomplete_is_error"),
            }
        },
        wanted_tickets: (is("fetch") && !(is_tool && wanted == 0)).then_some(wanted),
        tickets,
        tickets_updated: since("since_tickets"),
        // In the mode of tvmtool keys are always needed (protocol section 10.2).
        wants_keys: is_tool || is("check"),
        keys_updated: since("since_keys"),
        roles_warn_after: is("roles").then_some(20 * 60),
        roles_updated: since("since_roles"),
    };
    same(&json!(health.status(NOW).name()), &case["expect"])
}

pub(super) fn disk_cache(case: &Value) -> Result<(), String> {
    match text(case, "op") {
        "unpack" => {}
        "pack" => {
            let data = match text(case, "data_b64") {
                // Encoding gives it, and decoding refuses it.
                "" => Vec::new(),
                data => base64url::decode(data.as_bytes()).unwrap(),
            };
            let packed = Blob::pack(whole(&case["time"]), &data);
            return same(
                &json!(vouchsafe::core::text::hex(&packed)),
                &case["expect_hex"],
            );
        }
        other => return Err(format!("unknown operation {other}")),
    }
    let unpacked = Blob::unpack(&hex(&case["blob_hex"])).ok();
    let actual =
        unpacked.map(|blob| json!({"time": blob.time, "data_b64": base64url::encode(&blob.data)}));
    same(&json!(actual), &case["expect"])
}

pub(super) fn disk_tickets(case: &Value) -> Result<(), String> {
    let actual = match text(case, "op") {
        "split_tickets" => split_tickets(text(case, "text"))
            .map(|(body, id)| json!({"body": body, "self_tvm_id": id})),
        "split_roles" => {
            split_roles(text(case, "text")).map(|(body, slug)| json!({"body": body, "slug": slug}))
        }
        "join_tickets" => Some(json!(join_tickets(
            text(case, "body"),
            tvm_id(case, "self_tvm_id")
        ))),
        "join_roles" => Some(json!(join_roles(text(case, "body"), text(case, "slug")))),
        "append_json_array" => {
            let answers = case["responses"].as_array().unwrap();
            let answers: Vec<&str> = answers
                .iter()
                .map(|answer| answer.as_str().unwrap())
                .collect();
            append_json_array(case["base"].as_str(), &answers).map(|joined| json!(joined))
        }
        other => return Err(format!("unknown operation {other}")),
    };
    same(&json!(actual), &case["expect"])
}

pub(super) fn http_codes(case: &Value) -> Result<(), String> {
    let verdict = match Verdict::of(code(&case["code"])) {
        Verdict::Accept => "accept",
        Verdict::Retriable => "retriable",
        Verdict::NonRetriable => "non_retriable",
    };
    same(&json!(verdict), &case["expect"])
}

pub(super) fn juggler(case: &Value) -> Result<(), String> {
    let code = status_code(text(case, "code"))?;
    let status = ClientStatus::new(code, text(case, "last_error"));
    same(&json!(status.monitoring_line()), &case["expect"])
}

pub(super) fn last_error(case: &Value) -> Result<(), String> {
    let mut last = LastError::default();
    for event in case["events"].as_array().unwrap() {
        let members = ["op", "scope", "type", "message", "path", "code"];
        known(event, "an event", &members)?;
        if text(event, "op") == "clear" && event["scope"].is_null() {
            last.clear_all();
            continue;
        }
        let scope = match text(event, "scope") {
            "ServiceTickets" => Scope::ServiceTickets,
            "PublicKeys" => Scope::PublicKeys,
            "Roles" => Scope::Roles,
            "TvmtoolConfig" => Scope::TvmtoolConfig,
            other => return Err(format!("unknown scope {other}")),
        };
        match text(event, "op") {
            "error" => {
                let retriability = match text(event, "type") {
                    "Retriable" => Retriability::Retriable,
                    "NonRetriable" => Retriability::NonRetriable,
                    other => return Err(format!("unknown type {other}")),
                };
                last.record(scope, retriability, text(event, "message"));
            }
            "http" => {
                let code = code(&event["code"]);
                last.record_http(scope, text(event, "path"), code, text(event, "message"));
            }
            "clear" => last.clear(scope),
            other => return Err(format!("unknown event {other}")),
        }
    }
    let kind = last.chosen().map(|(kind, _)| match kind {
        Retriability::Retriable => "Retriable",
        Retriability::NonRetriable => "NonRetriable",
    });
    let expected = &case["expect"];
    known(expected, "what is expected", &["kind", "message"])?;
    if expected.is_null() {
        return same(&json!(kind), expected);
    }
    if kind.is_none() {
        // What stands for nothing is not given by the protocol, but it is of no scope.
        let message = text(expected, "message");
        let scopes = ["ServiceTickets", "PublicKeys", "Roles", "TvmtoolConfig"];
        let is_of = |scope: &&str| message.starts_with(&format!("{scope}: "));
        return match scopes.iter().find(|scope| is_of(scope)) {
            Some(_) => Err(format!("expected {message:?}, but nothing is noted")),
            None => Ok(()),
        };
    }
    same(&json!(kind), &expected["kind"])?;
    same(&json!(last.message()), &expected["message"])
}

pub(super) fn python(case: &Value) -> Result<(), String> {
    let read = python_url(text(case, "url")).ok();
    let actual = read.map(|(host, port)| json!({"host": host, "port": port}));
    same(&json!(actual), &case["expect"])
}

pub(super) fn retry_settings(case: &Value) -> Result<(), String> {
    let parsed = RetrySettings::parse(text(case, "header"));
    let s = parsed.settings;
    if case["expect"].is_null() {
        return match parsed.fault {
            Some(_) => Ok(()),
            None => Err(format!("no fault but {s:?}")),
        };
    }
    if let Some(fault) = parsed.fault {
        return Err(fault.to_string());
    }
    let all = json!({
        "exponential_backoff_min_sec": s.exponential_backoff_min_sec,
        "exponential_backoff_max_sec": s.exponential_backoff_max_sec,
        "exponential_backoff_factor": s.exponential_backoff_factor,
        "exponential_backoff_jitter": s.exponential_backoff_jitter,
        "max_random_sleep_default": s.max_random_sleep_default,
        "max_random_sleep_when_ok": s.max_random_sleep_when_ok,
        "retries_on_start": s.retries_on_start,
        "retries_in_background": s.retries_in_background,
        "worker_awaking_period_sec": s.worker_awaking_period_sec,
        "dsts_limit": s.dsts_limit,
        "roles_update_period_sec": s.roles_update_period_sec,
        "roles_warn_period_sec": s.roles_warn_period_sec,
    });
    let given = all
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, value)| !value.is_null());
    let given: BTreeMap<_, _> = given.map(|(name, value)| (name, number(value))).collect();
    let expected = case["expect"].as_object().unwrap().iter();
    let expected: BTreeMap<_, _> = expected
        .map(|(name, value)| (name, number(value)))
        .collect();
    if given == expected {
        Ok(())
    } else {
        Err(format!("expected {expected:?}\n     got {given:?}"))
    }
}

/// Two and 2.0 are the same.
fn number(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| value.to_string(), |number| number.to_string())
}

pub(super) fn roles_decode(case: &Value) -> Result<(), String> {
    let body = hex(&case["body_hex"]);
    let decoded = roles_codec::decode(optional(case, "codec"), &body, 64 << 20);
    match (decoded, case["error"].as_str()) {
        (Ok(plain), None) => same(&json!(base64url::encode(&plain)), &case["expect_b64"]),
        (Ok(_), Some(fragment)) => Err(format!("no error {fragment:?}")),
        (Err(error), Some(fragment)) => contains(error.message(), fragment),
        (Err(error), None) => Err(error.to_string()),
    }
}

pub(super) fn settings(case: &Value) -> Result<(), String> {
    let settings = &case["settings"];
    let folder = tempfile::tempdir().map_err(|cause| cause.to_string())?;
    let members = [
        "check_service_tickets",
        "check_user_tickets_with_bb_env",
        "disk_cache_dir",
        "dst_aliases",
        "dsts",
        "fetch_roles_for_idm_system_slug",
        "secret",
        "self_tvm_id",
        "tirole_tvmid",
    ];
    known(settings, "the settings", &members)?;
    let own_id = settings.get("self_tvm_id").map_or(TvmId::new(0), id);
    let mut builder = Client::tvm_api(own_id);
    if let Some(secret) = optional(settings, "secret") {
        // Secrets are parsed before they are set; only whether there is one counts here.
        let secret = ServiceSecret::parse(&Secret::from(secret));
        let stand_in = ServiceSecret::parse(&Secret::from("c3RhbmQtaW4"));
        builder = builder.secret(secret.or(stand_in).map_err(|error| error.to_string())?);
    }
    for dst in settings["dsts"].as_array().into_iter().flatten() {
        builder = builder.destination(id(dst));
    }
    for (alias, dst) in settings["dst_aliases"].as_object().into_iter().flatten() {
        builder = builder.alias(alias, id(dst));
    }
    if flag(settings, "check_service_tickets", false) {
        builder = builder.check_service_tickets();
    }
    if !settings["check_user_tickets_with_bb_env"].is_null() {
        builder = builder.check_user_tickets(env(settings, "check_user_tickets_with_bb_env"));
    }
    if let Some(slug) = optional(settings, "fetch_roles_for_idm_system_slug") {
        builder = builder.roles(slug);
    }
    if let Some(tirole) = settings.get("tirole_tvmid") {
        builder = builder.tirole_tvm_id(id(tirole));
    }
    if let Some(dir) = optional(settings, "disk_cache_dir") {
        builder = builder.disk_cache(dir.replace("$TMP", &folder.path().to_string_lossy()));
    }
    match (builder.validate(), &case["expect"]) {
        (Ok(()), Value::Null) => Ok(()),
        (Ok(()), expected) => Err(format!("valid, but expected {expected}")),
        (Err(error), expected) => {
            let name = match error.kind() {
                ErrorKind::BrokenSettings => "BrokenTvmClientSettings",
                ErrorKind::PermissionDenied => "PermissionDenied",
                other => return Err(format!("{other:?}: {error}")),
            };
            known(expected, "what is expected", &["error", "message"])?;
            same(&json!(name), &expected["error"])?;
            contains(error.message(), text(expected, "message"))
        }
    }
}

pub(super) fn ticket_getter(case: &Value) -> Result<(), String> {
    let state = &case["state"];
    known(state, "a state", &["tickets", "errors", "aliases"])?;
    let by_id = |name: &str| {
        let entries = state[name].as_object().unwrap().iter();
        entries.map(|(id, text)| (id.parse().unwrap(), text.as_str().unwrap().to_owned()))
    };
    let tickets: BTreeMap<TvmId, Secret> = by_id("tickets")
        .map(|(id, text)| (id, Secret::from(text)))
        .collect();
    let errors: BTreeMap<TvmId, String> = by_id("errors").collect();
    let aliases: BTreeMap<String, TvmId> = aliases(&state["aliases"]);
    let wanted: BTreeSet<TvmId> = aliases.values().copied().collect();
    let tickets = Tickets::new(tickets, errors, wanted, aliases);
    let key = &case["key"];
    let got = match text(case, "by") {
        "id" => tickets.get(Destination::Id(tvm_id(case, "key"))),
        "alias" => tickets.get(Destination::Alias(key.as_str().unwrap())),
        other => return Err(format!("unknown way {other}")),
    };
    match got {
        Ok(ticket) => same(&json!(ticket.expose()), &case["expect"]),
        Err(error) => {
            same(&Value::Null, &case["expect"])?;
            let name = match error.kind() {
                ErrorKind::MissingServiceTicket => "MissingServiceTicket",
                ErrorKind::BrokenSettings => "BrokenTvmClientSettings",
                other => return Err(format!("{other:?}: {error}")),
            };
            same(&json!(name), &case["error"])?;
            contains(error.message(), text(case, "message"))
        }
    }
}

pub(super) fn ticket_request(case: &Value) -> Result<(), String> {
    let process = || ProcInfo {
        pid: text(case, "pid").to_owned(),
        name: case["process_name"].as_str().map(str::to_owned),
        lib_version: text(case, "version").to_owned(),
    };
    let with_revision = |path: String, name: &str, value: &str| {
        let mut headers = json!({name: value});
        if let Some(revision) = case["known_revision"].as_str() {
            headers["If-None-Match"] = if_none_match(revision).into();
        }
        json!({"path": path, "headers": headers})
    };
    let actual = match text(case, "op") {
        "ticket_body" => {
            let secret = ServiceSecret::parse(&Secret::from(text(case, "secret")));
            let secret = secret.map_err(|error| error.to_string())?;
            // The client sends them in this order, in whatever order they were given.
            let mut ids = ids(&case["dsts"]);
            ids.sort_unstable();
            let time = whole(&case["ts"]);
            let body = ticket_body(tvm_id(case, "src"), &secret, &ids, time, &process());
            json!(body.expose())
        }
        "keys_path" => {
            let env = (!case["env"].is_null()).then(|| env(case, "env"));
            json!(keys_path(tvm_id(case, "src"), env, &process()))
        }
        "tirole_request" => {
            let path = tirole_path(text(case, "system_slug"), &process());
            with_revision(path, "X-Ya-Service-Ticket", text(case, "service_ticket"))
        }
        "tool_tickets_path" => {
            let own_id = tvm_id(case, "self_tvm_id");
            let path = tool_tickets_path(own_id, &aliases(&case["dst_aliases"]));
            // In the order of a map, and the server takes them in any.
            return same(&destinations(&path), &destinations(text(case, "expect")));
        }
        "tool_roles_request" => {
            let path = tool_roles_path(text(case, "self_alias"));
            with_revision(path, "Authorization", text(case, "auth_token"))
        }
        other => return Err(format!("unknown operation {other}")),
    };
    same(&actual, &case["expect"])
}

/// Returns a target with its destinations as a sorted list.
fn destinations(target: &str) -> Value {
    let (before, list) = target.split_once("dsts=").unwrap_or((target, ""));
    let mut list: Vec<&str> = list.split(',').collect();
    list.sort_unstable();
    json!([before, list])
}

pub(super) fn tool_birthtime(case: &Value) -> Result<(), String> {
    same(
        &json!(birth_time(optional(case, "header")).ok()),
        &case["expect"],
    )
}

pub(super) fn tool_env(case: &Value) -> Result<(), String> {
    let read = ToolEnv::from_vars(|name| case["env"][name].as_str().map(str::to_owned));
    let actual = json!({
        "auth_token": read.auth_token.as_ref().map(Secret::expose),
        "port": read.port,
        "hostname": vouchsafe::ticket::protocol::tool::HOST,
    });
    same(&actual, &case["expect"])
}

pub(super) fn tool_meta(case: &Value) -> Result<(), String> {
    match Meta::parse(text(case, "meta")) {
        Err(_) => {
            same(&Value::Null, &case["expect"])?;
            same(&json!("malformed"), &case["error"])
        }
        Ok(_) if case["error"] == "malformed" => Err("it is taken".to_owned()),
        Ok(meta) => {
            let config = meta.tenant(text(case, "self_alias")).map(|config| {
                json!({
                    "self_tvm_id": config.own_id,
                    "bb_env": config.env.name(),
                    "idm_slug": config.idm_slug,
                    "dsts": config.destinations,
                })
            });
            same(&json!(config), &case["expect"])
        }
    }
}

pub(super) fn tool_tickets(case: &Value) -> Result<(), String> {
    fetched(
        parse_tool(text(case, "response"), &aliases(&case["dsts"])).ok(),
        &case["expect"],
    )
}

pub(super) fn tvmapi_tickets(case: &Value) -> Result<(), String> {
    let ids = ids(&case["dsts"]);
    fetched(
        parse_tvm_api(text(case, "response"), &ids).ok(),
        &case["expect"],
    )
}

fn fetched(fetched: Option<Fetched>, expected: &Value) -> Result<(), String> {
    let actual = fetched.map(|fetched| {
        let tickets = fetched.tickets.iter();
        let tickets: BTreeMap<_, _> = tickets.map(|(id, ticket)| (id, ticket.expose())).collect();
        json!({"tickets": tickets, "errors": fetched.errors})
    });
    same(&json!(actual), expected)
}

fn aliases(value: &Value) -> BTreeMap<String, TvmId> {
    let entries = value.as_object().unwrap().iter();
    entries
        .map(|(alias, value)| (alias.clone(), id(value)))
        .collect()
}

fn status_code(name: &str) -> Result<StatusCode, String> {
    let all = [
        StatusCode::Ok,
        StatusCode::Warning,
        StatusCode::Error,
        StatusCode::IncompleteTicketsSet,
    ];
    let found = all.into_iter().find(|code| code.name() == name);
    found.ok_or_else(|| format!("unknown status {name}"))
}
