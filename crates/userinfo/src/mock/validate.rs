//! Validates input like the server's validation library: lenient with types, and with a `type` and
//! a `loc` for each fault. The contents of requests are checked in `requests.rs`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::rules::{is_group_name, is_username};

/// One fault of the input, as listed in the server's 422.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    pub(super) kind: &'static str,
    pub(super) loc: Vec<Value>,
    pub(super) msg: String,
    pub(super) input: Value,
    pub(super) ctx: Option<Value>,
}

impl Problem {
    pub(super) fn new(kind: &'static str, at: &At, input: &Value, msg: impl Into<String>) -> Self {
        Self {
            kind,
            loc: at.path(),
            msg: msg.into(),
            input: input.clone(),
            ctx: None,
        }
    }

    pub(super) fn with_ctx(mut self, ctx: Value) -> Self {
        self.ctx = Some(ctx);
        self
    }

    pub(super) fn missing(at: &At, input: &Value) -> Self {
        Self::new("missing", at, input, "Field required")
    }

    /// Whether the server crashes on this fault instead of reporting it.
    pub(super) fn is_crash(&self) -> bool {
        self.kind == CRASH || is_unheld(&self.input)
    }

    /// Returns its place without the root: `default.api`.
    pub(super) fn place(&self) -> String {
        let parts = self.loc.iter().skip(1).map(|part| match part {
            Value::String(name) => name.clone(),
            index => index.to_string(),
        });
        parts.collect::<Vec<_>>().join(".")
    }

    pub(super) fn to_json(&self) -> Value {
        let mut item = json!({
            "type": self.kind, "loc": self.loc, "msg": self.msg, "input": self.input
        });
        if let Some(ctx) = &self.ctx {
            item["ctx"] = ctx.clone();
        }
        item
    }
}

/// The place of a value in the input: links from the inside out, so that valid input needs no
/// allocation.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'a> {
    Root(&'a str),
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl At<'_> {
    fn path(&self) -> Vec<Value> {
        match self {
            Self::Root(name) => vec![json!(name)],
            Self::Key(outer, key) => [outer.path(), vec![json!(key)]].concat(),
            Self::Index(outer, index) => [outer.path(), vec![json!(index)]].concat(),
        }
    }
}

/// Represents what a JSON value cannot hold but the server's decoder accepts: NaN, infinity, or
/// text with an unpaired surrogate. No field type accepts it, and the server crashes when it
/// repeats it in its answer.
pub(super) const UNHELD: &str = "\u{10FFFF}";

/// Returns whether a value contains something that the server cannot write into an answer.
fn is_unheld(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(UNHELD),
        Value::Array(items) => items.iter().any(is_unheld),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains(UNHELD) || is_unheld(value)),
        _ => false,
    }
}

pub(super) type Checked<T> = Result<T, Vec<Problem>>;

/// The fields of an object: returns the valid ones and collects the faults of the others, in the
/// order of the calls.
pub(super) struct Fields<'v> {
    map: &'v Map<String, Value>,
    whole: &'v Value,
    at: At<'v>,
    problems: Vec<Problem>,
}

impl<'v> Fields<'v> {
    /// # Errors
    ///
    /// If the value is not an object.
    pub(super) fn of(value: &'v Value, at: At<'v>) -> Checked<Self> {
        let Value::Object(map) = value else {
            return Err(vec![Problem::new(
                "model_attributes_type",
                &at,
                value,
                "Input should be a valid dictionary or object to extract fields from",
            )]);
        };
        Ok(Self {
            map,
            whole: value,
            at,
            problems: Vec::new(),
        })
    }

    /// A required field.
    pub(super) fn required<T>(
        &mut self,
        name: &'v str,
        check: impl FnOnce(&Value, &At) -> Checked<T>,
    ) -> Option<T> {
        match self.map.get(name) {
            Some(value) => self.take(check(value, &At::Key(&self.at, name))),
            None => {
                let problem = Problem::missing(&At::Key(&self.at, name), self.whole);
                self.problems.push(problem);
                None
            }
        }
    }

