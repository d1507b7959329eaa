//! Runs tables of the server's rules: names, tokens, quota sums, header filters.

use serde_json::{Value, json};
use vouchsafe::userinfo::mock::rules;
use vouchsafe::userinfo::{BotUsername, GroupName, Scope, Token, TokenError, Username};

use crate::vectors::compare::Comparison;
use crate::vectors::report::Judgement;
use crate::vectors::schema::Table;

/// Checks which names are accepted: by the emulator's rule, and by the type that clients use.
pub(super) fn names(table: &Table, judgement: &mut Judgement) {
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number} {input}"));
        if let (None, Some([organization, team])) =
            (&table.rule, input.as_array().map(Vec::as_slice))
        {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let name = rules::team_group_name(&word(organization), &word(team));
            same(result, &json!(name), judgement);
            continue;
        }
        let Some(text) = input.as_str() else {
            no_text(result, judgement);
            continue;
        };
        let (by_rule, by_type) = match table.rule.as_deref() {
            Some("username") => (rules::is_username(text), Username::parse(text).is_ok()),
            // The rule is the pattern alone; a name is used as a user's, so both have to hold.
            Some("bot") => (
                rules::is_bot_username(text),
                BotUsername::parse(text).is_ok() || !rules::is_username(text) && *result == true,
            ),
            Some("group") => (rules::is_group_name(text), GroupName::parse(text).is_ok()),
            Some("scope") => (rules::is_scope(text), Scope::parse(text).is_ok()),
            other => return judgement.differ(format!("no rule {other:?}")),
        };
        same(result, &json!(by_rule), judgement);
        same(result, &json!(by_type), judgement);
    }
}

/// Judges how tokens are read: by the emulator's rule, and by the type that clients use.
pub(super) fn tokens(table: &Table, judgement: &mut Judgement) {
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number} {input}"));
        let Some(text) = input.as_str() else {
            no_text(result, judgement);
            continue;
        };
        let got = match rules::token_parts(text) {
            Ok((key, secret)) => json!({"key": key, "secret": secret}),
            Err(fault) => json!({"error": fault.to_string()}),
        };
        same(result, &got, judgement);
        let by_type = match Token::parse(text) {
            Ok(token) => {
                let rest = token
                    .secret()
                    .expose()
                    .get("gt-".len() + token.key().len() + 1..);
                json!({"key": token.key(), "secret": rest})
            }
            // No header can carry it: the one thing in which the type is stricter.
            Err(TokenError::Characters) if !text.bytes().all(|b| b.is_ascii_graphic()) => {
                result.clone()
            }
            Err(fault) => json!({"error": fault.to_string()}),
        };
        same(result, &by_type, judgement);
    }
}

/// Judges the quota of sets of groups.
pub(super) fn quotas(config: &Value, table: &Table, judgement: &mut Judgement) {
    let config = match serde_json::from_value(config.clone()) {
        Ok(config) => config,
        Err(_) if exceeds_integers(config) => return judgement.waive(BEYOND),
        Err(cause) => return judgement.differ(format!("the configuration: {cause}")),
    };
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number} {input}"));
        if exceeds_integers(result) {
            judgement.waive(BEYOND);
            continue;
        }
        let Some(groups) = texts(input) else {
            judgement.differ("not a list of groups");
            continue;
        };
        let got = rules::effective_quota(Some(&config), None, &groups);
        let defaults = Comparison::default();
        judgement.judged();
        for difference in
            defaults.differences(&without_nulls(result), &without_nulls(&json!(got)), "quota")
        {
            judgement.differ(difference);
        }
    }
}

/// A part that is null is one that is absent.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Checks the headers of a user that remain. Only the id or the title of the case says which they
/// are.
pub(super) fn headers(id: &str, title: &str, table: &Table, judgement: &mut Judgement) {
    let which = |text: &str| {
        let text = text.to_ascii_lowercase();
        match (text.contains("cookie"), text.contains("auth")) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    };
    let Some(is_cookie) = which(id).or_else(|| which(title)) else {
        return judgement.differ("neither the id nor the title says which headers");
    };
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number} {input}"));
        let Some(lines) = texts(input) else {
            judgement.differ("not a list of header lines");
            continue;
        };
        let got = if is_cookie {
            json!(rules::filter_cookie(&lines))
        } else {
            json!(rules::filter_authorization(&lines))
        };
        same(result, &got, judgement);
    }
}

/// Our types do not accept anything but text as names and tokens, so it must be refused.
fn no_text(result: &Value, judgement: &mut Judgement) {
    judgement.judged();
    if *result != false && result.get("error").is_none() {
        judgement.differ(format!("expected {result} of what is no text"));
    }
}

/// Returns the texts of a list of nothing else.
fn texts(list: &Value) -> Option<Vec<&str>> {
    list.as_array()?.iter().map(Value::as_str).collect()
}

/// Whole numbers beyond 64 bits, which Python takes.
pub(super) const BEYOND: &str = "a whole number that no type of 64 bits holds";

/// Returns whether a document holds a whole number beyond 64 bits: such is read as a fraction.
pub(super) fn exceeds_integers(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.as_i64().is_none()
                && number
                    .as_f64()
                    .is_some_and(|n| n.abs() >= INTEGERS && n.fract() == 0.0)
        }
        Value::Array(items) => items.iter().any(exceeds_integers),
        Value::Object(members) => members.values().any(exceeds_integers),
        _ => false,
    }
}

/// The first whole number that 64 bits with a sign do not hold.
const INTEGERS: f64 = 9_223_372_036_854_775_808.0;

fn same(expected: &Value, got: &Value, judgement: &mut Judgement) {
    judgement.judged();
    for difference in Comparison::default().differences(expected, got, "result") {
        judgement.differ(difference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: Value, rule: &str) -> Table {
        Table {
            rows: serde_json::from_value(rows).unwrap(),
            rule: Some(rule.to_owned()),
            ..Table::default()
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_as_a_name_and_as_a_token() {
        let mut judgement = Judgement::default();
        let rows = json!([[null, false], [7, false], [["a"], false], ["ab", true]]);
        names(&table(rows, "username"), &mut judgement);
        tokens(&table(json!([[7, {"error": "x"}]]), ""), &mut judgement);
        assert_eq!(judgement.differences(), [""; 0]);
        names(&table(json!([[7, true]]), "username"), &mut judgement);
        names(&table(json!([["ab", true]]), "colour"), &mut judgement);
        for (id, title) in [("filter/cookie", "x"), ("filter/host", "Host")] {
            headers(id, title, &table(json!([[[7], []]]), ""), &mut judgement);
        }
        assert_eq!(judgement.differences().len(), 4);
    }

    #[test]
    fn sums_beyond_64_bits_are_left_out_and_others_judged() {
        let config =
            json!({"default": {"api": {"a": i64::MAX}}, "groups": {"g": {"api": {"a": 1}}}});
        let beyond = serde_json::from_str("9223372036854775808").unwrap();
        let mut judgement = Judgement::default();
        let rows = json!([[["g"], {"api": {"a": Value::Number(beyond)}}], [[], {"api": {"a": i64::MAX}, "disk": {}, "tap": {}}]]);
        quotas(&config, &table(rows, ""), &mut judgement);
        assert_eq!(judgement.rule(), Some(BEYOND));
        quotas(&config, &table(json!([[[7], null]]), ""), &mut judgement);
        assert_eq!(judgement.differences().len(), 1, "{judgement:?}");
    }
}
