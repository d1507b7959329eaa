//! Operations as data, to call them by name: for programs that offer every operation of a service,
//! and for tests that cover all of them.

use http::HeaderName;
use serde_json::Value;

use super::{Call, Form, Operation};
use crate::url::Target;
use crate::{Error, ErrorKind, Result, Secret};

/// An operation of a description. Generated code creates the tables.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "generated tables are made of it")]
pub struct Described {
    /// The operation.
    pub operation: &'static Operation,
    /// The name in lower case with hyphens, such as `user-list`.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// The parameters, those of the path first and in its order.
    pub parameters: &'static [Parameter],
    /// The body of the request, if it has one.
    pub body: Option<Body>,
    /// Whether the answer contains a secret.
    pub answers_secret: bool,
}

/// A parameter of an operation.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "generated tables are made of it")]
pub struct Parameter {
    /// The name on the wire.
    pub name: &'static str,
    /// The name in lower case with hyphens, such as `x-tenant`.
    pub flag: &'static str,
    /// Where it is sent.
    pub place: Place,
    /// Whether it is required.
    pub required: bool,
    /// Whether it is a secret.
    pub secret: bool,
    /// What it means; may be empty.
    pub about: &'static str,
    /// An example that the service accepts.
    pub example: &'static str,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "generated tables are made of it")]
pub enum Place {
    /// A segment of the path.
    Path,
    /// The query, once.
    Query,
    /// The query, once for each value.
    QueryEach,
    /// The query, with all values in one, separated by commas.
    QueryCommas,
    /// A header.
    Header,
}

impl Place {
    /// Returns whether a parameter there may have several values.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Self::QueryEach | Self::QueryCommas)
    }
}

/// The body of a request.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "generated tables are made of it")]
pub struct Body {
    /// Whether it is a form instead of JSON.
    pub is_form: bool,
    /// Whether it is required.
    pub required: bool,
    /// An example of a body that the service accepts, as JSON. Empty if none is known.
    pub example: &'static str,
}

/// Values for a call by name.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    values: Vec<(&'static str, Secret)>,
    body: Option<Secret>,
}

impl Arguments {
    /// Creates arguments without values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value of a parameter. Lists may have several.
    #[must_use]
    pub fn value(mut self, parameter: &Parameter, value: impl Into<Secret>) -> Self {
        self.values.push((parameter.name, value.into()));
        self
    }

    /// Sets the body, as JSON. The body of a form is an object of texts or of lists of texts.
    #[must_use]
    pub fn body(mut self, json: impl Into<Secret>) -> Self {
        self.body = Some(json.into());
        self
    }

    fn of(&self, parameter: &Parameter) -> Vec<&Secret> {
        let own = |(name, _): &&(&'static str, Secret)| *name == parameter.name;
        self.values
            .iter()
            .filter(own)
            .map(|(_, value)| value)
            .collect()
    }
}

impl Described {
    /// Returns the examples of all required arguments.
    #[must_use]
    pub fn examples(&self) -> Arguments {
        let required = self.parameters.iter().filter(|one| one.required);
        let arguments = required.fold(Arguments::new(), |arguments, parameter| {
            arguments.value(parameter, parameter.example)
        });
        match self.body {
            Some(body) if body.required => arguments.body(body.example),
            _ => arguments,
        }
    }

    /// Creates the call. Every body counts as secret, since only its schema knows which parts are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if a required value is missing, there are too many, or one is not
    /// valid in its place.
    pub fn call(&self, arguments: &Arguments) -> Result<Call> {
        self.form(arguments)
            .map_err(|fault| fault.with_operation(self.operation.id()))
    }

    fn form(&self, arguments: &Arguments) -> Result<Call> {
        for parameter in self.parameters {
            let count = arguments.of(parameter).len();
            if parameter.required && count == 0 {
                return Err(invalid(format!("{} is missing", parameter.name)));
            }
            if count > 1 && !parameter.place.is_list() {
                return Err(invalid(format!("{} has one value only", parameter.name)));
            }
        }
        let mut target = self.path(arguments)?;
        for parameter in self.parameters {
            let values = arguments.of(parameter);
            match parameter.place {
                Place::Query | Place::QueryEach => {
                    for value in values {
                        target = target.query(parameter.name, value.expose());
                    }
                }
                Place::QueryCommas if !values.is_empty() => {
                    let values: Vec<_> = values.iter().map(|value| value.expose()).collect();
                    target = target.query(parameter.name, &values.join(","));
                }
                _ => {}
            }
        }
        let mut call = Call::new(self.operation, target);
        for parameter in self.parameters {
            for value in arguments.of(parameter) {
                if parameter.secret {
                    call = call.hide(value);
                }
                if parameter.place == Place::Header {
                    let name = HeaderName::try_from(parameter.name)
                        .map_err(|_| invalid(format!("{} is not a header", parameter.name)))?;
                    call = match parameter.secret {
                        true => call.secret_header(name, value)?,
                        false => call.header(name, value.expose())?,
                    };
                }
            }
        }
        match (self.body, &arguments.body) {
            (Some(body), Some(text)) => with_body(call, body, text),
            (Some(body), None) if body.required => Err(invalid("the body is missing".to_owned())),
            (None, Some(_)) => Err(invalid("there is no body".to_owned())),
            _ => Ok(call),
        }
    }

