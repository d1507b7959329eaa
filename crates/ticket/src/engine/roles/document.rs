//! The format of the roles document, and its validation.
//!
//! The document is read once and directly into the index. Faults are kept and reported at the end,
//! because invalid JSON takes precedence over everything else.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::str::FromStr;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::de::{MapAccess, SeqAccess};

use super::index::{Entity, Role, RoleEntities};
use super::intern::Interner;
use super::json::{self, Key, Level, Value, pass_entries};
use crate::engine::ids::{TvmId, Uid};
use crate::error::{Error, ErrorKind};

/// A parsed document.
pub(super) struct Document {
    pub(super) revision: String,
    pub(super) born_time: u64,
    pub(super) services: Consumers<TvmId>,
    pub(super) users: Consumers<Uid>,
    index: Index,
}

pub(super) type Consumers<Id> = HashMap<Id, Subject, RandomState>;

/// The roles of one subject: a range of `granted`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    start: u32,
    end: u32,
}

/// The grants. Most values occur many times and are stored once.
struct Index {
    names: Interner<u8>,
    /// Each list of entities once, as their numbers: a role is the number of its list.
    lists: Interner<u32>,
    roles: Vec<Role>,
    /// Each entity once, by number.
    entities: Vec<Entity>,
    /// Name and role, subject by subject, in the order of the names' numbers.
    granted: Vec<(u32, u32)>,
    hasher: RandomState,
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut builder = Builder::new();
        let fields = match json::read(text, Top(&mut builder)) {
            Ok(Some(fields)) => fields,
            Ok(None) => return Err(malformed("Json must be object")),
            Err(_) => return Err(malformed("Invalid json")),
        };
        let missing = |name: &str| malformed(format!("Missing '{name}'"));
        builder.index.shrink();
        Ok(Self {
            revision: fields.revision.ok_or_else(|| missing("revision"))??,
            born_time: fields.born_time.ok_or_else(|| missing("born_date"))??,
            services: fields.services.unwrap_or_else(|| Ok(HashMap::default()))?,
            users: fields.users.unwrap_or_else(|| Ok(HashMap::default()))?,
            index: builder.index,
        })
    }

    #[inline]
    pub(super) fn role(&self, subject: Subject, name: &str) -> Option<RoleEntities<'_>> {
        let granted = self.granted(subject);
        let name = self.index.names.number(name.as_bytes())?;
        let place = granted
            .binary_search_by_key(&name, |(name, _)| *name)
            .ok()?;
        self.index.entities_of(granted[place].1)
    }

    /// Returns a subject's roles.
    pub(super) fn roles(&self, subject: Subject) -> impl Iterator<Item = (&str, RoleEntities<'_>)> {
        self.granted(subject).iter().filter_map(|(name, role)| {
            let name = str::from_utf8(self.index.names.sequence(*name)).ok()?;
            Some((name, self.index.entities_of(*role)?))
        })
    }

    #[inline]
    fn granted(&self, subject: Subject) -> &[(u32, u32)] {
        &self.index.granted[subject.start as usize..subject.end as usize]
    }

    pub(super) fn hasher(&self) -> &RandomState {
        &self.index.hasher
    }
}

impl Index {
    #[inline]
    fn entities_of(&self, role: u32) -> Option<RoleEntities<'_>> {
        Some(RoleEntities {
            role: self.roles.get(role as usize)?,
            list: self.lists.sequence(role),
            all: &self.entities,
        })
    }

    /// Releases memory that was reserved for growth.
    fn shrink(&mut self) {
        self.names.shrink();
        self.lists.shrink();
        self.roles.shrink_to_fit();
        self.entities.shrink_to_fit();
        self.granted.shrink_to_fit();
    }
}

/// If a key is repeated, the last one counts.
#[derive(Default)]
struct Fields {
    revision: Option<Result<String, Error>>,
    born_time: Option<Result<u64, Error>>,
    services: Option<Result<Consumers<TvmId>, Error>>,
    users: Option<Result<Consumers<Uid>, Error>>,
}

