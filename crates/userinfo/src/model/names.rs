//! Names that the server accepts (protocol section 2.4). Invalid names cannot be constructed, so
//! they are never sent and cannot escape their place in a path.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not a valid name: the kind of name and its rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind}: {rule}")]
pub struct NameError {
    kind: &'static str,
    rule: &'static str,
}

macro_rules! name {
    ($(#[$meta:meta])* $name:ident, $check:path, $kind:literal, $rule:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a name.
            ///
            /// # Errors
            ///
            /// If the server would refuse it; the error states the rule.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                if $check(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(NameError { kind: $kind, rule: $rule })
                }
            }

            /// Returns the name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&Self> for $name {
            fn from(name: &Self) -> Self {
                name.clone()
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::parse(&text).map_err(D::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }
    };
}

name! {
    /// The name of a user: 1 to 64 lower-case letters, digits and single inner hyphens, with a
    /// letter that is neither first nor directly after a hyphen.
    ///
    /// ```
    /// use vouchsafe_userinfo::Username;
    ///
    /// assert!(Username::parse("grace-h").is_ok());
    /// assert!(Username::parse("../user-info").is_err());
    /// ```
    Username, is_username, "user name",
    "1 to 64 lower-case letters, digits and single inner hyphens, with a letter that is neither \
     first nor straight after a hyphen"
}

name! {
    /// The name of a bot user: a [`Username`] that begins with `bot-`.
    BotUsername, is_bot_username, "name of a bot user",
    "\"bot-\" and then lower-case letters, digits and single inner hyphens, 64 characters at most"
}

name! {
    /// The name of a group: letters, digits, `.`, `_` and `-`, beginning with a letter or digit,
    /// and including at least one letter.
    GroupName, is_group_name, "group name",
    "letters, digits, \".\", \"_\" and \"-\", beginning with a letter or digit, with a letter \
     somewhere"
}

name! {
    /// The name of a scope: letters, digits, `:`, `.`, `_` and `-`.
    Scope, is_scope, "scope", "letters, digits, \":\", \".\", \"_\" and \"-\", at least one"
}

impl From<BotUsername> for Username {
    fn from(name: BotUsername) -> Self {
        Self(name.0)
    }
}

/// `^[a-z0-9](?:[a-z0-9]|-[a-z0-9])*[a-z](?:[a-z0-9]|-[a-z0-9])*$`, 1 to 64 characters.
pub(crate) fn is_username(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has_inner_letter = bytes
        .windows(2)
        .any(|pair| pair[0] != b'-' && pair[1].is_ascii_lowercase());
    text.len() <= 64 && has_single_inner_hyphens(bytes) && has_inner_letter
}

/// `^bot-[a-z0-9](?:[a-z0-9]|-[a-z0-9])*$`.
pub(crate) fn is_bot(text: &str) -> bool {
    text.strip_prefix("bot-")
        .is_some_and(|rest| has_single_inner_hyphens(rest.as_bytes()))
}

fn is_bot_username(text: &str) -> bool {
    is_bot(text) && is_username(text)
}

/// `^([a-zA-Z]|[a-zA-Z0-9][a-zA-Z0-9._-]*[a-zA-Z])[a-zA-Z0-9._-]*$`.
pub(crate) fn is_group_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(is_inner)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// `^[a-zA-Z0-9:._-]+$`.
pub(crate) fn is_scope(text: &str) -> bool {
    let is_inner =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'_' | b'-');
    !text.is_empty() && text.bytes().all(is_inner)
}

/// Lower-case letters, digits, and hyphens between two of those.
fn has_single_inner_hyphens(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'-').all(|part| {
        !part.is_empty()
            && part
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn user_names_need_a_letter_past_the_start_of_each_part() {
        for good in ["ab", "1a", "a-bc", "bot-1", "a1b", "x0-yz"] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "", "a", "a1", "a-b", "123", "a1-b2", "-ab", "ab-", "a--bc", "Ab", "a_b", "é", "ab\n",
            "a/b", ".", "..", &long,
        ] {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn bot_names_group_names_and_scopes_follow_their_rules() {
        for (text, bot, group, scope) in [
            ("bot-1", true, true, true),
            ("bot-", false, true, true),
            ("a1-b", false, true, true),
            ("9", false, false, true),
            ("9-a.", false, true, true),
            ("_a", false, false, true),
            ("read:all", false, false, true),
            ("", false, false, false),
            ("a b", false, false, false),
            ("a\n", false, false, false),
        ] {
            assert_eq!(BotUsername::parse(text).is_ok(), bot, "{text:?}");
            assert_eq!(GroupName::parse(text).is_ok(), group, "{text:?}");
            assert_eq!(Scope::parse(text).is_ok(), scope, "{text:?}");
        }
    }

    #[test]
    fn names_are_read_from_a_configuration_and_written_back() {
        let name: Username = serde_json::from_str("\"grace-h\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"grace-h\"");
        let error = serde_json::from_str::<Scope>("\"a b\"").unwrap_err();
        assert!(error.to_string().starts_with("not a scope"), "{error}");
    }

    #[test]
    fn a_refusal_tells_the_rule_and_not_the_text() {
        let error = Scope::parse("planted \u{1b}").unwrap_err().to_string();
        assert!(error.starts_with("not a scope: letters"), "{error}");
        assert!(!error.contains("planted"));
    }

    proptest! {
        /// A second implementation of the same rule: track what the pattern could have matched so
        /// far.
        #[test]
        fn the_rule_for_user_names_is_the_pattern(text in "[a-c1-]{0,9}") {
            let mut seen_letter = false;
            let mut good = !text.is_empty();
            let mut before = b'-';
            for (at, byte) in text.bytes().enumerate() {
                good &= byte != b'-' || before != b'-';
                seen_letter |= at > 0 && byte.is_ascii_lowercase() && before != b'-';
                before = byte;
            }
            good &= before != b'-' && seen_letter;
            prop_assert_eq!(Username::parse(&text).is_ok(), good);
        }
    }
}
