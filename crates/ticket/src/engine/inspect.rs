//! Reads a ticket without keys, to show its contents to people. Nothing that is read here must be
//! trusted; checks are in `check`.

use std::borrow::Cow;
use std::fmt;

use crate::engine::base64url;
use crate::engine::debug_info::debug_info;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{KeyId, TvmId, Uid};
use crate::engine::message::{self, ServicePart, Ticket, UserEntry, UserPart};
use crate::engine::status::TicketStatus;
use crate::engine::text::{LONGEST, TicketText, TicketType};

/// Reads a ticket without keys, as far as possible, whole or damaged. Without version and type
/// nothing is read, since what looks like the message could then be the signature.
///
/// ```
/// let ticket = vouchsafe_ticket::inspect("3:serv:CAEQAiIECAMQBA:");
/// assert_eq!(ticket.src().map(u32::from), Some(3));
/// assert_eq!(ticket.faults(), ["there is no signature: it was taken out or cut off"]);
/// ```
#[must_use]
pub fn inspect(text: &str) -> InspectedTicket {
    let mut faults = Vec::new();
    let mut parts = text.split(':');
    let version = parts.next();
    let version = version.filter(|version| version.chars().count() == 1 && text.contains(':'));
    let kind = parts.next().unwrap_or_default();
    let [service, user] = [TicketType::Service, TicketType::User];
    let ticket_type = [service, user]
        .into_iter()
        .find(|known| known.as_str() == kind);
    match version {
        Some("3") => {}
        Some(_) => faults.push("only version 3 is known here".to_owned()),
        None => faults.push("it does not begin with a version: a ticket begins with 3:".to_owned()),
    }
    if ticket_type.is_none() {
        faults.push("its type is neither serv nor user".to_owned());
    }
    if text.len() > LONGEST {
        faults.push(format!("it is longer than {LONGEST} bytes"));
    }
    let mut payload = decode(parts.next(), "payload", &mut faults).unwrap_or_default();
    let signature = parts.next();
    // If the beginning or the middle of a text was cut off, the signature may be where the payload
    // should be.
    let has_head = version.is_some() && ticket_type.is_some();
    if !has_head || signature.is_none() && !begins_like_a_message(&payload) {
        payload = Vec::new();
    }
    let signature = decode(signature, "signature", &mut faults);
    if parts.next().is_some() {
        faults.push("there is something behind the signature".to_owned());
    }
    let ticket = read(&payload, ticket_type, &mut faults);
    InspectedTicket {
        version: version.and_then(|version| version.chars().next()),
        ticket_type,
        status: status(text, ticket_type, &payload),
        signature_len: signature.map(|bytes| bytes.len()),
        faults,
        payload,
        ticket,
    }
}

/// The contents of a ticket. **They are not authenticated**: anyone can write such a text.
///
/// It does not hold the signature. `Debug` shows the [`debug_info`](Self::debug_info).
#[derive(Clone)]
pub struct InspectedTicket {
    version: Option<char>,
    ticket_type: Option<TicketType>,
    status: TicketStatus,
    signature_len: Option<usize>,
    faults: Vec<String>,
    payload: Vec<u8>,
    ticket: Ticket,
}

impl InspectedTicket {
    /// Returns the version at the start of the text, if there is one.
    #[must_use]
    pub fn version(&self) -> Option<char> {
        self.version
    }

    /// Returns the type, if the text has one.
    #[must_use]
    pub fn ticket_type(&self) -> Option<TicketType> {
        self.ticket_type
    }

    /// Returns the faults of the form, as sentences without a full stop; empty if the ticket could
    /// be checked.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Returns the status that every check gives for this form; [`TicketStatus::Ok`] if it depends
    /// on keys and time.
    #[must_use]
    pub fn form_status(&self) -> TicketStatus {
        self.status
    }

    /// Returns the length of the signature in bytes: that of its key's modulus, if the key has a
    /// usual length.
    #[must_use]
    pub fn signature_len(&self) -> Option<usize> {
        self.signature_len
    }

