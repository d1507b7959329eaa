//! Cases use short stand-ins such as `gt-tokA` where our types want well-formed tokens and names.
//! Each is replaced by a different well-formed one, and what the upstream sees is translated back.
//!
//! What is not a stand-in and not well-formed either is *odd*: there our client must refuse
//! before anything is sent.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;
use vouchsafe::core::mock::digest;
use vouchsafe::core::sync::lock;
use vouchsafe::userinfo::{Token, Username};

use crate::vectors::upstream::Translate;

/// The stand-ins of one case, and what stands for them on the wire.
#[derive(Debug, Default)]
pub(super) struct Standins {
    /// Well-formed text to the text of the case.
    originals: Mutex<BTreeMap<String, String>>,
}

impl Standins {
    /// Returns a token for a text of the case, or `None` if the text is odd.
    pub(super) fn token(&self, text: &str) -> Option<Token> {
        if let Ok(token) = Token::parse(text) {
            return Some(token);
        }
        let body = text.strip_prefix("gt-")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if body.is_empty() || !body.bytes().all(is_plain) {
            return None;
        }
        let digest = digest(text);
        let well_formed = format!("gt-{digest}TokenA.{digest}Secret");
        let token = Token::parse(&well_formed).ok()?;
        self.known().insert(well_formed, text.to_owned());
        Some(token)
    }

    /// Returns a user name for a text of the case, or `None` if the text is odd.
    ///
    /// Letters and digits alone mean the same wherever they stand in a URL, so a name of those
    /// that is only too short is a stand-in.
    pub(super) fn username(&self, text: &str) -> Option<Username> {
        if let Ok(name) = Username::parse(text) {
            return Some(name);
        }
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if text.is_empty() || !text.bytes().all(is_plain) {
            return None;
        }
        let well_formed = format!("standin-{text}");
        let name = Username::parse(&well_formed).ok()?;
        self.known().insert(well_formed, text.to_owned());
        Some(name)
    }

    /// Returns the text of the case for one on the wire.
    pub(super) fn original(&self, text: &str) -> String {
        self.known()
            .get(text)
            .cloned()
            .unwrap_or_else(|| text.to_owned())
    }

    /// Returns an `Authorization` value as the case would show it.
    pub(super) fn authorization(&self, value: &str) -> String {
        match value.split_once(' ') {
            Some((scheme, token)) => format!("{scheme} {}", self.original(token)),
            None => value.to_owned(),
        }
    }

    /// Returns a text with well-formed ones in it replaced by those of the case.
    pub(super) fn originals_in(&self, text: &str) -> String {
        self.known()
            .iter()
            .fold(text.to_owned(), |text, (ours, theirs)| {
                text.replace(ours, theirs)
            })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        lock(&self.originals)
    }

    /// Replaces the stand-in that an answer hands out as a new token.
    fn replace_token(&self, value: &mut Value) -> bool {
        let Some(Value::String(text)) = value.get_mut("token") else {
            return false;
        };
        match self.token(text) {
            Some(token) if token.secret().expose() != text => {
                token.secret().expose().clone_into(text);
                true
            }
            _ => false,
        }
    }
}

impl Translate for Standins {
    fn outgoing(&self, body: String) -> String {
        let Ok(mut value) = serde_json::from_str::<Value>(&body) else {
            return body;
        };
        if self.replace_token(&mut value) {
            value.to_string()
        } else {
            body
        }
    }

    fn incoming_path(&self, path: &str) -> String {
        path.split('/')
            .map(|segment| self.original(segment))
            .collect::<Vec<_>>()
            .join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_becomes_well_formed_and_comes_back() {
        let standins = Standins::default();
        let (a, b) = (
            standins.token("gt-a").unwrap(),
            standins.token("gt-b").unwrap(),
        );
        assert_ne!(a, b);
        let value = format!("Bearer {}", a.secret().expose());
        assert_eq!(standins.authorization(&value), "Bearer gt-a");
        let name = standins.username("x").unwrap();
        assert_eq!(
            standins.incoming_path(&format!("/users/{name}")),
            "/users/x"
        );
    }

    #[test]
    fn what_is_well_formed_is_left_alone() {
        let standins = Standins::default();
        let text = format!("gt-{0}.{0}", "k".repeat(22));
        assert_eq!(standins.token(&text).unwrap().secret().expose(), text);
        assert_eq!(standins.username("ada").unwrap().as_str(), "ada");
    }

    #[test]
    fn odd_texts_have_no_stand_in() {
        let standins = Standins::default();
        for odd in ["", "token", "gt-", "gt-a\nx: y", "gt-é", "gt-a b", "GT-a"] {
            assert_eq!(standins.token(odd), None, "{odd:?}");
        }
        for odd in [
            "", "a/b", "..", "a?b", "a#b", "a b", "é", "A", "-a", "a%2fb",
        ] {
            assert_eq!(standins.username(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_new_token_in_an_answer_is_made_well_formed() {
        let standins = Standins::default();
        let body = standins.outgoing(r#"{"token":"gt-new"}"#.to_owned());
        let value: Value = serde_json::from_str(&body).unwrap();
        let token = value["token"].as_str().unwrap();
        assert!(Token::parse(token).is_ok());
        assert_eq!(standins.original(token), "gt-new");
        assert_eq!(standins.outgoing("plain".to_owned()), "plain");
    }
}
