use proptest::prelude::*;

use super::*;
use crate::engine::message::tests::plainly::{self, Field, Fields};

type Key = (u32, Option<u32>, Vec<u8>);

/// Section 4 rule by rule, on fields that were taken apart before.
fn plainly(bytes: &[u8]) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    for field in plainly::fields(bytes)? {
        match field {
            (1, Field::Bytes(part)) => {
                let part = plainly::fields(&part)?;
                let known = plainly::numbers(&part, 2).map(|env| env as u32);
                let env = known.filter(|env| *env < 5).last()?;
                let (id, body) = general(&part)?;
                keys.push((id, Some(env), body));
            }
            (2, Field::Bytes(part)) => {
                let (id, body) = general(&plainly::fields(&part)?)?;
                keys.push((id, None, body));
            }
            _ => {}
        }
    }
    Some(keys)
}

fn general(part: &Fields) -> Option<(u32, Vec<u8>)> {
    let general = plainly::merged(part, 1)??;
    let is_known = plainly::numbers(&general, 2).any(|kind| kind as u32 == 0);
    let id = plainly::last(&general, 1)? as u32;
    let body = plainly::all(&general, 3).pop()?;
    is_known.then_some((id, body))
}

fn read(bytes: &[u8]) -> Option<Vec<Key>> {
    let text = format!("1:{}", base64url::encode(bytes));
    let container = KeyContainer::parse(&text).ok()?;
    let keys = container.keys.into_iter();
    let plain = |key: ContainedKey| {
        let env = key.env.map(BlackboxEnv::number);
        (key.id.get(), env, key.der.into_vec())
    };
    Some(keys.map(plain).collect())
}

/// Fields with numbers around those that count, often more than once, in any order.
fn fields(inner: BoxedStrategy<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    let value = prop_oneof![
        6 => 0..6u64,
        1 => (0..6u64).prop_map(|low| (1 << 32) | low),
        1 => any::<u64>(),
    ];
    let varint =
        (1..5u32, value).prop_map(|(n, value)| Writer::default().varint(n, value).finish());
    let bytes = (1..5u32, inner).prop_map(|(n, value)| Writer::default().bytes(n, &value).finish());
    let odd = prop_oneof![
        Just(vec![0x13, 0x08, 5, 0x14]),
        Just(vec![0x0d, 1, 2, 3, 4]),
        Just(vec![0x09, 1, 2, 3, 4, 5, 6, 7, 8]),
        Just(vec![0x88, 0x80, 0, 1]),
    ];
    let field = prop_oneof![6 => varint, 3 => bytes, 1 => odd];
    prop::collection::vec(field, 0..4)
        .prop_map(|fields| fields.concat())
        .boxed()
}

fn around(required: Vec<u8>, more: BoxedStrategy<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    let whole = (more.clone(), prop::bool::weighted(0.95), more);
    whole
        .prop_map(move |(before, is_there, behind)| {
            let required = if is_there { &required[..] } else { &[] };
            [&before, required, &behind].concat()
        })
        .boxed()
}

