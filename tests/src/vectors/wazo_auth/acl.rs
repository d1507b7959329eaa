//! Decisions over access control lists: one required access, or the right to give and take one.

use serde::Deserialize;
use serde_json::Value;
use vouchsafe::wazo_auth::Acl;

use crate::vectors::report::Judgement;

/// A case; its members say which kind it is, and one that is not known could change its meaning.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Case {
    Match(Match),
    Grant(Grant),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "group")]
    _group: String,
    acl: Vec<String>,
    auth_id: Option<String>,
    session_uuid: Option<String>,
    /// `null` means that no access is asked for, which every token has.
    #[serde(deserialize_with = "present")]
    required: Option<String>,
    allowed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    #[serde(rename = "id")]
    _id: String,
    acl: Vec<String>,
    auth_id: Option<String>,
    session_uuid: Option<String>,
    access: String,
    may_add: bool,
    may_remove: bool,
}

/// Reads what may be `null` and must not be left out.
fn present<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(reader)
}

pub(super) fn judge(case: &Value) -> Judgement {
    let mut judgement = Judgement::default();
    judgement.judged();
    let mut expect = |what: &str, expected: bool, got: bool| {
        if expected != got {
            judgement.differ(format!("{what}: expected {expected}, got {got}"));
        }
    };
    match serde_json::from_value(case.clone()) {
        Ok(Case::Match(case)) => {
            let acl = compile(case.acl, case.auth_id, case.session_uuid);
            let required = case.required.as_deref();
            let is_allowed = required.is_none_or(|required| acl.allows(required));
            expect("allowed", case.allowed, is_allowed);
        }
        Ok(Case::Grant(case)) => {
            let acl = compile(case.acl, case.auth_id, case.session_uuid);
            expect("may_add", case.may_add, acl.may_add(&case.access));
            expect("may_remove", case.may_remove, acl.may_remove(&case.access));
        }
        Err(_) => judgement.differ("neither a case of matching nor one of granting"),
    }
    judgement
}

fn compile(patterns: Vec<String>, auth_id: Option<String>, session: Option<String>) -> Acl {
    let mut acl = Acl::builder();
    if let Some(id) = auth_id {
        acl = acl.auth_id(id);
    }
    if let Some(id) = session {
        acl = acl.session_uuid(id);
    }
    acl.build(patterns)
}
