//! The roles document as the authority gives it out: its form and what is wrong with one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, RandomState};
use std::str::FromStr;

use super::index::{Entity, Role, Subject};
use super::json::Node;
use crate::error::{Error, ErrorKind};
use crate::ids::{TvmId, Uid};

/// A document taken apart.
pub(super) struct Document {
    pub(super) revision: String,
    pub(super) born_time: u64,
    pub(super) services: HashMap<TvmId, Subject>,
    pub(super) users: HashMap<Uid, Subject>,
    pub(super) hasher: RandomState,
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let Ok(document) = serde_json::from_str::<Node<'_>>(text) else {
            return Err(malformed("Invalid json"));
        };
        let Node::Map(mut fields) = document else {
            return Err(malformed("Json must be object"));
        };
        // The last of a repeated key counts.
        let mut field = |name: &str| {
            let place = fields.iter().rposition(|(key, _)| key == name)?;
            Some(fields.swap_remove(place).1)
        };
        let missing = |name: &str| malformed(format!("Missing '{name}'"));
        let revision = match field("revision").ok_or_else(|| missing("revision"))? {
            Node::String(text) => text.into_owned(),
            Node::UInteger(number) => number.to_string(),
            other => {
                let kind = other.type_name();
                return Err(malformed(format!("'revision' has unexpected type: {kind}")));
            }
        };
        let Node::UInteger(born_time) = field("born_date").ok_or_else(|| missing("born_date"))?
        else {
            return Err(malformed("key 'born_date' must be uint"));
        };
        let hasher = RandomState::new();
        Ok(Self {
            revision,
            born_time,
            services: consumers("tvm", field("tvm"), &hasher)?,
            users: consumers("user", field("user"), &hasher)?,
            hasher,
        })
    }
}

fn consumers<Id: Copy + Eq + FromStr + Hash + ToString>(
    section: &str,
    node: Option<Node<'_>>,
    hasher: &RandomState,
) -> Result<HashMap<Id, Subject>, Error> {
    let entries = match node {
        None => return Ok(HashMap::new()),
        Some(Node::Map(entries)) => entries,
        Some(_) => return Err(malformed(format!("'{section}' must be object"))),
    };
    let mut consumers = HashMap::with_capacity(entries.len());
    for (consumer, roles) in entries {
        let Node::Map(roles) = roles else {
            return Err(malformed(format!(
                "roles for consumer must be map: '{consumer}' is {}",
                roles.type_name()
            )));
        };
        let id = number::<Id>(&consumer).ok_or_else(|| {
            malformed(format!(
                "id must be valid positive number of proper size for {section}. got '{consumer}'"
            ))
        })?;
        match consumers.entry(id) {
            Entry::Vacant(place) => {
                place.insert(subject(&consumer, roles, hasher)?);
            }
            Entry::Occupied(_) => {
                return Err(malformed(format!(
                    "consumer duplicate detected: '{}' for {section}",
                    id.to_string()
                )));
            }
        }
    }
    Ok(consumers)
}

/// Decimal digits and nothing else; leading zeros do no harm.
fn number<Id: FromStr>(text: &str) -> Option<Id> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn subject(
    consumer: &str,
    entries: Vec<(Cow<'_, str>, Node<'_>)>,
    hasher: &RandomState,
) -> Result<Subject, Error> {
    let mut roles = Subject::with_capacity(entries.len());
    for (role, node) in entries {
        let Node::Array(items) = node else {
            return Err(malformed(format!(
                "entities for roles must be array: '{role}' is {}",
                node.type_name()
            )));
        };
        let entities = items
            .into_iter()
            .map(|item| entity(consumer, &role, item))
            .collect::<Result<_, _>>()?;
        roles.insert(role.into(), Role::new(entities, hasher)?);
    }
    Ok(roles)
}

fn entity(consumer: &str, role: &str, node: Node<'_>) -> Result<Entity, Error> {
    let Node::Map(attrs) = node else {
        return Err(malformed(format!(
            "role entity for role must be map: consumer '{consumer}' with role '{role}' has {}",
            node.type_name()
        )));
    };
    let mut pairs = Vec::with_capacity(attrs.len());
    for (key, value) in attrs {
        let Node::String(value) = value else {
            return Err(malformed(format!(
                "entity is map (str->str), got value {}. consumer '{consumer}' with role '{role}'",
                value.type_name()
            )));
        };
        pairs.push((key.into(), value.into()));
    }
    Ok(Entity::new(pairs))
}

fn malformed(what: impl std::fmt::Display) -> Error {
    let message = format!("Failed to parse roles from tirole: {what}");
    Error::new(ErrorKind::MalformedRoles, message)
}
