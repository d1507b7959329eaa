use proptest::prelude::*;

use super::*;

/// A second decoder, which builds all values, and merges parts by concatenating their bytes.
pub(crate) mod plainly {
    #[derive(Clone, Debug)]
    pub(crate) enum Field {
        Number(u64),
        Bytes(Vec<u8>),
        Skipped,
    }

    #[derive(Debug, PartialEq)]
    pub(super) struct Ticket {
        pub(super) key_id: u32,
        pub(super) expiration_time: i64,
        pub(super) service: Option<Service>,
        pub(super) user: Option<User>,
    }

    type Service = (u32, u32, Vec<Vec<u8>>, Option<u64>);

    #[derive(Debug, PartialEq)]
    pub(super) struct User {
        pub(super) users: Vec<(u64, u64, u64)>,
        pub(super) default_uid: u64,
        pub(super) scopes: Vec<Vec<u8>>,
        pub(super) entry_point: u32,
        pub(super) env: u32,
        pub(super) login_id: Vec<u8>,
        pub(super) location: u64,
        pub(super) device_type: u64,
    }

    pub(crate) type Fields = Vec<(u32, Field)>;

    pub(super) fn ticket(bytes: &[u8]) -> Option<Ticket> {
        let top = fields(bytes)?;
        let service = match merged(&top, 4)? {
            None => None,
            Some(part) => Some((
                last(&part, 1)? as u32,
                last(&part, 2)? as u32,
                all(&part, 3),
                last(&part, 4),
            )),
        };
        let user = match merged(&top, 3)? {
            None => None,
            Some(part) => Some(User {
                users: all(&part, 1)
                    .iter()
                    .map(|user| entry(user))
                    .collect::<Option<_>>()?,
                default_uid: last(&part, 2)?,
                scopes: all(&part, 3),
                entry_point: last(&part, 4)? as u32,
                env: numbers(&part, 5)
                    .map(|env| env as u32)
                    .filter(|env| *env < 5)
                    .last()?,
                login_id: all(&part, 6).pop().unwrap_or_default(),
                location: last(&part, 7).unwrap_or(0),
                device_type: last(&part, 8).unwrap_or(0),
            }),
        };
        Some(Ticket {
            key_id: last(&top, 1)? as u32,
            expiration_time: last(&top, 2)? as i64,
            service,
            user,
        })
    }

    fn entry(bytes: &[u8]) -> Option<(u64, u64, u64)> {
        let user = fields(bytes)?;
        Some((
            last(&user, 1)?,
            last(&user, 2).unwrap_or(0),
            last(&user, 3).unwrap_or(0),
        ))
    }

    pub(crate) fn merged(fields_of: &Fields, number: u32) -> Option<Option<Fields>> {
        let parts = all(fields_of, number);
        for part in &parts {
            fields(part)?;
        }
        if parts.is_empty() {
            Some(None)
        } else {
            Some(Some(fields(&parts.concat())?))
        }
    }

    pub(crate) fn numbers(fields: &Fields, number: u32) -> impl Iterator<Item = u64> {
        fields.iter().filter_map(move |field| match field {
            (n, Field::Number(value)) if *n == number => Some(*value),
            _ => None,
        })
    }

    pub(crate) fn last(fields: &Fields, number: u32) -> Option<u64> {
        numbers(fields, number).last()
    }

    pub(crate) fn all(fields: &Fields, number: u32) -> Vec<Vec<u8>> {
        let bytes = fields.iter().filter_map(|field| match field {
            (n, Field::Bytes(value)) if *n == number => Some(value.clone()),
            _ => None,
        });
        bytes.collect()
    }

    pub(crate) fn fields(bytes: &[u8]) -> Option<Fields> {
        let mut at = 0;
        let mut fields = Vec::new();
        while at < bytes.len() {
            let (number, kind) = tag(bytes, &mut at)?;
            fields.push((number, field(bytes, &mut at, number, kind, 100)?));
        }
        Some(fields)
    }

    fn field(bytes: &[u8], at: &mut usize, number: u32, kind: u64, left: u32) -> Option<Field> {
        let width = match kind {
            0 => return Some(Field::Number(varint(bytes, at)?)),
            1 => 8,
            2 => {
                let length = varint(bytes, at)?;
                let length = usize::try_from(length)
                    .ok()
                    .filter(|n| *n <= bytes.len() - *at)?;
                *at += length;
                return Some(Field::Bytes(bytes[*at - length..*at].to_vec()));
            }
            3 if left == 0 => return None,
            3 => loop {
                match tag(bytes, at)? {
                    (end, 4) if end == number => return Some(Field::Skipped),
                    (_, 4) => return None,
                    (inner, kind) => field(bytes, at, inner, kind, left - 1)?,
                };
            },
            5 => 4,
            _ => return None,
        };
        *at += width;
        (*at <= bytes.len()).then_some(Field::Skipped)
    }

