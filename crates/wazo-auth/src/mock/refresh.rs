//! Lists of refresh tokens (protocol sections 5.4, 9.1 and 9.2).

use serde_json::{Value, json};
use vouchsafe_core::mock::respond;

use super::ask::Ask;
use super::data::Refresh;
use super::list::{Asked, Columns};
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::tokens::seconds;

const REFRESH: Columns = Columns {
    search: &["client_id"],
    exact: &["client_id", "created_at", "mobile"],
    boolean: &["mobile"],
    ..Columns::new(&["created_at", "client_id", "mobile"])
};

fn refresh_json(state: &State, refresh: &Refresh) -> Value {
    let seconds = seconds(refresh.created.div_euclid(1_000_000));
    let micros = refresh.created.rem_euclid(1_000_000);
    json!({
        "client_id": refresh.client_id,
        "created_at": format!("{seconds}.{micros:06}+00:00"),
        "mobile": refresh.mobile,
        "user_uuid": refresh.user,
        "tenant_uuid": state.data.users.get(&refresh.user).map(|user| &user.tenant),
        "metadata": {},
    })
}

fn list_refresh_of(state: &State, ask: &Ask<'_>, is_listed: impl Fn(&Refresh) -> bool) -> Outcome {
    let asked = Asked::read(&ask.query, &REFRESH)?;
    let listed = state
        .data
        .refresh
        .values()
        .filter(|refresh| is_listed(refresh));
    let items = listed.map(|refresh| refresh_json(state, refresh)).collect();
    Ok(respond::json(
        200,
        &asked.answer(&ask.query, &REFRESH, items),
    ))
}

pub(super) fn list_refresh(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &REFRESH)?;
    let scope = state.scope(&tenant, asked.recurse);
    list_refresh_of(state, ask, |refresh| {
        let user = state.data.users.get(&refresh.user);
        user.is_some_and(|user| scope.contains(&user.tenant))
    })
}

/// Returns the user of a path, or the caller.
fn owner(state: &State, ask: &Ask<'_>, is_me: bool) -> Outcome<String> {
    let tenant = ask.tenant(state)?;
    if is_me {
        let caller = &ask.caller()?.token;
        let user = state.user(&caller.auth_id)?;
        if user.tenant == tenant {
            Ok(user.uuid.clone())
        } else {
            Err(Refusal::unknown("user", &user.uuid))
        }
    } else {
        Ok(state.visible_user(ask.param(0), &tenant)?.uuid.clone())
    }
}

pub(super) fn list_user_refresh(state: &State, ask: &Ask<'_>, is_me: bool) -> Outcome {
    let owner = owner(state, ask, is_me)?;
    list_refresh_of(state, ask, |refresh| refresh.user == owner)
}

pub(super) fn delete_user_refresh(state: &mut State, ask: &Ask<'_>, is_me: bool) -> Outcome {
    let owner = owner(state, ask, is_me)?;
    let client_id = ask.param(usize::from(!is_me));
    let before = state.data.refresh.len();
    state
        .data
        .refresh
        .retain(|_, refresh| refresh.user != owner || refresh.client_id != client_id);
    if state.data.refresh.len() == before {
        return Err(Refusal::object(
            404,
            "cannot-find-refresh-token-matching-client-id",
            "tokens",
            format!("unknown refresh_token for client_id \"{client_id}\""),
            json!({ "client_id": client_id }),
        ));
    }
    Ok(respond::empty(204))
}
