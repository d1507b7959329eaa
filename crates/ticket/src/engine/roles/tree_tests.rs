//! A second parser for roles documents, which builds a tree and applies one rule after the other.
//! For tests only: both parsers must give the same results.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Roles;

/// A value, in document order and with repeated keys.
#[derive(Debug)]
enum Node<'d> {
    Null,
    Boolean,
    UInteger(u64),
    Integer,
    Double,
    String(Cow<'d, str>),
    Array(Vec<Self>),
    Map(Vec<(Cow<'d, str>, Self)>),
}

impl Node<'_> {
    /// Returns the type as it appears in error texts.
    fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Boolean => "Boolean",
            Self::UInteger(number) if i64::try_from(*number).is_err() => "UInteger",
            Self::UInteger(_) | Self::Integer => "Integer",
            Self::Double => "Double",
            Self::String(_) => "String",
            Self::Array(_) => "Array",
            Self::Map(_) => "Map",
        }
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Node::Boolean)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Node::UInteger(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(number).map_or(Node::Integer, Node::UInteger))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Node::Double)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((Key(key), value)) = map.next_entry()? {
            entries.push((key, value));
        }
        Ok(Node::Map(entries))
    }
}

/// Borrows the key if it has no escapes, which a plain `Cow` never does.
struct Key<'d>(Cow<'d, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(NodeVisitor)? {
            Node::String(text) => Ok(Key(text)),
            _ => Err(serde::de::Error::custom("a key is a string")),
        }
    }
}

type Entities = Vec<BTreeMap<String, String>>;
type Subjects = BTreeMap<u64, BTreeMap<String, Entities>>;

#[derive(Debug, PartialEq)]
struct Model {
    revision: String,
    born_time: u64,
    services: Subjects,
    users: Subjects,
}

fn plainly(text: &str) -> Result<Model, String> {
    let Ok(document) = serde_json::from_str::<Node<'_>>(text) else {
        return Err("Invalid json".into());
    };
    let Node::Map(mut fields) = document else {
        return Err("Json must be object".into());
    };
    let mut field = |name: &str| {
        let place = fields.iter().rposition(|(key, _)| key == name)?;
        Some(fields.remove(place).1)
    };
    let revision = match field("revision").ok_or("Missing 'revision'")? {
        Node::String(text) => text.into_owned(),
        Node::UInteger(number) => number.to_string(),
        other => {
            let kind = other.type_name();
            return Err(format!("'revision' has unexpected type: {kind}"));
        }
    };
    let Node::UInteger(born_time) = field("born_date").ok_or("Missing 'born_date'")? else {
        return Err("key 'born_date' must be uint".into());
    };
    Ok(Model {
        revision,
        born_time,
        services: subjects("tvm", field("tvm"), u32::MAX.into())?,
        users: subjects("user", field("user"), u64::MAX)?,
    })
}

fn subjects(section: &str, node: Option<Node<'_>>, most: u64) -> Result<Subjects, String> {
    let entries = match node {
        None => return Ok(Subjects::new()),
        Some(Node::Map(entries)) => entries,
        Some(_) => return Err(format!("'{section}' must be object")),
    };
    let mut subjects = Subjects::new();
    for (consumer, roles) in entries {
        let Node::Map(roles) = roles else {
            return Err(format!(
                "roles for consumer must be map: '{consumer}' is {}",
                roles.type_name()
            ));
        };
        let digits = consumer.bytes().all(|byte| byte.is_ascii_digit());
        let id = consumer.parse().ok().filter(|id| digits && *id <= most);
        let id = id.ok_or_else(|| {
            format!(
                "id must be valid positive number of proper size for {section}. got '{consumer}'"
            )
        })?;
        if subjects.contains_key(&id) {
            return Err(format!("consumer duplicate detected: '{id}' for {section}"));
        }
        let mut own = BTreeMap::new();
        for (role, node) in roles {
            let entities = entities(&consumer, &role, node)?;
            own.insert(role.into_owned(), entities);
        }
        subjects.insert(id, own);
    }
    Ok(subjects)
}

fn entities(consumer: &str, role: &str, node: Node<'_>) -> Result<Entities, String> {
    let Node::Array(items) = node else {
        let kind = node.type_name();
        return Err(format!(
            "entities for roles must be array: '{role}' is {kind}"
        ));
    };
    let entity = |item: Node<'_>| {
        let Node::Map(attrs) = item else {
            return Err(format!(
                "role entity for role must be map: consumer '{consumer}' with role '{role}' has {}",
                item.type_name()
            ));
        };
        let mut pairs = BTreeMap::new();
        for (key, value) in attrs {
            let Node::String(value) = value else {
                return Err(format!(
                    "entity is map (str->str), got value {}. consumer '{consumer}' with role '{role}'",
                    value.type_name()
                ));
            };
            pairs.insert(key.into_owned(), value.into_owned());
        }
        Ok(pairs)
    };
    items.into_iter().map(entity).collect()
}

