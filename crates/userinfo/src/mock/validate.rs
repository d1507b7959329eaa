//! Checking input as the server's validation library does: lenient with types, and each fault
//! with its `type` and `loc`. What a request must hold is in `requests.rs`.

use std::collections::BTreeMap;
use std::num::{IntErrorKind, ParseIntError};

use serde_json::{Map, Value, json};

use super::datetime;
use super::rules::{is_group_name, is_username};

/// One fault of the input, as the server's 422 lists it.
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

/// Where a value stands in the input: links from the inside out, so that nothing is made for
/// input that is good.
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

pub(super) type Checked<T> = Result<T, Vec<Problem>>;

/// The fields of an object: takes what is good and gathers the faults of the rest, in the order
/// in which it is asked.
pub(super) struct Fields<'v> {
    map: &'v Map<String, Value>,
    whole: &'v Value,
    at: At<'v>,
    problems: Vec<Problem>,
}

impl<'v> Fields<'v> {
    /// # Errors
    ///
    /// If the value is no object.
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

    /// A field that must be there.
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

    /// A field that may be absent, but not null.
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

    /// A field that may be absent or null.
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

    /// Refuses what is not among the known fields.
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

    /// Adds a fault of a field that a rule of ours found.
    pub(super) fn refuse(&mut self, name: &'v str, why: &str) {
        let value = self.map.get(name).unwrap_or(&Value::Null);
        let msg = format!("Value error, {why}");
        let problem = Problem::new("value_error", &At::Key(&self.at, name), value, msg);
        self.problems.push(problem.with_ctx(json!({"error": {}})));
    }

    /// # Errors
    ///
    /// If any field was not good.
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
    let Value::String(text) = value else {
        return fault("string_type", at, value, "Input should be a valid string");
    };
    Ok(text.clone())
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

/// An integer; also a whole float, a truth value, or digits in text.
pub(super) fn integer(value: &Value, at: &At) -> Checked<i64> {
    let unparsable = "Input should be a valid integer, unable to parse string as an integer";
    match value {
        Value::Bool(truth) => Ok(i64::from(*truth)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(whole),
            (None, Some(float)) if float.fract() == 0.0 => match exact(float) {
                Some(whole) if number.is_f64() => Ok(whole),
                _ => fault(UNCOVERED, at, value, "a number of more than 64 bits"),
            },
            _ => fault(
                "int_from_float",
                at,
                value,
                "Input should be a valid integer, got a number with a fractional part",
            ),
        },
        Value::String(text) => match whole(text) {
            Some(Ok(whole)) => Ok(whole),
            Some(Err(_)) => fault(UNCOVERED, at, value, "a number of more than 64 bits"),
            None => fault("int_parsing", at, value, unparsable),
        },
        _ => fault("int_type", at, value, "Input should be a valid integer"),
    }
}

/// An integer of at least one.
pub(super) fn positive(value: &Value, at: &At) -> Checked<i64> {
    let number = integer(value, at)?;
    if number >= 1 {
        return Ok(number);
    }
    let msg = "Input should be greater than or equal to 1";
    let problem = Problem::new("greater_than_equal", at, value, msg);
    Err(vec![problem.with_ctx(json!({"ge": 1}))])
}

/// A number; also a truth value, or a number in text.
pub(super) fn float(value: &Value, at: &At) -> Checked<f64> {
    match value {
        Value::Bool(truth) => Ok(f64::from(u8::from(*truth))),
        Value::Number(number) => Ok(number.as_f64().unwrap_or_default()),
        Value::String(text) => match without_underscores(text.trim()).map(|text| text.parse()) {
            Some(Ok(number)) if f64::is_finite(number) => Ok(number),
            Some(Ok(_)) => fault(UNCOVERED, at, value, "a number that JSON cannot hold"),
            Some(Err(_)) | None => fault(
                "float_parsing",
                at,
                value,
                "Input should be a valid number, unable to parse string as a number",
            ),
        },
        _ => fault("float_type", at, value, "Input should be a valid number"),
    }
}

/// A truth value; also 0 and 1, and words for them.
pub(super) fn boolean(value: &Value, at: &At) -> Checked<bool> {
    let unknown = "Input should be a valid boolean, unable to interpret input";
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Ok(false),
            Some(1.0) => Ok(true),
            Some(float) if float.fract() != 0.0 => {
                fault("bool_type", at, value, "Input should be a valid boolean")
            }
            _ => fault("bool_parsing", at, value, unknown),
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
            "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
            _ => fault("bool_parsing", at, value, unknown),
        },
        _ => fault("bool_type", at, value, "Input should be a valid boolean"),
    }
}