fn container() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop::collection::vec(any::<u8>(), 0..3).boxed();
    let mut required = Writer::default();
    let general = required.varint(1, 7).varint(2, 0).bytes(3, b"der").finish();
    let generals = around(general.clone(), fields(leaf));
    let key = Writer::default().bytes(1, &general).varint(2, 1).finish();
    let keys = around(key, fields(generals));
    prop::collection::vec((1..4u32, keys), 1..4).prop_map(|keys| {
        let mut container = Writer::default();
        for (number, key) in keys {
            container.bytes(number, &key);
        }
        container.finish()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_plain_decoder_agrees(
        bytes in container(),
        change in prop::option::weighted(0.4, (any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut bytes = bytes;
        if let (Some((at, with)), false) = (change, bytes.is_empty()) {
            let at = at.index(bytes.len());
            bytes[at] = with;
        }
        prop_assert_eq!(read(&bytes), plainly(&bytes));
    }
}

fn key(parts: &[Vec<u8>], env: &[u64]) -> Vec<u8> {
    let mut key = Writer::default();
    for part in parts {
        key.bytes(GEN, part);
    }
    for number in env {
        key.varint(ENV, *number);
    }
    Writer::default().bytes(USER_KEY, &key.finish()).finish()
}

#[test]
fn of_a_repeated_field_the_last_counts_and_parts_are_merged() {
    let id = |id| Writer::default().varint(1, id).finish();
    let kind = |kind| Writer::default().varint(2, kind).finish();
    let body = |body: &[u8]| Writer::default().bytes(3, body).finish();

    let parts = [id(1), body(b"a"), kind(0), id((1 << 32) | 9), body(b"b")];
    assert_eq!(
        read(&key(&parts, &[1, 3])),
        Some(vec![(9, Some(3), b"b".to_vec())])
    );
    // A type or environment that is not known is as if it were not there.
    let mut unknown = parts.to_vec();
    unknown.push(kind(5));
    assert_eq!(
        read(&key(&unknown, &[1, 77])),
        Some(vec![(9, Some(1), b"b".to_vec())])
    );
    let only_unknown = [id(1), kind(1), body(b"a")];
    assert_eq!(read(&key(&only_unknown, &[1])), None);
    assert_eq!(read(&key(&parts, &[77])), None);
    // Low halves count.
    assert_eq!(
        read(&key(&parts, &[(7 << 32) | 2])),
        Some(vec![(9, Some(2), b"b".to_vec())])
    );
}

#[test]
fn the_text_has_one_version_and_any_newlines_behind() {
    let text = KeyContainerBuilder::default().to_text();
    assert_eq!(text, "1:");
    assert!(KeyContainer::parse(&text).is_err());
    let part = [Writer::default()
        .varint(1, 3)
        .varint(2, 0)
        .bytes(3, b"d")
        .finish()];
    let body = base64url::encode(&key(&part, &[0]));
    let parses = |text: &str| KeyContainer::parse(text).is_ok();
    assert!(parses(&format!("1:{body}")) && parses(&format!("1:{body}\n\n")));
    assert!(parses(&format!("1:{body}==")));
    for bad in [
        body.clone(),
        format!("2:{body}"),
        format!("11:{body}"),
        format!(":{body}"),
        format!("1:{body}\r\n"),
        format!("1:{body}\n "),
        format!("1:{body}:{body}"),
        format!(" 1:{body}"),
        String::new(),
    ] {
        assert!(!parses(&bad), "{bad:?}");
    }
    let long = format!("1:{}{}", "=".repeat(LONGEST), body);
    assert!(!parses(&long));
    let error = KeyContainer::parse("").unwrap_err();
    assert_eq!(error.message(), MALFORMED);
}

fn contained() -> KeyContainer {
    let key = |id, env, der: &[u8]| ContainedKey {
        id: KeyId::new(id),
        env,
        der: der.into(),
    };
    let keys = vec![key(7, Some(BlackboxEnv::Test), &[1, 2]), key(8, None, &[3])];
    KeyContainer { keys }
}

#[test]
fn a_text_is_parsed_up_to_the_longest() {
    let text = KeyContainer::builder().keys_of(&contained()).to_text();
    let padded = |len: usize| format!("{text}{}", "\n".repeat(len - text.len()));
    assert!(KeyContainer::parse(&padded(LONGEST)).is_ok());
    for len in [LONGEST + 1, LONGEST + 2] {
        let error = KeyContainer::parse(&padded(len)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedKeys);
    }
}

#[test]
fn the_keys_of_another_container_are_taken_as_they_are() {
    let text = KeyContainer::builder().keys_of(&contained()).to_text();
    let container = KeyContainer::parse(&text).unwrap();
    let ids: Vec<_> = container.key_ids().collect();
    let (seven, eight) = (KeyId::new(7), KeyId::new(8));
    assert_eq!(ids, [(seven, Some(BlackboxEnv::Test)), (eight, None)]);
    assert_eq!(&*container.keys[0].der, [1, 2]);
    assert_eq!(format!("{container:?}"), format!("{ids:?}"));
}
