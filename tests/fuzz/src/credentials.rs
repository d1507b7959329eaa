//! Values of cloud-credentials: claims, records, and the callback of a login.

use std::cell::RefCell;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use vouchsafe::cloud_credentials::{Authorization, Claims, Credentials, Record, Secret};
use vouchsafe::core::SecretBytes;

/// Bytes as a token, and as the payload of one.
pub fn claims(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for token in [
        text.into_owned(),
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(data)),
    ] {
        let claims = match Claims::of(&Secret::from(&*token)) {
            Ok(claims) => claims,
            Err(error) => {
                let shown = format!("{error} {error:?}");
                assert!(token.len() < 24 || !shown.contains(&token));
                continue;
            }
        };
        assert_eq!(token.split('.').count(), 3);
        // Claims have secrets as values, never as names.
        let shown = format!("{claims:?}");
        for (name, value) in claims.as_map() {
            if let Some(value) = value.as_str().filter(|value| value.len() > 12) {
                let is_name = claims.as_map().keys().any(|name| name.contains(value));
                assert!(is_name || !shown.contains(value), "{name}");
            }
        }
        let Ok(expiry) = claims.expiry() else {
            continue;
        };
        assert!(claims.get("exp").is_some());
        let is_expired = |at, leeway| claims.is_expired(at, Duration::from_secs(leeway)).ok();
        assert_eq!(is_expired(expiry, 0), Some(false));
        let later = expiry + Duration::from_secs(1);
        assert_eq!(is_expired(later, 0), Some(true));
        assert_eq!(is_expired(later, 1), Some(false));
    }
    // The same as with the plain reading of the payload.
    if let Ok(expected) = serde_json::from_slice::<Map<String, Value>>(data) {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(data));
        let claims = Claims::of(&Secret::from(token)).expect("it is an object");
        assert_eq!(claims.as_map(), &expected);
    }
}

/// Bytes as a record of a store: what is read is written as the same, with the members that are not
/// known.
pub fn records(data: &[u8]) {
    let record = match Record::read(&SecretBytes::from(data.to_vec())) {
        Ok(record) => record,
        Err(error) => {
            let text = String::from_utf8_lossy(data);
            let shown = format!("{error} {error:?} {:?}", error.core());
            assert!(text.len() < 24 || !shown.contains(&*text));
            return;
        }
    };
    let written = record.write().expect("what was read can be written");
    let again = Record::read(&written).expect("what was written can be read");
    assert!(again == record, "{record:?}");
    assert_eq!(again.is_dead(), record.is_dead());
    assert_eq!(again.descent(), record.descent());
    assert_eq!(again.expiry(), record.expiry());
    let shown = format!("{record:?}");
    for secret in [
        &record.client_secret,
        &record.refresh_token,
        &record.access_token,
    ] {
        if let Some(secret) = secret.as_ref().filter(|secret| secret.len() > 12) {
            let is_name = record
                .extra
                .keys()
                .any(|name| name.contains(secret.expose()));
            let id = record.client_id.as_deref().unwrap_or_default();
            let is_public = is_name || id.contains(secret.expose());
            assert!(is_public || !shown.contains(secret.expose()));
        }
    }
}

/// Bytes as the query of a callback, whole and after the right state: only a callback with this
/// state has a code, and no error shows it.
pub fn callback(data: &[u8]) {
    const CODE: &str = "pl4nted-c0de-of-the-callback";
    let text = String::from_utf8_lossy(data);
    let login = login();
    for query in [
        text.clone().into_owned(),
        format!("https://app.example.org/back?state={STATE}&{text}"),
        format!("https://app.example.org/back?code={CODE}&{text}"),
    ] {
        let only = query.split_once('?').map_or(&*query, |(_, query)| query);
        let only = only.split('#').next().unwrap_or_default();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(only.as_bytes())
            .into_owned()
            .collect();
        let values = |name: &str| -> Vec<&str> {
            let named = pairs.iter().filter(|(other, _)| other == name);
            named.map(|(_, value)| value.as_str()).collect()
        };
        match login.callback(&query) {
            Ok(code) => {
                assert_eq!(values("state"), [STATE]);
                assert_eq!(values("code"), [code.expose()]);
                assert!(!code.is_empty() && values("error").iter().all(|code| code.is_empty()));
            }
            Err(error) => {
                let shown = format!("{error} {error:?} {:?}", error.core());
                let is_quoted = text.contains(CODE);
                assert!(is_quoted || !shown.contains(CODE), "{shown}");
                assert!(!shown.contains(STATE) || text.contains(STATE), "{shown}");
            }
        }
        let other = login.callback_from("https://login.example.org", &query);
        if other.is_ok() {
            assert_eq!(values("iss"), ["https://login.example.org"]);
        }
    }
}

const STATE: &str = "st4te-of-this-login";

fn login() -> Authorization {
    thread_local!(static LOGIN: RefCell<Option<Authorization>> = const { RefCell::new(None) });
    LOGIN.with_borrow_mut(|login| {
        let made = login.get_or_insert_with(|| {
            let credentials = Credentials::builder()
                .authorization_url("https://login.example.org/authorize")
                .redirect_uri("https://app.example.org/back")
                .transport(super::script::nowhere())
                .client_id("app")
                .state(STATE)
                .build();
            let credentials = credentials.expect("it has all that it needs");
            let request = credentials.authorize();
            let login = super::script::run(async move { request.url().await });
            login.expect("nothing is asked for")
        });
        made.clone()
    })
}
