//! JSON that may contain secrets.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON value that may contain secrets, such as the configuration of an external service. `Debug`
/// does not show it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(Value);

impl Settings {
    /// Returns the value.
    #[must_use]
    pub fn expose(&self) -> &Value {
        &self.0
    }

    /// Returns the value.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl From<Value> for Settings {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(..)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_not_shown() {
        let settings = Settings::from(json!({"client_secret": "planted"}));
        assert!(!format!("{settings:?}").contains("planted"));
        assert_eq!(settings.expose()["client_secret"], "planted");
    }
}
