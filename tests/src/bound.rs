//! Values from one call that a later one needs.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values that an answer brought and a later call needs, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bound(BTreeMap<String, Value>);

impl Bound {
    /// Binds a value from the start.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Returns the texts with their names.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// Replaces the names in a call by values: a name is a whole text `$NAME`.
    pub(crate) fn put_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(bound) = text.strip_prefix('$').and_then(|name| self.0.get(name)) {
                    *value = bound.clone();
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|item| self.put_in(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.put_in(item)),
            _ => {}
        }
    }

    /// Binds the values that a call declares: a name, and its place in the answer. A place such as
    /// `/location RelayState=` is the text after that mark.
    pub(crate) fn take(&mut self, call: &Value, answer: &Value) {
        for (name, place) in call["bind"].as_object().into_iter().flatten() {
            let place = place.as_str().unwrap_or_default();
            let (place, mark) = place.split_once(' ').unwrap_or((place, ""));
            let Some(value) = answer.pointer(place) else {
                continue;
            };
            let text = value.as_str().filter(|_| !mark.is_empty());
            let marked = text.and_then(|text| text.split_once(mark));
            match marked {
                Some((_, rest)) => self.set(name, rest),
                None => self.set(name, value.clone()),
            }
        }
    }
}