    /// A field that may be missing, but not null.
    pub(super) fn defaulted<T: Default>(
        &mut self,
        name: &'v str,
        check: impl FnOnce(&Value, &At) -> Checked<T>,
    ) -> T {
        match self.map.get(name) {
            Some(value) => {
                let checked = check(value, &At::Key(&self.at, name));
                self.take(checked).unwrap_or_default()
            }
            None => T::default(),
        }
    }

    /// A field that may be missing or null.
    pub(super) fn optional<T>(
        &mut self,
        name: &'v str,
        check: impl FnOnce(&Value, &At) -> Checked<T>,
    ) -> Option<T> {
        match self.map.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let checked = check(value, &At::Key(&self.at, name));
                self.take(checked)
            }
        }
    }

    /// Refuses unknown fields.
    pub(super) fn deny_unknown(&mut self, known: &[&str]) {
        for (name, value) in self.map {
            if !known.contains(&name.as_str()) {
                let at = At::Key(&self.at, name);
                let msg = "Extra inputs are not permitted";
                self.problems
                    .push(Problem::new("extra_forbidden", &at, value, msg));
            }
        }
    }

    /// Adds a fault that one of the service's rules found.
    pub(super) fn refuse(&mut self, name: &'v str, why: &str) {
        let value = self.map.get(name).unwrap_or(&Value::Null);
        let msg = format!("Value error, {why}");
        let problem = Problem::new("value_error", &At::Key(&self.at, name), value, msg);
        self.problems.push(problem.with_ctx(json!({"error": {}})));
    }

    /// # Errors
    ///
    /// If any field was invalid.
    pub(super) fn finish(self) -> Checked<()> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(self.problems)
        }
    }

    fn take<T>(&mut self, checked: Checked<T>) -> Option<T> {
        checked
            .map_err(|problems| self.problems.extend(problems))
            .ok()
    }
}

pub(super) fn text(value: &Value, at: &At) -> Checked<String> {
    match value {
        Value::String(text) if !text.contains(UNHELD) => Ok(text.clone()),
        _ => fault("string_type", at, value, "Input should be a valid string"),
    }
}

/// Text of at least one character.
pub(super) fn filled_text(value: &Value, at: &At) -> Checked<String> {
    bounded_text(value, at, 1, usize::MAX)
}

pub(super) fn bounded_text(value: &Value, at: &At, least: usize, most: usize) -> Checked<String> {
    let text = text(value, at)?;
    let length = text.chars().count();
    let (kind, word, limit, key) = if length < least {
        ("string_too_short", "at least", least, "min_length")
    } else if length > most {
        ("string_too_long", "at most", most, "max_length")
    } else {
        return Ok(text);
    };
    let plural = if limit == 1 { "" } else { "s" };
    let msg = format!("String should have {word} {limit} character{plural}");
    let mut ctx = Map::new();
    ctx.insert(key.to_owned(), json!(limit));
    Err(vec![
        Problem::new(kind, at, value, msg).with_ctx(ctx.into()),
    ])
}

pub(super) fn username(value: &Value, at: &At) -> Checked<String> {
    const PATTERN: &str = "^[a-z0-9](?:[a-z0-9]|-[a-z0-9])*[a-z](?:[a-z0-9]|-[a-z0-9])*$";
    let text = bounded_text(value, at, 1, 64)?;
    matching(text, value, at, is_username, PATTERN)
}

pub(super) fn group_name(value: &Value, at: &At) -> Checked<String> {
    const PATTERN: &str = "^([a-zA-Z]|[a-zA-Z0-9][a-zA-Z0-9._-]*[a-zA-Z])[a-zA-Z0-9._-]*$";
    let text = filled_text(value, at)?;
    matching(text, value, at, is_group_name, PATTERN)
}

fn matching(
    text: String,
    value: &Value,
    at: &At,
    rule: fn(&str) -> bool,
    pattern: &str,
) -> Checked<String> {
    if rule(&text) {
        return Ok(text);
    }
    let msg = format!("String should match pattern '{pattern}'");
    let problem = Problem::new("string_pattern_mismatch", at, value, msg);
    Err(vec![problem.with_ctx(json!({"pattern": pattern}))])
}

