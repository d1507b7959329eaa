//! Taking the signature out of a ticket before it is shown.

/// Returns the ticket without its signature, for logs.
///
/// Of a text that begins like a ticket everything behind the last colon is dropped; any other
/// text comes back as it is, so do not use this on what may be another kind of secret.
///
/// ```
/// assert_eq!(vouchsafe_ticket::redact("3:serv:CBAQ:c2lnbmF0dXJl"), "3:serv:CBAQ:");
/// assert_eq!(vouchsafe_ticket::redact("no ticket"), "no ticket");
/// ```
#[must_use]
#[doc(alias = "remove_signature")]
pub fn redact(ticket: &str) -> &str {
    if !ticket.starts_with("3:") {
        return ticket;
    }
    match ticket.rfind(':') {
        Some(last) => &ticket[..=last],
        None => ticket,
    }
}
