//! Runs tables of the server's rules: names, tokens, quota sums, header filters.

use serde_json::{Value, json};
use vouchsafe::userinfo::mock::rules;
use vouchsafe::userinfo::{BotUsername, GroupName, Scope, Token, TokenError, Username};

use crate::vectors::compare::Comparison;
use crate::vectors::report::Judgement;
use crate::vectors::schema::Table;

/// Judges which names are taken: by the emulator's rule, and by the type that clients use.
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
            judgement.differ("not a name");
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
        let text = input.as_str().unwrap_or_default();
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
        Err(cause) => return judgement.differ(format!("the configuration: {cause}")),
    };
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number} {input}"));
        let groups: Vec<&str> = input
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
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
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Judges what is left of a user's headers. What they are is told by the title alone.
pub(super) fn headers(title: &str, table: &Table, judgement: &mut Judgement) {
    for (number, (input, result)) in table.rows.iter().enumerate() {
        judgement.at(format!("row {number} {input}"));
        let lines: Vec<&str> = input
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let got = if title.to_ascii_lowercase().contains("cookie") {
            json!(rules::filter_cookie(&lines))
        } else {
            json!(rules::filter_authorization(&lines))
        };
        same(result, &got, judgement);
    }
}

fn same(expected: &Value, got: &Value, judgement: &mut Judgement) {
    judgement.judged();
    for difference in Comparison::default().differences(expected, got, "result") {
        judgement.differ(difference);
    }
}