pub(super) fn list<T>(
    value: &Value,
    at: &At,
    check: impl Fn(&Value, &At) -> Checked<T>,
) -> Checked<Vec<T>> {
    let Value::Array(items) = value else {
        return fault("list_type", at, value, "Input should be a valid list");
    };
    gather(
        items
            .iter()
            .enumerate()
            .map(|(index, item)| check(item, &At::Index(at, index))),
    )
}

pub(super) fn map<T>(
    value: &Value,
    at: &At,
    check: impl Fn(&Value, &At) -> Checked<T>,
) -> Checked<BTreeMap<String, T>> {
    let Value::Object(entries) = value else {
        return fault("dict_type", at, value, "Input should be a valid dictionary");
    };
    let entries = entries
        .iter()
        .map(|(key, item)| Ok((key.clone(), check(item, &At::Key(at, key))?)));
    Ok(gather(entries)?.into_iter().collect())
}

pub(super) fn fault<T>(kind: &'static str, at: &At, value: &Value, msg: &str) -> Checked<T> {
    Err(vec![Problem::new(kind, at, value, msg)])
}

/// Returns all values if all are valid; otherwise all faults.
fn gather<T>(all: impl Iterator<Item = Checked<T>>) -> Checked<Vec<T>> {
    let mut good = Vec::new();
    let mut problems = Vec::new();
    for one in all {
        match one {
            Ok(value) => good.push(value),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() {
        Ok(good)
    } else {
        Err(problems)
    }
}

/// The type of a fault that crashes the server.
pub(super) const CRASH: &str = "crash";

#[cfg(test)]
mod tests {
    use super::super::scalars::integer;
    use super::*;

    const AT: At = At::Root("body");

    fn kind<T: std::fmt::Debug>(checked: Checked<T>) -> &'static str {
        checked.unwrap_err()[0].kind
    }

    #[test]
    fn texts_have_lengths_in_characters_before_patterns() {
        assert_eq!(kind(filled_text(&json!(""), &AT)), "string_too_short");
        assert!(bounded_text(&json!("éé"), &AT, 1, 2).is_ok());
        assert_eq!(
            kind(bounded_text(&json!("ééé"), &AT, 1, 2)),
            "string_too_long"
        );
        assert_eq!(
            kind(username(&json!("A".repeat(65)), &AT)),
            "string_too_long"
        );
        assert_eq!(kind(username(&json!("A"), &AT)), "string_pattern_mismatch");
        assert_eq!(kind(group_name(&json!(""), &AT)), "string_too_short");
        assert_eq!(
            kind(group_name(&json!("-"), &AT)),
            "string_pattern_mismatch"
        );
        assert_eq!(kind(text(&json!(1), &AT)), "string_type");
    }

    #[test]
    fn what_an_answer_cannot_repeat_breaks_the_server() {
        let unheld = json!(UNHELD);
        assert!(text(&unheld, &AT).unwrap_err()[0].is_crash());
        assert!(Problem::missing(&AT, &json!({"a": [unheld]})).is_crash());
        assert!(!Problem::missing(&AT, &json!({"a": ["b"]})).is_crash());
    }

    #[test]
    fn faults_are_gathered_with_their_places() {
        let value = json!({"a": [1, "x", {}], "b": {"k": "y"}, "odd": 1});
        let mut fields = Fields::of(&value, AT).unwrap();
        fields.required("a", |v, at| list(v, at, integer));
        fields.defaulted("b", |v, at| map(v, at, integer));
        fields.required("c", text);
        fields.optional("d", text);
        fields.deny_unknown(&["a", "b"]);
        let problems = fields.finish().unwrap_err();
        let told: Vec<_> = problems
            .iter()
            .map(|p| format!("{} {}", p.kind, json!(p.loc)))
            .collect();
        assert_eq!(
            told,
            [
                r#"int_parsing ["body","a",1]"#,
                r#"int_type ["body","a",2]"#,
                r#"int_parsing ["body","b","k"]"#,
                r#"missing ["body","c"]"#,
                r#"extra_forbidden ["body","odd"]"#,
            ]
        );
        assert_eq!(
            kind(Fields::of(&json!(1), AT).map(|_| ())),
            "model_attributes_type"
        );
    }
}
