//! Reads JSON written by people for emulators (seeds and bodies for the management API). Errors
//! name the place of a mistake but never the value, which may be a secret.

use serde::de::DeserializeOwned;

use crate::text::str_without_mark;
use crate::{Error, ErrorKind, Result};

/// Reads a JSON text, after an optional byte order mark.
///
/// The types that are read should deny unknown fields, so that a misspelled key is an error.
///
/// # Errors
///
/// [`ErrorKind::Config`] with the key, the problem, the line and the column. No value of the text
/// is shown.
///
/// ```
/// use serde::Deserialize;
/// use vouchsafe_core::mock::strict;
///
/// #[derive(Debug, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct User {
///     uid: i64,
/// }
///
/// let error = strict::read::<Vec<User>>("[{\"uid\": 1},\n {\"iud\": 2}]").unwrap_err();
/// assert_eq!(error.message(), "line 2, column 7: [1].iud: unknown field; there is: uid");
/// ```
pub fn read<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> Result<T> {
    let text = std::str::from_utf8(text.as_ref())
        .map_err(|_| Error::new(ErrorKind::Config, "not UTF-8"))?;
    let text = str_without_mark(text);
    let wrong = |path: &str, fault: &serde_json::Error| {
        // The place comes first, because a long message is cut at its end.
        let place = format!("line {}, column {}", fault.line(), fault.column());
        let what = without_values(fault);
        let message = match path {
            "" | "." | "?" => format!("{place}: {what}"),
            path => format!("{place}: {path}: {what}"),
        };
        Error::new(ErrorKind::Config, message)
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|fault| {
        let path = fault.path().to_string();
        wrong(&path, fault.inner())
    })?;
    reader.end().map_err(|fault| wrong("", &fault))?;
    Ok(value)
}

/// Returns the problem without the value that was found.
fn without_values(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    if !fault.is_data() {
        let place = format!(" at line {} column {}", fault.line(), fault.column());
        return format!("not JSON: {}", text.replace(&place, ""));
    }
    let text = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(what, _)| what);
    for what in ["missing", "duplicate", "unknown"] {
        // Keys, unlike values, are not secret.
        let named = text
            .strip_prefix(what)
            .and_then(|rest| rest.strip_prefix(" field `"))
            .and_then(|rest| rest.split_once('`'));
        match (what, named) {
            ("unknown", Some((_, rest))) => {
                let known = rest.trim_start_matches(|c: char| c != '`').replace('`', "");
                return match known.as_str() {
                    "" => "unknown field; there are no fields".to_owned(),
                    known => format!("unknown field; there is: {}", known.replace(" or ", ", ")),
                };
            }
            (_, Some((name, _))) => return format!("{what} field {name}"),
            _ => {}
        }
    }
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {}", expected.replace('`', "")),
        None => "a value of the wrong form".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct World {
        #[serde(default)]
        users: Vec<User>,
        #[serde(default)]
        #[expect(dead_code, reason = "read only")]
        places: BTreeMap<String, User>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct User {
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "read only")]
        uid: i64,
        #[serde(default)]
        #[expect(dead_code, reason = "read only")]
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Person,
        Robot,
    }

    #[test]
    fn an_error_names_key_and_line_but_not_the_value() {
        for (text, told) in [
            ("", "line 1, column 0: not JSON: EOF while parsing a value"),
            (
                "{} planted",
                "line 1, column 4: not JSON: trailing characters",
            ),
            (
                "{\n\"usres\": []}",
                "line 2, column 7: usres: unknown field; there is: users, places",
            ),
            (
                "{\"users\": [\n{\"name\": 5}]}",
                "line 2, column 10: users[0].name: expected a string",
            ),
            (
                r#"{"users": [{"name": "a", "uid": "planted, expected `planted` at line 9"}]}"#,
                "users[0].uid: expected i64",
            ),
            (r#"{"users": [{}]}"#, "users[0]: missing field name"),
            (
                r#"{"users": [{"name": "a", "name": "planted"}]}"#,
                "users[0]: duplicate field name",
            ),
            (
                r#"{"places": {"x": {"name": "a", "kind": "planted"}}}"#,
                "places.x.kind: expected person or robot",
            ),
        ] {
            let error = read::<World>(text).unwrap_err();
            let message = error.message();
            assert!(message.contains(told), "{message}\n{told}");
            assert!(
                !format!("{error} {error:?}").contains("planted"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_byte_order_mark_is_dropped() {
        let world = read::<World>("\u{feff}{\"users\": [{\"name\": \"ada\"}]}").unwrap();
        assert_eq!(world.users[0].name, "ada");
    }
}
