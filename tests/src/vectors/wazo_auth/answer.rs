//! Compares the emulator's answer with the recorded one.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Map, Value};
use vouchsafe::core::transport::{Request, Response};

use super::super::report::Judgement;
use super::images::Images;

/// A value that the recording does not determine.
const REWRITTEN: &str = "metadata of SAML, which the service writes in a form of its own";

/// Arrays whose order means nothing.
const SETS: [&str; 3] = ["acl", "emails", "domain_names"];

pub(super) fn members(value: &Value) -> impl Iterator<Item = &str> {
    let members = value.as_object().into_iter().flat_map(Map::keys);
    members.map(String::as_str)
}

/// How the answer to one step is compared.
pub(super) struct Compare<'s> {
    volatile: BTreeSet<&'s str>,
    items: Option<&'s str>,
    is_subset: bool,
}

impl<'s> Compare<'s> {
    pub(super) fn of(step: &'s Value) -> Self {
        let volatile = step["volatile"].as_array().into_iter().flatten();
        Self {
            volatile: volatile.filter_map(Value::as_str).collect(),
            items: step["items"].as_str(),
            is_subset: step["subset"] == true,
        }
    }

    /// Returns whether the recorded request holds something that differs on every run.
    pub(super) fn is_request_volatile(&self) -> bool {
        self.volatile
            .iter()
            .any(|place| place.starts_with("/request"))
    }

    pub(super) fn response(
        &self,
        images: &mut Images,
        expected: &Value,
        got: &Response,
        request: &Request,
        judgement: &mut Judgement,
    ) {
        for name in members(expected) {
            if !["status", "headers", "json", "body", "html"].contains(&name) {
                judgement.differ(format!(
                    "the response has a member {name:?} that is not known"
                ));
            }
        }
        let body = || String::from_utf8_lossy(&got.body);
        if expected["status"] != got.status.as_u16() {
            let (method, path) = (&request.method, request.uri.path());
            let (status, expected) = (got.status.as_u16(), &expected["status"]);
            judgement.differ(format!(
                "{method} {path}: expected {expected}, got {status}: {}",
                body()
            ));
            return;
        }
        let has_body = ["json", "body", "html"]
            .iter()
            .any(|name| expected.get(name).is_some());
        for (name, value) in expected["headers"].as_object().into_iter().flatten() {
            // An answer without a body has a type all the same, which says nothing.
            let is_of_body = !has_body && name.eq_ignore_ascii_case("content-type");
            let place = format!("/response/headers/{name}");
            if is_of_body || self.volatile.contains(place.as_str()) {
                continue;
            }
            let got = got.headers.get(name).and_then(|value| value.to_str().ok());
            let value = value.as_str().unwrap_or_default();
            let is_same = match got {
                // The order of methods means nothing.
                Some(got) if name.eq_ignore_ascii_case("allow") => words(value) == words(got),
                Some(got) => images.fits(value, got),
                None => false,
            };
            if !is_same {
                judgement.differ(format!("{place}: expected {value:?}, got {got:?}"));
            }
        }
        if request.method == Method::HEAD || expected["html"] == true {
            return;
        }
        if let Some(expected) = expected.get("json") {
            match serde_json::from_slice(&got.body) {
                Ok(got) => self.value(images, expected, &got, "/response/json", judgement),
                Err(cause) => judgement.differ(format!("the body is not JSON: {cause}")),
            }
        } else if let Some(expected) = expected["body"].as_str() {
            let is_volatile = self.volatile.contains("/response/body");
            if expected.contains("EntityDescriptor") {
                judgement.waive(REWRITTEN);
            } else if !is_volatile && !images.fits(expected, &body()) {
                judgement.differ(format!("body: expected {expected:?}, got {:?}", body()));
            }
        } else if !got.body.is_empty() {
            judgement.differ(format!("expected no body, got {:?}", body()));
        }
    }

    fn value(
        &self,
        images: &mut Images,
        expected: &Value,
        got: &Value,
        place: &str,
        judgement: &mut Judgement,
    ) {
        if self.volatile.contains(place) {
            if let (Value::String(recorded), Value::String(actual)) = (expected, got) {
                // Random slugs and ids of sessions come again in later requests.
                images.bind(recorded, actual);
            } else if std::mem::discriminant(expected) != std::mem::discriminant(got) {
                judgement.differ(format!(
                    "{place}: expected something like {expected}, got {got}"
                ));
            }
            return;
        }
        let name = place.rsplit('/').next().unwrap_or_default();
        match (expected, got) {
            (Value::Object(expected), Value::Object(got)) => {
                let mut known = BTreeSet::new();
                for (name, expected) in expected {
                    let image = images.map(name);
                    let place = format!("{place}/{name}");
                    match got.get(&image) {
                        Some(got) => self.value(images, expected, got, &place, judgement),
                        None => judgement.differ(format!("{place}: is missing")),
                    }
                    known.insert(image);
                }
                let is_unknown = |name: &&String| !known.contains(*name) && !self.is_subset;
                for name in got.keys().filter(is_unknown) {
                    judgement.differ(format!("{place}/{name}: is not expected"));
                }
            }
            (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
                match self.items.filter(|_| place == "/response/json/items") {
                    Some("count") => {}
                    Some("set") => self.set(images, expected, got, place, judgement),
                    Some(other) => judgement.differ(format!("items {other:?} are not known")),
                    None if SETS.contains(&name) => {
                        self.set(images, expected, got, place, judgement);
                    }
                    None => {
                        for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
                            let place = format!("{place}/{at}");
                            self.value(images, expected, got, &place, judgement);
                        }
                    }
                }
            }
            // A dictionary as Python writes it: one that begins the same is as good (protocol
            // section 4.1).
            (Value::String(expected), Value::String(got))
                if place == "/response/json/reason/0"
                    && first_member(expected).is_some()
                    && first_member(expected) == first_member(got) => {}
            (Value::String(expected), Value::String(got)) => {
                if !images.fits(expected, got) {
                    judgement.differ(format!("{place}: expected {expected:?}, got {got:?}"));
                }
            }
            (Value::Number(expected), Value::Number(got)) if expected.as_f64() == got.as_f64() => {}
            (expected, got) if expected == got => {}
            _ => judgement.differ(format!("{place}: expected {expected}, got {got}")),
        }
    }

    /// Compares without regard to the order: each expected item with the first that fits.
    fn set(
        &self,
        images: &mut Images,
        expected: &[Value],
        got: &[Value],
        place: &str,
        judgement: &mut Judgement,
    ) {
        let mut left: Vec<&Value> = got.iter().collect();
        // What is known best comes first, so that nothing vague takes its place.
        let mut expected: Vec<_> = expected.iter().enumerate().collect();
        expected.sort_by_key(|(_, item)| images.unknown_in(item));
        for (at, item) in expected {
            let place = &format!("{place}/{at}");
            let found = left.iter().position(|got| {
                let mut outcome = Judgement::default();
                self.value(&mut images.clone(), item, got, place, &mut outcome);
                outcome.differences().is_empty()
            });
            match found {
                Some(at) => self.value(images, item, left.remove(at), place, judgement),
                None => judgement.differ(format!("{place}: nothing is like {item}")),
            }
        }
    }
}

/// Returns the name of the first member of a dictionary as Python writes it.
fn first_member(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix("{'")?.split_once('\'')?;
    Some(name)
}

fn words(list: &str) -> BTreeSet<&str> {
    list.split(',').map(str::trim).collect()
}