/// The index, and what is needed only while it grows.
struct Builder {
    index: Index,
    texts: Interner<u8>,
    shared_texts: Vec<Arc<str>>,
    entities: Interner<(u32, u32)>,
    /// How many entities were read, including equal ones.
    read: usize,
    /// The pairs of the entity, and the list, that are being read.
    pairs: Vec<(u32, u32)>,
    list: Vec<u32>,
    /// The first fault in this section. The rest of the section is read and discarded.
    fault: Option<Error>,
}

impl Builder {
    fn new() -> Self {
        Self {
            index: Index {
                names: Interner::new(),
                lists: Interner::new(),
                roles: Vec::new(),
                entities: Vec::new(),
                granted: Vec::new(),
                hasher: RandomState::default(),
            },
            texts: Interner::new(),
            shared_texts: Vec::new(),
            entities: Interner::new(),
            read: 0,
            pairs: Vec::new(),
            list: Vec::new(),
            fault: None,
        }
    }

    fn text(&mut self, text: &str) -> Option<u32> {
        let (number, is_new) = self.texts.add(text.as_bytes())?;
        if is_new {
            self.shared_texts.push(text.into());
        }
        Some(number)
    }

    /// Adds the entity of `pairs` to `list`. If a key is repeated, the last value counts. Returns
    /// `None` if there are too many.
    fn entity(&mut self) -> Option<()> {
        self.read += 1;
        if self.read > MOST_ENTITIES || self.index.entities.len() >= MOST_DISTINCT {
            return None;
        }
        let Self {
            pairs,
            shared_texts: texts,
            ..
        } = self;
        let text = |number: u32| &texts[number as usize];
        if !pairs.is_sorted_by(|a, b| text(a.0) < text(b.0)) {
            pairs.reverse();
            pairs.sort_by(|a, b| text(a.0).cmp(text(b.0)));
            pairs.dedup_by(|later, earlier| later.0 == earlier.0);
        }
        let (number, is_new) = self.entities.add(pairs)?;
        if is_new {
            let pairs = pairs.iter();
            let pairs = pairs.map(|(key, value)| (text(*key).clone(), text(*value).clone()));
            self.index.entities.push(Entity::new(pairs));
        }
        self.list.push(number);
        Some(())
    }

    /// Grants the role with the entities of `list`.
    fn role(&mut self, name: &str) -> Option<()> {
        let (name, _) = self.index.names.add(name.as_bytes())?;
        let index = &mut self.index;
        let (role, is_new) = index.lists.add(&self.list)?;
        if is_new {
            let role = Role::new(&self.list, &index.entities, &index.hasher);
            index.roles.push(role);
        }
        self.index.granted.push((name, role));
        Some(())
    }

    /// Ends the subject whose grants begin at `start`. If a name is repeated, the last one counts.
    fn subject(&mut self, start: usize) -> Option<Subject> {
        let granted = &mut self.index.granted;
        let own = &mut granted[start..];
        if !own.is_sorted_by(|a, b| a.0 < b.0) {
            own.reverse();
            own.sort_by_key(|(name, _)| *name);
            let mut kept = start;
            for at in start..granted.len() {
                if at == start || granted[at].0 != granted[kept - 1].0 {
                    granted[kept] = granted[at];
                    kept += 1;
                }
            }
            granted.truncate(kept);
        }
        Some(Subject {
            start: u32::try_from(start).ok()?,
            end: u32::try_from(granted.len()).ok()?,
        })
    }

    fn require(&mut self, done: Option<()>) {
        if done.is_none() {
            self.fault = Some(malformed("too many entries"));
        }
    }
}

/// The document as a whole; `None` if it is not a map.
struct Top<'b>(&'b mut Builder);

