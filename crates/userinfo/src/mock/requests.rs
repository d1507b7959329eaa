//! The contents of requests (protocol sections 4.6 and 5), checked field by field in the server's
//! order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::directory::{Group, UserData};
use super::scalars::{boolean, float, integer, positive, timestamp};
use super::tokens::TokenKind;
use super::validate::{
    At, CRASH, Checked, Fields, Problem, bounded_text, fault, filled_text, group_name, list, map,
    text, username,
};
use crate::{Limits, NotebookQuota, QuotaConfig, TapQuota};

/// An administrator's request for a new token.
#[derive(Clone, Debug)]
pub(super) struct AdminTokenRequest {
    pub(super) username: String,
    pub(super) kind: TokenKind,
    pub(super) token_name: Option<String>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) expires: Option<i64>,
    pub(super) data: UserData,
}

/// A user's request for a new token.
#[derive(Clone, Debug)]
pub(super) struct UserTokenRequest {
    pub(super) token_name: String,
    pub(super) scopes: BTreeSet<String>,
    pub(super) expires: Option<i64>,
}

pub(super) fn admin_token(body: &Value) -> Checked<AdminTokenRequest> {
    let mut fields = Fields::of(body, At::Root("body"))?;
    let username = fields.required("username", username);
    let kind = fields.required("token_type", token_kind);
    let kind = kind.filter(|kind| {
        let is_made = matches!(kind, TokenKind::Service | TokenKind::User);
        if !is_made {
            fields.refuse("token_type", "token_type must be service or user");
        }
        is_made
    });
    let token_name = token_name(&mut fields, body, kind);
    let request = AdminTokenRequest {
        username: username.unwrap_or_default(),
        kind: kind.unwrap_or(TokenKind::Service),
        token_name,
        scopes: fields.defaulted("scopes", scopes),
        expires: fields.optional("expires", timestamp),
        data: UserData {
            name: fields.optional("name", filled_text),
            email: fields.optional("email", filled_text),
            uid: fields.optional("uid", positive),
            gid: fields.optional("gid", positive),
            groups: fields
                .optional("groups", |value, at| list(value, at, group))
                .unwrap_or_default(),
        },
    };
    fields.finish().map(|()| request)
}

pub(super) fn user_token(body: &Value) -> Checked<UserTokenRequest> {
    let mut fields = Fields::of(body, At::Root("body"))?;
    let request = UserTokenRequest {
        token_name: fields
            .required("token_name", |value, at| bounded_text(value, at, 1, 64))
            .unwrap_or_default(),
        scopes: fields.defaulted("scopes", scopes),
        expires: fields.optional("expires", timestamp),
    };
    fields.finish().map(|()| request)
}

/// An administrator's changes to a token; missing fields stay unchanged.
#[derive(Clone, Debug)]
pub(super) struct TokenChange {
    pub(super) token_name: Option<String>,
    pub(super) scopes: Option<BTreeSet<String>>,
    /// The inner option is `None` for a token that never expires.
    pub(super) expires: Option<Option<i64>>,
}

pub(super) fn token_change(body: &Value) -> Checked<TokenChange> {
    let mut fields = Fields::of(body, At::Root("body"))?;
    let change = TokenChange {
        token_name: fields.optional("token_name", |value, at| bounded_text(value, at, 1, 64)),
        scopes: fields.optional("scopes", scopes),
        expires: match body.get("expires") {
            Some(Value::Null) => Some(None),
            _ => fields.optional("expires", timestamp).map(Some),
        },
    };
    fields.finish().map(|()| change)
}

pub(super) fn quota_config(body: &Value) -> Checked<QuotaConfig> {
    let mut fields = Fields::of(body, At::Root("body"))?;
    let config = QuotaConfig {
        default: Some(fields.defaulted("default", limits)),
        groups: fields.defaulted("groups", |value, at| map(value, at, limits)),
        bypass: fields.defaulted("bypass", |value, at| {
            let Value::Array(_) = value else {
                return fault("set_type", at, value, "Input should be a valid set");
            };
            let groups: BTreeSet<_> = list(value, at, text)?.into_iter().collect();
            Ok(groups.into_iter().collect())
        }),
    };
    fields.deny_unknown(&["default", "groups", "bypass"]);
    fields.finish().map(|()| config)
}

/// The key of a token in a path.
pub(super) fn token_key(value: &Value, at: &At) -> Checked<String> {
    bounded_text(value, at, 22, 22)
}

