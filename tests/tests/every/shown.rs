//! What a call shows, and a search for secrets in it.

use std::error::Error as _;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use vouchsafe::core::Error;

/// The ways a server may write what it quotes.
pub(super) fn written(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap();
    let percent: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let xml = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    vec![
        text.to_owned(),
        json.trim_matches('"').to_owned(),
        percent,
        xml,
        STANDARD.encode(text),
        URL_SAFE.encode(text),
        format!("{}...", &text[..text.len() * 3 / 4]),
    ]
}

/// All that is shown of an error.
pub(super) fn shown(error: &Error) -> String {
    let mut all = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        all += &format!("{inner} {inner:?}");
        cause = inner.source();
    }
    let texts = [
        Some(error.message()),
        error.code(),
        error.request_id(),
        error.url(),
    ];
    all.extend(texts.into_iter().flatten());
    all += &error
        .body()
        .map(|body| String::from_utf8_lossy(body))
        .unwrap_or_default();
    all
}

/// Looks for secrets in what was shown, however they are written.
pub(super) fn search(shown: &str, secrets: &[&str], what: &str) {
    for secret in secrets {
        // Half of a short one tells nothing apart from a word.
        let forms = written(secret).into_iter();
        for form in forms.filter(|form| secret.len() >= 8 || !form.ends_with("...")) {
            // Of a secret that was cut short, as much as must not be seen.
            let form = form.trim_end_matches(['.', '=']);
            let length = match secret.len() {
                ..8 => form.len(),
                length => (length * 3 / 4).min(form.len()),
            };
            let part = &form[..length];
            assert!(!shown.contains(part), "{what} shows {part}: {shown}");
        }
    }
}

/// An error as core has it, and everything that it shows.
pub(super) struct Failure {
    pub(super) core: Error,
    pub(super) shown: String,
}

impl Failure {
    /// Takes what the service's own error shows, besides what core's does.
    pub(super) fn new(core: &Error, more: &str) -> Self {
        Self {
            core: core.clone(),
            shown: shown(core) + more,
        }
    }
}

type Calling = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// Makes the same call each time, with one client.
pub(super) type Caller = Box<dyn Fn() -> Calling + Send + Sync>;