    /// Returns the id of the key that the ticket claims to be signed with.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        self.ticket.key_id
    }

    /// Returns when the ticket expires, in seconds since the epoch.
    #[must_use]
    pub fn expiration_time(&self) -> Option<i64> {
        self.ticket.expiration_time
    }

    /// Returns the service that sent a service ticket.
    #[must_use]
    pub fn src(&self) -> Option<TvmId> {
        self.service().src
    }

    /// Returns the service that a service ticket is for.
    #[must_use]
    pub fn dst(&self) -> Option<TvmId> {
        self.service().dst
    }

    /// Returns the developer on whose behalf a service ticket was issued.
    #[must_use]
    pub fn issuer_uid(&self) -> Option<Uid> {
        self.service().issuer_uid
    }

    /// Returns the scopes in the ticket's order, including duplicates. Invalid UTF-8 is replaced.
    pub fn scopes(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let of_user = message::user_scopes(&self.payload);
        let of_service = message::service_scopes(&self.payload);
        let (of_user, of_service) = match self.ticket_type {
            Some(TicketType::User) => (Some(of_user), None),
            _ => (None, Some(of_service)),
        };
        let scopes = of_user.into_iter().flatten();
        scopes
            .chain(of_service.into_iter().flatten())
            .map(String::from_utf8_lossy)
    }

    /// Returns the default user.
    #[must_use]
    pub fn default_uid(&self) -> Option<Uid> {
        self.user().default_uid
    }

    /// Returns the users of a user ticket in their order.
    pub fn users(&self) -> impl Iterator<Item = UserEntry> {
        message::users(&self.payload)
    }

    /// Returns the environment that a user ticket is from.
    #[must_use]
    pub fn env(&self) -> Option<BlackboxEnv> {
        self.user().env
    }

    /// Returns the number of the place where the users were authenticated.
    #[must_use]
    pub fn entry_point(&self) -> Option<u32> {
        self.user().entry_point
    }

    /// Returns the login id; empty if there is none. Invalid UTF-8 is replaced.
    #[must_use]
    pub fn login_id(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(message::login_id(&self.payload))
    }

    /// Returns the location; zero if there is none.
    #[must_use]
    pub fn location(&self) -> u64 {
        self.user().location
    }

    /// Returns the type of the device; zero if there is none.
    #[must_use]
    pub fn device_type(&self) -> u64 {
        self.user().device_type
    }

    /// Returns the description that programs in other languages log for such a ticket.
    #[must_use]
    pub fn debug_info(&self) -> String {
        let kind = self.ticket_type.unwrap_or(TicketType::Service);
        debug_info(kind, self.status, &self.payload)
    }

    fn service(&self) -> ServicePart {
        self.ticket.service.unwrap_or_default()
    }

    fn user(&self) -> UserPart {
        self.ticket.user.unwrap_or_default()
    }
}

impl fmt::Debug for InspectedTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InspectedTicket")
            .field("faults", &self.faults)
            .field("debug_info", &self.debug_info())
            .finish()
    }
}

/// Returns whether bytes begin with a key id followed by an expiration time, as every ticket does.
fn begins_like_a_message(payload: &[u8]) -> bool {
    let Some((0x08, rest)) = payload.split_first().map(|(tag, rest)| (*tag, rest)) else {
        return false;
    };
    let mut behind = rest.iter().skip_while(|byte| **byte >= 0x80).skip(1);
    behind.next().is_none_or(|tag| *tag == 0x10)
}

fn decode(part: Option<&str>, name: &str, faults: &mut Vec<String>) -> Option<Vec<u8>> {
    let part = part.unwrap_or_default();
    if part.is_empty() {
        faults.push(match name {
            "signature" => "there is no signature: it was taken out or cut off".to_owned(),
            _ => format!("there is no {name}"),
        });
        return None;
    }
    let bytes = base64url::decode(part.as_bytes());
    if bytes.is_none() {
        faults.push(format!("the {name} is not base64url"));
    }
    bytes
}

fn read(payload: &[u8], kind: Option<TicketType>, faults: &mut Vec<String>) -> Ticket {
    if payload.is_empty() {
        return Ticket::default();
    }
    let (ticket, read) = Ticket::decode_leniently(payload);
    if read.is_err() {
        faults.push("the message in it breaks off or is damaged".to_owned());
    }
    for what in ticket.missing() {
        faults.push(format!("the message in it has no {what}"));
    }
    let lacks_part = match kind {
        Some(TicketType::Service) => ticket.service.is_none(),
        Some(TicketType::User) => ticket.user.is_none(),
        None => false,
    };
    if let (Some(kind), true, true) = (kind, lacks_part, read.is_ok()) {
        let kind = kind.as_str();
        faults.push(format!("the message in it has nothing of a {kind} ticket"));
    }
    ticket
}

