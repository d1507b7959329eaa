//! Comparing JSON: numbers by value, some lists without order, some values only by their form.

use serde_json::Value;

/// How two documents are compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Comparison {
    volatile: Vec<Vec<String>>,
    unordered: Vec<Vec<String>>,
    is_library_item: Option<fn(&Value) -> bool>,
}

/// Members of an error item that only inform if the server's validation library made it.
const INFORMATIVE: &[&str] = &["msg", "input", "ctx", "url"];

impl Comparison {
    /// Sets the places whose value does not count, only that there is one of that form.
    pub(super) fn volatile(mut self, places: &[String]) -> Self {
        self.volatile = places.iter().map(|place| segments(place)).collect();
        self
    }

    /// Returns whether the value at a place does not count.
    pub(super) fn is_volatile(&self, place: &str) -> bool {
        matches_any(&self.volatile, &segments(place))
    }

    /// Sets the lists whose order does not count.
    pub(super) fn unordered(mut self, places: &[String]) -> Self {
        self.unordered = places.iter().map(|place| segments(place)).collect();
        self
    }

    /// Compares objects of which `is_item` says yes without their texts for people.
    pub(super) fn informative(mut self, is_item: fn(&Value) -> bool) -> Self {
        self.is_library_item = Some(is_item);
        self
    }

    /// Returns what differs, one line each; `place` names where the documents stand.
    pub(super) fn differences(&self, expected: &Value, got: &Value, place: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.compare(Some(expected), Some(got), &mut segments(place), &mut found);
        found
    }

    fn compare(
        &self,
        expected: Option<&Value>,
        got: Option<&Value>,
        place: &mut Vec<String>,
        found: &mut Vec<String>,
    ) {
        let (expected, got) = match (expected, got) {
            (None, None) => return,
            (Some(expected), Some(got)) => (expected, got),
            (expected, got) => {
                found.push(difference(place, expected, got));
                return;
            }
        };
        if matches_any(&self.volatile, place) {
            if !has_form_of(expected, got) {
                found.push(difference(place, Some(expected), Some(got)));
            }
            return;
        }
        match (expected, got) {
            (Value::Object(one), Value::Object(other)) => {
                let skip_texts = self.is_library_item.is_some_and(|is| is(expected));
                let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
                keys.sort();
                keys.dedup();
                for key in keys {
                    if skip_texts && INFORMATIVE.contains(&key.as_str()) {
                        continue;
                    }
                    place.push(key.clone());
                    self.compare(one.get(key), other.get(key), place, found);
                    place.pop();
                }
            }
            (Value::Array(one), Value::Array(other)) => {
                if matches_any(&self.unordered, place) {
                    self.compare_as_sets(one, other, place, found);
                    return;
                }
                for index in 0..one.len().max(other.len()) {
                    place.push(index.to_string());
                    self.compare(one.get(index), other.get(index), place, found);
                    place.pop();
                }
            }
            (Value::Number(one), Value::Number(other)) => {
                if one != other
                    && (one.is_f64() || other.is_f64())
                    && one.as_f64() == other.as_f64()
                {
                    return;
                }
                if one != other {
                    found.push(difference(place, Some(expected), Some(got)));
                }
            }
            _ if expected == got => {}
            _ => found.push(difference(place, Some(expected), Some(got))),
        }
    }

    fn compare_as_sets(
        &self,
        expected: &[Value],
        got: &[Value],
        place: &mut Vec<String>,
        found: &mut Vec<String>,
    ) {
        let mut left: Vec<&Value> = got.iter().collect();
        for item in expected {
            let same = left.iter().position(|other| {
                let mut differences = Vec::new();
                place.push("*".to_owned());
                self.compare(Some(item), Some(other), place, &mut differences);
                place.pop();
                differences.is_empty()
            });
            match same {
                Some(at) => {
                    left.swap_remove(at);
                }
                None => found.push(difference(place, Some(item), None)),
            }
        }
        for extra in left {
            found.push(difference(place, None, Some(extra)));
        }
    }
}

/// Returns the value at a place such as `response.body.token` or `groups[0].name`.
pub(super) fn find<'v>(value: &'v Value, place: &str) -> Option<&'v Value> {
    segments(place).iter().try_fold(value, |value, segment| {
        value
            .get(segment)
            .or_else(|| value.get(segment.parse::<usize>().ok()?))
    })
}

/// Sets the value at a place, making objects on the way.
pub(super) fn put(value: &mut Value, place: &str, new: Value) {
    let mut at = value;
    for segment in segments(place) {
        at = match segment.parse::<usize>() {
            Ok(index) if at.get(index).is_some() => &mut at[index],
            _ => {
                if !at.is_object() {
                    *at = Value::Object(serde_json::Map::new());
                }
                &mut at[segment.as_str()]
            }
        };
    }
    *at = new;
}

/// Returns whether a text has the form of a token: `gt-`, 22 characters, a dot, 22 characters.
pub(super) fn is_token(text: &str) -> bool {
    text.strip_prefix("gt-")
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(key, secret)| is_token_part(key) && is_token_part(secret))
}

