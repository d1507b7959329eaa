//! Properties of any bytes: no panic, memory in proportion to the input, and the same answer as a
//! second, slower implementation.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vouchsafe_ticket::protocol::blob::{append_json_array, split_roles, split_tickets};
use vouchsafe_ticket::protocol::tool::Meta;
use vouchsafe_ticket::protocol::{
    Blob, RetrySettings, parse_all, parse_tool, parse_tvm_api, roles_codec,
};
use vouchsafe_ticket::rw::{PrivateKey, PublicKey};
use vouchsafe_ticket::{
    BlackboxEnv, KeyContainer, KeyId, Roles, ServiceContext, TicketStatus, TvmId, UserContext,
    base64url, inspect, peek_expiration, redact,
};

/// Bytes as a ticket, and bytes as the message of a ticket that is signed.
pub fn ticket(data: &[u8]) {
    let world = World::get();
    let text = String::from_utf8_lossy(data);
    for ticket in [
        text.clone(),
        format!("3:serv:{text}").into(),
        format!("3:user:{text}").into(),
    ] {
        let service = world.service.check(&ticket, now());
        assert_eq!(
            service.is_err(),
            world.service.check(&ticket, now()).is_err()
        );
        let _ = world.user.check(&ticket, now());
        let _ = peek_expiration(&ticket);
        assert!(ticket.starts_with(redact(&ticket)));
        let inspected = inspect(&ticket);
        let shown = format!("{inspected:?} {}", inspected.debug_info());
        assert!(
            shown.len() < 4096 + 64 * ticket.len(),
            "{} bytes",
            shown.len()
        );
    }
    if data.is_empty() {
        return;
    }
    for kind in ["serv", "user"] {
        let signed = format!("3:{kind}:{}:", base64url::encode(data));
        let signature = world.key.sign(signed.as_bytes()).expect("the key can sign");
        let ticket = format!("{signed}{}", base64url::encode(&signature));
        let message = reference::Ticket::decode(data);
        let status = if kind == "serv" {
            let checked = world.service.check(&ticket, now());
            checked.map_or_else(|error| error.status(), |_| Some(TicketStatus::Ok))
        } else {
            let checked = world.user.check(&ticket, now());
            checked.map_or_else(|error| error.status(), |_| Some(TicketStatus::Ok))
        };
        let expected = message.map_or(TicketStatus::Malformed, |ticket| ticket.status(kind));
        assert_eq!(status, Some(expected), "{kind} {data:?}");
        let inspected = inspect(&ticket);
        let is_whole = inspected.faults().is_empty();
        assert!(
            is_whole || expected != TicketStatus::Ok,
            "{kind} {data:?}: {inspected:?}"
        );
    }
}

/// Bytes as a modulus and a signature: vector instructions make the same of them as ordinary ones. On a
/// processor without them there is nothing to compare.
pub fn squares(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    // As long as keys in use, with up to seven bits less.
    let size = if choice & 1 == 0 { 128 } else { 256 };
    let mut modulus = vec![0; size];
    modulus
        .iter_mut()
        .zip(data)
        .for_each(|(to, from)| *to = *from);
    modulus[0] |= 0x80;
    modulus[0] >>= choice >> 1 & 7;
    let mut der = vec![0x30, 0x80, 0x02, 0x82];
    der.extend((size as u16).to_be_bytes());
    der.extend(&modulus);
    der.extend([0, 0]);
    let key = PublicKey::from_der(&der).expect("any number is a key");
    if !key.is_wide() {
        return;
    }
    let signature = &data[data.len().min(size)..];
    let signature = &signature[..signature.len().min(size)];
    assert_eq!(
        key.encoded(signature),
        key.scalar().encoded(signature),
        "{modulus:x?} {signature:x?}"
    );
}

/// Bytes as the text of a container, and as the message in one.
pub fn container(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for text in [text.into_owned(), format!("1:{}", base64url::encode(data))] {
        let Ok(keys) = KeyContainer::parse(&text) else {
            continue;
        };
        if let Ok(context) = ServiceContext::for_any_destination(&keys) {
            let ids: Vec<KeyId> = context.key_ids().collect();
            assert!(ids.is_sorted_by(|a, b| a < b));
            let _ = context.check("3:serv:CBAQ__________9_GgQIAhAC:AA", now());
        }
        for env in BlackboxEnv::ALL {
            if let Ok(context) = UserContext::new(env, &keys) {
                let _ = context.check("3:user:CBAQ__________9_GgQIAhAC:AA", now());
            }
        }
    }
}

