//! What an emulator can be told through the management besides faults and time.

use serde_json::Value;

/// One thing that the management can do to a service: `POST /_mock/SERVICE/NAME` with a JSON
/// object.
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
    /// Names an action, by the last segment of its path, and says in a sentence what it does. It
    /// takes `{}` and answers `{}`.
    pub const fn new(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            body: "{}",
            answer: "{}",
            fields: [None; MAX_FIELDS],
        }
    }

    /// Sets an example of the body, which the emulator takes in the state it starts with.
    pub const fn body(mut self, example: &'static str) -> Self {
        self.body = example;
        self
    }

    /// Sets an example of the answer.
    pub const fn answer(mut self, example: &'static str) -> Self {
        self.answer = example;
        self
    }

    /// Adds a field that the body must have, and says what it means.
    pub const fn field(self, name: &'static str, meaning: &'static str) -> Self {
        self.with(name, meaning, true)
    }

    /// Adds a field that the body may have, and says what it means.
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

    /// Returns what it does.
    pub(super) const fn summary(&self) -> &'static str {
        self.summary
    }

    /// Returns the fields of the body: name, meaning, and whether it must be there.
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

/// Enough for every action there is: one more does not compile, as actions are constants.
const MAX_FIELDS: usize = 16;
