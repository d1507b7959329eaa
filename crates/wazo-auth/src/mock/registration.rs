//! Users created without a login: by registration, and the first user of an installation (protocol
//! sections 9.5 and 9.18).

use vouchsafe_core::Secret;
use vouchsafe_core::mock::respond;

use super::ask::{Ask, refuse};
use super::logins::check_login;
use super::messages;
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::tenants;
use super::users::{Draft, PURPOSES, add};
use super::validate::Text;

pub(super) fn register(state: &mut State, ask: &Ask<'_>) -> Outcome {
    const NAME: Text = Text::optional().not_null().length(1, 256);
    if !state.settings.registration {
        return Err(Refusal::Page);
    }
    let body = ask.body("users")?;
    let refused = refuse("users");
    let username = body.text("username", &NAME).map_err(&refused)?;
    let password = body
        .text("password", &Text::required().at_least(1))
        .map_err(&refused)?;
    let firstname = body
        .text("firstname", &Text::optional())
        .map_err(&refused)?;
    let lastname = body.text("lastname", &Text::optional()).map_err(&refused)?;
    let address = body
        .text("email_address", &Text::required().email())
        .map_err(&refused)?;
    let (Some(username), Some(address)) = (username, address) else {
        return Err(Refusal::broken());
    };
    // It is kept even if the user is refused.
    let top = state.top().to_owned();
    let tenant = tenants::add(state, &top, Some(&username));
    check_login(state, "username", &username, None)?;
    check_login(state, "email_address", &address, None)?;
    let draft = Draft {
        username: Some(username.clone()),
        firstname,
        lastname,
        purpose: "user".to_owned(),
        method: None,
        enabled: true,
    };
    let email = Some((address.clone(), false));
    let user = add(
        state,
        None,
        draft,
        "default".to_owned(),
        tenant,
        password,
        email,
    );
    let uuid = user["emails"][0]["uuid"].as_str().unwrap_or_default();
    messages::confirmation(state, ask, Some(&username), &address, uuid);
    Ok(respond::json(200, &user))
}

/// The length of the key for the first user.
pub(super) const INIT_KEY: u64 = 20;

/// The policy of the service's configuration that permits everything.
const EVERYTHING: &str = "wazo_default_master_user_policy";

/// Creates the first user (protocol section 9.18). The protocol text does not say what that user may
/// do; without [`EVERYTHING`] an installation could not be set up.
pub(super) fn initialize(state: &mut State, ask: &Ask<'_>) -> Outcome {
    const PURPOSE: Text = Text::optional().not_null().one_of(PURPOSES);
    let body = ask.body("users")?;
    let refused = refuse("users");
    let username = Text::required().length(1, 256);
    let username = body.text("username", &username).map_err(&refused)?;
    let password = body
        .text("password", &Text::required().at_least(1))
        .map_err(&refused)?;
    let key = body
        .text("key", &Text::required().length(INIT_KEY, INIT_KEY))
        .map_err(&refused)?;
    let purpose = body.text("purpose", &PURPOSE).map_err(&refused)?;
    let given = Secret::from(key.unwrap_or_default());
    if state.settings.init_key.as_ref() != Some(&given) {
        return Err(Refusal::login_failed());
    }
    if let Some(username) = &username {
        check_login(state, "username", username, None)?;
    }
    let draft = Draft {
        username,
        firstname: None,
        lastname: None,
        purpose: purpose.unwrap_or_else(|| "internal".to_owned()),
        method: None,
        enabled: true,
    };
    let top = state.top().to_owned();
    let user = add(state, None, draft, "native".to_owned(), top, password, None);
    let mut policies = state.data.policies.values();
    let policy = policies.find(|policy| policy.is_configured && policy.slug == EVERYTHING);
    if let (Some(policy), Some(uuid)) = (policy, user["uuid"].as_str()) {
        state.data.user_policies.add(uuid, &policy.uuid);
    }
    state.settings.init_key = None;
    Ok(respond::json(200, &user))
}