/// User tokens need a name, and others must not have one. Not checked if the type is invalid.
fn token_name(fields: &mut Fields, body: &Value, kind: Option<TokenKind>) -> Option<String> {
    let name = fields.optional("token_name", |value, at| bounded_text(value, at, 1, 64));
    let is_given = body.get("token_name").is_some_and(|value| !value.is_null());
    match kind {
        Some(TokenKind::User) if !is_given => {
            fields.refuse("token_name", "Tokens of type user must have a name");
        }
        Some(TokenKind::Service) if name.is_some() => {
            fields.refuse("token_name", "Tokens of type service cannot have a name");
        }
        _ => {}
    }
    name
}

fn token_kind(value: &Value, at: &At) -> Checked<TokenKind> {
    if let Some(kind) = value.as_str().and_then(TokenKind::of) {
        return Ok(kind);
    }
    let names: Vec<_> = TokenKind::ALL.iter().map(|k| format!("'{k}'")).collect();
    let (last, first) = names.split_last().unwrap_or((&names[0], &[]));
    let expected = format!("{} or {last}", first.join(", "));
    let msg = format!("Input should be {expected}");
    let problem = Problem::new("enum", at, value, msg);
    Err(vec![problem.with_ctx(json!({"expected": expected}))])
}

/// A list of texts, or one text with commas. Whether the scopes exist is not checked here.
///
/// The server sorts its input before it checks the types, and crashes on values that cannot be
/// sorted.
fn scopes(value: &Value, at: &At) -> Checked<BTreeSet<String>> {
    let all = match value {
        Value::String(all) if all.is_empty() => Vec::new(),
        Value::String(_) => {
            let all = text(value, at)?;
            all.split(',').map(str::to_owned).collect()
        }
        // For an object, only the names count.
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::Array(items) if is_sortable(items) => list(value, at, text)?,
        _ => return fault(CRASH, at, value, "cannot be sorted"),
    };
    Ok(all.into_iter().collect())
}

fn is_sortable(items: &[Value]) -> bool {
    let [first, rest @ ..] = items else {
        return true;
    };
    rest.iter().all(|other| {
        matches!(
            (first, other),
            (Value::String(_), Value::String(_))
                | (Value::Array(_), Value::Array(_))
                | (
                    Value::Number(_) | Value::Bool(_),
                    Value::Number(_) | Value::Bool(_)
                )
        )
    })
}

fn group(value: &Value, at: &At) -> Checked<Group> {
    let mut fields = Fields::of(value, *at)?;
    let group = Group {
        name: fields.required("name", group_name).unwrap_or_default(),
        id: fields.required("id", integer).unwrap_or_default(),
    };
    fields.finish().map(|()| group)
}

fn limits(value: &Value, at: &At) -> Checked<Limits> {
    let mut fields = Fields::of(value, *at)?;
    let limits = Limits {
        api: fields.defaulted("api", |value, at| map(value, at, integer)),
        disk: fields.defaulted("disk", |value, at| map(value, at, integer)),
        notebook: fields.optional("notebook", notebook),
        tap: fields.defaulted("tap", |value, at| map(value, at, tap)),
    };
    fields.deny_unknown(&["api", "disk", "notebook", "tap"]);
    fields.finish().map(|()| limits)
}

fn notebook(value: &Value, at: &At) -> Checked<NotebookQuota> {
    let mut fields = Fields::of(value, *at)?;
    let cpu = fields.required("cpu", float).unwrap_or_default();
    let memory = fields.required("memory", float).unwrap_or_default();
    let mut quota = NotebookQuota::new(cpu, memory);
    let withheld = fields.defaulted("spawn", |value, at| boolean(value, at).map(|may| !may));
    quota.spawn = !withheld;
    fields.deny_unknown(&["cpu", "memory", "spawn"]);
    fields.finish().map(|()| quota)
}

