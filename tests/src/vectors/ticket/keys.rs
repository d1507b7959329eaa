//! Which keys a case of each class may have: one that is not known could change what it means.

use serde_json::Value;

use crate::vectors::schema::unknown_key;

/// Refuses a case with a key that its class does not have.
pub(super) fn check(class: &str, case: &Value) -> Result<(), String> {
    let Some((_, own)) = OWN.iter().find(|(known, _)| *known == class) else {
        return Err(format!("no runner for the class {class}"));
    };
    let known = [COMMON, own].concat();
    match unknown_key(case, &known) {
        Some(key) => Err(format!("unknown key {key:?}")),
        None => Ok(()),
    }
}

const COMMON: &[&str] = &[
    "id", "source", "expect", "error", "message", "note", "reason", "title",
];

const OWN: &[(&str, &[&str])] = &[
    (
        "auto_role_check",
        &[
            "additional_self_tvm_ids",
            "container",
            "document",
            "env",
            "kind",
            "need_dst_check",
            "now",
            "self_tvm_id",
            "ticket",
        ],
    ),
    (
        "backoff",
        &["min_ms", "max_ms", "factor", "jitter", "ops", "expect_ms"],
    ),
    ("base64url", &["op", "input_hex", "input"]),
    ("cgi_escape", &["input"]),
    ("client_status", &["state"]),
    (
        "disk_cache",
        &["op", "time", "data_b64", "expect_hex", "blob_hex"],
    ),
    (
        "disk_tickets",
        &[
            "op",
            "text",
            "body",
            "self_tvm_id",
            "slug",
            "base",
            "responses",
        ],
    ),
    ("env_override", &["original", "override"]),
    ("expiration_peek", &["ticket", "now"]),
    ("http_codes", &["code"]),
    ("juggler", &["code", "last_error"]),
    ("key_container", &["text"]),
    ("last_error", &["events"]),
    ("python_url", &["url"]),
    ("redact", &["input"]),
    ("retry_settings", &["header"]),
    (
        "roles_check",
        &[
            "attrs",
            "document",
            "exact_entity",
            "op",
            "role",
            "selected_uid",
            "ticket",
        ],
    ),
    ("roles_decode", &["codec", "body_hex", "expect_b64"]),
    ("roles_parse", &["document"]),
    ("rw_keys", &["kind", "der_hex"]),
    ("rw_sign", &["private_der_hex", "message_hex", "salts_hex"]),
    (
        "rw_verify",
        &["public_der_hex", "message_hex", "signature_hex"],
    ),
    (
        "service_check",
        &[
            "additional_self_tvm_ids",
            "container",
            "need_dst_check",
            "now",
            "self_tvm_id",
            "ticket",
        ],
    ),
    ("settings", &["settings"]),
    ("sign_params", &["secret", "ts", "dst", "scopes"]),
    ("ticket_getter", &["state", "by", "key"]),
    (
        "ticket_request",
        &[
            "auth_token",
            "dst_aliases",
            "dsts",
            "env",
            "known_revision",
            "op",
            "pid",
            "process_name",
            "secret",
            "self_alias",
            "self_tvm_id",
            "service_ticket",
            "src",
            "system_slug",
            "ts",
            "version",
        ],
    ),
    ("tool_birthtime", &["header"]),
    ("tool_env", &["env"]),
    ("tool_meta", &["meta", "self_alias"]),
    ("tool_tickets", &["response", "dsts"]),
    ("tvmapi_tickets", &["response", "dsts"]),
    (
        "unittest_tickets",
        &[
            "default_uid",
            "env",
            "issuer_uid",
            "kind",
            "scopes",
            "src",
            "status",
            "uids",
        ],
    ),
    ("user_check", &["container", "env", "now", "ticket"]),
];
