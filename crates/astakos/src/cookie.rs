//! The token in the cookie that the web interface sets.

use percent_encoding::percent_decode_str;
use vouchsafe_core::Secret;

/// What may be around a cookie (RFC 6265, section 5.2). Other white space of Unicode is part of a value.
const WHITE_SPACE: [char; 2] = [' ', '\t'];

/// Returns the token in a cookie of the web interface, from the text of a `Cookie` header.
///
/// The cookie's value is percent-encoded: the user's uuid or name, `|`, the token (protocol section
/// 7.8). It is decoded once, and a `+` is kept. Double quotes around the value are removed, as in
/// every cookie parser; of several cookies with that name, the first that is not empty counts.
/// `None` if there is no such cookie, or it contains no `|`.
///
/// ```
/// let cookies = "lang=el; _pithos2_a=ada%40example.org%7Cs3cr3t";
/// let token = vouchsafe_astakos::token_from_cookie(cookies, "_pithos2_a").unwrap();
/// assert_eq!(token.expose(), "s3cr3t");
/// ```
#[doc(alias = "get_token_from_cookie")]
#[must_use]
pub fn token_from_cookie(header: &str, cookie_name: &str) -> Option<Secret> {
    let cookies = header
        .split(';')
        .filter_map(|cookie| cookie.split_once('='));
    let values = cookies.filter(|(name, _)| name.trim_matches(WHITE_SPACE) == cookie_name);
    let value = values
        .map(|(_, value)| without_quotes(value.trim_matches(WHITE_SPACE)))
        .find(|value| !value.is_empty())?;
    token_from_cookie_value(value)
}

fn without_quotes(value: &str) -> &str {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(value)
}

/// Returns the token in the value of a cookie of the web interface, as returned by a cookie parser:
/// quotes are not removed.
#[must_use]
pub fn token_from_cookie_value(value: &str) -> Option<Secret> {
    let text = percent_decode_str(value).decode_utf8_lossy();
    let token = text.split('|').nth(1)?;
    Some(Secret::from(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(value: &str) -> Option<String> {
        token_from_cookie_value(value).map(|token| token.expose().to_owned())
    }

    #[test]
    fn the_second_part_of_the_decoded_value_is_the_token() {
        assert_eq!(token("u%7Ct"), Some("t".to_owned()));
        assert_eq!(token("u|t|x"), Some("t".to_owned()));
        assert_eq!(token("u|"), Some(String::new()));
        assert_eq!(token("u%7Ca%252Bb+c%zz"), Some("a%2Bb+c%zz".to_owned()));
        assert_eq!(token("\"u|t\""), Some("t\"".to_owned()));
        assert_eq!(token("ut"), None);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let of = |header| token_from_cookie(header, "a").map(|token| token.expose().to_owned());
        assert_eq!(of("b=1; a=u%7Ct; a=u%7Cother"), Some("t".to_owned()));
        assert_eq!(of("a=\"u%7Ct\""), Some("t".to_owned()));
        assert_eq!(of("a=; a=\"\"; a=u%7Ct"), Some("t".to_owned()));
        assert_eq!(of("a=none; a=u%7Ct"), None);
        assert_eq!(of("a=\"u%7Ct"), Some("t".to_owned()));
        assert_eq!(of("aa=u%7Ct; b=a=u%7Ct"), None);
        assert_eq!(of("b=1;\ta = u%7Ct\t; c=2"), Some("t".to_owned()));
        assert_eq!(of("a=u|t\u{a0}"), Some("t\u{a0}".to_owned()));
        assert_eq!(of("\u{85}a=u%7Ct"), None);
        assert_eq!(of(""), None);
    }
}
