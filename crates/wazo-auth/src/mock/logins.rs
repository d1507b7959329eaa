//! The names that users log in with: user names and e-mail addresses share one namespace (protocol
//! section 9.5).

use serde_json::json;

use super::data::User;
use super::refusal::{Outcome, Refusal};
use super::state::State;

pub(super) fn taken(member: &str, what: &str, value: &str) -> Refusal {
    let message = format!("The {what} \"{value}\" is already used");
    Refusal::conflict(
        "users",
        json!({member: {"constraint_id": "unique", "message": message}}),
    )
}

/// Refuses a user name or an address that another user has as either, ignoring case.
pub(super) fn check_login(
    state: &State,
    member: &str,
    login: &str,
    except: Option<&str>,
) -> Outcome<()> {
    let wanted = login.to_lowercase();
    let has_it = |user: &User| {
        let name = user.username.iter().map(String::as_str);
        let addresses = user.emails.iter().map(|email| email.address.as_str());
        name.chain(addresses)
            .any(|own| own.to_lowercase() == wanted)
    };
    let mut others = state
        .data
        .users
        .values()
        .filter(|user| Some(user.uuid.as_str()) != except);
    if others.any(has_it) {
        return Err(taken(member, "login", login));
    }
    Ok(())
}