/// Follows the order of a check.
fn status(text: &str, kind: Option<TicketType>, payload: &[u8]) -> TicketStatus {
    let wanted = kind.unwrap_or(TicketType::Service);
    let parts = match TicketText::split(text, wanted) {
        Ok(parts) => parts,
        Err(status) => return status,
    };
    let has_part = |ticket: Ticket| match wanted {
        TicketType::Service => ticket.service.is_some(),
        TicketType::User => ticket.user.is_some(),
    };
    let has_signature = base64url::decode(parts.signature.as_bytes()).is_some();
    match Ticket::decode(payload) {
        Ok(ticket) if has_signature && has_part(ticket) => TicketStatus::Ok,
        _ => TicketStatus::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::mint::{ServiceTicketDraft, UserTicketDraft, sign};
    use crate::engine::rw::PrivateKey;

    fn key() -> PrivateKey {
        PrivateKey::generate(1024).unwrap()
    }

    #[test]
    fn a_whole_ticket_is_read_to_its_last_field() {
        let draft = UserTicketDraft::new(BlackboxEnv::ProdYateam, Uid::new(7))
            .uids([Uid::new(7), Uid::new(8)])
            .expiration_time(100)
            .scope("a")
            .entry_point(5)
            .login_id("l")
            .location(6)
            .device_type(9);
        let text = draft.sign(KeyId::new(3), &key()).unwrap();
        let ticket = inspect(text.expose());
        let signature = text.expose().rsplit(':').next().unwrap();
        assert!(ticket.faults().is_empty(), "{ticket:?}");
        assert_eq!(ticket.form_status(), TicketStatus::Ok);
        assert_eq!(ticket.ticket_type(), Some(TicketType::User));
        assert_eq!(ticket.key_id(), Some(KeyId::new(3)));
        // A few in a thousand begin with a zero byte, which is left out.
        let signature = base64url::decode(signature.as_bytes()).unwrap();
        assert_eq!(ticket.signature_len(), Some(signature.len()));
        assert_eq!((ticket.location(), ticket.device_type()), (6, 9));
        assert_eq!(ticket.entry_point(), Some(5));
        assert_eq!(
            ticket.debug_info(),
            "ticket_type=user;expiration_time=100;scope=a;default_uid=7;uid=7;uid=8;\
             env=ProdYateam;login_id=l;location=6;device_type=9;"
        );
    }

    #[test]
    fn a_damaged_ticket_is_read_as_far_as_possible_and_the_fault_is_named() {
        let draft = ServiceTicketDraft::new(TvmId::new(10), TvmId::new(20)).scope("scope");
        let text = draft.sign(KeyId::new(3), &key()).unwrap();
        let text = text.expose();
        for (damaged, fault, status) in [
            (
                String::new(),
                "begin with a version",
                TicketStatus::Malformed,
            ),
            (
                text.replacen('3', "2", 1),
                "version 3",
                TicketStatus::UnsupportedVersion,
            ),
            (
                text.replacen("serv", "x", 1),
                "neither serv",
                TicketStatus::InvalidTicketType,
            ),
            (text[..30].to_owned(), "breaks off", TicketStatus::Malformed),
            (
                text.replacen("serv:", "serv:!", 1),
                "payload is not base64url",
                TicketStatus::Malformed,
            ),
            (
                crate::redact(text).to_owned(),
                "no signature",
                TicketStatus::Malformed,
            ),
            (
                format!("{text}!"),
                "signature is not base64url",
                TicketStatus::Malformed,
            ),
            (
                format!("{text}:x"),
                "behind the signature",
                TicketStatus::Malformed,
            ),
            (
                text.replacen("serv", "user", 1),
                "nothing of a user",
                TicketStatus::Malformed,
            ),
        ] {
            let ticket = inspect(&damaged);
            assert!(
                ticket.faults().iter().any(|told| told.contains(fault)),
                "{ticket:?}"
            );
            assert_eq!(ticket.form_status(), status, "{ticket:?}");
        }
        assert_eq!(inspect(&text[..30]).key_id(), Some(KeyId::new(3)));
        assert_eq!(
            inspect(&text.replacen('3', "2", 1)).dst(),
            Some(TvmId::new(20))
        );
    }

    #[test]
    fn what_is_required_and_missing_is_named() {
        let text = sign(TicketType::Service, b"\x10\x01\x22\x02\x08\x01", &key()).unwrap();
        let ticket = inspect(text.expose());
        assert_eq!(
            ticket.faults(),
            [
                "the message in it has no key id",
                "the message in it has no destination"
            ]
        );
    }

    #[test]
    fn a_ticket_cut_off_anywhere_shows_nothing_of_its_signature() {
        let bare = |ticket: &InspectedTicket| {
            ticket.key_id().is_none()
                && ticket.expiration_time().is_none()
                && ticket.scopes().next().is_none()
                && ticket.users().next().is_none()
                && ticket.login_id().is_empty()
        };
        // As if the signature were a message with much content.
        let signature = base64url::encode(b"\x10\x07\x1a\x0c\x32\x05stole\x52\x03nid\x08\x05");
        let payload = base64url::encode(b"\x08\x03\x10\x64\x1a\x05\x0a\x03own");
        let text = format!("3:user:{payload}:{signature}");
        assert_eq!(inspect(&text).key_id(), Some(KeyId::new(3)));
        for start in 1..text.len() {
            let ticket = inspect(&text[start..]);
            assert!(bare(&ticket), "{start}: {ticket:?}");
        }
        for end in 0..text.len() {
            let shown = format!("{:?}", inspect(&text[..end]));
            assert!(!shown.contains("stole"), "{end}: {shown}");
        }
        for lost in [format!("3:user:{signature}"), signature.clone()] {
            assert!(bare(&inspect(&lost)), "{lost}");
        }
    }

    #[test]
    fn nothing_shows_the_signature() {
        let draft = ServiceTicketDraft::new(TvmId::new(10), TvmId::new(20));
        let text = draft.sign(KeyId::new(3), &key()).unwrap();
        let signature = text.expose().rsplit(':').next().unwrap();
        for text in [
            text.expose().to_owned(),
            format!("x{}", text.expose()),
            signature.to_owned(),
        ] {
            let ticket = inspect(&text);
            let shown = format!("{ticket:?} {:?} {:?}", ticket.faults(), ticket.version());
            assert!(!shown.contains(&signature[..12]), "{shown}");
        }
    }
}
