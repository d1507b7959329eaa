//! Commands that show credentials: `list` and `get`.

use std::time::SystemTime;

use serde_json::{Value, json};
use vouchsafe::cloud_credentials::file::{Document, FileStore};
use vouchsafe::cloud_credentials::{Claims, Record, Source};
use vouchsafe::core::{Clock as _, Secret, SystemClock, timestamp};

use super::reach::Reach;
use crate::failure::Failure;
use crate::output::{Answer, pairs, table};

/// The shown part of a secret.
pub(super) const MASK: &str = "******";

pub(super) async fn list(reach: &Reach) -> Result<Answer, Failure> {
    let documents = reach.store()?.documents(FileStore::NAMESPACE).await?;
    let now = SystemClock::new().now();
    let rows = documents.iter().map(|document| {
        let record = &document.record;
        vec![
            name(document).to_owned(),
            record.client_id.clone().unwrap_or_else(|| "-".to_owned()),
            state(record, now).to_owned(),
            expires(record).unwrap_or_else(|| "-".to_owned()),
        ]
    });
    let human = match documents.is_empty() {
        true => "there are no profiles".to_owned(),
        false => table(&["profile", "client", "state", "token expires"], rows),
    };
    let values = documents.iter().map(|document| {
        json!({
            "profile": document.profile,
            "id": document.id,
            "client_id": document.record.client_id,
            "state": state(&document.record, now),
            "expires_at": expires(&document.record),
        })
    });
    Ok(Answer::new(human, values.collect::<Value>()))
}

pub(super) async fn get(reach: &Reach, shows: bool) -> Result<Answer, Failure> {
    let credentials = reach.credentials()?;
    let source = credentials.source().await?;
    let values = credentials.values().await?;
    if source == Source::Nothing {
        let what = format!(
            "there are no credentials in the profile {}",
            credentials.profile()
        );
        return Err(Failure::not_found(what).hint("run vouchsafe credentials doctor for details"));
    }
    let shown = |secret: &Option<Secret>| {
        let secret = secret.as_ref();
        secret.map(|secret| if shows { secret.expose() } else { MASK }.to_owned())
    };
    let token = values.access_token.as_ref();
    let mut expires_at = token.and_then(|token| expiry(token, &[]));
    if let (Some(token), None, Source::Store) = (token, expires_at, &source) {
        let documents = reach.store()?.documents(FileStore::NAMESPACE).await?;
        expires_at = expiry(token, &documents);
    }
    let fields = [
        ("profile", Some(credentials.profile().to_owned())),
        ("source", Some(source.to_string())),
        ("client_id", values.client_id.clone()),
        ("client_secret", shown(&values.client_secret)),
        ("refresh_token", shown(&values.refresh_token)),
        ("access_token", shown(&values.access_token)),
        ("expires_at", expires_at.map(timestamp::format)),
    ];
    let rows = fields.iter().map(|(name, text)| {
        let text = text.clone().unwrap_or_else(|| "-".to_owned());
        (name.replace('_', " "), text)
    });
    let human = pairs(rows);
    let value = fields
        .into_iter()
        .map(|(name, text)| (name.to_owned(), json!(text)));
    Ok(Answer::new(human, Value::Object(value.collect())))
}

/// Returns when an access token expires, if it states that, or else a document that has it.
pub(super) fn expiry(token: &Secret, documents: &[Document]) -> Option<SystemTime> {
    let claimed = Claims::of(token)
        .ok()
        .and_then(|claims| claims.expiry().ok());
    claimed.or_else(|| {
        let mut records = documents.iter().map(|document| &document.record);
        let own = records.find(|record| record.access_token.as_ref() == Some(token));
        own?.expiry()
    })
}

fn name(document: &Document) -> &str {
    document.profile.as_deref().unwrap_or("-")
}

fn expires(record: &Record) -> Option<String> {
    record.expiry().map(timestamp::format)
}

fn state(record: &Record, now: SystemTime) -> &'static str {
    if record.is_dead() {
        return "needs a login";
    }
    match (&record.access_token, record.expiry()) {
        (None, _) if record.refresh_token.is_none() => "incomplete",
        (None, _) => "no access token yet",
        (Some(_), Some(expiry)) if expiry <= now => "access token expired",
        (Some(_), _) => "access token present",
    }
}