    fn path(&self, arguments: &Arguments) -> Result<Target> {
        let mut rest = self.operation.path();
        let mut target: Option<Target> = None;
        while let Some((literal, more)) = rest.split_once('{') {
            let (name, more) = more.split_once('}').unwrap_or((more, ""));
            let is_it = |one: &&Parameter| one.place == Place::Path && one.name == name;
            let value = self.parameters.iter().find(is_it);
            let value = value.and_then(|one| arguments.of(one).first().copied());
            let value = value.ok_or_else(|| invalid(format!("{name} is missing")))?;
            let before = match target {
                None => Target::new(literal),
                Some(target) => target.literal(literal),
            };
            target = Some(before.segment(name, value.expose())?);
            rest = more;
        }
        Ok(match target {
            None => Target::new(rest),
            Some(target) => target.literal(rest),
        })
    }
}

fn with_body(call: Call, body: Body, text: &Secret) -> Result<Call> {
    let value: Value = serde_json::from_str(text.expose()).map_err(|cause| {
        // The position, but no part of the text.
        let (line, column) = (cause.line(), cause.column());
        invalid(format!(
            "the body is not JSON: line {line}, column {column}"
        ))
    })?;
    if !body.is_form {
        return call.secret_json(&value);
    }
    let fields = value
        .as_object()
        .ok_or_else(|| invalid("the body of a form is an object".to_owned()))?;
    let mut form = Form::new();
    for (name, value) in fields {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(invalid(format!("{name} is not a text")));
                }
                other => other.to_string(),
            };
            form = form.secret(name, &Secret::from(text));
        }
    }
    Ok(call.form(form))
}

fn invalid(what: String) -> Error {
    Error::new(ErrorKind::Invalid, what)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    static LIST: Operation = Operation::new("t.noteList", Method::GET, "/a/{owner}/notes/{id}/x");
    static FORM: Operation = Operation::new("t.send", Method::POST, "/form");

    const fn parameter(name: &'static str, place: Place, required: bool) -> Parameter {
        Parameter {
            name,
            flag: name,
            place,
            required,
            secret: false,
            about: "",
            example: "example",
        }
    }

    static NOTES: Described = Described {
        operation: &LIST,
        name: "note-list",
        about: "Notes",
        parameters: &[
            parameter("owner", Place::Path, true),
            parameter("id", Place::Path, true),
            parameter("tag", Place::QueryEach, false),
            parameter("sort", Place::QueryCommas, false),
            parameter("limit", Place::Query, false),
            Parameter {
                secret: true,
                ..parameter("X-Key", Place::Header, true)
            },
        ],
        body: None,
        answers_secret: false,
    };

    static SEND: Described = Described {
        operation: &FORM,
        name: "send",
        about: "Send",
        parameters: &[],
        body: Some(Body {
            is_form: true,
            required: true,
            example: r#"{"a": "b"}"#,
        }),
        answers_secret: false,
    };

    fn notes(more: &[(usize, &str)]) -> Arguments {
        let values = more.iter().map(|(index, value)| (*index, *value));
        values.fold(Arguments::new(), |arguments, (index, value)| {
            arguments.value(&NOTES.parameters[index], value)
        })
    }

    #[test]
    fn values_go_where_the_description_has_them_and_are_encoded() {
        let given = notes(&[
            (0, "a/b"),
            (1, "7"),
            (2, "x&y"),
            (2, "z"),
            (3, "a"),
            (3, "b"),
            (4, "10"),
            (5, "planted"),
        ]);
        let call = NOTES.call(&given).unwrap();
        assert_eq!(
            call.0.target.as_str(),
            "/a/a%2Fb/notes/7/x?tag=x%26y&tag=z&sort=a%2Cb&limit=10"
        );
        assert_eq!(
            call.0
                .headers
                .get(&HeaderName::from_static("x-key"))
                .unwrap(),
            "planted"
        );
        assert!(!format!("{call:?} {given:?}").contains("planted"));
    }

    #[test]
    fn what_is_missing_too_many_or_out_of_place_is_refused() {
        let told = |arguments: &Arguments| NOTES.call(arguments).unwrap_err();
        for (given, what) in [
            (notes(&[(0, "a"), (1, "7")]), "X-Key is missing"),
            (notes(&[(0, "a"), (5, "k")]), "id is missing"),
            (
                notes(&[(0, "a"), (0, "b"), (1, "7"), (5, "k")]),
                "owner has one value only",
            ),
            (NOTES.examples().body("{}"), "there is no body"),
        ] {
            let error = told(&given);
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(what), "{error}");
            assert_eq!(error.operation(), Some("t.noteList"));
        }
        let refused = |body: &str| {
            let error = SEND.call(&Arguments::new().body(body)).unwrap_err();
            assert!(!error.to_string().contains("planted"), "{error}");
            error.to_string()
        };
        assert!(refused(r#"{"planted": "#).contains("not JSON: line 1"));
        assert!(refused(r#"["planted"]"#).contains("is an object"));
        assert!(refused(r#"{"a": {"planted": 1}}"#).contains("a is not a text"));
        assert!(SEND.call(&Arguments::new()).is_err());
    }

    #[test]
    fn the_examples_of_what_is_required_make_a_call() {
        assert!(NOTES.call(&NOTES.examples()).is_ok());
        let call = SEND.call(&SEND.examples()).unwrap();
        assert_eq!(call.0.body, "a=b");
        let list = SEND.call(&Arguments::new().body(r#"{"a": ["b", 1, true]}"#));
        assert_eq!(list.unwrap().0.body, "a=b&a=1&a=true");
    }
}