impl<'de> Level<'de> for Top<'_> {
    type Made = Option<Fields>;

    fn other(self, _: &'static str) -> Self::Made {
        None
    }

    fn map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Made, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = entries.next_key_seed(Key::new())? {
            match &*name {
                "revision" => fields.revision = Some(entries.next_value_seed(Value(Revision))?),
                "born_date" => fields.born_time = Some(entries.next_value_seed(Value(BornTime))?),
                "tvm" => {
                    let section = Section::new("tvm", self.0);
                    fields.services = Some(entries.next_value_seed(Value(section))?);
                }
                "user" => {
                    let section = Section::new("user", self.0);
                    fields.users = Some(entries.next_value_seed(Value(section))?);
                }
                _ => entries.next_value_seed(Value(json::Passed))?,
            }
        }
        Ok(Some(fields))
    }
}

struct Revision;

impl<'de> Level<'de> for Revision {
    type Made = Result<String, Error>;

    fn other(self, kind: &'static str) -> Self::Made {
        Err(malformed(format!("'revision' has unexpected type: {kind}")))
    }

    fn text(self, text: Cow<'de, str>) -> Self::Made {
        Ok(text.into_owned())
    }

    fn uint(self, number: u64) -> Self::Made {
        Ok(number.to_string())
    }
}

struct BornTime;

impl Level<'_> for BornTime {
    type Made = Result<u64, Error>;

    fn other(self, _: &'static str) -> Self::Made {
        Err(malformed("key 'born_date' must be uint"))
    }

    fn uint(self, number: u64) -> Self::Made {
        Ok(number)
    }
}

/// The subjects of one kind.
struct Section<'b, Id> {
    name: &'static str,
    builder: &'b mut Builder,
    consumers: Consumers<Id>,
}

impl<'b, Id> Section<'b, Id> {
    fn new(name: &'static str, builder: &'b mut Builder) -> Self {
        builder.fault = None;
        Self {
            name,
            builder,
            consumers: HashMap::default(),
        }
    }
}

impl<'de, Id: Copy + Eq + FromStr + Hash + ToString> Level<'de> for Section<'_, Id> {
    type Made = Result<Consumers<Id>, Error>;

    fn other(self, _: &'static str) -> Self::Made {
        Err(malformed(format!("'{}' must be object", self.name)))
    }

    fn map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Self::Made, A::Error> {
        while let Some(consumer) = entries.next_key_seed(Key::new())? {
            entries.next_value_seed(Value(ConsumerRoles {
                section: &mut self,
                consumer,
            }))?;
            if let Some(fault) = self.builder.fault.take() {
                pass_entries(&mut entries)?;
                return Ok(Err(fault));
            }
        }
        Ok(Ok(self.consumers))
    }
}

/// One subject and its roles.
struct ConsumerRoles<'s, 'b, 'de, Id> {
    section: &'s mut Section<'b, Id>,
    consumer: Cow<'de, str>,
}

impl<Id: Copy + Eq + FromStr + Hash + ToString> ConsumerRoles<'_, '_, '_, Id> {
    /// Decimal digits only; leading zeros are allowed.
    fn new_id(&self) -> Result<Id, Error> {
        let (section, consumer) = (self.section.name, &self.consumer);
        let digits = consumer.bytes().all(|byte| byte.is_ascii_digit());
        let id = if digits { consumer.parse().ok() } else { None };
        let id: Id = id.ok_or_else(|| {
            malformed(format!(
                "id must be valid positive number of proper size for {section}. got '{consumer}'"
            ))
        })?;
        if self.section.consumers.contains_key(&id) {
            let id = id.to_string();
            let message = format!("consumer duplicate detected: '{id}' for {section}");
            return Err(malformed(message));
        }
        Ok(id)
    }
}