fn is_token_part(text: &str) -> bool {
    text.len() == 22
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn has_form_of(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::String(expected), Value::String(got)) => {
            (!is_token(expected) || is_token(got))
                && (!is_token_part(expected) || is_token_part(got))
                && match (path_and_key(expected), path_and_key(got)) {
                    (Some((one, _)), Some((other, _))) => one == other,
                    (Some(_), None) => false,
                    (None, _) => true,
                }
        }
        (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Array(_), Value::Array(_))
        | (Value::Object(_), Value::Object(_))
        | (Value::Null, Value::Null) => true,
        _ => false,
    }
}

/// Splits a path that ends in the key of a token.
pub(super) fn path_and_key(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once('/').filter(|(_, key)| is_token_part(key))
}

fn difference(place: &[String], expected: Option<&Value>, got: Option<&Value>) -> String {
    let show = |value: Option<&Value>| match value {
        None => "nothing".to_owned(),
        Some(value) => {
            let text = value.to_string();
            match text.char_indices().nth(SHOWN) {
                None => text,
                Some((end, _)) => format!("{}…", &text[..end]),
            }
        }
    };
    format!(
        "{}: expected {}, got {}",
        place.join("."),
        show(expected),
        show(got)
    )
}

const SHOWN: usize = 300;

fn segments(place: &str) -> Vec<String> {
    place
        .replace("[]", ".*")
        .replace('[', ".")
        .replace(']', "")
        .split('.')
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect()
}

fn matches_any(patterns: &[Vec<String>], place: &[String]) -> bool {
    patterns.iter().any(|pattern| {
        pattern.len() == place.len()
            && pattern
                .iter()
                .zip(place)
                .all(|(one, other)| one == other || one == "*" || other == "*")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(expected: Value, got: Value) -> Vec<String> {
        Comparison::default().differences(&expected, &got, "body")
    }

    #[test]
    fn a_difference_names_its_place_and_both_values() {
        assert_eq!(
            plain(
                json!({"a": [{"b": 1}], "only": true}),
                json!({"a": [{"b": 2}]})
            ),
            [
                "body.a.0.b: expected 1, got 2",
                "body.only: expected true, got nothing"
            ]
        );
    }

    #[test]
    fn numbers_are_compared_by_value_and_large_ones_exactly() {
        assert!(plain(json!(8.0), json!(8)).is_empty());
        assert_eq!(
            plain(json!(9007199254740993_i64), json!(9007199254740992_i64)).len(),
            1
        );
        assert_eq!(plain(json!(1), json!("1")).len(), 1);
    }

    #[test]
    fn null_is_not_the_same_as_absent() {
        assert_eq!(plain(json!({"a": null}), json!({})).len(), 1);
    }

    #[test]
    fn a_volatile_value_counts_by_presence_and_form() {
        let token = |c: char| format!("gt-{0}.{0}", c.to_string().repeat(22));
        let by = Comparison::default().volatile(&["body.token".to_owned(), "body.at".to_owned()]);
        let expected = json!({"token": token('a'), "at": 5});
        let differences = |got: Value| by.differences(&expected, &got, "body").len();
        assert_eq!(differences(json!({"token": token('b'), "at": 6})), 0);
        assert_eq!(differences(json!({"token": "gt-short", "at": 6})), 1);
        assert_eq!(differences(json!({"token": token('b'), "at": "6"})), 1);
        assert_eq!(differences(json!({"token": token('b')})), 1);
    }

    #[test]
    fn an_unordered_list_is_compared_as_a_set_with_repeats() {
        let by = Comparison::default().unordered(&["body.user".to_owned()]);
        let expected = json!({"user": [1, 2, 2]});
        assert!(
            by.differences(&expected, &json!({"user": [2, 1, 2]}), "body")
                .is_empty()
        );
        assert_eq!(
            by.differences(&expected, &json!({"user": [2, 1, 1]}), "body")
                .len(),
            2
        );
    }

    #[test]
    fn texts_of_the_validation_library_only_inform() {
        let by = Comparison::default().informative(|item| item.get("input").is_some());
        let expected =
            json!({"detail": [{"type": "missing", "loc": ["a"], "msg": "x", "input": 1}]});
        let good = json!({"detail": [{"type": "missing", "loc": ["a"], "msg": "y"}]});
        let bad = json!({"detail": [{"type": "missing", "loc": ["b"], "msg": "x"}]});
        assert!(by.differences(&expected, &good, "").is_empty());
        assert_eq!(by.differences(&expected, &bad, "").len(), 1);
    }

    #[test]
    fn places_are_found_and_set() {
        let mut value = json!({"response": {"body": [{"x": 1}]}});
        assert_eq!(find(&value, "response.body[0].x"), Some(&json!(1)));
        put(&mut value, "response.body.0.y", json!(2));
        put(&mut value, "new.place", json!(3));
        assert_eq!(find(&value, "response.body.0.y"), Some(&json!(2)));
        assert_eq!(find(&value, "new.place"), Some(&json!(3)));
        assert_eq!(find(&value, "response.none"), None);
    }
}
