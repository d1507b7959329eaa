//! The service's configuration and state (protocol sections 9.3, 9.16 and 9.17).

use serde_json::{Value, json};
use vouchsafe_core::mock::respond;

use super::ask::Ask;
use super::body::json_of;
use super::refusal::{Outcome, Refusal};
use super::state::State;

fn check_top(state: &State, ask: &Ask<'_>) -> Outcome<()> {
    let caller = &ask.caller()?.token;
    let is_top = caller.tenant.as_deref() == Some(state.top()) || caller.tenant.is_none();
    if is_top {
        return Ok(());
    }
    Err(Refusal::unauthorized(
        json!({ "invalid_token": ask.token() }),
    ))
}

fn config(state: &State) -> Value {
    let settings = &state.settings;
    json!({
        "debug": state.debug,
        "profiling_enabled": state.profiling,
        "default_token_lifetime": settings.token_lifetime,
        "max_user_concurrent_sessions": settings.max_sessions,
        "token_cleanup_interval": settings.cleanup_interval,
        "password_reset_expiration": settings.reset_lifetime,
        "email_confirmation_expiration": settings.confirmation_lifetime,
        "default_user_policy": settings.default_user_policy,
        "all_users_policies": settings.all_users_policies,
    })
}

pub(super) fn get(state: &State, ask: &Ask<'_>) -> Outcome {
    check_top(state, ask)?;
    Ok(respond::json(200, &config(state)))
}

pub(super) fn patch(state: &mut State, ask: &Ask<'_>) -> Outcome {
    check_top(state, ask)?;
    let patch = json_of(ask.request)?;
    let refused = || Refusal::Other {
        status: 500,
        body: patch.clone(),
    };
    let mut changes = Vec::new();
    for step in patch.as_array().ok_or_else(refused)? {
        let value = step["value"].as_bool().filter(|_| step["op"] == "replace");
        let value = value.ok_or_else(refused)?;
        match step["path"].as_str() {
            Some("/debug") => changes.push((true, value)),
            Some("/profiling_enabled") => changes.push((false, value)),
            _ => return Err(refused()),
        }
    }
    for (is_debug, value) in changes {
        if is_debug {
            state.debug = value;
        } else {
            state.profiling = value;
        }
    }
    Ok(respond::json(200, &config(state)))
}

pub(super) fn list_backends(state: &State) -> Outcome {
    Ok(respond::json(
        200,
        &json!({"data": state.settings.backends}),
    ))
}

pub(super) fn check_status(state: &State) -> Outcome {
    let is_fine = !state.is_failing && !state.is_starting;
    Ok(respond::empty(if is_fine { 200 } else { 503 }))
}