/// Bytes as a roles document: the index agrees with the text.
pub fn roles(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(roles) = Roles::parse(text, now()) else {
        return;
    };
    assert_eq!(roles.raw(), text);
    let services = roles.services().map(|id| roles.of_service_id(id));
    let users = roles.users().map(|uid| roles.of_uid(uid));
    for subject in services.chain(users) {
        assert!(subject.is_known());
        for (role, entities) in subject.iter() {
            assert!(subject.has(role));
            for entity in entities {
                let pairs: Vec<(&str, &str)> = entity.iter().collect();
                assert!(subject.has_entity(role, &pairs));
                assert!(subject.entities_with(role, &pairs).contains(&entity));
            }
            let unique = subject.entities_with(role, &[]);
            assert!(unique.is_sorted_by(|a, b| a < b));
        }
    }
}

/// Bytes as a file of the disk cache.
pub fn disk_cache(data: &[u8]) {
    if let Ok(blob) = Blob::unpack(data) {
        assert_eq!(*Blob::pack(blob.time, &blob.data), data);
    }
    let (time, content) = data.split_at(data.len().min(8));
    let mut bytes = [0; 8];
    bytes[..time.len()].copy_from_slice(time);
    let time = i64::from_le_bytes(bytes);
    let packed = Blob::pack(time, content);
    match Blob::unpack(&packed) {
        Ok(blob) => assert_eq!((blob.time, &blob.data[..]), (time, content)),
        Err(_) => assert!(content.is_empty()),
    }
    let text = String::from_utf8_lossy(content);
    if let Some((body, id)) = split_tickets(&text) {
        assert!(text.starts_with(body) && id.to_string().len() <= 10);
        let _ = (parse_all(body), parse_tvm_api(body, &[id]));
    }
    let _ = split_roles(&text);
    if let Some(joined) = append_json_array(Some(&text), &["{}"]) {
        assert!(joined.starts_with('[') && joined.ends_with("{}]"));
    }
}

/// Bytes as answers of tvmtool.
pub fn meta(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(meta) = Meta::parse(&text) {
        let config = meta.tenant("me").or_else(|| meta.tenant(""));
        if let Some(config) = config {
            let _ = parse_tool(&text, &config.destinations);
        }
    }
    let destinations = [("a".to_owned(), TvmId::new(1))].into();
    if let Ok(fetched) = parse_tool(&text, &destinations) {
        // Each destination has a ticket or a reason, never both.
        assert_eq!(fetched.tickets.len() + fetched.errors.len(), 1);
    }
}

/// Bytes as packed roles, and as the header over them.
pub fn codecs(data: &[u8]) {
    const LIMIT: usize = 1 << 16;
    let codecs = ["gzip", "brotli", "zstd"];
    let Some((&choice, body)) = data.split_first() else {
        return;
    };
    let size = usize::from(choice) * 16;
    let header = format!(
        "1:{}:{size}:{}",
        codecs[usize::from(choice) % 3],
        "0".repeat(64)
    );
    assert!(roles_codec::decode(Some(&header), body, LIMIT).is_err());
    let text = String::from_utf8_lossy(body);
    if let Ok(plain) = roles_codec::decode(Some(&text), body, LIMIT) {
        assert!(plain.len() <= LIMIT);
    }
}

/// Bytes as settings of retries.
pub fn retry_settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    for header in [text, base64url::encode(data)] {
        let parsed = RetrySettings::parse(&header);
        let again = RetrySettings::parse(&parsed.settings.to_header());
        assert_eq!(again.settings, parsed.settings);
        // An empty text is not a header.
        assert!(again.fault.is_none() || parsed.settings == RetrySettings::default());
    }
}

struct World {
    key: PrivateKey,
    service: ServiceContext,
    user: UserContext,
}

impl World {
    /// With a small key, since signing is expensive.
    fn get() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(|| {
            let key = PrivateKey::generate(536).expect("such a key can be made");
            let text = KeyContainer::builder()
                .service_key(KeyId::new(KEY), key.public())
                .user_key(BlackboxEnv::Test, KeyId::new(KEY), key.public())
                .to_text();
            let keys = KeyContainer::parse(&text).expect("it was made as a container");
            Self {
                service: ServiceContext::new(TvmId::new(OWN), &keys).expect("the key is good"),
                user: UserContext::new(BlackboxEnv::Test, &keys).expect("the key is good"),
                key,
            }
        })
    }
}

const KEY: u32 = 16;
const OWN: u32 = 2;
const NOW: i64 = 1_000_000;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs())
}

/// The messages read in the simplest way: all fields into a list, which is then searched.
mod reference {
    use super::{KEY, NOW, OWN, TicketStatus};

