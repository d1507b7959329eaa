//! The contents of a ticket without its signature, for people and for programs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use vouchsafe::core::timestamp;
use vouchsafe::ticket::{InspectedTicket, TicketType};

/// Returns names and values of the ticket's contents.
pub(super) fn rows(ticket: &InspectedTicket, now: SystemTime) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            rows.push((name.to_owned(), value));
        }
    };
    let is_user = ticket.ticket_type() == Some(TicketType::User);
    add(
        "version",
        ticket.version().map(|version| version.to_string()),
    );
    add("type", ticket.ticket_type().map(name).map(str::to_owned));
    add("source", ticket.src().map(|id| id.to_string()));
    add("destination", ticket.dst().map(|id| id.to_string()));
    add("issuer uid", ticket.issuer_uid().map(|uid| uid.to_string()));
    add("environment", ticket.env().map(|env| env.to_string()));
    add(
        "default uid",
        ticket.default_uid().map(|uid| uid.to_string()),
    );
    let users: Vec<_> = ticket
        .users()
        .map(|user| {
            let mut text = user.uid.to_string();
            if user.current_porg_id != 0 || user.current_muid != 0 {
                text = format!(
                    "{text} (organisation {}, there {})",
                    user.current_porg_id, user.current_muid
                );
            }
            text
        })
        .collect();
    add("uids", is_user.then(|| users.join(", ")));
    let scopes: Vec<_> = ticket.scopes().collect();
    add("scopes", (!scopes.is_empty()).then(|| scopes.join(", ")));
    add(
        "entry point",
        ticket.entry_point().map(|point| point.to_string()),
    );
    add(
        "login id",
        Some(ticket.login_id().into_owned()).filter(|id| !id.is_empty()),
    );
    let number = |number: u64| (number != 0).then(|| number.to_string());
    add("location", number(ticket.location()));
    add("device type", number(ticket.device_type()));
    add(
        "expires",
        ticket.expiration_time().map(|time| expiry(time, now)),
    );
    add("key id", ticket.key_id().map(|id| id.to_string()));
    add(
        "signature",
        ticket
            .signature_len()
            .map(|bytes| format!("{bytes} bytes, not shown")),
    );
    add("debug info", Some(ticket.debug_info()));
    rows
}

/// Returns the same for programs. Missing values are null.
pub(super) fn json(ticket: &InspectedTicket, now: SystemTime) -> Value {
    let users = ticket.users().map(|user| {
        json!({
            "uid": user.uid,
            "current_porg_id": user.current_porg_id,
            "current_muid": user.current_muid,
        })
    });
    let expires = ticket.expiration_time();
    json!({
        "version": ticket.version().map(|version| version.to_string()),
        "type": ticket.ticket_type().map(name),
        "src": ticket.src(),
        "dst": ticket.dst(),
        "issuer_uid": ticket.issuer_uid(),
        "env": ticket.env().map(|env| env.name()),
        "default_uid": ticket.default_uid(),
        "users": users.collect::<Vec<_>>(),
        "scopes": ticket.scopes().collect::<Vec<_>>(),
        "entry_point": ticket.entry_point(),
        "login_id": Some(ticket.login_id()).filter(|id| !id.is_empty()),
        "location": ticket.location(),
        "device_type": ticket.device_type(),
        "expiration_time": expires,
        "expires": expires.and_then(date),
        "expired": expires.map(|time| time <= timestamp::unix_seconds(now)),
        "key_id": ticket.key_id(),
        "signature_bytes": ticket.signature_len(),
        "debug_info": ticket.debug_info(),
        "form": ticket.form_status().name(),
        "faults": ticket.faults(),
    })
}

/// Formats an expiry time and its distance from now.
pub(super) fn expiry(time: i64, now: SystemTime) -> String {
    if time == i64::MAX {
        return "never".to_owned();
    }
    let left = i128::from(time) - i128::from(timestamp::unix_seconds(now));
    let span = span(u64::try_from(left.unsigned_abs()).unwrap_or(u64::MAX));
    let distance = if left > 0 {
        format!("in {span}")
    } else {
        format!("EXPIRED {span} ago")
    };
    match date(time) {
        Some(date) => format!("{date} ({distance})"),
        None => format!("{time} ({distance})"),
    }
}

/// Years of more than four digits are not formatted as dates.
fn date(time: i64) -> Option<String> {
    let seconds = u64::try_from(time)
        .ok()
        .filter(|&seconds| seconds < YEAR_10_000)?;
    Some(timestamp::format(UNIX_EPOCH + Duration::from_secs(seconds)))
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

pub(super) fn name(kind: TicketType) -> &'static str {
    match kind {
        TicketType::Service => "service",
        TicketType::User => "user",
    }
}

const YEAR_10_000: u64 = 253_402_300_800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_date_and_a_distance() {
        let now = UNIX_EPOCH + Duration::from_secs(10_000);
        for (time, text) in [
            (10_060, "1970-01-01T02:47:40Z (in 60 s)"),
            (10_000, "1970-01-01T02:46:40Z (EXPIRED 0 s ago)"),
            (2_800, "1970-01-01T00:46:40Z (EXPIRED 2 h ago)"),
            (i64::MAX, "never"),
            (
                i64::MAX - 1,
                "9223372036854775806 (in 106751991167300 days)",
            ),
            (
                i64::MIN,
                "-9223372036854775808 (EXPIRED 106751991167300 days ago)",
            ),
        ] {
            assert_eq!(expiry(time, now), text);
        }
    }
}
