//! The rules for members of bodies and for query parameters (protocol sections 3 and 4.2).

use serde_json::{Map, Value, json};

/// A fault of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    Missing,
    Null,
    /// The name of the constraint, such as `string`.
    Type(&'static str),
    Length(u64, Option<u64>),
    Range(i64, Option<i64>),
    Choice(Vec<String>),
    Pattern(&'static str),
    /// The body is not an object.
    Body,
    /// A rule over several members.
    Rule(&'static str),
}

impl Wrong {
    pub(super) fn message(&self) -> String {
        match self {
            Self::Missing => "Missing data for required field.".to_owned(),
            Self::Null => "Field may not be null.".to_owned(),
            Self::Type("email") => "Not a valid email address.".to_owned(),
            Self::Type("uuid") => "Not a valid UUID.".to_owned(),
            Self::Type("dict") => "Invalid type.".to_owned(),
            Self::Type(name) => format!("Not a valid {name}."),
            Self::Length(min, Some(max)) => format!("Length must be between {min} and {max}."),
            Self::Length(min, None) => format!("Shorter than minimum length {min}."),
            Self::Range(min, Some(max)) => {
                format!("Must be greater than or equal to {min} and less than or equal to {max}.")
            }
            Self::Range(min, None) => format!("Must be greater than or equal to {min}."),
            Self::Choice(choices) => format!("Must be one of: {}.", choices.join(", ")),
            Self::Pattern(_) => "String does not match expected pattern.".to_owned(),
            Self::Body => "Invalid input type.".to_owned(),
            Self::Rule(rule) => (*rule).to_owned(),
        }
    }

    fn constraint(&self) -> Option<(&'static str, Value)> {
        Some(match self {
            Self::Missing => ("required", json!("required")),
            Self::Null => ("not_null", json!("not_null")),
            Self::Type(name) => ("type", json!(name)),
            Self::Length(min, max) => ("length", json!({"min": min, "max": max})),
            Self::Range(min, None) => ("range", json!({ "min": min })),
            Self::Range(min, Some(max)) => ("range", json!({"min": min, "max": max})),
            Self::Choice(choices) => ("enum", json!({ "choices": choices })),
            Self::Pattern(pattern) => ("regex", json!(pattern)),
            Self::Body | Self::Rule(_) => return None,
        })
    }

    /// Returns whether it is a rule for a value of the right type. The service writes these as a
    /// list if it reports all faults.
    fn is_of_value(&self) -> bool {
        matches!(
            self,
            Self::Length(..)
                | Self::Range(..)
                | Self::Choice(_)
                | Self::Pattern(_)
                | Self::Type("email")
        )
    }

    pub(super) fn json(&self) -> Value {
        match self.constraint() {
            Some((id, constraint)) => json!({
                "message": self.message(),
                "constraint_id": id,
                "constraint": constraint,
            }),
            None => json!({ "message": self.message() }),
        }
    }

    /// Writes it for answers that report all faults.
    pub(super) fn in_tree(&self) -> Value {
        if self.is_of_value() {
            json!([self.json()])
        } else {
            self.json()
        }
    }

    /// Writes it as Python does, for the refusals of `POST /token`.
    pub(super) fn in_python(&self, member: &str) -> String {
        let message = format!("'message': {}", python(&self.message().into()));
        match self.constraint() {
            None => format!("{{'_schema': [{}]}}", python(&self.message().into())),
            Some((id, constraint)) => {
                let rule = format!(
                    "'constraint_id': '{id}', 'constraint': {}",
                    python(&constraint)
                );
                if self.is_of_value() {
                    format!("{{'{member}': [{{{rule}, {message}}}]}}")
                } else {
                    format!("{{'{member}': {{{message}, {rule}}}}}")
                }
            }
        }
    }
}

fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::String(text) if text.contains('\'') => format!("\"{text}\""),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            // The only ones are bounds, which begin with the smaller.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| std::cmp::Reverse(name.as_str()));
            let members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| format!("'{name}': {}", python(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// An invalid member, by its path, such as `address.line_1`.
pub(super) type Fault = (String, Wrong);

/// A body with members.
#[derive(Debug)]
pub(super) struct Body(pub(super) Map<String, Value>);

impl Body {
    pub(super) fn of(members: &Map<String, Value>) -> Self {
        Self(members.clone())
    }

    /// Drops members that the schema of a request lacks, as the service does unread.
    pub(super) fn without(mut self, lacking: &[&str]) -> Self {
        self.0.retain(|name, _| !lacking.contains(&name.as_str()));
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Reads a text. `None` if it is missing or, where that is permitted, null.
    pub(super) fn text(&self, name: &str, rule: &Text) -> Result<Option<String>, Fault> {
        self.value(name, rule.required, rule.nullable, |value| rule.read(value))
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Fault> {
        self.value(name, false, false, boolean)
    }

    pub(super) fn integer(
        &self,
        name: &str,
        min: i64,
        max: Option<i64>,
    ) -> Result<Option<i64>, Fault> {
        self.value(name, false, false, |value| {
            let number = integer(value)?;
            if number < min || max.is_some_and(|max| number > max) {
                return Err(Wrong::Range(min, max));
            }
            Ok(number)
        })
    }

    pub(super) fn value<T>(
        &self,
        name: &str,
        required: bool,
        nullable: bool,
        read: impl FnOnce(&Value) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Fault> {
        let wrong = match self.get(name) {
            None if required => Wrong::Missing,
            None => return Ok(None),
            Some(Value::Null) if nullable => return Ok(None),
            Some(Value::Null) => Wrong::Null,
            Some(value) => match read(value) {
                Ok(value) => return Ok(Some(value)),
                Err(wrong) => wrong,
            },
        };
        Err((name.to_owned(), wrong))
    }
}

/// Returns whether the service treats a value as an empty object.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Null => true,
        Value::Object(_) => false,
    }
}

/// The rule for a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    required: bool,
    nullable: bool,
    length: Option<(u64, Option<u64>)>,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Any,
    Uuid,
    Email,
    /// Only letters, digits and these.
    Slug(&'static str, &'static str),
    Choice(&'static [&'static str]),
}

impl Text {
    /// An optional text that may be null.
    pub(super) const fn optional() -> Self {
        Self {
            required: false,
            nullable: true,
            length: None,
            form: Form::Any,
        }
    }

    pub(super) const fn required() -> Self {
        Self {
            required: true,
            nullable: false,
            ..Self::optional()
        }
    }

    pub(super) const fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    pub(super) const fn length(mut self, min: u64, max: u64) -> Self {
        self.length = Some((min, Some(max)));
        self
    }

    pub(super) const fn at_least(mut self, min: u64) -> Self {
        self.length = Some((min, None));
        self
    }

    pub(super) const fn uuid(mut self) -> Self {
        self.form = Form::Uuid;
        self
    }

    pub(super) const fn email(mut self) -> Self {
        self.form = Form::Email;
        self
    }

    /// Letters, digits and these characters; the pattern is for the refusal.
    pub(super) const fn slug(mut self, more: &'static str, pattern: &'static str) -> Self {
        self.form = Form::Slug(more, pattern);
        self
    }

    pub(super) const fn one_of(mut self, choices: &'static [&'static str]) -> Self {
        self.form = Form::Choice(choices);
        self
    }

    pub(super) fn read(&self, value: &Value) -> Result<String, Wrong> {
        let Value::String(text) = value else {
            return Err(Wrong::Type(match self.form {
                Form::Uuid => "uuid",
                _ => "string",
            }));
        };
        if let Some((min, max)) = self.length {
            let length = text.chars().count() as u64;
            if length < min || max.is_some_and(|max| length > max) {
                return Err(Wrong::Length(min, max));
            }
        }
        match self.form {
            Form::Any => {}
            Form::Uuid => return uuid(text).ok_or(Wrong::Type("uuid")),
            Form::Email if !is_email(text) => return Err(Wrong::Type("email")),
            Form::Slug(more, pattern) if !is_slug(text, more) => {
                return Err(Wrong::Pattern(pattern));
            }
            Form::Choice(choices) if !choices.contains(&text.as_str()) => {
                let choices = choices.iter().map(|&choice| choice.to_owned());
                return Err(Wrong::Choice(choices.collect()));
            }
            Form::Email | Form::Slug(..) | Form::Choice(_) => {}
        }
        Ok(text.clone())
    }
}

pub(super) fn is_slug(text: &str, more: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// Returns the UUID in lower case.
pub(super) fn uuid(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    (lengths == [8, 4, 4, 4, 12] && parts.iter().all(is_hex)).then(|| text.to_ascii_lowercase())
}

fn is_email(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else {
        return false;
    };
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"(),:;<>[]\\@".contains(c);
    let is_dotted = |text: &str| !text.split('.').any(str::is_empty);
    let is_label = |label: &str| {
        let is_good = label.chars().all(|c| c.is_alphanumeric() || c == '-');
        is_good && !label.starts_with('-') && !label.ends_with('-')
    };
    !user.is_empty()
        && user.chars().all(is_plain)
        && is_dotted(user)
        && is_dotted(host)
        && host.split('.').all(is_label)
        && (host.contains('.') || host == "localhost")
}

/// Reads a boolean as the service does, from JSON or from text.
pub(super) fn boolean(value: &Value) -> Result<bool, Wrong> {
    const TRUE: [&str; 14] = [
        "t", "T", "true", "True", "TRUE", "on", "On", "ON", "y", "Y", "yes", "Yes", "YES", "1",
    ];
    const FALSE: [&str; 14] = [
        "f", "F", "false", "False", "FALSE", "off", "Off", "OFF", "n", "N", "no", "No", "NO", "0",
    ];
    let text = match value {
        Value::Bool(value) => return Ok(*value),
        Value::Number(number) if number.as_f64() == Some(1.0) => return Ok(true),
        Value::Number(number) if number.as_f64() == Some(0.0) => return Ok(false),
        Value::String(text) => text.as_str(),
        _ => return Err(Wrong::Type("boolean")),
    };
    match text {
        text if TRUE.contains(&text) => Ok(true),
        text if FALSE.contains(&text) => Ok(false),
        _ => Err(Wrong::Type("boolean")),
    }
}

fn integer(value: &Value) -> Result<i64, Wrong> {
    let wrong = Wrong::Type("integer");
    match value {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the service cuts toward zero"
        )]
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|number| number as i64))
            .ok_or(wrong),
        Value::String(text) => text.trim().parse().map_err(|_| wrong),
        _ => Err(wrong),
    }
}
