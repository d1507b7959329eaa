//! The description of a ticket's contents for people, which is the same in the libraries of all
//! languages. It never contains the signature.

use std::fmt::Write as _;

use crate::engine::message::{self, Ticket};
use crate::engine::status::TicketStatus;
use crate::engine::text::TicketType;

/// Returns the text for a ticket of that type, status and (possibly partial) payload.
pub(crate) fn debug_info(kind: TicketType, status: TicketStatus, payload: &[u8]) -> String {
    match (status, kind) {
        (TicketStatus::Malformed, _) => "status=malformed;".to_owned(),
        (TicketStatus::InvalidTicketType, kind) => format!("ticket_type=not-{};", kind.as_str()),
        (_, TicketType::Service) => service(payload),
        (_, TicketType::User) => user(payload),
    }
}

fn service(payload: &[u8]) -> String {
    let ticket = Ticket::decode_partial(payload).unwrap_or_default();
    let part = ticket.service.unwrap_or_default();
    let mut text = Text::new(TicketType::Service);
    text.number("expiration_time", ticket.expiration_time);
    text.number("src", part.src);
    text.number("dst", part.dst);
    text.texts("scope", message::service_scopes(payload));
    text.number("issuer_uid", part.issuer_uid);
    text.finish()
}

fn user(payload: &[u8]) -> String {
    let ticket = Ticket::decode_partial(payload).unwrap_or_default();
    let part = ticket.user.unwrap_or_default();
    let mut text = Text::new(TicketType::User);
    text.number(
        "expiration_time",
        ticket.expiration_time.filter(|time| *time > 0),
    );
    text.texts("scope", message::user_scopes(payload));
    text.number("default_uid", part.default_uid.filter(|uid| uid.get() > 0));
    for user in message::users(payload) {
        text.number("uid", Some(user.uid));
    }
    text.number("env", Some(part.env.unwrap_or_default()));
    let login_id = Some(message::login_id(payload)).filter(|id| !id.is_empty());
    text.texts("login_id", login_id);
    text.number(
        "location",
        Some(part.location).filter(|location| *location > 0),
    );
    text.number(
        "device_type",
        Some(part.device_type).filter(|device| *device > 0),
    );
    text.finish()
}

struct Text(String);

impl Text {
    fn new(kind: TicketType) -> Self {
        Self(format!("ticket_type={}", kind.as_str()))
    }

    fn number(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _ = write!(self.0, ";{name}={value}");
        }
    }

    fn texts<'p>(&mut self, name: &str, values: impl IntoIterator<Item = &'p [u8]>) {
        for value in values {
            self.number(name, Some(String::from_utf8_lossy(value)));
        }
    }

    fn finish(mut self) -> String {
        self.0.push(';');
        self.0
    }
}
