//! The directory: objects by domain and class.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::{Request, Response};

/// The members of an object.
type Object = Map<String, Value>;

/// The objects of each class in each domain.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Directory(BTreeMap<String, BTreeMap<String, Vec<Object>>>);

impl Default for Directory {
    /// One user.
    fn default() -> Self {
        let alice = Map::from_iter([("Name".to_owned(), Value::from("alice"))]);
        let users = BTreeMap::from([("users".to_owned(), vec![alice])]);
        Self(BTreeMap::from([("example.org".to_owned(), users)]))
    }
}

/// What a query asks for. The filter is not understood: it finds everything.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Query {
    domain: Option<String>,
    attributes: Option<Vec<String>>,
    page_number: usize,
    page_size: Option<usize>,
}

impl Directory {
    /// Replaces the objects of a class in a domain, and returns how many the directory has now.
    pub(super) fn put(&mut self, domain: String, class: String, objects: Vec<Object>) -> usize {
        self.0.entry(domain).or_default().insert(class, objects);
        self.len()
    }

    /// Returns the number of objects.
    pub(super) fn len(&self) -> usize {
        self.0
            .values()
            .flat_map(BTreeMap::values)
            .map(Vec::len)
            .sum()
    }

    /// Answers with the attributes that the objects of each class have.
    pub(super) fn attributes(&self) -> Response {
        let mut names: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
        for (class, objects) in self.0.values().flatten() {
            // As the service names them: `user` are the attributes of `users`.
            let class = class.strip_suffix('s').unwrap_or(class);
            let own = names.entry(class).or_default();
            own.extend(objects.iter().flat_map(Map::keys));
        }
        let names = names.into_iter().map(|(class, names)| {
            let names = names
                .into_iter()
                .map(|name| (name.clone(), name.to_lowercase().into()));
            (class.to_owned(), Value::Object(names.collect()))
        });
        respond::json(200, &Value::Object(names.collect()))
    }

    /// Answers with the domains.
    pub(super) fn domains(&self) -> Response {
        let domains: Vec<_> = self.0.keys().collect();
        respond::json(200, &json!({ "domains": domains }))
    }

    /// Answers with the number of objects of a class, in all domains or in the one of the request.
    pub(super) fn count(&self, class: &str, request: &Request) -> Response {
        let query = request.uri.query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let domain = pairs.find(|(name, _)| name == "domain");
        let domain = domain.map(|(_, domain)| domain.into_owned());
        let count = self.of(class, domain.as_deref()).count();
        respond::json(200, &json!({ "count": count }))
    }

    /// Answers with a page of the objects of a class. `None` if the query cannot be read.
    pub(super) fn query(&self, class: &str, request: &Request) -> Option<Response> {
        let query: Query = serde_json::from_slice(&request.body).ok()?;
        let found: Vec<_> = self.of(class, query.domain.as_deref()).collect();
        let size = query.page_size.unwrap_or(found.len()).max(1);
        let first = query.page_number.saturating_mul(size).min(found.len());
        let end = first.saturating_add(size).min(found.len());
        let is_wanted = |name: &String| {
            let wanted = query.attributes.as_ref();
            wanted.is_none_or(|wanted| wanted.contains(name))
        };
        let shown = found[first..end].iter().map(|object| {
            let members = object.iter().filter(|(name, _)| is_wanted(name));
            let members = members.map(|(name, value)| (name.clone(), value.clone()));
            Value::Object(members.collect())
        });
        let page = json!({
            "result": shown.collect::<Vec<_>>(),
            "count": found.len(),
            "pageNumber": query.page_number,
            "pageSize": end - first,
            "unreadResults": found.len() - end,
        });
        Some(respond::json(200, &page))
    }

    fn of(&self, class: &str, domain: Option<&str>) -> impl Iterator<Item = &Object> {
        let classes = self.0.iter().filter(move |(name, _)| {
            let name = name.as_str();
            domain.is_none_or(|domain| domain == name)
        });
        classes
            .filter_map(move |(_, classes)| classes.get(class))
            .flatten()
    }
}