    type Field<'b> = (u32, Value<'b>);

    #[derive(Clone, Copy)]
    enum Value<'b> {
        Varint(u64),
        Bytes(&'b [u8]),
        Other,
    }

    #[derive(Clone, Copy)]
    pub(super) struct Ticket {
        key_id: u32,
        expiration: i64,
        /// The destination.
        service: Option<u32>,
        /// The environment.
        user: Option<u64>,
    }

    impl Ticket {
        pub(super) fn decode(message: &[u8]) -> Option<Self> {
            let fields = fields(message)?;
            let service = merged(&fields, 4)?;
            let user = merged(&fields, 3)?;
            Some(Self {
                key_id: last(&fields, 1)? as u32,
                expiration: last(&fields, 2)? as i64,
                service: match service {
                    None => None,
                    Some(fields) => {
                        last(&fields, 1)?;
                        Some(last(&fields, 2)? as u32)
                    }
                },
                user: match user {
                    None => None,
                    Some(fields) => {
                        for (number, value) in &fields {
                            if let (1, Value::Bytes(entry)) = (number, value) {
                                last(&self::fields(entry)?, 1)?;
                            }
                        }
                        last(&fields, 2)?;
                        last(&fields, 4)?;
                        let known =
                            |env: &u64| u32::try_from(*env & 0xffff_ffff).is_ok_and(|env| env < 5);
                        let mut envs = fields.iter().filter_map(|field| match field {
                            (5, Value::Varint(env)) => Some(*env),
                            _ => None,
                        });
                        Some(envs.rfind(known)? & 0xffff_ffff)
                    }
                },
            })
        }

        pub(super) fn status(self, kind: &str) -> TicketStatus {
            let common = if self.expiration <= NOW {
                TicketStatus::Expired
            } else if self.key_id != KEY {
                TicketStatus::MissingKey
            } else {
                TicketStatus::Ok
            };
            if kind == "serv" {
                return match (common, self.service) {
                    (TicketStatus::Ok, None) => TicketStatus::Malformed,
                    (TicketStatus::Ok, Some(dst)) if dst != OWN => TicketStatus::InvalidDst,
                    (status, _) => status,
                };
            }
            let own = match self.user {
                None => TicketStatus::Malformed,
                Some(env) if env != 1 => TicketStatus::InvalidBlackboxEnv,
                Some(_) => TicketStatus::Ok,
            };
            match (common, own) {
                (TicketStatus::Ok, own) => own,
                (TicketStatus::MissingKey, TicketStatus::InvalidBlackboxEnv) => own,
                (common, _) => common,
            }
        }
    }

    fn last(fields: &[Field<'_>], wanted: u32) -> Option<u64> {
        let mut values = fields.iter().filter_map(|field| match field {
            (number, Value::Varint(value)) if *number == wanted => Some(*value),
            _ => None,
        });
        values.next_back()
    }

    /// All fields of a message that may come in pieces. Outer `None`: one cannot be read.
    #[expect(clippy::option_option, reason = "broken, absent and there")]
    fn merged<'b>(outer: &[Field<'b>], wanted: u32) -> Option<Option<Vec<Field<'b>>>> {
        let mut all = None;
        for (number, value) in outer {
            if let (true, Value::Bytes(piece)) = (*number == wanted, value) {
                let all: &mut Vec<_> = all.get_or_insert_default();
                all.extend(fields(piece)?);
            }
        }
        Some(all)
    }

    fn fields(mut message: &[u8]) -> Option<Vec<Field<'_>>> {
        let mut all = Vec::new();
        while !message.is_empty() {
            let (number, kind) = tag(&mut message)?;
            all.push((number, value(&mut message, number, kind, 100)?));
        }
        Some(all)
    }

    fn tag(message: &mut &[u8]) -> Option<(u32, u64)> {
        let tag = varint(message)?;
        let number = u32::try_from(tag >> 3).ok()?;
        (u32::try_from(tag).is_ok() && number != 0).then_some((number, tag & 7))
    }

    fn value<'b>(
        message: &mut &'b [u8],
        number: u32,
        kind: u64,
        deeper: usize,
    ) -> Option<Value<'b>> {
        match kind {
            0 => varint(message).map(Value::Varint),
            1 => take(message, 8).map(|_| Value::Other),
            2 => {
                let length = usize::try_from(varint(message)?).ok()?;
                take(message, length).map(Value::Bytes)
            }
            3 => {
                let deeper = deeper.checked_sub(1)?;
                loop {
                    let (inner, kind) = tag(message)?;
                    if kind == 4 {
                        return (inner == number).then_some(Value::Other);
                    }
                    value(message, inner, kind, deeper)?;
                }
            }
            5 => take(message, 4).map(|_| Value::Other),
            _ => None,
        }
    }

    fn varint(message: &mut &[u8]) -> Option<u64> {
        let mut value: u128 = 0;
        for place in 0..10 {
            let byte = take(message, 1)?[0];
            value |= u128::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Some(value as u64);
            }
        }
        None
    }

    fn take<'b>(message: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = message.split_at_checked(length)?;
        *message = rest;
        Some(taken)
    }
}
