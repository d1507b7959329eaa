//! The fields of a request, which are written as JSON or as a form.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use vouchsafe_core::Secret;
use vouchsafe_core::call::{Call, Form};

use crate::Result;

/// The format of requests to the token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyFormat {
    /// JSON, which this service accepts.
    #[default]
    Json,
    /// A form, which the standard requires (RFC 6749).
    Form,
}

/// The value of a field.
#[derive(Clone, Copy)]
pub(super) enum Field<'a> {
    Text(&'a str),
    Secret(&'a Secret),
    /// Missing; JSON says so.
    Null,
}

/// The fields of a request in the order in which they are written.
#[derive(Clone)]
pub(super) struct Fields<'a>(pub(super) Vec<(&'static str, Field<'a>)>);

impl<'a> Fields<'a> {
    /// Adds a secret if there is one.
    pub(super) fn secret_opt(mut self, name: &'static str, value: Option<&'a Secret>) -> Self {
        self.0
            .extend(value.map(|value| (name, Field::Secret(value))));
        self
    }

    /// Sets the fields as the body of a call.
    pub(super) fn body_of(&self, call: Call, format: BodyFormat) -> Result<Call> {
        match format {
            BodyFormat::Json => Ok(call.secret_json(self)?),
            BodyFormat::Form => {
                let add = |form: Form, (name, field): &(&'static str, Field<'_>)| match field {
                    Field::Text(text) => form.field(name, text),
                    Field::Secret(secret) => form.secret(name, secret),
                    Field::Null => form,
                };
                Ok(call.form(self.0.iter().fold(Form::new(), add)))
            }
        }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, field) in &self.0 {
            map.serialize_entry(name, field)?;
        }
        map.end()
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text),
            Self::Secret(secret) => vouchsafe_core::__private::expose(secret, to),
            Self::Null => to.serialize_none(),
        }
    }
}
