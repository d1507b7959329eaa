//! Removes signatures before tickets are shown.

/// Returns the ticket without its signature, for logs.
///
/// If the text begins like a ticket, everything after the last colon is removed. Any other text is
/// returned unchanged, so do not use this on what may be another kind of secret.
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

/// Returns a foreign text without the signatures in it: those of tickets, and that of a request for
/// tickets. Servers quote what they refuse, and a truncated answer is not JSON but full of tickets.
#[cfg(feature = "client")]
pub(crate) fn without_signatures(text: &str) -> String {
    const MARKS: [(&str, usize); 3] = [("3:serv:", 1), ("3:user:", 1), ("sign=", 0)];
    let is_base64url = |char: char| char.is_ascii_alphanumeric() || "-_=".contains(char);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, mark, parts)) = MARKS
        .iter()
        .filter_map(|(mark, parts)| Some((rest.find(mark)?, *mark, *parts)))
        .min()
    {
        let (before, mut behind) = rest.split_at(at + mark.len());
        shown.push_str(before);
        for _ in 0..parts {
            let payload = behind.trim_start_matches(is_base64url);
            let Some(signature) = payload.strip_prefix(':') else {
                break;
            };
            shown.push_str(&behind[..behind.len() - signature.len()]);
            behind = signature.trim_start_matches(is_base64url);
        }
        rest = match parts {
            0 => behind.trim_start_matches(is_base64url),
            _ => behind,
        };
    }
    shown + rest
}

#[cfg(all(test, feature = "client"))]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_cut_out_of_any_text() {
        for (text, shown) in [
            ("", ""),
            ("nothing here: 3:service", "nothing here: 3:service"),
            (
                r#"{"42":{"ticket":"3:serv:CBAQ:c2ln-_b="},"x":"3:user:AA:BB""#,
                r#"{"42":{"ticket":"3:serv:CBAQ:"},"x":"3:user:AA:""#,
            ),
            ("3:serv:CBAQ:c2ln", "3:serv:CBAQ:"),
            ("3:serv:CBAQ", "3:serv:CBAQ"),
            ("é 3:user:AA:BB é", "é 3:user:AA: é"),
            ("ts=1&sign=c2ln&x=1 3:serv:A:B", "ts=1&sign=&x=1 3:serv:A:"),
        ] {
            assert_eq!(without_signatures(text), shown, "{text}");
        }
    }
}