fn tap(value: &Value, at: &At) -> Checked<TapQuota> {
    let mut fields = Fields::of(value, *at)?;
    let concurrent = fields.required("concurrent", integer);
    let mut quota = TapQuota::new(concurrent.unwrap_or_default());
    quota.bytes_billed = fields.optional("bytes_billed", integer);
    fields.deny_unknown(&["concurrent", "bytes_billed"]);
    fields.finish().map(|()| quota)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T: std::fmt::Debug>(checked: Checked<T>) -> Vec<String> {
        let tell = |p: &Problem| format!("{} {}", p.kind, json!(p.loc));
        checked.unwrap_err().iter().map(tell).collect()
    }

    #[test]
    fn an_admins_request_may_say_much_or_little() {
        let little = admin_token(&json!({"username": "bot-x1a", "token_type": "service"})).unwrap();
        assert_eq!((little.expires, little.data), (None, UserData::default()));
        let much = admin_token(&json!({
            "username": "kim", "token_type": "user", "token_name": "t", "scopes": "a,b,a",
            "expires": "60", "name": "K", "email": "?", "uid": "7", "gid": 1.0,
            "groups": [{"name": "g", "id": -1, "more": 1}], "unknown": true
        }))
        .unwrap();
        assert_eq!(much.scopes, ["a", "b"].map(str::to_owned).into());
        assert_eq!(
            (much.expires, much.data.uid, much.data.gid),
            (Some(60), Some(7), Some(1))
        );
        assert_eq!(much.data.groups[0].id, -1);
    }

    #[test]
    fn faults_of_an_admins_request_come_in_the_order_of_the_fields() {
        let body = json!({
            "groups": [{}], "gid": 0, "uid": "x", "email": "", "name": 1, "expires": [],
            "scopes": [1], "token_name": "", "token_type": "user", "username": "X"
        });
        assert_eq!(
            told(admin_token(&body)),
            [
                r#"string_pattern_mismatch ["body","username"]"#,
                r#"string_too_short ["body","token_name"]"#,
                r#"string_type ["body","scopes",0]"#,
                r#"datetime_type ["body","expires"]"#,
                r#"string_type ["body","name"]"#,
                r#"string_too_short ["body","email"]"#,
                r#"int_parsing ["body","uid"]"#,
                r#"greater_than_equal ["body","gid"]"#,
                r#"missing ["body","groups",0,"name"]"#,
                r#"missing ["body","groups",0,"id"]"#,
            ]
        );
    }

    #[test]
    fn the_token_name_depends_on_the_type() {
        let ask = |kind: &str, name: Value| {
            let body = json!({"username": "kim", "token_type": kind, "token_name": name});
            admin_token(&body)
        };
        assert!(ask("user", json!("n")).is_ok());
        assert!(ask("service", Value::Null).is_ok());
        let refused = [r#"value_error ["body","token_name"]"#];
        assert_eq!(told(ask("user", Value::Null)), refused);
        assert_eq!(told(ask("service", json!("n"))), refused);
        assert_eq!(
            told(ask("nothing", json!("n"))),
            [r#"enum ["body","token_type"]"#]
        );
        assert_eq!(
            told(ask("oidc", json!("n"))),
            [r#"value_error ["body","token_type"]"#]
        );
    }

    #[test]
    fn a_users_request_needs_a_name() {
        assert!(user_token(&json!({"token_name": "n", "expires": null})).is_ok());
        let body = json!({"token_name": null, "scopes": [1]});
        assert_eq!(
            told(user_token(&body)),
            [
                r#"string_type ["body","token_name"]"#,
                r#"string_type ["body","scopes",0]"#
            ]
        );
    }

    #[test]
    fn scopes_are_sorted_before_they_are_looked_at() {
        let ask = |scopes: Value| user_token(&json!({"token_name": "n", "scopes": scopes}));
        assert_eq!(ask(json!({"b": 1, "a": null})).unwrap().scopes.len(), 2);
        assert!(ask(json!([])).unwrap().scopes.is_empty());
        for odd in [
            json!(null),
            json!(5),
            json!(true),
            json!(["a", 1]),
            json!([null, null]),
        ] {
            assert!(ask(odd.clone()).unwrap_err()[0].is_crash(), "{odd}");
        }
        for odd in [json!([null]), json!([1, true]), json!([["a"], ["b"]])] {
            assert!(!ask(odd.clone()).unwrap_err()[0].is_crash(), "{odd}");
        }
    }

    #[test]
    fn quota_rules_are_strict_about_keys_at_every_level() {
        let good = json!({
            "default": {"notebook": {"cpu": 1, "memory": "2", "spawn": "no"}},
            "groups": {"g": {"tap": {"t": {"concurrent": 1, "bytes_billed": null}}}},
            "bypass": ["b", "b"]
        });
        let config = quota_config(&good).unwrap();
        assert!(!config.default.unwrap().notebook.unwrap().spawn);
        assert_eq!(config.bypass.len(), 1);
        let bad = json!({
            "default": {"notebook": {"memory": 1, "gpu": 1}, "tap": []}, "groups": {"g": 1},
            "bypass": "b", "more": 1
        });
        assert_eq!(
            told(quota_config(&bad)),
            [
                r#"missing ["body","default","notebook","cpu"]"#,
                r#"extra_forbidden ["body","default","notebook","gpu"]"#,
                r#"dict_type ["body","default","tap"]"#,
                r#"model_attributes_type ["body","groups","g"]"#,
                r#"set_type ["body","bypass"]"#,
                r#"extra_forbidden ["body","more"]"#,
            ]
        );
    }
}
