//! Conversion between documents and records, and what a document cannot hold (protocol section
//! 12.4).

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use vouchsafe_core::Secret;
use vouchsafe_core::store::Version;
use vouchsafe_core::text::hex;

use super::Metadata;
use super::layout::{Members, document_text};
use crate::Record;
use crate::jwt::since_1970;
use crate::record::digest;

/// Returns a digest that differs for each state of a document.
pub(super) fn version(id: u64, document: &Members) -> Version {
    let mut hash = Sha256::new();
    hash.update(id.to_be_bytes());
    hash.update(document_text(document).as_bytes());
    Version::new(hex(&hash.finalize()[..16]).as_bytes())
}

/// Reads a document. `None` if a known member is not text.
pub(super) fn read(document: &Members) -> Option<Record> {
    let text = |name: &str| match document.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => None,
    };
    let access_token = text("access_token")?.map(Secret::from);
    let is_known = |name: &str| TEXTS.contains(&name) || name == PROFILE || name == OURS;
    let others = document.iter().filter(|(name, _)| !is_known(name));
    let mut record = Record {
        client_id: text("client_id")?,
        client_secret: text("client_secret")?.map(Secret::from),
        refresh_token: text("refresh_token")?.map(Secret::from),
        access_token,
        extra: others
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        is_token_left_out: !document.contains_key("access_token"),
        ..Record::default()
    };
    if let Some(ours) = document.get(OURS).and_then(Value::as_object) {
        let text = |name: &str| ours.get(name).and_then(Value::as_str);
        // Otherwise another program wrote the document and left our member unchanged.
        let first = record.first();
        let is_login = (ours.get("login")).is_none_or(|login| login.as_str() == first.as_deref());
        if is_login {
            record.dead = text("dead").map(str::to_owned);
        }
        if is_login && text("token_sha") == record.access_token.as_ref().map(digest).as_deref() {
            record.lineage = text("lineage").map(str::to_owned);
            let seconds = ours.get("exp").and_then(Value::as_u64);
            record.expires_at = seconds.map(since_1970);
        }
    }
    Some(record)
}

/// Returns the name of a known member that is not text.
pub(super) fn mistyped(document: &Members) -> Option<&'static str> {
    let is_text = |name: &str| match document.get(name) {
        None | Some(Value::Null | Value::String(_)) => true,
        Some(_) => false,
    };
    TEXTS.iter().copied().find(|name| !is_text(name))
}

/// Writes a record into a document. Members of others are kept.
pub(super) fn write(document: &mut Members, profile: &str, record: &Record, metadata: Metadata) {
    let text = |secret: &Option<Secret>| match secret {
        Some(secret) => Value::from(secret.expose()),
        None => Value::Null,
    };
    if record.access_token.is_some() || !record.is_token_left_out {
        document.insert("access_token".to_owned(), text(&record.access_token));
    }
    let client_id = record.client_id.clone().map_or(Value::Null, Value::from);
    document.insert("client_id".to_owned(), client_id);
    document.insert("client_secret".to_owned(), text(&record.client_secret));
    document.insert("refresh_token".to_owned(), text(&record.refresh_token));
    document.insert(PROFILE.to_owned(), profile.into());
    for (name, value) in &record.extra {
        document.insert(name.clone(), value.clone());
    }
    let is_needed = match metadata {
        Metadata::Auto => {
            !record.is_first() || record.dead.is_some() || is_marked(document, record)
        }
        Metadata::Always => true,
        Metadata::Never => false,
    };
    match is_needed {
        true => document.insert(OURS.to_owned(), ours(record)),
        false => document.remove(OURS),
    };
}

/// Returns whether a document has the mark of a record, from a program that marks all.
fn is_marked(document: &Members, record: &Record) -> bool {
    let mark = document.get(OURS).and_then(|ours| ours.get("lineage"));
    let mark = mark.and_then(Value::as_str);
    mark.is_some() && mark == record.lineage.as_deref()
}

fn ours(record: &Record) -> Value {
    let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let token_sha = record.access_token.as_ref().map(digest);
    let members = [
        // Numbers in JSON are exact everywhere up to this size.
        ("v", Value::from(fastrand::Rng::new().u64(..1 << 53))),
        ("token_sha", token_sha.into()),
        ("exp", record.expiry().map(seconds).into()),
        ("login", record.first().into()),
        ("lineage", record.lineage.clone().into()),
        ("dead", record.dead.clone().into()),
    ];
    let members = members.map(|(name, value)| (name.to_owned(), value));
    Value::Object(Map::from_iter(members))
}

pub(super) const PROFILE: &str = "profile";

/// The member that only this library knows.
const OURS: &str = "cloud_credentials";

const TEXTS: &[&str] = &[
    "access_token",
    "client_id",
    "client_secret",
    "refresh_token",
];
