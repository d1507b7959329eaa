//! Sending messages.

use vouchsafe_core::mock::form::header;

use super::ask::Ask;
use super::message::{Message, MessageKind};
use super::state::State;
use super::tokens;

/// Sends a message with a link that confirms an address.
pub(super) fn confirmation(
    state: &mut State,
    ask: &Ask<'_>,
    name: Option<&str>,
    address: &str,
    uuid: &str,
) {
    let lifetime = state.settings.confirmation_lifetime;
    let access = format!("auth.emails.{uuid}.confirm.edit");
    let token = tokens::own_token(state, ask.now(), access, lifetime);
    let host = header(ask.request, "host").unwrap_or_default();
    let prefix = header(ask.request, "x-script-name").unwrap_or_default();
    state.data.outbox.push(Message {
        to: addressee(name, address),
        kind: MessageKind::Confirmation,
        link: format!("https://{host}{prefix}/0.1/emails/{uuid}/confirm?token={token}"),
        token,
        about: uuid.to_owned(),
    });
}

/// Sends a message with a link that leads to where a new password is set.
pub(super) fn password_reset(
    state: &mut State,
    ask: &Ask<'_>,
    name: Option<&str>,
    address: &str,
    uuid: &str,
) {
    let lifetime = state.settings.reset_lifetime;
    let access = format!("auth.users.password.reset.{uuid}.create");
    let token = tokens::own_token(state, ask.now(), access, lifetime);
    let host = header(ask.request, "host").unwrap_or_default();
    state.data.outbox.push(Message {
        to: addressee(name, address),
        kind: MessageKind::PasswordReset,
        link: format!(
            "https://app.wazo.io/reset-password?host={host}&token={token}&user_uuid={uuid}"
        ),
        token,
        about: uuid.to_owned(),
    });
}

fn addressee(name: Option<&str>, address: &str) -> String {
    format!("{} <{address}>", name.unwrap_or_default())
}
