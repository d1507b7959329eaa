//! Management actions of an emulator besides faults and time.

use serde_json::Value;

/// An operation of the management API on a service: `POST /_mock/SERVICE/NAME` with a JSON object.
///
/// ```
/// use vouchsafe_core::mock::Action;
///
/// static ADD_USER: Action = Action::new("users", "Adds a user.")
///     .body(r#"{"username": "dana", "uid": 1004}"#)
///     .field("username", "the name")
///     .optional("uid", "the numeric id");
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Action {
    name: &'static str,
    summary: &'static str,
    body: &'static str,
    answer: &'static str,
    fields: [Option<Field>; MAX_FIELDS],
}

#[derive(Clone, Copy, Debug)]
struct Field {
    name: &'static str,
    meaning: &'static str,
    is_required: bool,
}

impl Action {
    /// Creates an action from the last segment of its path and a sentence that says what it does.
    /// It takes `{}` and answers `{}`.
    pub const fn new(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            body: "{}",
            answer: "{}",
            fields: [None; MAX_FIELDS],
        }
    }

    /// Sets an example of the body, which must be valid in the emulator's initial state.
    pub const fn body(mut self, example: &'static str) -> Self {
        self.body = example;
        self
    }

    /// Sets an example of the answer.
    pub const fn answer(mut self, example: &'static str) -> Self {
        self.answer = example;
        self
    }

    /// Adds a required field of the body and its meaning.
    pub const fn field(self, name: &'static str, meaning: &'static str) -> Self {
        self.with(name, meaning, true)
    }

    /// Adds an optional field of the body and its meaning.
    pub const fn optional(self, name: &'static str, meaning: &'static str) -> Self {
        self.with(name, meaning, false)
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the example of the body.
    #[must_use]
    pub const fn example(&self) -> &'static str {
        self.body
    }

    /// Returns the example of the answer.
    #[must_use]
    pub const fn example_answer(&self) -> &'static str {
        self.answer
    }

    /// Returns the summary.
    pub(super) const fn summary(&self) -> &'static str {
        self.summary
    }

    /// Returns the fields of the body: name, meaning, and whether each is required.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let fields = self.fields.into_iter().flatten();
        fields.map(|field| (field.name, field.meaning, field.is_required))
    }

    /// Returns the examples as JSON; `Null` for text that is not JSON.
    pub(super) fn examples(&self) -> (Value, Value) {
        let read = |text| serde_json::from_str(text).unwrap_or_default();
        (read(self.body), read(self.answer))
    }

    const fn with(mut self, name: &'static str, meaning: &'static str, is_required: bool) -> Self {
        let mut free = 0;
        while self.fields[free].is_some() {
            free += 1;
        }
        self.fields[free] = Some(Field {
            name,
            meaning,
            is_required,
        });
        self
    }
}

/// Enough for every action. One more does not compile, because actions are constants.
const MAX_FIELDS: usize = 20;
