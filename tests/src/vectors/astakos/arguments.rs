//! The arguments of a recorded call, as far as our types allow them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vouchsafe::astakos::{Error, ProjectId, Result, Serial};

use super::signatures::Signature;

/// The outcome of preparing a call.
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
pub(super) const FLAG: &str = "a flag that is neither true nor false";
pub(super) const NO_JSON: &str = "a value that JSON cannot hold";

/// The arguments of a call by the names of its parameters, however they were given.
#[derive(Debug)]
pub(super) struct Arguments<'c> {
    given: BTreeMap<&'static str, &'c Value>,
    /// Named arguments beyond the parameters, of a call that takes such.
    pub(super) more: Vec<(&'c str, &'c Value)>,
}

impl<'c> Arguments<'c> {
    /// Takes what was given by position and by name to the parameters of a call.
    ///
    /// # Errors
    ///
    /// If there is no parameter for an argument, or two arguments for one parameter.
    pub(super) fn bind(
        signature: &Signature,
        list: &'c [Value],
        named: &'c Map<String, Value>,
    ) -> Result<Self, String> {
        if list.len() > signature.parameters.len() {
            return Err(format!(
                "{} arguments for the parameters {:?}",
                list.len(),
                signature.parameters
            ));
        }
        let mut bound = Self {
            given: signature.parameters.iter().copied().zip(list).collect(),
            more: Vec::new(),
        };
        for (name, value) in named {
            match signature.parameter(name) {
                Some(parameter) => {
                    if bound.given.insert(parameter, value).is_some() {
                        return Err(format!("two arguments for {parameter}"));
                    }
                }
                None if signature.takes_more => bound.more.push((name, value)),
                None => return Err(format!("no parameter {name:?}")),
            }
        }
        Ok(bound)
    }

    /// Returns whether an argument holds a mark for a value that JSON cannot hold.
    pub(super) fn has_unserialisable(&self) -> bool {
        let mut more = self.more.iter().map(|(_, value)| *value);
        self.given.values().copied().any(is_unserialisable) || more.any(is_unserialisable)
    }

