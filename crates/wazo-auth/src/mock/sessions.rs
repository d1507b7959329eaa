//! Sessions (protocol sections 5.5 and 9.7).

use vouchsafe_core::mock::respond;

use super::ask::Ask;
use super::data::Token;
use super::list::{Asked, Columns};
use super::refusal::Outcome;
use super::state::State;

const SESSIONS: Columns = Columns {
    is_sorted: false,
    ..Columns::new(&["mobile"])
};

fn sessions(state: &State, ask: &Ask<'_>, is_listed: impl Fn(&Token) -> bool) -> Outcome {
    let asked = Asked::read(&ask.query, &SESSIONS)?;
    let listed = state.data.tokens.values().filter(|token| is_listed(token));
    let items = listed.map(Token::session_json).collect();
    Ok(respond::json(
        200,
        &asked.answer(&ask.query, &SESSIONS, items),
    ))
}

pub(super) fn list_sessions(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let asked = Asked::read(&ask.query, &SESSIONS)?;
    let scope = state.scope(&tenant, asked.recurse);
    sessions(state, ask, |token| {
        let owner = token.tenant.as_ref();
        owner.is_some_and(|owner| scope.contains(owner))
    })
}

pub(super) fn list_user_sessions(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let user = &state.visible_user(ask.param(0), &tenant)?.uuid;
    sessions(state, ask, |token| token.user.as_ref() == Some(user))
}

pub(super) fn delete_session(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let subtree = state.subtree(&tenant);
    let session = ask.param(0);
    state.data.tokens.retain(|_, token| {
        let is_visible = token
            .tenant
            .as_ref()
            .is_some_and(|owner| subtree.contains(owner));
        token.session != session || !is_visible
    });
    Ok(respond::empty(204))
}

pub(super) fn delete_user_session(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let user = state.visible_user(ask.param(0), &tenant)?.uuid.clone();
    let session = ask.param(1);
    state
        .data
        .tokens
        .retain(|_, token| token.session != session || token.user.as_ref() != Some(&user));
    Ok(respond::empty(204))
}
