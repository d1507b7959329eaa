//! The expected outcome for our client, given what the Python one did: mostly the same, and better
//! where the protocol text says what a new client should do.

use serde_json::{Map, Value, json};

use super::calls::{Fault, Outcome};
use super::rules::exceeds_integers;
use crate::vectors::compare::Comparison;
use crate::vectors::schema::{Answer, Expect, ExpectedError, SeenRequest};

/// Rows that only show how lenient the Python models are (protocol section 4.4).
pub(super) const LENIENT: &str = "the Python models turn values of other types into the expected \
                                  one; the server never sends such, and strict types are what \
                                  the protocol proposes";

/// Returns whether an error class belongs to the Python libraries' own. Others escaped from
/// beneath them: mistakes that a new client must not repeat.
pub(super) fn is_own_class(class: &str) -> bool {
    class.starts_with("Gafaelfawr") || class.starts_with("Repertoire")
}

/// Returns what a client should make of an answer to a request, in the terms of a case.
pub(super) fn of_answer(call: &str, request: &SeenRequest, base: &str, answer: &Answer) -> Expect {
    let of_discovery = request.path.ends_with("/discovery");
    let house = if of_discovery {
        "Repertoire"
    } else {
        "Gafaelfawr"
    };
    let fault = |class: String| ExpectedError {
        class,
        method: Some(request.method.clone()),
        url: Some(format!("{{base}}{}", request.path)),
        ..ExpectedError::default()
    };
    if answer.drop {
        return Expect::Error(fault(format!("{house}WebError")));
    }
    let body = answer.body().replace("{base}", base);
    if !(200..300).contains(&answer.status()) {
        let class = if answer.status() == 404 && request.method == "GET" && !of_discovery {
            "GafaelfawrNotFoundError".to_owned()
        } else {
            format!("{house}WebError")
        };
        return Expect::Error(ExpectedError {
            status: Some(answer.status()),
            body: Some(body),
            ..fault(class)
        });
    }
    let parsed: Option<Value> = serde_json::from_str(&body).ok();
    match parsed.as_ref().filter(|_| !of_discovery) {
        Some(Value::Object(info)) if call == "get_user_info" && info.contains_key("username") => {
            Expect::Ok(filled_user(info))
        }
        _ => Expect::Error(fault(format!("{house}ValidationError"))),
    }
}

/// Returns what differs between what was expected and what came of a call. `answer` is what the
/// upstream said last, if anything.
pub(super) fn differences(
    expected: &Expect,
    outcome: &Outcome,
    base: &str,
) -> Result<Vec<String>, Lenient> {
    match (expected, outcome) {
        (Expect::Ok(expected), Outcome::Ok(got)) => {
            Ok(Comparison::default().differences(expected, got, "result"))
        }
        (Expect::Ok(expected), Outcome::Failed(fault)) => match &fault.place {
            Some(place) if fault.class.ends_with("ValidationError") => Err(Lenient {
                place: place.clone(),
                expected: expected.clone(),
                text: fault.text.clone(),
            }),
            _ => Ok(vec![format!(
                "expected {expected}, got error: {}",
                fault.text
            )]),
        },
        (Expect::Error(expected), Outcome::Ok(got)) => {
            Ok(vec![format!("expected {}, got {got}", expected.class)])
        }
        (Expect::Error(expected), Outcome::Failed(fault)) => {
            Ok(error_differences(expected, fault, base))
        }
    }
}

/// Our client refused an answer that the Python one accepted: right if that was only leniency.
#[derive(Clone, Debug)]
pub(super) struct Lenient {
    place: String,
    expected: Value,
    text: String,
}