    /// Returns an argument, if one was given.
    pub(super) fn get(&self, name: &str) -> Option<&'c Value> {
        self.given.get(name).copied()
    }

    pub(super) fn text(&self, name: &str) -> Result<&'c str, Called> {
        self.optional(name)?.ok_or(Called::Impossible(NOTHING))
    }

    /// Returns a text that may be absent.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&'c str>, Called> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Called::Impossible(WORD)),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<i64, Called> {
        match self.get(name) {
            Some(Value::Number(number)) => number.as_i64().ok_or(Called::Impossible(NUMBER)),
            None | Some(Value::Null) => Err(Called::Impossible(NOTHING)),
            Some(_) => Err(Called::Impossible(NUMBER)),
        }
    }

    pub(super) fn serial(&self, name: &str) -> Result<Serial, Called> {
        let number = self.number(name)?;
        let number = u64::try_from(number).ok().and_then(Serial::new);
        number.ok_or(Called::Impossible(NUMBER))
    }

    pub(super) fn serials(&self, name: &str) -> Result<Vec<Serial>, Called> {
        match self.get(name) {
            Some(list @ Value::Array(_)) => {
                serde_json::from_value(list.clone()).map_err(|_| Called::Impossible(NUMBER))
            }
            _ => Err(Called::Impossible(NOTHING)),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Called> {
        match self.get(name) {
            Some(list @ Value::Array(_)) => {
                serde_json::from_value(list.clone()).map_err(|_| Called::Impossible(WORD))
            }
            Some(Value::String(one)) => Ok(vec![one.clone()]),
            None | Some(Value::Null) => Err(Called::Impossible(NOTHING)),
            Some(_) => Err(Called::Impossible(WORD)),
        }
    }

    pub(super) fn project(&self, name: &str) -> Result<ProjectId, Called> {
        match self.get(name) {
            Some(Value::Null) | None => Err(Called::Impossible(NOTHING)),
            Some(id) => serde_json::from_value(id.clone()).map_err(|_| Called::Impossible(WORD)),
        }
    }

    /// Returns a project that may be absent.
    pub(super) fn optional_project(&self, name: &str) -> Result<Option<ProjectId>, Called> {
        match self.get(name) {
            Some(Value::Null) | None => Ok(None),
            Some(_) => self.project(name).map(Some),
        }
    }

    /// A map whose keys are tuples, as a list of keys and values.
    pub(super) fn entries(&self, name: &str) -> Result<Vec<(Vec<String>, i64)>, Called> {
        match self.get(name) {
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

    /// Returns a flag; one that was not given is false.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Called> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Called::Impossible(FLAG)),
        }
    }
}

fn is_unserialisable(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key("unserialisable") || members.values().any(is_unserialisable)
        }
        Value::Array(items) => items.iter().any(is_unserialisable),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vectors::astakos::signatures::signature;

    fn bind<T>(
        (method, api): (&str, &str),
        list: &Value,
        named: &Value,
        look: impl Fn(&Arguments<'_>) -> T,
    ) -> Result<T, String> {
        let signature = signature(method, api).unwrap();
        let list = list.as_array().unwrap();
        Arguments::bind(&signature, list, named.as_object().unwrap()).map(|a| look(&a))
    }

    #[test]
    fn an_argument_is_found_by_position_and_by_name() {
        let usage = |list: Value, named: Value| {
            let look = |a: &Arguments<'_>| a.flag("usage").ok();
            bind(("get_user_info", "0.14.10"), &list, &named, look).unwrap()
        };
        assert_eq!(usage(json!(["t", true]), json!({})), Some(true));
        assert_eq!(usage(json!(["t"]), json!({"usage": true})), Some(true));
        assert_eq!(usage(json!([]), json!({"token": "t"})), Some(false));
        assert_eq!(usage(json!(["t", "yes"]), json!({})), None);
    }

    #[test]
    fn the_older_calls_take_the_token_and_two_names_for_a_commission() {
        let look = |a: &Arguments<'_>| {
            let text = |name| a.text(name).ok().map(str::to_owned);
            (
                text("token"),
                text("source"),
                text("name"),
                a.flag("force").ok(),
            )
        };
        let list = json!(["t", "h", "s", {"r": 1}, "why", true]);
        let got = bind(("issue_one_commission", "0.14"), &list, &json!({}), look).unwrap();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(got, (some("t"), some("s"), some("why"), Some(true)));
        let list = json!(["h", [], "why", true]);
        let got = bind(("issue_one_commission", "0.21"), &list, &json!({}), look).unwrap();
        assert_eq!(got, (None, None, some("why"), Some(true)));
    }

    #[test]
    fn what_no_parameter_takes_is_refused() {
        for (method, list, named) in [
            ("get_quotas", json!([1]), json!({})),
            ("get_quotas", json!([]), json!({"usage": true})),
            ("get_username", json!(["u"]), json!({"uuid": "u"})),
        ] {
            let got = bind((method, "0.21"), &list, &named, |_| ());
            assert!(got.is_err(), "{method} {list} {named}");
        }
        assert!(signature("no_such_call", "0.21").is_none());
    }

    #[test]
    fn parameters_of_a_grant_are_open_and_the_client_is_none_of_them() {
        let named = json!({"client_id": "c", "code": "x"});
        let look = |a: &Arguments<'_>| (a.text("client_id").ok().map(str::to_owned), a.more.len());
        let got = bind(("get_token", "0.21"), &json!(["g"]), &named, look).unwrap();
        assert_eq!(got, (Some("c".to_owned()), 1));
    }

    #[test]
    fn a_value_that_json_cannot_hold_is_found_at_any_depth() {
        let look = |a: &Arguments<'_>| a.has_unserialisable();
        let odd = json!([{"a": [{"unserialisable": "set"}]}]);
        assert_eq!(
            bind(("issue_commission", "0.21"), &odd, &json!({}), look),
            Ok(true)
        );
        let plain = json!([{"a": [1]}]);
        assert_eq!(
            bind(("issue_commission", "0.21"), &plain, &json!({}), look),
            Ok(false)
        );
    }
}
