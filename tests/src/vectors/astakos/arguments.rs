//! What a recorded call was given, as far as our types allow it.

use serde_json::{Map, Value};
use vouchsafe::astakos::{Error, ProjectId, Result, Serial};

/// What came of making a call.
pub(super) enum Called {
    Made(Result<Value, Error>),
    /// The types do not allow it, by this rule.
    Impossible(&'static str),
    Unknown(String),
}

pub(super) const NOTHING: &str = "an argument that is nothing, which the types do not allow";
pub(super) const WORD: &str = "a word where the types have only those of the protocol";
pub(super) const NUMBER: &str = "a text where the types want a number";
pub(super) const SPEC: &str = "a specification with what the types do not hold";
pub(super) const KEYS: &str = "provisions of another form than the types have";

/// Arguments by place or by name.
pub(super) struct Arguments<'c> {
    pub(super) list: Vec<&'c Value>,
    pub(super) named: &'c Map<String, Value>,
}

impl<'c> Arguments<'c> {
    pub(super) fn get(&self, index: usize, names: &[&str]) -> Option<&'c Value> {
        let by_name = || names.iter().find_map(|name| self.named.get(*name));
        self.list.get(index).copied().or_else(by_name)
    }

    pub(super) fn text(&self, index: usize, names: &[&str]) -> Result<&'c str, Called> {
        match self.get(index, names) {
            Some(Value::String(text)) => Ok(text),
            None | Some(Value::Null) => Err(Called::Impossible(NOTHING)),
            Some(_) => Err(Called::Impossible(WORD)),
        }
    }

    pub(super) fn number(&self, index: usize, names: &[&str]) -> Result<i64, Called> {
        match self.get(index, names) {
            Some(Value::Number(number)) => number.as_i64().ok_or(Called::Impossible(NUMBER)),
            None | Some(Value::Null) => Err(Called::Impossible(NOTHING)),
            Some(_) => Err(Called::Impossible(NUMBER)),
        }
    }

    pub(super) fn serial(&self, index: usize, names: &[&str]) -> Result<Serial, Called> {
        let number = self.number(index, names)?;
        let number = u64::try_from(number).ok().and_then(Serial::new);
        number.ok_or(Called::Impossible(NUMBER))
    }

    pub(super) fn serials(&self, index: usize, names: &[&str]) -> Result<Vec<Serial>, Called> {
        match self.get(index, names) {
            Some(list @ Value::Array(_)) => {
                serde_json::from_value(list.clone()).map_err(|_| Called::Impossible(NUMBER))
            }
            _ => Err(Called::Impossible(NOTHING)),
        }
    }

    pub(super) fn texts(&self, index: usize, names: &[&str]) -> Result<Vec<String>, Called> {
        match self.get(index, names) {
            Some(list @ Value::Array(_)) => {
                serde_json::from_value(list.clone()).map_err(|_| Called::Impossible(WORD))
            }
            Some(Value::String(one)) => Ok(vec![one.clone()]),
            _ => Err(Called::Impossible(NOTHING)),
        }
    }

    pub(super) fn project(&self, index: usize, names: &[&str]) -> Result<ProjectId, Called> {
        match self.get(index, names) {
            Some(Value::Null) | None => Err(Called::Impossible(NOTHING)),
            Some(id) => serde_json::from_value(id.clone()).map_err(|_| Called::Impossible(WORD)),
        }
    }

    /// A map whose keys are tuples, as a list of keys and values.
    pub(super) fn entries(
        &self,
        index: usize,
        names: &[&str],
    ) -> Result<Vec<(Vec<String>, i64)>, Called> {
        match self.get(index, names) {
            None | Some(Value::Null) => Err(Called::Impossible(NOTHING)),
            Some(Value::Object(map)) if map.is_empty() => Ok(Vec::new()),
            Some(Value::Array(list)) => list
                .iter()
                .map(|entry| {
                    let key = serde_json::from_value(entry["key"].clone()).ok();
                    key.zip(entry["value"].as_i64())
                        .ok_or(Called::Impossible(KEYS))
                })
                .collect(),
            Some(_) => Err(Called::Impossible(KEYS)),
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.named.get(name) == Some(&Value::Bool(true))
    }
}