impl<'de, Id: Copy + Eq + FromStr + Hash + ToString> Level<'de> for ConsumerRoles<'_, '_, 'de, Id> {
    type Made = ();

    fn other(self, kind: &'static str) {
        let consumer = self.consumer;
        let message = format!("roles for consumer must be map: '{consumer}' is {kind}");
        self.section.builder.fault = Some(malformed(message));
    }

    fn map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let id = match self.new_id() {
            Ok(id) => id,
            Err(fault) => {
                self.section.builder.fault = Some(fault);
                return pass_entries(&mut entries);
            }
        };
        let builder = &mut *self.section.builder;
        let start = builder.index.granted.len();
        while let Some(role) = entries.next_key_seed(Key::new())? {
            builder.list.clear();
            entries.next_value_seed(Value(Entities {
                builder,
                consumer: &self.consumer,
                role: &role,
            }))?;
            if builder.fault.is_none() {
                let done = builder.role(&role);
                builder.require(done);
            }
            if builder.fault.is_some() {
                return pass_entries(&mut entries);
            }
        }
        match builder.subject(start) {
            Some(subject) => _ = self.section.consumers.insert(id, subject),
            None => builder.require(None),
        }
        Ok(())
    }
}

/// The entities of one role of a subject.
struct Entities<'s> {
    builder: &'s mut Builder,
    consumer: &'s str,
    role: &'s str,
}

impl<'de> Level<'de> for Entities<'_> {
    type Made = ();

    fn other(self, kind: &'static str) {
        let role = self.role;
        let message = format!("entities for roles must be array: '{role}' is {kind}");
        self.builder.fault = Some(malformed(message));
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self {
            builder,
            consumer,
            role,
        } = self;
        loop {
            let attrs = Attrs {
                builder: &mut *builder,
                consumer,
                role,
            };
            if items.next_element_seed(Value(attrs))?.is_none() {
                return Ok(());
            }
            if builder.fault.is_some() {
                while items.next_element_seed(Value(json::Passed))?.is_some() {}
                return Ok(());
            }
        }
    }
}

/// The attributes of one entity.
struct Attrs<'s> {
    builder: &'s mut Builder,
    consumer: &'s str,
    role: &'s str,
}

impl<'de> Level<'de> for Attrs<'_> {
    type Made = ();

    fn other(self, kind: &'static str) {
        let (consumer, role) = (self.consumer, self.role);
        self.builder.fault = Some(malformed(format!(
            "role entity for role must be map: consumer '{consumer}' with role '{role}' has {kind}"
        )));
    }

    fn map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self {
            builder,
            consumer,
            role,
        } = self;
        builder.pairs.clear();
        while let Some(key) = entries.next_key_seed(Key::new())? {
            let value = match entries.next_value_seed(Value(Attr))? {
                Ok(value) => value,
                Err(kind) => {
                    builder.fault = Some(malformed(format!(
                        "entity is map (str->str), got value {kind}. \
                         consumer '{consumer}' with role '{role}'"
                    )));
                    return pass_entries(&mut entries);
                }
            };
            let pair = builder.text(&key).zip(builder.text(&value));
            builder.pairs.extend(pair);
            if pair.is_none() {
                builder.require(None);
                return pass_entries(&mut entries);
            }
        }
        let done = builder.entity();
        builder.require(done);
        Ok(())
    }
}

/// The value of an attribute; the type if it is not a text.
struct Attr;

impl<'de> Level<'de> for Attr {
    type Made = Result<Cow<'de, str>, &'static str>;

    fn other(self, kind: &'static str) -> Self::Made {
        Err(kind)
    }

    fn text(self, text: Cow<'de, str>) -> Self::Made {
        Ok(text)
    }
}

/// The maximum number of entities in a document, counting repeated ones. Each takes some bytes of
/// the index and as little as three bytes of the text.
const MOST_ENTITIES: usize = 1 << 24;

/// The maximum number of different entities in a document: ten times the number of roles in the
/// largest documents in use. Each takes some hundred bytes while the document is read.
const MOST_DISTINCT: usize = 1 << 20;

fn malformed(what: impl std::fmt::Display) -> Error {
    let message = format!("Failed to parse roles from tirole: {what}");
    Error::new(ErrorKind::MalformedRoles, message)
}