impl Lenient {
    /// Returns whether the answer holds, where we refused it, a text, number or truth of another
    /// type than the number or truth that the Python model made of it.
    pub(super) fn is_shown_by(&self, document: &Value) -> bool {
        let sent = at_place(document, &self.place).map(type_of);
        let made = at_place(&self.expected, &self.place).map(type_of);
        matches!(
            (sent, made),
            (Some("string" | "bool" | "float"), Some("integer"))
                | (Some("string" | "bool"), Some("float"))
                | (Some("string" | "integer" | "float"), Some("bool"))
        )
    }

    /// Returns whether the answer holds, where we refused it, a whole number beyond 64 bits.
    pub(super) fn is_beyond(&self, document: &Value) -> bool {
        at_place(document, &self.place).is_some_and(exceeds_integers)
    }

    pub(super) fn difference(&self) -> String {
        format!("expected {}, got error: {}", self.expected, self.text)
    }
}

fn error_differences(expected: &ExpectedError, fault: &Fault, base: &str) -> Vec<String> {
    let mut found = Vec::new();
    if expected.class != fault.class {
        found.push(format!(
            "error: expected {}, got {}: {}",
            expected.class, fault.class, fault.text
        ));
    }
    // The form of an answer that meant success has no status in the recorded client.
    if expected.status != fault.status && !fault.class.ends_with("ValidationError") {
        found.push(format!(
            "status: expected {:?}, got {:?}",
            expected.status, fault.status
        ));
    }
    let mut same = |what: &str, expected: Option<&String>, got: Option<&String>| {
        let Some(expected) = expected.map(|text| text.replace("{base}", base)) else {
            return;
        };
        let as_json = |text: &str| serde_json::from_str::<Value>(text).ok();
        let is_same = got.is_some_and(|got| {
            *got == expected || as_json(got).is_some_and(|got| Some(got) == as_json(&expected))
        });
        if !is_same {
            found.push(format!("{what}: expected {expected:?}, got {got:?}"));
        }
    };
    same("method", expected.method.as_ref(), fault.method.as_ref());
    same("url", expected.url.as_ref(), fault.url.as_ref());
    if expected.status.is_some() {
        same("body", expected.body.as_ref(), fault.body.as_ref());
    }
    found
}

/// Fills in what a user information leaves out, as the Python model does.
pub(super) fn filled_user(sent: &Map<String, Value>) -> Value {
    let mut user = json!({
        "username": null, "name": null, "email": null, "uid": null, "gid": null,
        "groups": [], "quota": null,
    });
    take_known(&mut user, sent);
    if let Value::Object(sent) = &user["quota"] {
        let mut quota = json!({"api": {}, "disk": {}, "notebook": null, "tap": {}});
        take_known(&mut quota, sent);
        user["quota"] = quota;
    }
    user
}

fn take_known(defaults: &mut Value, sent: &Map<String, Value>) {
    for (name, value) in defaults.as_object_mut().into_iter().flatten() {
        if let Some(sent) = sent.get(name) {
            value.clone_from(sent);
        }
    }
}

/// Returns the value at a place as our errors write it: `groups[0].id`. A name may hold dots, so
/// the longest one that fits is taken.
fn at_place<'v>(value: &'v Value, place: &str) -> Option<&'v Value> {
    let place = place.trim_start_matches('.');
    if place.is_empty() {
        return Some(value);
    }
    if let Some(rest) = place.strip_prefix('[') {
        let (index, rest) = rest.split_once(']')?;
        return at_place(value.get(index.parse::<usize>().ok()?)?, rest);
    }
    value.as_object()?.iter().find_map(|(name, inner)| {
        let rest = place.strip_prefix(name.as_str())?;
        let ends = rest.is_empty() || rest.starts_with(['.', '[']);
        at_place(inner, rest).filter(|_| ends)
    })
}

