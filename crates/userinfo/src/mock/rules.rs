//! The server's rules as pure functions: valid names and tokens, filtered headers, and quotas. This
//! module knows nothing about requests or state.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::basic;
pub use super::quota::effective_quota;
use crate::TokenError;
use crate::model::{names, token};

/// Returns whether the server accepts a text as the name of a user.
#[must_use]
pub fn is_username(text: &str) -> bool {
    names::is_username(text)
}

/// Returns whether the server accepts a text as the name of a bot user, except for its length.
#[must_use]
pub fn is_bot_username(text: &str) -> bool {
    names::is_bot(text)
}

/// Returns whether the server accepts a text as the name of a group.
#[must_use]
pub fn is_group_name(text: &str) -> bool {
    names::is_group_name(text)
}

/// Returns whether the server accepts a text as a scope.
#[must_use]
pub fn is_scope(text: &str) -> bool {
    names::is_scope(text)
}

/// Splits a token into key and secret as the server does: 22 characters each, of any alphabet.
///
/// # Errors
///
/// If the text does not have the form of a token; the message is the server's.
pub fn token_parts(text: &str) -> Result<(&str, &str), TokenError> {
    token::parts(text)
}

/// Returns the `Authorization` lines of a request that the ingress forwards.
///
/// A line is dropped if it is `Bearer` with a well-formed token, or `Basic` with such a token as
/// user name or password.
#[must_use]
pub fn filter_authorization<'l>(lines: &[&'l str]) -> Vec<&'l str> {
    let holds_token = |line: &&&str| {
        let Some((scheme, rest)) = basic::split_scheme(line) else {
            return false;
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            return token_parts(rest).is_ok();
        }
        scheme.eq_ignore_ascii_case("basic")
            && basic::decode(rest)
                .is_ok_and(|text| text.trim().split(':').any(|part| token_parts(part).is_ok()))
    };
    let kept = lines.iter().filter(|line| !holds_token(line));
    kept.copied().collect()
}

/// Returns the `Cookie` lines of a request that the ingress forwards: all but the cookie
/// `gafaelfawr`. Cookies are separated by a semicolon with a space, and by nothing else.
#[must_use]
pub fn filter_cookie(lines: &[&str]) -> Vec<String> {
    let is_foreign = |cookie: &&str| cookie.split('=').next() != Some("gafaelfawr");
    let without_own = |line: &&str| {
        let kept: Vec<_> = line.split("; ").filter(is_foreign).collect();
        kept.join("; ")
    };
    let lines = lines.iter().map(without_own);
    lines.filter(|line| !line.is_empty()).collect()
}

/// Returns the name of the group for a GitHub team.
///
/// Beyond 32 characters the end is replaced by a hash, so that two long names stay distinct.
#[must_use]
pub fn team_group_name(organization: &str, slug: &str) -> String {
    let name = format!("{}-{slug}", organization.to_lowercase());
    if name.chars().count() <= 32 {
        return name;
    }
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(name.as_bytes()));
    let start: String = name.chars().take(25).collect();
    format!("{start}-{}", &hash[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "gt-0000000000000000000000.1111111111111111111111";

    fn basic(text: &str) -> String {
        let blob = base64::engine::general_purpose::STANDARD.encode(text);
        format!("Basic {blob}")
    }

    #[test]
    fn a_secret_may_hold_dots_and_anything_of_the_right_length() {
        let key = "k".repeat(22);
        let odd = format!("gt-{key}.{}", "é.".repeat(11));
        assert_eq!(token_parts(&odd).unwrap(), (&*key, &*"é.".repeat(11)));
        for (text, fault) in [
            ("Gt-x".to_owned(), TokenError::Prefix),
            (format!("gt-{key}"), TokenError::Malformed),
            (format!("gt-{key}.{key}k"), TokenError::Malformed),
            (format!("gt-k.{key}"), TokenError::Malformed),
        ] {
            assert_eq!(token_parts(&text).unwrap_err(), fault, "{text}");
        }
    }

    #[test]
    fn an_authorization_line_with_a_token_is_dropped() {
        for line in [
            format!("Bearer {TOKEN}"),
            format!("bEARER   {TOKEN}"),
            basic(&format!("{TOKEN}:x")),
            basic(&format!("x:{TOKEN}")),
            basic(&format!("x:y:{TOKEN}:z")),
        ] {
            let foreign = ["Digest x", &line];
            assert_eq!(filter_authorization(&foreign), ["Digest x"], "{line}");
        }
    }

    #[test]
    fn an_authorization_line_without_a_token_passes() {
        for line in [
            "Bearer other",
            "Bearer",
            TOKEN,
            &format!("Token {TOKEN}"),
            &format!("Bearer {TOKEN}x"),
            "Basic !",
            &basic("user:password"),
        ] {
            assert_eq!(filter_authorization(&[line]), [line]);
        }
    }

    #[test]
    fn only_the_own_cookie_is_dropped() {
        for (line, left) in [
            ("x=1; gafaelfawr=a=b; y=2", vec!["x=1; y=2"]),
            ("gafaelfawr", vec![]),
            ("gafaelfawr=", vec![]),
            ("Gafaelfawr=1", vec!["Gafaelfawr=1"]),
            ("x=1;gafaelfawr=1", vec!["x=1;gafaelfawr=1"]),
            ("gafaelfawr-x=1", vec!["gafaelfawr-x=1"]),
        ] {
            assert_eq!(filter_cookie(&[line]), left, "{line}");
        }
    }

    #[test]
    fn a_long_team_name_ends_in_a_hash() {
        assert_eq!(team_group_name("Org", "team"), "org-team");
        let at_limit = team_group_name("org", &"t".repeat(28));
        assert_eq!(at_limit, format!("org-{}", "t".repeat(28)));
        let one = team_group_name("ORG", &"t".repeat(29));
        let other = team_group_name("org", &"t".repeat(30));
        assert_eq!(one.len(), 32);
        assert!(one.starts_with(&format!("org-{}-", "t".repeat(21))));
        assert_ne!(one, other);
    }
}