    fn tag(bytes: &[u8], at: &mut usize) -> Option<(u32, u64)> {
        let tag = varint(bytes, at)?;
        let number = u32::try_from(tag >> 3).ok()?;
        (tag <= u64::from(u32::MAX) && number > 0).then_some((number, tag % 8))
    }

    fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
        let mut value = 0u128;
        for i in 0..10 {
            let byte = *bytes.get(*at)?;
            *at += 1;
            value += u128::from(byte % 128) << (7 * i);
            if byte < 128 {
                return Some(value as u64);
            }
        }
        None
    }
}

/// The result of this crate's decoder, in the form of the other.
fn decode(bytes: &[u8]) -> Option<plainly::Ticket> {
    let ticket = Ticket::decode(bytes).ok()?;
    let owned = |parts: Parts<'_>| parts.map(<[u8]>::to_vec).collect::<Vec<_>>();
    let user = |user: UserEntry| (user.uid.get(), user.current_porg_id, user.current_muid);
    Some(plainly::Ticket {
        key_id: ticket.key_id?.get(),
        expiration_time: ticket.expiration_time?,
        service: match ticket.service {
            None => None,
            Some(part) => Some((
                part.src?.get(),
                part.dst?.get(),
                owned(service_scopes(bytes)),
                part.issuer_uid.map(Uid::get),
            )),
        },
        user: match ticket.user {
            None => None,
            Some(part) => Some(plainly::User {
                users: users(bytes).map(user).collect(),
                default_uid: part.default_uid?.get(),
                scopes: owned(user_scopes(bytes)),
                entry_point: part.entry_point?,
                env: part.env?.number(),
                login_id: login_id(bytes).to_vec(),
                location: part.location,
                device_type: part.device_type,
            }),
        },
    })
}

/// Fields of one message: mostly known ones, some others.
fn message(inner: BoxedStrategy<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    let number = prop_oneof![4 => 0..7u64, 1 => any::<u64>()];
    let varint =
        (1..9u32, number).prop_map(|(n, value)| Writer::default().varint(n, value).finish());
    let bytes = (1..9u32, inner).prop_map(|(n, value)| Writer::default().bytes(n, &value).finish());
    let odd = prop_oneof![
        Just(vec![0x13, 0x08, 5, 0x14]),
        Just(vec![0x0d, 1, 2, 3, 4]),
        Just(vec![0x09, 1, 2, 3, 4, 5, 6, 7, 8]),
        Just(vec![0x88, 0x80, 0, 1]),
    ];
    let field = prop_oneof![8 => varint, 4 => bytes, 1 => odd];
    prop::collection::vec(field, 0..9)
        .prop_map(|fields| fields.concat())
        .boxed()
}