/// A point in time, in seconds since 1970.
pub(super) fn timestamp(value: &Value, at: &At) -> Checked<i64> {
    let found = match value {
        Value::String(text) => datetime::parse(text),
        Value::Number(number) => number.as_f64().and_then(datetime::from_number),
        _ => {
            return fault(
                "datetime_type",
                at,
                value,
                "Input should be a valid datetime",
            );
        }
    };
    let kind = match value {
        Value::String(_) => "datetime_from_date_parsing",
        _ => "datetime_parsing",
    };
    found.map_or_else(
        || fault(kind, at, value, "Input should be a valid datetime or date"),
        Ok,
    )
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

/// All that is good, or all that is not.
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

/// The kind of a fault that is none to the server: what it would do is beyond this emulator.
pub(super) const UNCOVERED: &str = "uncovered";

fn exact(float: f64) -> Option<i64> {
    // The limit is the first float that does not fit.
    (float.abs() < 9_223_372_036_854_775_808.0).then_some(float as i64)
}

/// Digits in text, with a sign, blanks around, zeros behind the point and underscores between, all
/// allowed. The inner fault is that they are too many.
fn whole(text: &str) -> Option<Result<i64, ParseIntError>> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|b| b == b'0') && !zeros.is_empty() => digits,
        Some(_) => return None,
        None => text,
    };
    let parsed = without_underscores(digits)?.parse::<i64>();
    match parsed.as_ref().map_err(ParseIntError::kind) {
        Err(IntErrorKind::Empty | IntErrorKind::InvalidDigit) => None,
        _ => Some(parsed),
    }
}

/// Takes out single underscores between digits; `None` if there are others.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let all_between = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'_' || (is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))));
    all_between.then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: At = At::Root("body");

    fn kind<T: std::fmt::Debug>(checked: Checked<T>) -> &'static str {
        checked.unwrap_err()[0].kind
    }

    #[test]
    fn numbers_are_read_leniently() {
        for (value, expected) in [
            (json!(5), Ok(5)),
            (json!(5.0), Ok(5)),
            (json!(true), Ok(1)),
            (json!(" -7 "), Ok(-7)),
            (json!("7.00"), Ok(7)),
            (json!(5.5), Err("int_from_float")),
            (json!("7."), Err("int_parsing")),
            (json!("x"), Err("int_parsing")),
            (json!(null), Err("int_type")),
            (json!([]), Err("int_type")),
            (json!("-1_0.0"), Ok(-10)),
            (json!("1__0"), Err("int_parsing")),
            (json!("_1"), Err("int_parsing")),
            (json!("1_"), Err("int_parsing")),
            (json!(""), Err("int_parsing")),
            (json!("-"), Err("int_parsing")),
            (
                json!(9_223_372_036_854_774_784.0),
                Ok(9_223_372_036_854_774_784),
            ),
            (json!(u64::MAX), Err(UNCOVERED)),
            (json!(1e20), Err(UNCOVERED)),
            (json!("9223372036854775808"), Err(UNCOVERED)),
        ] {
            let found = integer(&value, &AT).map_err(|problems| problems[0].kind);
            assert_eq!(found, expected, "{value}");
        }
        assert_eq!(kind(positive(&json!(0), &AT)), "greater_than_equal");
        assert_eq!(float(&json!("2.5"), &AT), Ok(2.5));
        assert_eq!(float(&json!(" 1_0e1"), &AT), Ok(100.0));
        assert_eq!(kind(float(&json!("nan"), &AT)), UNCOVERED);
        assert_eq!(kind(float(&json!("x"), &AT)), "float_parsing");
        assert_eq!(kind(float(&json!({}), &AT)), "float_type");
    }

    #[test]
    fn truth_values_have_words() {
        assert_eq!(boolean(&json!("Off"), &AT), Ok(false));
        assert_eq!(boolean(&json!(1), &AT), Ok(true));
        assert_eq!(kind(boolean(&json!("maybe"), &AT)), "bool_parsing");
        assert_eq!(kind(boolean(&json!(2), &AT)), "bool_parsing");
        assert_eq!(kind(boolean(&json!(null), &AT)), "bool_type");
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
    fn times_come_in_many_forms() {
        assert_eq!(timestamp(&json!(60.9), &AT), Ok(60));
        assert_eq!(timestamp(&json!("1970-01-02"), &AT), Ok(86_400));
        assert_eq!(
            kind(timestamp(&json!("x"), &AT)),
            "datetime_from_date_parsing"
        );
        assert_eq!(kind(timestamp(&json!(true), &AT)), "datetime_type");
        assert_eq!(kind(timestamp(&json!(1e20), &AT)), "datetime_parsing");
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