/// Returns what kind of value this is; whole numbers and fractions differ.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> SeenRequest {
        SeenRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            ..SeenRequest::default()
        }
    }

    fn class(call: &str, request: &SeenRequest, answer: Value) -> String {
        let answer: Answer = serde_json::from_value(answer).unwrap();
        match of_answer(call, request, "http://u", &answer) {
            Expect::Ok(value) => value.to_string(),
            Expect::Error(error) => error.class,
        }
    }

    #[test]
    fn an_answer_tells_which_error_is_due() {
        let info = request("GET", "/a/user-info");
        let post = request("POST", "/a/tokens");
        let discovery = request("GET", "/r/discovery");
        for (request, answer, expected) in [
            (&info, json!({"text": "x"}), "GafaelfawrValidationError"),
            (&info, json!({"status": 204}), "GafaelfawrValidationError"),
            (&info, json!({"json": null}), "GafaelfawrValidationError"),
            (&info, json!({"status": 404}), "GafaelfawrNotFoundError"),
            (&info, json!({"status": 302}), "GafaelfawrWebError"),
            (&info, json!({"drop": true}), "GafaelfawrWebError"),
            (&post, json!({"status": 404}), "GafaelfawrWebError"),
            (
                &discovery,
                json!({"text": "x"}),
                "RepertoireValidationError",
            ),
            (&discovery, json!({"status": 404}), "RepertoireWebError"),
        ] {
            assert_eq!(
                class("get_user_info", request, answer.clone()),
                expected,
                "{answer}"
            );
        }
    }

    #[test]
    fn what_a_user_information_leaves_out_is_filled_in() {
        let sent = json!({"username": "u", "extra": 1, "quota": {"api": {"a": 1}}});
        assert_eq!(
            filled_user(sent.as_object().unwrap()),
            json!({
                "username": "u", "name": null, "email": null, "uid": null, "gid": null,
                "groups": [],
                "quota": {"api": {"a": 1}, "disk": {}, "notebook": null, "tap": {}},
            })
        );
    }

    #[test]
    fn leniency_is_a_change_of_type_where_we_refused() {
        let lenient = |place: &str| Lenient {
            place: place.to_owned(),
            expected: json!({"uid": 7, "groups": [{"id": 3}], "a.b": {"c": true}}),
            text: String::new(),
        };
        let sent = json!({"uid": "7", "groups": [{"id": 3}], "a.b": {"c": "yes"}});
        assert!(lenient("uid").is_shown_by(&sent));
        assert!(lenient("a.b.c").is_shown_by(&sent));
        assert!(!lenient("groups[0].id").is_shown_by(&sent));
        assert!(!lenient("none").is_shown_by(&sent));
    }

    #[test]
    fn a_number_beyond_64_bits_is_distinguished_from_other_refusals() {
        let lenient = |place: &str| Lenient {
            place: place.to_owned(),
            expected: json!({}),
            text: String::new(),
        };
        let sent: Value =
            serde_json::from_str(r#"{"uid": 9223372036854775808, "gid": 1.5}"#).unwrap();
        assert!(lenient("uid").is_beyond(&sent));
        assert!(!lenient("gid").is_beyond(&sent));
        assert!(!lenient("none").is_beyond(&sent));
    }

    #[test]
    fn an_error_is_compared_field_by_field_and_bodies_as_json() {
        let expected = ExpectedError {
            class: "GafaelfawrWebError".to_owned(),
            status: Some(500),
            method: Some("GET".to_owned()),
            url: Some("{base}/x".to_owned()),
            body: Some(r#"{"a": 1}"#.to_owned()),
            ..ExpectedError::default()
        };
        let mut fault = Fault {
            class: "GafaelfawrWebError".to_owned(),
            status: Some(500),
            method: Some("GET".to_owned()),
            url: Some("http://u/x".to_owned()),
            body: Some(r#"{"a":1}"#.to_owned()),
            place: None,
            text: "text".to_owned(),
        };
        assert_eq!(error_differences(&expected, &fault, "http://u"), [""; 0]);
        fault.body = Some("{}".to_owned());
        fault.status = Some(502);
        assert_eq!(error_differences(&expected, &fault, "http://u").len(), 2);
    }
}