/// Parts with all required fields, before and after others.
fn ticket() -> BoxedStrategy<Vec<u8>> {
    let leaf = prop::collection::vec(any::<u8>(), 0..4).boxed();
    let uid = prop_oneof![15 => Just(vec![0x08, 7]), 1 => Just(Vec::new())];
    let entry = (uid, message(leaf))
        .prop_map(|(uid, more)| [uid, more].concat())
        .boxed();
    let part = message(entry).prop_map(|more| {
        let mut required = Writer::default();
        required.varint(1, 3).varint(2, 4).varint(4, 5).varint(5, 1);
        [required.finish(), more].concat()
    });
    message(part.boxed())
        .prop_map(|more| [vec![0x08, 1, 0x10, 2], more].concat())
        .boxed()
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    (ticket(), prop::collection::vec(change, 0..4)).prop_map(|(mut bytes, changes)| {
        for (at, byte, what) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => bytes[at] ^= 1 << (byte % 8),
                2 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_plain_decoder_agrees(bytes in mutated()) {
        prop_assert_eq!(decode(&bytes), plainly::ticket(&bytes));
    }

    #[test]
    fn a_plain_decoder_agrees_on_noise(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(decode(&bytes), plainly::ticket(&bytes));
    }
}

fn user_part(fields: &mut Writer) -> Vec<u8> {
    let part = fields.finish();
    Writer::default()
        .varint(1, 1)
        .varint(2, 2)
        .bytes(USER, &part)
        .finish()
}

#[test]
fn an_env_is_the_low_half_of_its_number() {
    let mut part = Writer::default();
    let bytes = user_part(part.varint(2, 0).varint(4, 0).varint(5, (1 << 32) + 3));
    let user = Ticket::decode(&bytes).unwrap().user.unwrap();
    assert_eq!(user.env, Some(BlackboxEnv::TestYateam));
}

#[test]
fn an_unknown_env_does_not_undo_a_known_one() {
    let mut part = Writer::default();
    let bytes = user_part(part.varint(2, 0).varint(4, 0).varint(5, 1).varint(5, 77));
    let user = Ticket::decode(&bytes).unwrap().user.unwrap();
    assert_eq!(user.env, Some(BlackboxEnv::Test));
    let bytes = user_part(part.varint(2, 0).varint(4, 0).varint(5, 77));
    assert_eq!(Ticket::decode(&bytes), Err(Malformed));
}

#[test]
fn every_user_needs_a_uid() {
    let mut part = Writer::default();
    part.bytes(ENTRY, &[0x08, 7])
        .varint(2, 0)
        .varint(4, 0)
        .varint(5, 1);
    assert!(Ticket::decode(&user_part(&mut part)).is_ok());
    part.bytes(ENTRY, &[0x10, 7])
        .varint(2, 0)
        .varint(4, 0)
        .varint(5, 1);
    assert_eq!(Ticket::decode(&user_part(&mut part)), Err(Malformed));
    // Even if one with a uid follows, in the same part or in another.
    part.bytes(ENTRY, &[0x10, 7])
        .bytes(ENTRY, &[0x08, 7])
        .varint(2, 0)
        .varint(4, 0)
        .varint(5, 1);
    let bytes = user_part(&mut part);
    assert_eq!(Ticket::decode(&bytes), Err(Malformed));
    let named = Writer::default().bytes(ENTRY, &[0x08, 8]).finish();
    let more = Writer::default().bytes(USER, &named).finish();
    assert_eq!(Ticket::decode(&[bytes, more].concat()), Err(Malformed));
}

#[test]
fn a_message_that_lacks_any_one_required_field_is_refused() {
    let part = |numbers: &[u32]| {
        let mut part = Writer::default();
        for number in numbers {
            part.varint(*number, 1);
        }
        part.finish()
    };
    let whole = |top: &[u32], number: u32, inner: &[u32]| {
        let mut message = part(top);
        message.extend(Writer::default().bytes(number, &part(inner)).finish());
        Ticket::decode(&message).is_ok()
    };
    for (number, required) in [(4, &[1, 2][..]), (3, &[2, 4, 5])] {
        assert!(whole(&[1, 2], number, required));
        assert!(!whole(&[1], number, required) && !whole(&[2], number, required));
        for missing in required {
            let rest: Vec<u32> = required.iter().copied().filter(|n| n != missing).collect();
            assert!(!whole(&[1, 2], number, &rest), "{number}: {missing}");
        }
    }
}

#[test]
fn a_field_of_another_wire_type_is_not_the_field() {
    let bytes = Writer::default().bytes(1, b"1").varint(2, 2).finish();
    assert_eq!(Ticket::decode(&bytes), Err(Malformed));
    assert_eq!(Ticket::decode_partial(&bytes).unwrap().key_id, None);
}

#[test]
fn what_is_encoded_is_decoded() {
    let scopes = ["a".to_owned(), "b".to_owned()];
    let part = TicketPart::User {
        users: &[
            UserEntry::new(Uid::new(5)),
            UserEntry::new(Uid::new(u64::MAX)).acting_for(8, 9),
            UserEntry::new(Uid::new(6)).acting_for(0, 1),
        ],
        default_uid: Uid::new(5),
        scopes: &scopes,
        entry_point: 9,
        env: BlackboxEnv::Stress,
        newer: &NewerFields::default(),
    };
    let bytes = encode_ticket(Some(KeyId::new(3)), Some(-1), &part);
    let ticket = plainly::ticket(&bytes).unwrap();
    assert_eq!((ticket.key_id, ticket.expiration_time), (3, -1));
    let user = ticket.user.unwrap();
    assert_eq!(user.users, [(5, 0, 0), (u64::MAX, 8, 9), (6, 0, 1)]);
    assert_eq!(user.scopes, [b"a", b"b"]);
    assert_eq!((user.default_uid, user.entry_point, user.env), (5, 9, 4));
}