/// Replaces what would break a line; names may hold it by an escape.
fn one_line(error: String) -> String {
    error.replace(char::is_control, " ")
}

fn read(text: &str) -> Result<Model, String> {
    let roles = Roles::parse(text, SystemTime::UNIX_EPOCH).map_err(|error| {
        let message = error
            .message()
            .strip_prefix("Failed to parse roles from tirole: ");
        message.unwrap().to_owned()
    })?;
    let model = |subject: super::SubjectRoles<'_>| {
        let roles = subject.iter().map(|(name, entities)| {
            let pairs = |entity: &super::Entity| {
                let pairs = entity.iter();
                pairs
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect()
            };
            (name.to_owned(), entities.map(pairs).collect())
        });
        roles.collect()
    };
    let services = roles.services();
    let users = roles.users();
    Ok(Model {
        revision: roles.revision().to_owned(),
        born_time: roles.born_time(),
        services: services
            .map(|id| (id.get().into(), model(roles.of_service_id(id))))
            .collect(),
        users: users
            .map(|uid| (uid.get(), model(roles.of_uid(uid))))
            .collect(),
    })
}

/// Any JSON, for places where it does not belong.
fn anything() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null"),
        Just("true"),
        Just("-1"),
        Just("7"),
        Just("1.5"),
        Just("1e400"),
        Just("18446744073709551615"),
        Just("18446744073709551616"),
        Just("\"text\""),
        Just(r#""\ud800""#),
        Just(r#""\u00e9\n""#),
        Just("\u{1}"),
        Just("[]"),
        Just("{}"),
        Just(""),
    ];
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| format!("[{}]", items.join(","))),
            inner.prop_map(|value| format!(r#"{{"a": {value}}}"#)),
        ]
    })
}

/// Usually valid content, rarely anything else.
fn mostly(usual: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    prop_oneof![40 => usual, 1 => anything()].boxed()
}

fn map(
    key: impl Strategy<Value = String> + 'static,
    value: BoxedStrategy<String>,
    most: usize,
) -> BoxedStrategy<String> {
    let entry = (key, value).prop_map(|(key, value)| format!(r#""{key}": {value}"#));
    mostly(prop::collection::vec(entry, 0..most).prop_map(|all| format!("{{{}}}", all.join(", "))))
}

fn document() -> impl Strategy<Value = String> {
    let text = "\"([xy]|\\\\u0061|)\"";
    let entity = map("[a-c]|\\\\u0061", mostly(text), 4);
    let list = prop::collection::vec(entity, 0..12).prop_map(|all| format!("[{}]", all.join(",")));
    let subject = map("[r-t]|\\\\u0072|é", mostly(list), 4);
    let id = "[0-9]{1,2}|00[1-3]|42949672(95|96)|1844674407370955161[56]|[+]1|";
    let section = map(id, subject, 4);
    let number = mostly("[0-9]{1,3}");
    let field = prop_oneof![
        4 => section.clone().prop_map(|value| format!(r#""tvm": {value}"#)),
        4 => section.prop_map(|value| format!(r#""user": {value}"#)),
        1 => anything().prop_map(|value| format!(r#""other": {value}"#)),
        1 => number.clone().prop_map(|value| format!(r#""revision": {value}"#)),
        1 => number.clone().prop_map(|value| format!(r#""born_date": {value}"#)),
    ];
    let fields = prop::collection::vec(field, 0..4).prop_map(|all| all.join(", "));
    let document = (fields, number).prop_map(|(fields, number)| {
        let comma = if fields.is_empty() { "" } else { ", " };
        format!(r#"{{"revision": "r", "born_date": {number}{comma}{fields}}}"#)
    });
    mostly(document)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_tree_comes_to_the_same(
        text in document(),
        change in prop::option::weighted(0.3, (any::<prop::sample::Index>(), "[]{}\\[\",:1a]")),
    ) {
        let mut text = text;
        if let Some((at, with)) = change.filter(|_| !text.is_empty()) {
            let at = at.index(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &with);
            }
        }
        prop_assert_eq!(read(&text), plainly(&text).map_err(one_line));
    }
}

#[test]
fn an_error_quotes_a_name_in_one_line() {
    let text = r#"{"revision": "r", "born_date": 0, "tvm": {"1": {"\u0012": {}}}}"#;
    let error = plainly(text).unwrap_err();
    assert!(error.contains('\u{12}'), "{error}");
    assert_eq!(read(text), Err(one_line(error)));
}

#[test]
fn nesting_ends_at_the_same_depth() {
    for depth in 120..135 {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for text in [
            format!(r#"{{"revision": "r", "born_date": 1, "other": {deep}}}"#),
            format!(r#"{{"revision": "r", "born_date": 1, "tvm": {{"x": {{}}, "1": {deep}}}}}"#),
            deep,
        ] {
            assert_eq!(read(&text), plainly(&text), "{depth}");
        }
    }
}
